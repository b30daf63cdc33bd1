"""What programs have written to files that they map: seen where somebody reads it, or has it in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.model.fs.pipe.pipe import PAGE_CACHE_OPS, PipeInode
from ktrace.state.rule import Rule

if TYPE_CHECKING:
    from ktrace.model.fs.inode import Inode
    from ktrace.model.observed import Observed
    from ktrace.model.task import Task

WRITTEN = Rule("mm/shmem.c", "shmem_file_read_iter", "what a program has written to a file that it maps")
TOUCHED = Rule("mm/shmem.c", "shmem_fault", "whether a program has written to a hole of a file that it maps")


def read_written(task: Task, inode: Inode, position: int) -> dict[int, bytes]:
    """Return what a program has written to its mapping of a file, as far as that is being read, by position."""
    found = task.kernel.choose(WRITTEN, lambda seen: seen.out(task, "buf"), lambda data: isinstance(data, bytes), None)
    data, parts = (found or b"")[: max(inode.i_size - position, 0)], {}
    while data:
        parts[position] = data[: PAGE_SIZE - position % PAGE_SIZE]
        position, data = position + len(parts[position]), data[len(parts[position]) :]
    return parts


def is_written(task: Task, pipe: PipeInode) -> bool:
    """Tell whether what comes next into *pipe* is a page of a file, where that had a hole.

    :raises NotImplementedError: it goes on to where nobody sees which
    """
    if task.splice_pipe is pipe:
        raise NotImplementedError("the model does not know what a program writes to a file that it maps")

    def find(seen: Observed) -> str | None:
        there = seen.pipe(pipe)
        slot = pipe.head % len(pipe.bufs)
        return there.bufs[slot].ops if there is not None and slot in there.bufs else None

    return task.kernel.choose(TOUCHED, find, lambda _: True, None) == PAGE_CACHE_OPS
