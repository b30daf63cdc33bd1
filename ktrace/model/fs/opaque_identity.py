"""Which inode a path leads to that is not simulated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.model.fs.opaque import PROC, OpaqueInode
from ktrace.model.mm import maps
from ktrace.state.rule import Rule

if TYPE_CHECKING:
    from ktrace.model.observed import Observed
    from ktrace.model.task import Task

SAME = Rule("fs/namei.c", "path_openat", "whether two paths of a file system that is not simulated lead to one inode")


def identify(task: Task, fd: int, what: str, found: OpaqueInode | None = None) -> OpaqueInode:
    """Return the inode that *fd* is about to open: one that is open already where it was seen to be the same.

    :param found: what its path led to, if it has one
    """
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
    if same is not None:
        return opened[same][2]
    inode = OpaqueInode(kernel.serial(), what) if found is None else found.opened_by(task)
    inode.maps_of = maps.owner_of(task, inode.path) if what in PROC else None
    return inode
