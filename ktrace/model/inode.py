"""Inodes of pipefs, of tmpfs and of what else a descriptor may open (``fs/inode.c``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ktrace.state import inode as state
from ktrace.state.ref import Ref

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.model.pipe import PipeInode


@dataclass(eq=False)
class Inode:
    """Mirror one ``struct inode``.

    :param key: raw, or final for the root of the workload's directory
    :param count: what pins it besides its names: open files, calls on their way (``i_count``)
    :param pipe: of a FIFO or a pipe that is in use
    :param entries: of a directory
    :param data: content of a regular file, page by page
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
    numbers: dict[str, int] = field(default_factory=dict)
    ops: Any = None

    @property
    def ref(self) -> Ref:
        """Return the reference of this inode."""
        return Ref("inode", self.key)

    def put(self, kernel: Kernel) -> None:
        """Let go of it (``iput()``)."""
        self.count -= 1

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
        )
        if self.pipe is not None:
            self.pipe.observe(kernel, objects)
        for inode in self.entries.values():
            inode.observe(kernel, objects)
        return self.ref
