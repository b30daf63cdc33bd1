"""Inodes of pipefs, of tmpfs and of what else a descriptor may open (``fs/inode.c``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from ktrace.state.allowed import Between
from ktrace.state.fs import inode as state
from ktrace.state.ref import Ref

if TYPE_CHECKING:
    from ktrace.model.fs.pipe.pipe import PipeInode
    from ktrace.model.kernel import Kernel


Time = int | Between
UNKNOWN = Between("times of this file system are not modelled", 0, 1 << 62)


def current_time(kernel: Kernel) -> Time:
    """Return the time of the step that runs, known to the second or two (``fs/inode.c: current_time()``)."""
    return Between("current_time(): set by this step", *kernel.advice.clock)


@dataclass(eq=False)
class Inode:
    """Mirror one ``struct inode``.

    :param key: raw, or final for the root of the workload's directory
    :param count: what pins it besides its names: open files, calls on their way (``i_count``)
    :param pipe: of a FIFO or a pipe that is in use
    :param entries: of a directory
    :param data: content of a regular file, page by page
    :param relatime: where it is mounted, reading does not always change *i_atime* (MNT_RELATIME)
    :param seals: F_SEAL_* of a regular file
    :param numbers: st_ino and st_dev, once seen
    :param ops: of its open files, where its type does not say
    """

    key: int | str
    i_mode: int
    i_uid: int
    i_gid: int
    i_sb: str
    i_fop: str
    i_nlink: int = 1
    count: int = 0
    i_size: int = 0
    pipe: PipeInode | None = None
    entries: dict[str, Inode] = field(default_factory=dict)
    parent: Inode | None = None
    data: Any = None
    seals: int = 1
    i_atime: Time = UNKNOWN
    i_mtime: Time = UNKNOWN
    i_ctime: Time = UNKNOWN
    relatime: bool = False
    numbers: dict[str, int] = field(default_factory=dict)
    ops: Any = None

    @property
    def ref(self) -> Ref:
        """Return the reference of this inode."""
        return Ref("inode", self.key)

    def owner_set(self, uid: int) -> None:
        """Act on a new owner, even if it is the old one (``inode_operations.setattr`` with ATTR_UID)."""

    def born(self, kernel: Kernel) -> Inode:
        """Set all times and return it (``inode_init_owner()`` and what follows it everywhere)."""
        self.i_atime = self.i_mtime = self.i_ctime = current_time(kernel)
        return self

    def changed(self, kernel: Kernel) -> None:
        """Note that its data or its names changed (``file_update_time()``, ``dir->i_ctime = dir->i_mtime``)."""
        self.i_mtime = self.i_ctime = current_time(kernel)

    def accessed(self, kernel: Kernel) -> None:
        """Note that it was read (``touch_atime()``)."""
        now = current_time(kernel)
        if self.relatime:
            # relatime_need_update() compares times to the nanosecond.
            old, new = _low(self.i_atime), kernel.advice.clock[1]
            now = Between("touch_atime(): relatime_need_update()", old, max(old, new))
        self.i_atime = now

    def get(self) -> None:
        """Pin it (``ihold()``)."""
        self.count += 1

    def put(self, kernel: Kernel) -> None:
        """Let go of it (``iput()``)."""
        self.count -= 1
        self.evict()

    def evict(self) -> None:
        """Drop the pages of a file that has neither name nor user (``shmem_evict_inode()``); a pipe keeps its own."""
        if self.count == 0 and self.i_nlink == 0 and self.data:
            for page in self.data.values():
                page.put()
            self.data = None

    def observe(self, kernel: Kernel, objects: dict[Ref, Any]) -> Ref:
        """Add this inode, its pipe and what is below it, and return its reference."""
        if self.ref in objects:
            return self.ref
        objects[self.ref] = state.Inode(
            state.mode_name(self.i_mode),
            self.i_uid,
            self.i_gid,
            self.i_nlink,
            self.i_size,
            self.i_sb,
            self.i_fop,
            self.pipe.ref if self.pipe is not None else None,
            {name: inode.ref for name, inode in sorted(self.entries.items())},
            cast(int, self.i_atime),
            cast(int, self.i_mtime),
            cast(int, self.i_ctime),
        )
        if self.pipe is not None:
            self.pipe.observe(kernel, objects)
        for inode in self.entries.values():
            inode.observe(kernel, objects)
        return self.ref


def _low(time: Time) -> int:
    return time if isinstance(time, int) else time.low
