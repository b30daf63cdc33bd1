"""What a script asks for and ktrace does not know is a mistake with its place, on a live guest: never a divergence."""

from __future__ import annotations

import pytest

from ktrace.errors import UsageError
from ktrace.verify.lab import Lab
from ktrace.verify.run import run_script
from ktrace.workload.parser import parse_script
from tests.sinks import Record


@pytest.mark.parametrize(
    ("line", "place", "said"),
    [
        (
            "fork(CLONE_VM|CLONE_SIGHAND|CLONE_THREAD) -> B",
            "mine.kt:2:4",
            "this is not known of actors: fork(B, CLONE_VM",
        ),
        ("fork(CLONE_VFORK) -> B", "mine.kt:2:4", "this is not known of actors: fork(B, CLONE_VFORK)"),
        ("fork(CLONE_PARENT) -> B", "mine.kt:2:4", "this is not known of actors: fork(B, CLONE_PARENT)"),
        ('vmsplice(1, ["hello"])', "mine.kt:2:16", "vmsplice shares the caller's own memory"),
        ("fcntl(0, F_SETLK, {F_WRLCK, 0, 0, 0})", "mine.kt:2:22", "record locks (F_GETLK, F_SETLK, ...) are not known"),
        ("fcntl(0, F_SETLK, {F_WRLCK})", "mine.kt:2:22", "record locks (F_GETLK, F_SETLK, ...) are not known"),
    ],
)
def test_what_is_not_known_has_its_place(lab: Lab, line: str, place: str, said: str) -> None:
    record = Record()
    with pytest.raises(UsageError) as caught:
        run_script(parse_script(f"## mine: a script\nA: {line}\n", "mine.kt"), lab, record, {})
    assert caught.value.exit_code == 2
    assert caught.value.message.startswith(f"{place}: ")
    assert said in caught.value.message.splitlines()[0]
    assert record.verdicts == []
