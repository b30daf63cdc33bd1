"""Pages of a program's memory: what is in them is what was seen of it when a call began."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.model.mm.page import Page
from ktrace.state.allowed import Between
from ktrace.state.rule import Rule

if TYPE_CHECKING:
    from ktrace.model.task import Task

PAGE = Rule("mm/gup.c", "get_user_pages_fast", "which page a program's address is, and who else holds it")


class ProgramPage(Page):
    """A page of a program's memory."""

    @property
    def of_program(self) -> bool:
        """Tell whether a program may write to it at any time."""
        return True

    def references(self) -> int | Between:
        """Return ``page_count()``: any."""
        return Between(PAGE, 1, 1 << 30)


def program_pages(task: Task, address: int, length: int) -> Iterator[tuple[Page | None, int, int]]:
    """Yield page, offset and size of each part of a program's memory; ``None`` where nothing is mapped."""
    while length:
        offset = address % PAGE_SIZE
        size = min(length, PAGE_SIZE - offset)
        if not task.mm.accessible(address, 1, ~0):
            yield None, 0, 0
            return
        page = ProgramPage(task.kernel.serial())
        at = offset
        for data, start, piece in task.mm.pieces(address, min(size, task.mm.accessible(address, size, ~0)), False):
            page.data[at : at + piece] = data[start : start + piece]
            at += piece
        yield page, offset, size
        address, length = address + size, length - size
