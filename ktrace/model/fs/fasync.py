"""Signals to the owners of files that became ready (``fs/fcntl.c``: fasync)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ktrace.model.process.job_control import members
from ktrace.model.task import Task
from ktrace.uapi.eventpoll import (
    EPOLLERR,
    EPOLLHUP,
    EPOLLIN,
    EPOLLMSG,
    EPOLLOUT,
    EPOLLPRI,
    EPOLLRDBAND,
    EPOLLRDNORM,
    EPOLLWRBAND,
    EPOLLWRNORM,
)
from ktrace.uapi.fcntl import FASYNC
from ktrace.uapi.siginfo import POLL_ERR, POLL_HUP, POLL_IN, POLL_MSG, POLL_OUT, POLL_PRI, SI_KERNEL, SI_SIGIO
from ktrace.uapi.signal import (
    SIGBUS,
    SIGCHLD,
    SIGFPE,
    SIGILL,
    SIGIO,
    SIGSEGV,
    SIGSYS,
    SIGTRAP,
    SIGURG,
    signal_name,
)

if TYPE_CHECKING:
    from ktrace.model.fs.file import File
    from ktrace.model.kernel import Kernel

BANDS = {
    POLL_IN: EPOLLIN | EPOLLRDNORM,
    POLL_OUT: EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND,
    POLL_MSG: EPOLLIN | EPOLLRDNORM | EPOLLMSG,
    POLL_ERR: EPOLLERR,
    POLL_PRI: EPOLLPRI | EPOLLRDBAND,
    POLL_HUP: EPOLLHUP | EPOLLERR,
}
"""``band_table``: poll masks by reason."""

SPECIFIC = frozenset({SIGILL, SIGFPE, SIGSEGV, SIGBUS, SIGTRAP, SIGCHLD, SIGIO, SIGSYS})
"""Signals whose codes mean something of their own (``SIG_SPECIFIC_SICODES_MASK``)."""


@dataclass(eq=False)
class FasyncStruct:
    """Mirror one ``struct fasync_struct``."""

    file: File
    fd: int


FasyncList = list[FasyncStruct]


def fasync_helper(fd: int, file: File, on: bool, entries: FasyncList) -> int:
    """Add *file* at the head of the list, or take it off; 1 where that changed the list (``fasync_helper()``)."""
    found = next((entry for entry in entries if entry.file is file), None)
    if not on:
        if found is None:
            return 0
        file.f_flags &= ~FASYNC
        entries.remove(found)
        return 1
    if found is not None:
        found.fd = fd
        return 0
    entries.insert(0, FasyncStruct(file, fd))
    file.f_flags |= FASYNC
    return 1


def kill_fasync(kernel: Kernel, entries: FasyncList, sig: int, band: int) -> None:
    """Signal the owner of every file on the list (``kill_fasync_rcu()``)."""
    for entry in list(entries):
        if not (sig == SIGURG and entry.file.f_signum == 0):
            send_sigio(kernel, entry.file, entry.fd, band)


def send_sigio(kernel: Kernel, file: File, fd: int, reason: int) -> None:
    """Send SIGIO, or the signal that F_SETSIG chose, to the owner of *file*, or to all of its group."""
    for owner in owners(kernel, file):
        if permitted(file, owner):
            _send_sigio_to_task(kernel, owner, file, fd, reason)


def owners(kernel: Kernel, file: File) -> list[Task]:
    """Return who lives of those that the owner of *file* stands for (``do_each_pid_task()``)."""
    owner = file.f_owner
    if not isinstance(owner, Task):
        return []
    if file.f_owner_type == "F_OWNER_PGRP":
        return members(kernel, owner.pid)
    return [] if owner.exiting else [owner]


def _send_sigio_to_task(kernel: Kernel, owner: Task, file: File, fd: int, reason: int) -> None:
    """``fs/fcntl.c: send_sigio_to_task()``."""
    signum, thread = file.f_signum, file.f_owner_type == "F_OWNER_TID"
    if signum == 0:
        kernel.send_signal(owner, signal_name(SIGIO), code=SI_KERNEL, thread=thread)
        return
    code = SI_SIGIO if signum != SIGIO and signum in SPECIFIC else reason
    kernel.send_signal(owner, signal_name(signum), code=code, fd=fd, band=BANDS[reason], thread=thread)


def permitted(file: File, owner: Task) -> bool:
    """``fs/fcntl.c: sigio_perm()``."""
    uid, euid = file.f_owner_cred
    return euid == 0 or bool({uid, euid} & {owner.cred.suid, owner.cred.uid})
