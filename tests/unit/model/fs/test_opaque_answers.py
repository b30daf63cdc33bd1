"""What files that are not simulated may answer: a driver whatever it likes, no more bytes than were asked for."""

from __future__ import annotations

import pytest

from ktrace.agent.syscalls import make_call
from ktrace.model.fs.opaque_answers import answers_of
from ktrace.state.call import Call
from ktrace.uapi.fcntl import AT_FDCWD, O_NONBLOCK, O_WRONLY


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


@pytest.mark.parametrize(
    ("what", "call", "errno"),
    [
        ("procfs", make_call("mkdir", b"/proc/x", 0o700), "ENAMETOOLONG"),
        ("procfs", make_call("open", b"/proc/x", 0), "EAGAIN"),
        ("/dev/tty", make_call("open", b"/dev/tty", 0), "EISDIR"),
        ("procfs", make_call("pread64", 3, 10, 0), "EBADF"),
    ],
)
def test_what_is_known_before_a_file_is_asked_is_no_answer_of_it(what: str, call: Call, errno: str) -> None:
    answers = answers_of(what, call)
    assert answers is not None and not answers.admits(errno)


@pytest.mark.parametrize(
    ("what", "call", "errno"),
    [
        ("procfs", make_call("mkdir", b"/proc/" + b"x" * 256, 0o700), "ENAMETOOLONG"),
        ("a file that was there before", make_call("open", b"/init", O_NONBLOCK), "EAGAIN"),
        ("/dev/x", make_call("openat", AT_FDCWD, b"/dev/x", O_WRONLY), "EISDIR"),
        ("/dev/x", make_call("read", 3, 10), "EBADF"),
    ],
)
def test_what_may_be_is_allowed(what: str, call: Call, errno: str) -> None:
    answers = answers_of(what, call)
    assert answers is not None and answers.admits(errno)
