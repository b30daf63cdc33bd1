"""How large a file may become: RLIMIT_FSIZE, the file system's own limit (``fs/read_write.c``, ``fs/attr.c``)."""

from __future__ import annotations

from ktrace.include.linux.fs import MAX_LFS_FILESIZE
from ktrace.model.fs.file import File, file_inode
from ktrace.model.fs.inode import Inode
from ktrace.model.mm.iov import Source
from ktrace.model.task import Errno, Task
from ktrace.uapi.fcntl import O_APPEND
from ktrace.uapi.resource import RLIM_INFINITY, RLIMIT_FSIZE


def generic_write_checks(task: Task, file: File, source: Source) -> None:
    """Go to the end with O_APPEND, and cut *source* to what the file may take (``generic_write_checks()``).

    :raises Errno: EFBIG: nothing more may be written there
    """
    if not source.count:
        return
    if file.f_flags & O_APPEND:
        file.pos = file_inode(file).i_size
    limit = rlimit_fsize(task)
    if limit != RLIM_INFINITY:
        if file.pos >= limit:
            _too_big(task)
        source.truncate(limit - file.pos)
    if file.pos >= MAX_LFS_FILESIZE:
        raise Errno("EFBIG")
    source.truncate(MAX_LFS_FILESIZE - file.pos)


def inode_newsize_ok(task: Task, inode: Inode, size: int) -> None:
    """Refuse to extend a file beyond what it may have (``fs/attr.c: inode_newsize_ok()``).

    :raises Errno: EFBIG
    """
    if inode.i_size >= size:
        return
    limit = rlimit_fsize(task)
    if limit != RLIM_INFINITY and size > limit:
        _too_big(task)
    if size > MAX_LFS_FILESIZE:
        raise Errno("EFBIG")


def rlimit_fsize(task: Task) -> int:
    """Return the soft RLIMIT_FSIZE of *task*, which the agent's children are born without (``rlimit()``)."""
    limit = task.rlimits.get(RLIMIT_FSIZE)
    return RLIM_INFINITY if limit is None else limit.cur


def _too_big(task: Task) -> None:
    """Tell the caller with SIGXFSZ, besides.

    :raises Errno: EFBIG
    """
    task.kernel.send_signal(task, "SIGXFSZ", sender=task, thread=True)
    raise Errno("EFBIG")
