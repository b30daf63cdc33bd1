"""Open files and descriptor tables (``fs/file.c``, ``fs/file_table.c``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from ktrace.include.linux.fs import FMODE_READ, FMODE_WRITE
from ktrace.model.mm.iov import Destination, Source
from ktrace.model.task import Errno
from ktrace.model.wait import MaySleep, Sleeps, drive
from ktrace.state.allowed import Allowed, Anything
from ktrace.state.fs import file as state
from ktrace.state.ref import Ref
from ktrace.state.rule import Rule
from ktrace.uapi.eventpoll import EPOLLIN, EPOLLOUT, EPOLLRDNORM, EPOLLWRNORM
from ktrace.uapi.fcntl import F_GETPIPE_SZ, F_SETPIPE_SZ, FASYNC, O_PATH
from ktrace.uapi.limits import UINT_MAX

if TYPE_CHECKING:
    from ktrace.model.calls import Answer
    from ktrace.model.fs.fcntl import Stranger
    from ktrace.model.fs.inode import Inode
    from ktrace.model.fs.pipe.pipe import PipeInode
    from ktrace.model.kernel import Kernel
    from ktrace.model.task import Task
    from ktrace.model.wait import WaitQueue

MODES = {FMODE_READ: "r", FMODE_WRITE: "w", FMODE_READ | FMODE_WRITE: "rw", 0: ""}

UNSIMULATED: Any = Anything(Rule("fs/open.c", "do_dentry_open", "files of this kind are not simulated"))
NR_OPEN_DEFAULT = 64
"""Descriptors that a table has room for without more memory (BITS_PER_LONG)."""


class FileOperations:
    """What a kind of file does; each kind overrides what its ``struct file_operations`` has.

    A method is a generator where the kernel may sleep.
    """

    name = "?"
    """The symbol of the ``file_operations``, such as ``pipefifo_fops``."""

    maps = False
    """Whether there is an ``mmap`` among them."""

    maps_pages = False
    """Whether that maps pages of the file, as of tmpfs (``shmem_vm_ops``)."""

    maps_zeros = False
    """Whether that maps memory of nobody's, as of /dev/zero (``mmap_zero()``)."""

    def mmap(self, task: Task, file: File, prot: int) -> None:
        """Refuse to be mapped, or have nothing against it (``call_mmap()``)."""

    def open(self, task: Task, inode: Inode, file: File) -> MaySleep[None]:
        """Open *inode* by name (``no_open()``: ENXIO)."""
        raise Errno("ENXIO")

    def read(self, task: Task, file: File, count: int) -> MaySleep[bytes]:
        """Read up to *count* bytes (``vfs_read()`` without ``read`` or ``read_iter``: EINVAL)."""
        raise Errno("EINVAL")

    def write(self, task: Task, file: File, data: bytes) -> MaySleep[int]:
        """Write *data* (``vfs_write()`` without ``write`` or ``write_iter``: EINVAL)."""
        raise Errno("EINVAL")

    def read_iter(self, task: Task, file: File, to: Destination) -> MaySleep[int]:
        """Read into *to* and return the number of bytes; by default what :meth:`read` gives in one piece."""
        data = yield from drive(self.read(task, file, to.count))
        if to.copy(data) < len(data):
            raise Errno("EFAULT")
        return len(data)

    def write_iter(self, task: Task, file: File, source: Source) -> MaySleep[int]:
        """Write what *source* offers and return the number of bytes; by default by :meth:`write` in one piece."""
        return (yield from drive(self.write(task, file, source.copy_all())))

    def splice_read(
        self, task: Task, file: File, position: int, pipe: PipeInode, length: int, flags: int
    ) -> MaySleep[tuple[int, int]]:
        """Put up to *length* bytes from *position* on into *pipe*, which has room (``warn_unsupported()``: EINVAL).

        :returns: how many bytes went, and the position after them; likewise :meth:`splice_write`
        """
        raise Errno("EINVAL")

    def splice_write(
        self, task: Task, pipe: PipeInode, file: File, position: int, length: int, flags: int
    ) -> MaySleep[tuple[int, int]]:
        """Take up to *length* bytes out of *pipe* (``warn_unsupported()``: EINVAL).

        :param flags: SPLICE_F_NONBLOCK, SPLICE_F_MORE
        """
        raise Errno("EINVAL")

    def splice_eof(self, task: Task, file: File) -> None:
        """Act on the end of a file where sendfile() promised more (``direct_file_splice_eof()``)."""

    @property
    def has_llseek(self) -> bool:
        """Tell whether the file can be moved in (FMODE_LSEEK)."""
        return type(self).llseek is not FileOperations.llseek

    def llseek(self, task: Task, file: File, offset: int, whence: int) -> int:
        """Move the offset (``no_llseek()``: ESPIPE)."""
        raise Errno("ESPIPE")

    def fsync(self, task: Task, file: File) -> int:
        """Write what is not on its medium yet (``vfs_fsync_range()`` without ``fsync``: EINVAL)."""
        raise Errno("EINVAL")

    def ioctl(self, task: Task, file: File, cmd: int, arg: Any) -> MaySleep[Answer]:
        """Do an ioctl (``vfs_ioctl()`` without ``unlocked_ioctl``: ENOTTY)."""
        raise Errno("ENOTTY")

    can_pwrite = True
    """FMODE_PWRITE; ``seq_open()`` takes it away."""

    refuses: tuple[str, ...] = ()
    """What of an inode of this kind nobody may change (``inode_operations.setattr``): its ``mode``, its ``owner``."""

    def fcntl(self, task: Task, file: File, cmd: int, arg: Any) -> MaySleep[int]:
        """Do the commands that only some files have (F_GETPIPE_SZ: EBADF, anything else: EINVAL)."""
        raise Errno("EBADF" if cmd in (F_SETPIPE_SZ, F_GETPIPE_SZ) else "EINVAL")

    def poll(self, task: Task, file: File) -> int:
        """Return the poll mask (``DEFAULT_POLLMASK`` where there is no ``poll``)."""
        return EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM

    def poll_queues(self, task: Task, file: File) -> list[WaitQueue]:
        """Return the queues that ``poll`` registers with, in its order (``poll_wait()``)."""
        return []

    @property
    def can_read(self) -> bool:
        """Tell whether the ``file_operations`` have ``read`` or ``read_iter`` (FMODE_CAN_READ)."""
        own = type(self)
        return own.read is not FileOperations.read or own.read_iter is not FileOperations.read_iter

    @property
    def can_write(self) -> bool:
        """Tell whether the ``file_operations`` have ``write`` or ``write_iter`` (FMODE_CAN_WRITE)."""
        own = type(self)
        return own.write is not FileOperations.write or own.write_iter is not FileOperations.write_iter

    @property
    def can_poll(self) -> bool:
        """Tell whether the ``file_operations`` have ``poll`` (``file_can_poll()``)."""
        return type(self).poll is not FileOperations.poll

    has_fasync = False
    """Whether the ``file_operations`` have ``fasync``, which then keeps the FASYNC bit."""

    def fasync(self, task: Task, fd: int, file: File, on: bool) -> MaySleep[None]:
        """Register for SIGIO, or take the registration back."""

    def f_op(self, file: File) -> str:
        """Return the symbol that the World may show."""
        return self.name

    def f_count(self, file: File) -> int | Allowed:
        """Return how many references the World may show."""
        return file.count

    def flush(self, task: Task, file: File) -> None:
        """Act on every close of a descriptor."""

    def observe(self, kernel: Kernel, file: File, objects: dict[Ref, Any]) -> None:
        """Add what the file opens to *objects*; by default its inode."""
        if file.inode is not None:
            file.inode.observe(kernel, objects)

    def release(self, task: Task, file: File) -> MaySleep[None]:
        """Act on the last close (``__fput()``)."""


