"""What files that are not simulated may answer: a driver whatever it likes, no more bytes than were asked for."""

from __future__ import annotations

import pytest

from ktrace.agent.syscalls import make_call
from ktrace.model.fs.opaque_answers import answers_of
from ktrace.state.call import Call


@pytest.mark.parametrize("errno", ["EBADFD", "ENOKEY", "EREMOTEIO", "ENETDOWN", "ERESTARTSYS"])
@pytest.mark.parametrize("call", [make_call("read", 0, 10), make_call("open", b"/dev/x", 0)])
def test_no_error_of_a_driver_is_wrong(call: Call, errno: str) -> None:
    answers = answers_of("/dev/x", call)
    assert answers is not None and answers.admits(errno)


def test_procfs_and_names_have_a_handful() -> None:
    answers = answers_of("proc", make_call("read", 0, 10))
    assert answers is not None and answers.admits(10) and not answers.admits(11) and not answers.admits("EREMOTEIO")
    walked = answers_of("/dev/x", make_call("stat", b"/dev/x"))
    assert walked is not None and walked.admits("ENOENT") and not walked.admits("EPIPE")
