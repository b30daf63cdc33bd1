"""/dev/null, /dev/zero and /dev/full (``drivers/char/mem.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ktrace.model.fs.file import FileOperations
from ktrace.model.fs.pipe.copy_splice import copy_splice_read
from ktrace.model.fs.pipe.splice import SpliceDesc, splice_from_pipe
from ktrace.model.task import Errno
from ktrace.model.wait import Sleeps
from ktrace.state.rule import Rule
from ktrace.uapi.major import MEM_MAJOR
from ktrace.uapi.splice import SPLICE_F_NONBLOCK

if TYPE_CHECKING:
    from ktrace.model.fs.file import File
    from ktrace.model.mm.iov import Destination, Source
    from ktrace.model.task import Task

NULL, ZERO, FULL = "null", "zero", "full"
SPLICES = Rule("drivers/char/mem.c", "splice_write_null", "whether splice() knows /dev/zero and /dev/full")
MINORS = {3: NULL, 5: ZERO, 7: FULL}


class MemDevice(FileOperations):
    """One of the three.

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

    def splice_read(
        self, task: Task, file: File, position: int, pipe: Any, length: int, flags: int
    ) -> Sleeps[tuple[int, int]]:
        """Put zeros into a pipe, where a kernel has that (``copy_splice_read()``).

        :raises Errno: EINVAL
        """
        if self.kind == NULL or _is_refused(task):
            raise Errno("EINVAL")  # warn_unsupported()
        return copy_splice_read(task, file, position, pipe, length)

    def splice_write(
        self, task: Task, pipe: Any, file: File, position: int, length: int, flags: int
    ) -> Sleeps[tuple[int, int]]:
        """Throw a pipe's data away (``splice_write_null()``, ``pipe_to_null()``), of zeros where a kernel has that.

        :raises Errno: EINVAL
        """
        if self.kind == FULL or (self.kind == ZERO and _is_refused(task)):
            raise Errno("EINVAL")  # warn_unsupported()
        description = SpliceDesc(length, bool(flags & SPLICE_F_NONBLOCK))
        done = yield from splice_from_pipe(task, pipe, description, lambda _, size: size)
        return done, position


def _is_refused(task: Task) -> bool:
    """Tell whether a kernel was seen to know no splice with /dev/zero and /dev/full (``warn_unsupported()``)."""
    return task.kernel.choose(SPLICES, lambda seen: seen.errno(task) == "EINVAL", lambda _: True, otherwise=False)


def mem_device(rdev: int) -> MemDevice | None:
    """Return what the character device *rdev* (``dev_t``) does, ``None`` where it is none of the three."""
    major, minor = rdev >> 20, rdev & 0xFFFFF
    return MemDevice(MINORS[minor]) if major == MEM_MAJOR and minor in MINORS else None