@dataclass(eq=False)
class File:
    """Mirror one ``struct file``.

    :param target: reference to what it opens: a pipe, a socket, an inode
    :param private: the subsystem's own object (``private_data``)
    :param seekable: FMODE_LSEEK, FMODE_PREAD and FMODE_PWRITE
    :param inode: the model's inode, where a name leads to it
    :param dentry: directory and name by which it was opened
    :param pos_known: whether *pos* is the model's to tell; *offset*: else, what *f_pos* may be
    :param shown_op: what was seen of the operations of a file that is not simulated
    :param can_odirect: FMODE_CAN_ODIRECT, which ``open()`` gives
    :param f_owner: the task that gets SIGIO; *f_owner_type* one of F_OWNER_*; *f_owner_cred* uid and euid of the setter
    :param on_release: run at the last close before anything else (``eventpoll_release()``)
    :ivar ref: the raw reference of this file
    """

    key: int
    ops: FileOperations
    f_mode: int
    f_flags: int
    target: Ref
    private: Any = None
    count: int = 1
    pos: int = 0
    seekable: bool = False
    inode: Inode | None = None
    dentry: tuple[Inode, str] | None = None
    pos_known: bool = True
    offset: Any = UNSIMULATED
    shown_op: Any = None
    can_odirect: bool = False
    f_owner: Task | Stranger | None = None
    f_owner_type: str = "F_OWNER_TID"
    f_owner_cred: tuple[int, int] = (0, 0)
    f_signum: int = 0
    f_version: int = 0
    on_release: list[Callable[[], None]] = field(default_factory=list)
    ref: Ref = field(init=False)

    def __post_init__(self) -> None:
        self.ref = Ref("file", self.key)

    @property
    def inode_uid(self) -> int:
        """Return the owner of the inode behind the file."""
        return int(getattr(self.inode or self.private, "i_uid", 0))


