"""Files of kinds that the model does not simulate: devices, procfs, sysfs, what lay in the guest before.

They have descriptors, references and flags that are predicted; what reading, writing and asking them brings is taken as
it was observed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ktrace.model.fs.file import UNSIMULATED as UNKNOWN
from ktrace.model.fs.file import FileOperations
from ktrace.model.fs.inode import Inode
from ktrace.model.kernel import UNSIMULATED
from ktrace.model.task import AsObserved
from ktrace.model.wait import MaySleep, WaitQueue
from ktrace.state.allowed import Allowed, Between
from ktrace.state.call import Result
from ktrace.state.fs import inode as state
from ktrace.state.ref import Ref
from ktrace.state.rule import Rule

if TYPE_CHECKING:
    from ktrace.model.calls import Answer
    from ktrace.model.fs.file import File
    from ktrace.model.kernel import Kernel
    from ktrace.model.observed import Observed
    from ktrace.model.task import Task

SAME = Rule("fs/namei.c", "path_openat", "whether two paths of a file system that is not simulated lead to one inode")
POLLWAIT = Rule("fs/select.c", "__pollwait", "a reference for each queue of a driver that is not simulated")
QUEUES = 3
"""No driver's poll waits on more queues than one and these."""


class OpaqueInode(Inode):
    """An inode of which only its identity is known.

    :param path: what leads to it, as far as names of opaque directories are known
    """

    def __init__(self, key: int | str, what: str, path: str = "", i_mode: int = 0) -> None:
        super().__init__(key, i_mode, 0, 0, what, "?", ops=OpaqueOperations(what))
        self.what = what
        self.path = path

    def lookup(self, task: Task, name: str) -> Inode | None:
        """Return something of which nothing but the name is known."""
        below = OpaqueInode(task.kernel.serial(), self.what, f"{self.path.rstrip('/')}/{name}")
        below.parent = self
        return below

    def observe(self, kernel: Kernel, objects: dict[Ref, Any]) -> Ref:
        """Add it with nothing but its identity."""
        unknown: Any = UNKNOWN
        objects.setdefault(
            self.ref,
            state.Inode(
                i_mode=unknown,
                i_uid=unknown,
                i_gid=unknown,
                i_nlink=unknown,
                i_size=unknown,
                i_sb=unknown,
                i_fop=unknown,
                i_pipe=None,
                entries={},
                i_atime=unknown,
                i_mtime=unknown,
                i_ctime=unknown,
                i_ino=unknown,
                s_dev=unknown,
                i_atime_nsec=unknown,
                i_mtime_nsec=unknown,
                i_ctime_nsec=unknown,
            ),
        )
        return self.ref


class OpaqueOperations(FileOperations):
    """``file_operations`` that are not simulated.

    :param what: kind of file
    :param name: its symbol, where that is known
    """

    has_fasync = True
    maps = True

    def __init__(self, what: str, name: str = UNKNOWN) -> None:
        self.what = what
        self.name = name

    def open(self, task: Task, inode: Any, file: File) -> None:
        """Open it, or fail as it was seen to: drivers have their own reasons (``chrdev_open()``)."""
        file.pos_known = False
        file.private = WaitQueue()
        if task.kernel.choose(UNSIMULATED, lambda seen: _failed(seen.result(task)), lambda _: True, None):
            raise AsObserved(self.what)

    def read_iter(self, task: Task, file: File, to: Any) -> MaySleep[int]:
        """Read as observed."""
        raise AsObserved(self.what)

    def write_iter(self, task: Task, file: File, source: Any) -> MaySleep[int]:
        """Write as observed."""
        raise AsObserved(self.what)

    def fsync(self, task: Task, file: File) -> int:
        """Write as observed."""
        raise AsObserved(self.what)

    def llseek(self, task: Task, file: File, offset: int, whence: int) -> int:
        """Move the offset as observed."""
        raise AsObserved(self.what)

    def ioctl(self, task: Task, file: File, cmd: int, arg: Any) -> MaySleep[Answer]:
        """Answer as observed."""
        raise AsObserved(self.what)

    def fcntl(self, task: Task, file: File, cmd: int, arg: Any) -> MaySleep[int]:
        """Answer as observed."""
        raise AsObserved(self.what)

    def fasync(self, task: Task, fd: int, file: File, on: bool) -> MaySleep[None]:
        """Stop: drivers have one or not."""
        raise NotImplementedError(f"the model does not know whether {self.what} sends SIGIO")

    def splice_read(
        self, task: Task, file: File, position: int, pipe: Any, length: int, flags: int
    ) -> MaySleep[tuple[int, int]]:
        """Stop: what would come into the pipe is not known."""
        raise NotImplementedError(f"the model does not know what splice brings from {self.what}")

    def splice_write(
        self, task: Task, pipe: Any, file: File, position: int, length: int, flags: int
    ) -> MaySleep[tuple[int, int]]:
        """Stop: how much it takes is not known."""
        raise NotImplementedError(f"the model does not know how much of a pipe {self.what} takes")

    def poll_queues(self, task: Task, file: File) -> list[WaitQueue]:
        """Return a queue that stands for those of the driver."""
        return [file.private]

    def f_count(self, file: File) -> int | Allowed:
        """Return what poll may hold it by: a reference for each of the driver's queues (``__pollwait()``)."""
        polled = len(file.private.entries) if isinstance(file.private, WaitQueue) else 0
        if not polled:
            return file.count
        return Between(POLLWAIT, file.count - polled, file.count + QUEUES * polled)

    def poll(self, task: Task, file: File) -> int:
        """Return the mask that the caller was seen to be told, 0 while it was told nothing."""
        task.watches_opaque = True
        seen = task.kernel.choose(UNSIMULATED, lambda seen: seen.result(task), lambda _: True, None)
        if seen is None or task.call is None:
            return 0
        if task.call.name in ("poll", "ppoll"):
            asked = task.call.args[0]
            told = seen.out.get("revents", ())
            return _union(mask for item, mask in zip(asked, told, strict=False) if _is_at(task, item["fd"], file))
        if task.call.name in ("select", "pselect6"):
            masks = {"readfds": 0x41, "writefds": 0x104, "exceptfds": 0x2}
            return _union(
                mask for name, mask in masks.items() for fd in seen.out.get(name) or () if _is_at(task, fd, file)
            )
        raise NotImplementedError(f"the model does not know when {self.what} is ready")


def _failed(result: Result | None) -> str | None:
    return result.errno if result is not None else None


def _union(masks: Any) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found


def _is_at(task: Task, fd: int, file: File) -> bool:
    slot = task.files.slots.get(fd)
    return slot is not None and slot.file is file


def identify(task: Task, fd: int, what: str, path: str) -> OpaqueInode:
    """Return the inode that *fd* is about to open: one that is open already where it was seen to be the same."""
    kernel = task.kernel
    opened = {
        f"descriptor {number} of {other.name}": (other, number, slot.file.inode)
        for other in kernel.tasks.values()
        for number, slot in other.files.slots.items()
        if isinstance(slot.file.inode, OpaqueInode)
    }

    def find(seen: Observed) -> str | None:
        target = seen.target(task, fd)
        if target is None:
            return None
        return next((name for name, (other, number, _) in opened.items() if seen.target(other, number) == target), None)

    same = kernel.choose(SAME, find, lambda _: True, None)
    return opened[same][2] if same is not None else OpaqueInode(kernel.serial(), what, path)
