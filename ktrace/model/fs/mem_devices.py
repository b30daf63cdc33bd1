"""/dev/null, /dev/zero and /dev/full (``drivers/char/mem.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ktrace.model.fs.file import FileOperations
from ktrace.model.fs.pipe.splice import SpliceDesc, splice_from_pipe
from ktrace.model.task import Errno
from ktrace.model.wait import Sleeps
from ktrace.uapi.major import MEM_MAJOR
from ktrace.uapi.splice import SPLICE_F_NONBLOCK

if TYPE_CHECKING:
    from ktrace.model.fs.file import File
    from ktrace.model.mm.iov import Destination, Source
    from ktrace.model.task import Task

NULL, ZERO, FULL = "null", "zero", "full"
MINORS = {3: NULL, 5: ZERO, 7: FULL}


class MemDevice(FileOperations):
    """One of the three; what splice brings from them differs between kernels, and is not simulated.

    :param kind: its name below /dev
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.maps = self.maps_zeros = kind == ZERO  # mmap_zero()
        self.name = f"{kind}_fops"

    def open(self, task: Task, inode: Any, file: File) -> None:
        """Nothing to do (``memory_open()``)."""

    def read_iter(self, task: Task, file: File, to: Destination) -> int:
        """Read nothing, or zeros (``read_null()``, ``read_zero()``, ``read_iter_zero()``).

        :raises Errno: EFAULT
        """
        if self.kind == NULL or not to.count:
            return 0
        copied = to.copy(bytes(to.count))
        if not copied:
            raise Errno("EFAULT")
        return copied

    def write_iter(self, task: Task, file: File, source: Source) -> int:
        """Take everything without a look at it, or nothing (``write_null()``, ``write_full()``).

        :raises Errno: ENOSPC
        """
        if self.kind == FULL:
            raise Errno("ENOSPC")
        return source.count

    def llseek(self, task: Task, file: File, offset: int, whence: int) -> int:
        """Go to the beginning, whatever was asked for (``null_lseek()``)."""
        file.pos = 0
        return 0

    def splice_read(self, task: Task, file: File, position: int, pipe: Any, length: int, flags: int) -> tuple[int, int]:
        """Stop: what a pipe gets is not known."""
        raise NotImplementedError(f"the model does not know what splice brings from /dev/{self.kind}")

    def splice_write(
        self, task: Task, pipe: Any, file: File, position: int, length: int, flags: int
    ) -> Sleeps[tuple[int, int]]:
        """Throw a pipe's data away (``splice_write_null()``, ``pipe_to_null()``)."""
        if self.kind != NULL:
            raise NotImplementedError(f"the model does not know what splice does to /dev/{self.kind}")
        description = SpliceDesc(length, bool(flags & SPLICE_F_NONBLOCK))
        done = yield from splice_from_pipe(task, pipe, description, lambda _, size: size)
        return done, position


def mem_device(rdev: int) -> MemDevice | None:
    """Return what the character device *rdev* (``dev_t``) does, ``None`` where it is none of the three."""
    major, minor = rdev >> 20, rdev & 0xFFFFF
    return MemDevice(MINORS[minor]) if major == MEM_MAJOR and minor in MINORS else None
