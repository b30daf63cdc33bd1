"""System calls that work on any open file (``fs/read_write.c``, ``fs/ioctl.c``)."""

from __future__ import annotations

from typing import Any

from ktrace.include.asm.page_types import TASK_SIZE_MAX
from ktrace.include.linux.fs import FMODE_READ, FMODE_WRITE, MAX_LFS_FILESIZE, MAX_RW_COUNT
from ktrace.include.linux.types import u64
from ktrace.model.calls import Answer, syscall
from ktrace.model.fs.file import File, fdget
from ktrace.model.fs.opaque import OpaqueInode, OpaqueOperations
from ktrace.model.mm.iov import (
    Destination,
    Source,
    destination,
    import_destination,
    import_source,
    is_bad,
    result_buffer,
    source,
)
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.model.wait import Sleeps, drive
from ktrace.state.call import Pointer, Result
from ktrace.uapi.fcntl import FASYNC, O_NONBLOCK
from ktrace.uapi.fs import (
    FIBMAP,
    FICLONE,
    FICLONERANGE,
    FIDEDUPERANGE,
    FIFREEZE,
    FIGETBSZ,
    FITHAW,
    FS_IOC_FIEMAP,
    FS_IOC_FSGETXATTR,
    FS_IOC_FSSETXATTR,
    FS_IOC_GETFLAGS,
    FS_IOC_SETFLAGS,
    SEEK_MAX,
)
from ktrace.uapi.ioctls import FIOASYNC, FIOCLEX, FIONBIO, FIONCLEX, FIONREAD, FIOQSIZE
from ktrace.uapi.limits import ULONG_MAX
from ktrace.uapi.mman import PROT_WRITE
from ktrace.uapi.stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG


def check_readable(file: File) -> None:
    """Refuse a file that is not open for reading, or cannot be read (``vfs_read()``: EBADF, EINVAL)."""
    if not file.f_mode & FMODE_READ:
        raise Errno("EBADF")
    if not file.ops.can_read:
        raise Errno("EINVAL")


def check_writable(file: File) -> None:
    """Refuse a file that is not open for writing, or cannot be written (``vfs_write()``: EBADF, EINVAL)."""
    if not file.f_mode & FMODE_WRITE:
        raise Errno("EBADF")
    if not file.ops.can_write:
        raise Errno("EINVAL")


def check_buffer(count: int) -> int:
    """Return *count* as the kernel limits it (``vfs_read()``: EFAULT where no address space is that large)."""
    if count & ULONG_MAX > TASK_SIZE_MAX:
        raise Errno("EFAULT")
    return min(count, MAX_RW_COUNT)


def check_area(count: int) -> int:
    """Return *count* as the kernel limits it (``rw_verify_area()``: EINVAL where it is negative)."""
    if count < 0 or count >= 1 << 63:
        raise Errno("EINVAL")
    return min(count, MAX_RW_COUNT)


def check_end(file: File, count: int) -> None:
    """Refuse to go beyond the largest position that there is (``rw_verify_area()``).

    :raises Errno: EINVAL
    """
    check_end_at(file.pos, count)


def check_end_at(position: int, count: int) -> None:
    """Refuse to go beyond the largest position that there is, from *position* on (``rw_verify_area()``).

    :raises Errno: EINVAL
    """
    if position + count > MAX_LFS_FILESIZE:
        raise Errno("EINVAL")


def do_read(task: Task, file: File, to: Destination) -> Sleeps[int]:
    """Read and return the number of bytes (``new_sync_read()``)."""
    return (yield from drive(file.ops.read_iter(task, file, to)))


def do_write(task: Task, file: File, data: Source) -> Sleeps[int]:
    """Write and return the number of bytes (``new_sync_write()``)."""
    return (yield from drive(file.ops.write_iter(task, file, data)))


@syscall("read")
def read(task: Task, fd: int, count: int) -> Sleeps[Result]:
    """Read from a descriptor (``fs/read_write.c: ksys_read()``, ``vfs_read()``)."""
    with fdget(task, fd) as file:
        check_readable(file)
        size = check_buffer(count)
        check_end(file, count)
        to = destination(task, "buf", size)
        value = yield from do_read(task, file, to)
    return Result(value, None, result_buffer(task, "buf", to.data))


