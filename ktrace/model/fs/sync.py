"""fsync(): what was written is on its medium (``fs/sync.c``)."""

from __future__ import annotations

from ktrace.model.calls import syscall
from ktrace.model.fs.file import fdget
from ktrace.model.task import Task


@syscall("fsync")
def fsync(task: Task, fd: int) -> int:
    """Wait until data and inode of a file are written (``do_fsync()``).

    :raises Errno: EBADF, EINVAL
    """
    return do_fsync(task, fd)


@syscall("fdatasync")
def fdatasync(task: Task, fd: int) -> int:
    """Wait until a file's data are written (``do_fsync()``).

    :raises Errno: EBADF, EINVAL
    """
    return do_fsync(task, fd)


def do_fsync(task: Task, fd: int) -> int:
    """Ask the file itself (``do_fsync()``, ``vfs_fsync_range()``).

    :raises Errno: EBADF, EINVAL
    """
    with fdget(task, fd) as file:
        return file.ops.fsync(task, file)
