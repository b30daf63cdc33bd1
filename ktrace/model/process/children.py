"""Waiting for children (``kernel/exit.c``).

An actor's children are born with CLONE_PARENT, so that they are the agent's: no actor has any to wait for.
"""

from __future__ import annotations

from typing import NoReturn

from ktrace.model.calls import syscall
from ktrace.model.process.job_control import Who, number_of
from ktrace.model.task import Errno, Task
from ktrace.uapi.limits import INT_MIN
from ktrace.uapi.wait import (
    __WALL,
    __WCLONE,
    __WNOTHREAD,
    P_ALL,
    P_PGID,
    P_PID,
    P_PIDFD,
    WCONTINUED,
    WEXITED,
    WNOHANG,
    WNOWAIT,
    WSTOPPED,
    WUNTRACED,
)

_KINDS = __WNOTHREAD | __WCLONE | __WALL


@syscall("wait4")
def wait4(task: Task, pid: Who, options: int) -> NoReturn:
    """Find no child (``kernel_wait4()``, ``do_wait()``).

    :raises Errno: EINVAL, ESRCH, ECHILD
    """
    if options & ~(WNOHANG | WUNTRACED | WCONTINUED | _KINDS):
        raise Errno("EINVAL")
    raise Errno("ESRCH" if number_of(task.kernel, pid) == INT_MIN else "ECHILD")


@syscall("waitid")
def waitid(task: Task, which: int, upid: Who, options: int) -> NoReturn:
    """Find no child (``kernel_waitid()``, ``do_wait()``).

    :raises Errno: EINVAL, EBADF, ECHILD
    """
    kernel = task.kernel
    events = WEXITED | WSTOPPED | WCONTINUED
    if options & ~(WNOHANG | WNOWAIT | events | _KINDS) or not options & events:
        raise Errno("EINVAL")
    number = upid if isinstance(upid, int) else number_of(kernel, upid)
    named = isinstance(upid, str)
    if which == P_PID and number <= 0 and not named:
        raise Errno("EINVAL")
    if which in (P_PGID, P_PIDFD) and number < 0:
        raise Errno("EINVAL")
    if which not in (P_ALL, P_PID, P_PGID, P_PIDFD):
        raise Errno("EINVAL")
    if which == P_PIDFD and getattr(task.files.get(number).ops, "what", "") != "pidfd":
        raise Errno("EBADF")
    raise Errno("ECHILD")