@syscall("write")
def write(task: Task, fd: int, buf: bytes | Pointer, count: int) -> Sleeps[int]:
    """Write to a descriptor (``fs/read_write.c: ksys_write()``, ``vfs_write()``)."""
    with fdget(task, fd) as file:
        check_writable(file)
        size = check_buffer(count)
        check_end(file, count)
        return (yield from do_write(task, file, source(task, buf, size)))


@syscall("readv")
def readv(task: Task, fd: int, iov: Any, iovcnt: int) -> Sleeps[Result]:
    """Read into several buffers (``fs/read_write.c: do_readv()``, ``do_iter_read()``)."""
    with fdget(task, fd) as file:
        to = import_destination(task, iov, iovcnt)
        check_readable(file)
        check_end(file, to.count)
        value = (yield from do_read(task, file, to)) if to.count else 0
    return Result(value, None, {"buf": bytes(to.data)} if _reported(iov) else {})


@syscall("writev")
def writev(task: Task, fd: int, iov: Any, iovcnt: int) -> Sleeps[int]:
    """Write several buffers (``fs/read_write.c: do_writev()``, ``do_iter_write()``)."""
    with fdget(task, fd) as file:
        data = import_source(task, iov, iovcnt)
        check_writable(file)
        check_end(file, data.count)
        return (yield from do_write(task, file, data)) if data.count else 0


def _reported(iov: Any) -> bool:
    """Tell whether the call reports what it read: no element of the vector has an address of the script's choice."""
    return not isinstance(iov, Pointer) and any(iov) and not any(isinstance(item, dict) for item in iov)


def _check_position(file: File, write: bool = False) -> None:
    # ksys_pread64(), do_preadv(): EINVAL comes before EBADF, see _at().
    if isinstance(file.ops, OpaqueOperations) and file.seekable:
        raise AsObserved(file.ops.what)  # a driver may say FMODE_PREAD, FMODE_PWRITE or not
    if not file.seekable or (write and not file.ops.can_pwrite):
        raise Errno("ESPIPE")


def _offset(offset: int) -> None:
    if offset < 0:
        raise Errno("EINVAL")


@syscall("pread64")
def pread64(task: Task, fd: int, count: int, offset: int) -> Sleeps[Result]:
    """Read at an offset (``fs/read_write.c: ksys_pread64()``)."""
    _offset(offset)
    with fdget(task, fd) as file:
        _check_position(file)
        check_readable(file)
        size = check_buffer(count)
        check_end_at(offset, count)
        to = destination(task, "buf", size)
        value = yield from _at(file, offset, do_read(task, file, to))
    return Result(value, None, result_buffer(task, "buf", to.data))


@syscall("pwrite64")
def pwrite64(task: Task, fd: int, buf: bytes | Pointer, offset: int, count: int) -> Sleeps[int]:
    """Write at an offset (``fs/read_write.c: ksys_pwrite64()``)."""
    _offset(offset)
    with fdget(task, fd) as file:
        _check_position(file, write=True)
        check_writable(file)
        size = check_buffer(count)
        check_end_at(offset, count)
        data = source(task, buf, size)
        return (yield from _at(file, offset, do_write(task, file, data)))


@syscall("preadv")
def preadv(task: Task, fd: int, iov: Any, offset: int, iovcnt: int) -> Sleeps[Result]:
    """Read into several buffers at an offset (``fs/read_write.c: do_preadv()``)."""
    _offset(offset)
    with fdget(task, fd) as file:
        _check_position(file)
        to = import_destination(task, iov, iovcnt)
        check_readable(file)
        check_end_at(offset, to.count)
        value = (yield from _at(file, offset, do_read(task, file, to))) if to.count else 0
    return Result(value, None, {"buf": bytes(to.data)} if _reported(iov) else {})


@syscall("pwritev")
def pwritev(task: Task, fd: int, iov: Any, offset: int, iovcnt: int) -> Sleeps[int]:
    """Write several buffers at an offset (``fs/read_write.c: do_pwritev()``)."""
    _offset(offset)
    with fdget(task, fd) as file:
        _check_position(file, write=True)
        data = import_source(task, iov, iovcnt)
        check_writable(file)
        check_end_at(offset, data.count)
        return (yield from _at(file, offset, do_write(task, file, data))) if data.count else 0


