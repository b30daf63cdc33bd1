"""Pages that programs write to and that are in pipes: which is which, and what they hold, is seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ktrace.model.mm.program_pages import PAGE, ProgramPage
from ktrace.state.rule import Rule

if TYPE_CHECKING:
    from ktrace.model.fs.pipe.pipe import PipeBuffer, PipeInode
    from ktrace.model.kernel import Kernel
    from ktrace.model.observed import Observed

    _Slots = list[tuple[PipeInode, int, PipeBuffer]]

WRITTEN = Rule("fs/splice.c", "iter_to_pipe", "what a program writes to memory that it has given to a pipe")


def identify_pages(kernel: Kernel, pipe: PipeInode, slots: list[int], pipes: Iterable[PipeInode]) -> None:
    """Find which of the pages that came into *slots* of *pipe* are in one of *pipes* already."""
    pipes = list(pipes)
    fresh = {id(pipe.bufs[slot]) for slot in slots}
    for slot in slots:
        others = [(other, index, buf) for other, index, buf in _with_pages(pipes) if id(buf) not in fresh]

        def find(seen: Observed, slot: int = slot, others: _Slots = others) -> PipeBuffer | None:
            here = seen.pipe(pipe)
            wanted = here.bufs[slot].page if here is not None and slot in here.bufs else None
            for other, index, buf in others if wanted is not None else ():
                there = seen.pipe(other)
                if there is not None and index in there.bufs and there.bufs[index].page == wanted:
                    return buf
            return None

        same = kernel.choose(PAGE, find, lambda _: True, None)
        if same is not None:
            pipe.bufs[slot].page = same.page
        fresh.discard(id(pipe.bufs[slot]))


def _with_pages(pipes: Iterable[PipeInode]) -> Iterator[tuple[PipeInode, int, PipeBuffer]]:
    """Yield the slots of *pipes* that hold pages of programs."""
    for pipe in pipes:
        for index, buf in enumerate(pipe.bufs):
            if isinstance(buf.page, ProgramPage):
                yield pipe, index, buf


def take_written(pipe: PipeInode) -> None:
    """Take over what programs have written to pages that are in *pipe*."""
    if not any(buf.page is not None and buf.page.of_program for buf in pipe.bufs):
        return
    found = pipe.kernel.choose(WRITTEN, lambda seen: seen.pipe(pipe), lambda _: True, None)
    if found is None:
        return
    for index, buf in enumerate(pipe.bufs):
        shown = found.bufs.get(index)
        of_program = buf.page is not None and buf.page.of_program
        if buf.page is not None and of_program and shown is not None and isinstance(shown.data, bytes):
            data = shown.data[: buf.len]
            buf.page.data[buf.offset : buf.offset + len(data)] = data