@dataclass
class Descriptor:
    """Hold one slot of a descriptor table."""

    file: File
    cloexec: bool = False


class FilesStruct:
    """Mirror one ``files_struct``; *users* counts the tasks that share it.

    :ivar reserved: close-on-exec of descriptors that are taken but not installed yet (``get_unused_fd_flags()``)
    """

    def __init__(self, key: int) -> None:
        self.key = key
        self.users = 1
        self.slots: dict[int, Descriptor] = {}
        self.reserved: dict[int, bool] = {}
        self.max_fds = NR_OPEN_DEFAULT
        self._shown: tuple[Any, state.DescriptorTable] | None = None

    def unused(self, task: Task, start: int = 0) -> int:
        """Return the lowest free descriptor (``alloc_fd()``).

        :raises Errno: EMFILE at RLIMIT_NOFILE
        """
        fd = start
        while fd in self.slots or fd in self.reserved:
            fd += 1
        if fd >= task.rlimit_nofile:
            raise Errno("EMFILE")
        self.expand(fd)
        return fd

    def expand(self, fd: int) -> None:
        """Make room for *fd* (``expand_files()``, ``alloc_fdtable()``)."""
        if fd >= self.max_fds:
            self.max_fds = 1 << fd.bit_length()

    def reserve(self, task: Task, cloexec: bool = False) -> int:
        """Take the lowest free descriptor for a file that is not there yet (``get_unused_fd_flags()``).

        :raises Errno: EMFILE
        """
        fd = self.unused(task)
        self.reserved[fd] = cloexec
        return fd

    def install(self, fd: int, file: File, cloexec: bool = False) -> None:
        """Put *file* at *fd* (``fd_install()``); where somebody else marked it meanwhile, it stays marked."""
        marked = self.reserved.pop(fd, False)
        self.slots[fd] = Descriptor(file, cloexec or marked)

    def set_cloexec(self, first: int, last: int) -> None:
        """Mark a range of descriptors, those that are taken but not installed, too (``__range_cloexec()``)."""
        for fd, slot in self.slots.items():
            slot.cloexec |= first <= fd <= last
        for fd, marked in self.reserved.items():
            self.reserved[fd] = marked or first <= fd <= last

    def get(self, fd: int) -> File:
        """Return the file at *fd* (``fdget()``).

        :raises Errno: EBADF
        """
        slot = self.slots.get(fd & UINT_MAX)
        if slot is None:
            raise Errno("EBADF")
        return slot.file

    def copy(self, key: int, hole: tuple[int, int] | None = None) -> FilesStruct:
        """Return a copy for a child that does not share it (``dup_fd()``).

        :param hole: descriptors that need not be copied where that makes the table smaller
        """
        new = FilesStruct(key)
        used = self._sane_size(hole)
        if used > new.max_fds:
            new.max_fds = 1 << (used - 1).bit_length()
        for fd, slot in self.slots.items():
            if fd < used:
                slot.file.count += 1
                new.slots[fd] = Descriptor(slot.file, slot.cloexec)
        return new

    def _sane_size(self, hole: tuple[int, int] | None) -> int:
        """Return how many descriptors a copy has room for (``sane_fdtable_size()``)."""
        taken = [*self.slots, *self.reserved]
        last = max(taken, default=-1)
        if hole is not None and hole[0] <= last <= hole[1]:
            last = max([fd for fd in taken if fd < hole[0]], default=-1)
        return NR_OPEN_DEFAULT if last < 0 else last + 64 & ~63

    def observe(self) -> state.DescriptorTable:
        """Return the table as the state has it: the same object as long as nothing in it changes."""
        slots = [(fd, slot.file, slot.cloexec) for fd, slot in self.slots.items()]
        now = (self.users, self.max_fds, slots, [*self.reserved.items()])
        if self._shown is None or self._shown[0] != now:
            fds = {fd: state.Descriptor(None, cloexec) for fd, cloexec in self.reserved.items()}
            fds |= {fd: state.Descriptor(file.ref, cloexec) for fd, file, cloexec in slots}
            self._shown = (now, state.DescriptorTable(users=self.users, fds=fds, max_fds=self.max_fds))
        return self._shown[1]

    def put(self, task: Task) -> None:
        """Drop one user, the last closes all in ascending order (``put_files_struct()``)."""
        self.users -= 1
        if self.users == 0:
            for fd in sorted(self.slots):
                filp_close(task, self.slots.pop(fd).file)