def _at(file: File, offset: int, transfer: Sleeps[int]) -> Sleeps[int]:
    """Run *transfer* at *offset* and leave the file's own offset alone."""
    kept, file.pos = file.pos, offset
    try:
        return (yield from transfer)
    finally:
        file.pos = kept


@syscall("lseek")
def lseek(task: Task, fd: int, offset: int, whence: int) -> int:
    """Move a file's offset (``fs/read_write.c: ksys_lseek()``)."""
    with fdget(task, fd) as file:
        if not 0 <= whence <= SEEK_MAX:
            raise Errno("EINVAL")
        return file.ops.llseek(task, file, offset, whence)


ASKED = {FIGETBSZ, FS_IOC_FIEMAP, FS_IOC_GETFLAGS, FS_IOC_FSGETXATTR}
CHANGED = {FIFREEZE, FITHAW, FICLONE, FICLONERANGE, FIDEDUPERANGE, FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR}
"""What ``fs/ioctl.c: do_vfs_ioctl()`` does itself of any file, and is not simulated: file systems refuse most of it."""


@syscall("ioctl")
def ioctl(task: Task, fd: int, request: int, arg: Any) -> Sleeps[Answer]:
    """Do what concerns any file, else ask the file (``fs/ioctl.c: do_vfs_ioctl()``, ``vfs_ioctl()``)."""
    with fdget(task, fd) as file:
        if request in (FIOCLEX, FIONCLEX):
            task.files.slots[fd].cloexec = request == FIOCLEX
            return 0
        if request == FIONBIO:
            _set_flag(file, O_NONBLOCK, _int_argument(task, arg) != 0)
            return 0
        if request == FIOASYNC:
            return (yield from _ioctl_fioasync(task, fd, file, _int_argument(task, arg) != 0))
        if request == FIONREAD and file.inode is not None and file.inode.i_mode & S_IFMT == S_IFREG:
            return Result(0, None, {"arg": file.inode.i_size - file.pos})
        if request == FIOQSIZE and file.inode is not None and not isinstance(file.inode, OpaqueInode):
            if file.inode.i_mode & S_IFMT not in (S_IFREG, S_IFDIR, S_IFLNK):
                raise Errno("ENOTTY")
            if isinstance(arg, str) or not task.mm.accessible(u64(_address(arg)), 1, PROT_WRITE):
                raise Errno("EFAULT")
            raise NotImplementedError("the model does not know how much room a file takes (FIOQSIZE)")
        regular = file.inode is not None and file.inode.i_mode & S_IFMT == S_IFREG
        if not isinstance(file.ops, OpaqueOperations) and (
            request in ASKED | CHANGED or (request == FIBMAP and regular)
        ):
            raise AsObserved("an ioctl of file systems", only_errors=request in CHANGED, simulated=True)
        running: Sleeps[Answer] = drive(file.ops.ioctl(task, file, request, arg))
        answer = yield from running
        if isinstance(answer, Result) and answer.out and isinstance(arg, Pointer):
            if is_bad(task, arg):
                raise Errno("EFAULT")
            return Result(answer.value)
        return answer


def _address(arg: Any) -> int:
    return arg.value if isinstance(arg, Pointer) else int(arg)


def _int_argument(task: Task, arg: Any) -> int:
    if isinstance(arg, Pointer):
        raise Errno("EFAULT")
    return int(arg)


def _set_flag(file: File, flag: int, on: bool) -> None:
    file.f_flags = file.f_flags | flag if on else file.f_flags & ~flag


def _ioctl_fioasync(task: Task, fd: int, file: File, on: bool) -> Sleeps[int]:
    """Turn SIGIO on or off (``fs/ioctl.c: ioctl_fioasync()``)."""
    if bool(file.f_flags & FASYNC) != on:
        if not file.ops.has_fasync:
            raise Errno("ENOTTY")
        if isinstance(file.ops, OpaqueOperations):
            raise AsObserved(file.ops.what, only_errors=True)
        yield from drive(file.ops.fasync(task, fd, file, on))
    return 0
