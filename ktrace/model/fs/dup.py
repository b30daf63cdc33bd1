"""Descriptors that are copied and closed (``fs/file.c``)."""

from __future__ import annotations

from ktrace.model.calls import syscall
from ktrace.model.fs.file import FilesStruct, filp_close
from ktrace.model.task import Errno, Task
from ktrace.uapi.close_range import CLOSE_RANGE_CLOEXEC, CLOSE_RANGE_UNSHARE
from ktrace.uapi.fcntl import O_CLOEXEC
from ktrace.uapi.limits import UINT_MAX


@syscall("dup")
def dup(task: Task, oldfd: int) -> int:
    """Give the lowest free descriptor (``fs/file.c``: dup)."""
    file = task.files.get(oldfd)
    fd = task.files.unused(task)
    file.count += 1
    task.files.install(fd, file)
    return fd


@syscall("dup2")
def dup2(task: Task, oldfd: int, newfd: int) -> int:
    """Give a descriptor of one's choice (``fs/file.c``: dup2)."""
    if oldfd == newfd:
        task.files.get(oldfd)
        return newfd
    return _ksys_dup3(task, oldfd, newfd, 0)


@syscall("dup3")
def dup3(task: Task, oldfd: int, newfd: int, flags: int) -> int:
    """Give a descriptor of one's choice, with close-on-exec (``fs/file.c``: dup3)."""
    return _ksys_dup3(task, oldfd, newfd, flags)


def _ksys_dup3(task: Task, oldfd: int, newfd: int, flags: int) -> int:
    """``fs/file.c: ksys_dup3()``, ``do_dup2()``."""
    if flags & ~O_CLOEXEC or oldfd == newfd:
        raise Errno("EINVAL")
    if not 0 <= newfd < task.rlimit_nofile:
        raise Errno("EBADF")
    task.files.expand(newfd)
    file = task.files.get(oldfd)
    if newfd in task.files.reserved:
        raise Errno("EBUSY")
    replaced = task.files.slots.get(newfd)
    file.count += 1
    task.files.install(newfd, file, bool(flags & O_CLOEXEC))
    if replaced is not None:
        filp_close(task, replaced.file)
    return newfd


@syscall("close")
def close(task: Task, fd: int) -> int:
    """Free a descriptor (``fs/file.c: close_fd()``)."""
    slot = task.files.slots.pop(fd, None)
    if slot is None:
        raise Errno("EBADF")
    filp_close(task, slot.file)
    return 0


@syscall("close_range")
def close_range(task: Task, first: int, last: int, flags: int) -> int:
    """Close or mark a range of descriptors (``fs/file.c: __close_range()``)."""
    if flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC):
        raise Errno("EINVAL")
    first, last = first & UINT_MAX, last & UINT_MAX
    if first > last:
        raise Errno("EINVAL")
    old: FilesStruct | None = None
    files = task.files
    if flags & CLOSE_RANGE_UNSHARE and files.users > 1:
        old = files
        hole = None if flags & CLOSE_RANGE_CLOEXEC else (first, last)
        files = files.copy(task.kernel.serial(), hole)
    if flags & CLOSE_RANGE_CLOEXEC:
        files.set_cloexec(first, last)
    else:
        for fd in sorted(fd for fd in files.slots if first <= fd <= last):
            filp_close(task, files.slots.pop(fd).file)
    if old is not None:
        task.files = files
        old.put(task)
    return 0


def close_on_exec(task: Task) -> None:
    """Close the descriptors with FD_CLOEXEC, in ascending order (``fs/file.c: do_close_on_exec()``)."""
    for fd in sorted(fd for fd, slot in task.files.slots.items() if slot.cloexec):
        filp_close(task, task.files.slots.pop(fd).file)


def unshare_files(task: Task) -> None:
    """Give *task* a descriptor table of its own (``kernel/fork.c: unshare_files()``)."""
    if task.files.users > 1:
        old, task.files = task.files, task.files.copy(task.kernel.serial())
        old.users -= 1
