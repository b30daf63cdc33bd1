"""Open files and descriptor tables (``fs/file.c``, ``fs/file_table.c``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ktrace.model.task import Errno
from ktrace.state.ref import Ref

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.model.task import Task

FMODE_READ = 0x1
FMODE_WRITE = 0x2


class FileOperations:
    """What a kind of file does; each kind overrides what its ``struct file_operations`` has.

    A method may be a generator where the kernel may sleep. ``read`` answers ``bytes``, ``write`` an int.
    """

    name = "?"
    """The symbol of the ``file_operations``, such as ``pipefifo_fops``."""

    def read(self, kernel: Kernel, task: Task, file: File, count: int) -> Any:
        """Read up to *count* bytes (``vfs_read()`` without ``read`` or ``read_iter``: EINVAL)."""
        raise Errno("EINVAL")

    def write(self, kernel: Kernel, task: Task, file: File, data: bytes) -> Any:
        """Write *data* (``vfs_write()`` without ``write`` or ``write_iter``: EINVAL)."""
        raise Errno("EINVAL")

    def ioctl(self, kernel: Kernel, task: Task, file: File, cmd: str, arg: Any) -> Any:
        """Answer an ioctl (``vfs_ioctl()`` without ``unlocked_ioctl``: ENOTTY)."""
        raise Errno("ENOTTY")

    def poll(self, kernel: Kernel, task: Task, file: File) -> int:
        """Return the poll mask (``DEFAULT_POLLMASK`` where there is no ``poll``)."""
        return 0x1 | 0x4 | 0x40 | 0x100

    def fasync(self, kernel: Kernel, task: Task, fd: int, file: File, on: bool) -> None:
        """Register for SIGIO."""

    def flush(self, kernel: Kernel, task: Task, file: File) -> None:
        """Act on every close of a descriptor."""

    def release(self, kernel: Kernel, task: Task, file: File) -> None:
        """Act on the last close (``__fput()``)."""


@dataclass(eq=False)
class File:
    """Mirror one ``struct file``.

    :param target: reference to what it opens: a pipe, a socket, an inode
    :param private: the subsystem's own object (``private_data``)
    """

    key: int
    ops: FileOperations
    f_mode: int
    f_flags: int
    target: Ref
    private: Any = None
    count: int = 1
    pos: int = 0

    @property
    def ref(self) -> Ref:
        """Return the raw reference of this file."""
        return Ref("file", self.key)


@dataclass
class Descriptor:
    """Hold one slot of a descriptor table."""

    file: File
    cloexec: bool = False


class FilesStruct:
    """Mirror one ``files_struct``; *users* counts the tasks that share it."""

    def __init__(self, key: int) -> None:
        self.key = key
        self.users = 1
        self.slots: dict[int, Descriptor] = {}

    def unused(self, task: Task, start: int = 0) -> int:
        """Return the lowest free descriptor (``alloc_fd()``).

        :raises Errno: EMFILE at RLIMIT_NOFILE
        """
        fd = start
        while fd in self.slots:
            fd += 1
        if fd >= task.rlimit_nofile:
            raise Errno("EMFILE")
        return fd

    def install(self, fd: int, file: File, cloexec: bool = False) -> None:
        """Put *file* at *fd* (``fd_install()``)."""
        self.slots[fd] = Descriptor(file, cloexec)

    def get(self, fd: int) -> File:
        """Return the file at *fd* (``fdget()``).

        :raises Errno: EBADF
        """
        slot = self.slots.get(fd)
        if slot is None:
            raise Errno("EBADF")
        return slot.file

    def copy(self, key: int) -> FilesStruct:
        """Return a copy for a child that does not share it (``dup_fd()``)."""
        new = FilesStruct(key)
        for fd, slot in self.slots.items():
            slot.file.count += 1
            new.slots[fd] = Descriptor(slot.file, slot.cloexec)
        return new

    def put(self, kernel: Kernel, task: Task) -> None:
        """Drop one user, the last closes all in ascending order (``put_files_struct()``)."""
        self.users -= 1
        if self.users == 0:
            for fd in sorted(self.slots):
                filp_close(kernel, task, self.slots.pop(fd).file)


def filp_close(kernel: Kernel, task: Task, file: File) -> None:
    """Close one descriptor's share of *file* (``filp_close()``)."""
    file.ops.flush(kernel, task, file)
    fput(kernel, task, file)


def fput(kernel: Kernel, task: Task, file: File) -> None:
    """Drop a reference; the last one releases on the way back to user mode (``fput()``: ``task_work_add()``)."""
    file.count -= 1
    if file.count == 0:
        task.task_works.append(lambda: file.ops.release(kernel, task, file))
