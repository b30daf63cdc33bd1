"""copy_file_range (``fs/read_write.c: vfs_copy_file_range()``): of tmpfs, what is copied goes through a pipe."""

from __future__ import annotations

from typing import Any

from ktrace.include.linux.fs import FMODE_READ, FMODE_WRITE, MAX_RW_COUNT
from ktrace.include.linux.limits import SIZE_MAX
from ktrace.model.calls import syscall
from ktrace.model.fs.file import File, fdget
from ktrace.model.fs.opaque import OpaqueInode
from ktrace.model.fs.pipe.splice_calls import splice_direct
from ktrace.model.fs.read_write import check_end_at
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.model.wait import Sleeps
from ktrace.state.call import Pointer, Result
from ktrace.uapi.fcntl import O_APPEND
from ktrace.uapi.limits import LLONG_MAX
from ktrace.uapi.stat import S_IFDIR, S_IFMT, S_IFREG


@syscall("copy_file_range")
def copy_file_range(
    task: Task, fd_in: int, off_in: Any, fd_out: int, off_out: Any, len: int, flags: int
) -> Sleeps[Result]:
    """Copy a part of one file into another (``SYSCALL_DEFINE6(copy_file_range)``, ``generic_copy_file_checks()``).

    :raises Errno: EBADF, EFAULT, EINVAL, EISDIR, EXDEV, EOVERFLOW
    """
    with fdget(task, fd_in) as source, fdget(task, fd_out) as target:
        if isinstance(off_in, Pointer) or isinstance(off_out, Pointer):
            raise Errno("EFAULT")
        if flags:
            raise Errno("EINVAL")
        pos_in = source.pos if off_in is None else off_in
        pos_out = target.pos if off_out is None else off_out
        length = _check(source, target, pos_in, pos_out, len & SIZE_MAX)
        done, after_in, after_out = 0, pos_in, pos_out
        if length:
            done, after_in, after_out = yield from splice_direct(
                task, source, pos_in, target, pos_out, min(length, MAX_RW_COUNT)
            )
        out: dict[str, Any] = {}
        if off_in is not None:
            out["off_in"] = after_in
        elif done:
            source.pos = after_in
        if off_out is not None:
            out["off_out"] = after_out
        elif done:
            target.pos = after_out
    return Result(done, None, out)


def _check(source: File, target: File, pos_in: int, pos_out: int, count: int) -> int:
    """Return how much may be copied (``generic_copy_file_checks()``, ``generic_file_rw_checks()``)."""
    there, here = source.inode, target.inode
    if isinstance(there, OpaqueInode) or isinstance(here, OpaqueInode):
        raise AsObserved("a file whose contents are copied")
    kinds = [inode.i_mode & S_IFMT if inode is not None else 0 for inode in (there, here)]
    if S_IFDIR in kinds:
        raise Errno("EISDIR")
    if there is None or here is None or kinds != [S_IFREG, S_IFREG]:
        raise Errno("EINVAL")
    if not source.f_mode & FMODE_READ or not target.f_mode & FMODE_WRITE or target.f_flags & O_APPEND:
        raise Errno("EBADF")
    if pos_in + count > LLONG_MAX or pos_out + count > LLONG_MAX:
        raise Errno("EOVERFLOW")
    count = min(count, max(there.i_size - pos_in, 0))
    if there is here and pos_out + count > pos_in and pos_out < pos_in + count:
        raise Errno("EINVAL")
    check_end_at(pos_in, count)
    check_end_at(pos_out, count)
    return count