def file_inode(file: File) -> Inode:
    """Return the inode of a file that certainly has one here (``file_inode()``)."""
    assert file.inode is not None
    return file.inode


def observe_file(kernel: Kernel, objects: dict[Ref, Any], file: File) -> Ref:
    """Add an open file, wherever it is held, and return its reference."""
    ref = file.ref
    if ref not in objects:
        objects[ref] = state.File(
            f_op=file.ops.f_op(file),
            f_mode=MODES[file.f_mode & (FMODE_READ | FMODE_WRITE)],
            f_flags=state.open_flags(file.f_flags),
            f_count=cast(int, file.ops.f_count(file)),
            target=file.target,
            f_pos=file.pos if file.pos_known else file.offset,
            f_owner=Ref("process", file.f_owner.name) if file.f_owner is not None else None,
            f_signum=file.f_signum,
            f_version=file.f_version,
        )
        file.ops.observe(kernel, file, objects)
    return ref


def filp_close(task: Task, file: File) -> None:
    """Close one descriptor's share of *file* (``filp_close()``)."""
    file.ops.flush(task, file)
    fput(task, file)


def fput(task: Task, file: File) -> None:
    """Drop a reference; the last one releases on the way back to user mode (``fput()``: ``task_work_add()``)."""
    file.count -= 1
    if file.count == 0:
        task.task_works.append(partial(release_file, task, file))


def release_file(task: Task, file: File) -> Sleeps[None]:
    """Let go of a file that nobody refers to (``__fput()``)."""
    for action in list(file.on_release):
        action()
    if file.f_flags & FASYNC and file.ops.has_fasync:
        yield from drive(file.ops.fasync(task, -1, file, False))
    yield from drive(file.ops.release(task, file))
    if file.inode is not None:
        file.inode.put(task.kernel)


@contextmanager
def fdget(task: Task, fd: int, raw: bool = False) -> Iterator[File]:
    """Hold the file at *fd* for a call; only a shared table takes a reference (``__fget_light()``).

    :param raw: O_PATH files, too (``fdget_raw()``)
    :raises Errno: EBADF
    """
    file = task.files.get(fd)
    if file.f_flags & O_PATH and not raw:
        raise Errno("EBADF")
    shared = task.files.users > 1
    if shared:
        file.count += 1
    try:
        yield file
    finally:
        if shared:
            fput(task, file)
