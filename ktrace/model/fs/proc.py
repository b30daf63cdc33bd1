"""Files below /proc that can be opened by name (``fs/proc/root.c``)."""

from __future__ import annotations

from collections.abc import Callable

from ktrace.model.fs.inode import Inode
from ktrace.model.task import Task

Lookup = Callable[[Task, bytes], Inode | None]

_LOOKUPS: list[Lookup] = []


def proc_lookup(lookup: Lookup) -> Lookup:
    """Register a function that returns the inode of a path of its own, ``None`` for any other path."""
    _LOOKUPS.append(lookup)
    return lookup


def proc_inode(task: Task, path: bytes) -> Inode | None:
    """Return the inode that *path* has below /proc, ``None`` where it has none (``proc_root_lookup()``)."""
    for lookup in _LOOKUPS:
        inode = lookup(task, path)
        if inode is not None:
            return inode
    return None
