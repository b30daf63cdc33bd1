"""Errors of ktrace cross from one process to another as they are: searches make their sequences in processes."""

from __future__ import annotations

import pickle

import pytest

from ktrace.agent.frames import Refusal, Refused
from ktrace.errors import GuestError, KtraceError, NotModelled, UsageError
from ktrace.inspect.members import MissingMember


@pytest.mark.parametrize(
    "error",
    [
        UsageError("no such thing 'x'", "name another"),
        NotModelled(7, "futex is not modelled"),
        GuestError("it died", None, "a console\n"),
        Refused(Refusal.BLOCKED, 3),
        MissingMember("struct sock", "sk_x", "is an array, not a number,"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_arrives_as_it_was(error: KtraceError) -> None:
    arrived = pickle.loads(pickle.dumps(error))
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert vars(arrived) == vars(error)
    assert arrived.exit_code == error.exit_code
