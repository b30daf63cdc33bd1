"""Which calls of a program are to be shown."""

from __future__ import annotations

import pytest

from ktrace.cli.traced import chosen_calls
from ktrace.errors import UsageError


def test_names_and_classes() -> None:
    assert chosen_calls(()) is None
    assert chosen_calls(("write,read",)) == {"write", "read"}
    assert chosen_calls(("trace=%network", "pipe2")) >= {"sendmsg", "bind", "pipe2"}
    sysv = chosen_calls(("trace=ipc",))
    assert sysv is not None and sysv >= {"msgget", "semop", "shmat"} and "write" not in sysv
    assert (
        chosen_calls(("pipe",))
        == chosen_calls(("%pipe",))
        == {"pipe", "pipe2", "splice", "tee", "vmsplice", "sendfile"}
    )
    assert chosen_calls(("none",)) == frozenset()


def test_all_but_some() -> None:
    found = chosen_calls(("trace=!read,write",))
    assert found is not None and "read" not in found and {"close", "execve", "fork"} <= found


@pytest.mark.parametrize(
    ("expression", "message"), [("wriet", "no call or class 'wriet'"), ("raw=read", "is not known")]
)
def test_what_there_is_not(expression: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        chosen_calls((expression,))
