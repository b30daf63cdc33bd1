"""Pages that pipes, files, packets and processes hold together (``include/linux/mm.h``)."""

from __future__ import annotations

from dataclasses import dataclass, field

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.model.mm.address_space import AnonPage
from ktrace.state.allowed import Between
from ktrace.state.rule import Rule

ZERO_PAGE = Rule("mm/memory.c", "do_anonymous_page", "the zero page is everybody's")
SHARED = Rule("mm/shmem.c", "shmem_fault", "who maps a page of shared memory holds it")
LENT = Rule("net/ipv4/tcp.c", "tcp_build_frag", "packets hold a page until they are acknowledged and read")
LRU = Rule("mm/swap.c", "folio_batch_add_and_move", "batches on their way to the LRU lists may hold a page")
LRU_BATCHES = 1 + 15
"""A page is once in ``lru_add``, and any number of times in ``activate`` until its PAGEVEC_SIZE makes room."""


@dataclass(eq=False)
class Page:
    """Mirror one ``struct page`` that a pipe can hold.

    :param count: references
    :param lent: references that TCP may have, too, until all is acknowledged and read
    """

    key: int
    count: int = 1
    data: bytearray = field(default_factory=lambda: bytearray(PAGE_SIZE))
    lent: int = 0

    @property
    def of_program(self) -> bool:
        """Tell whether a program may write to it at any time."""
        return False

    def get(self) -> None:
        """Take a reference (``get_page()``)."""
        self.count += 1

    def put(self) -> None:
        """Drop a reference (``put_page()``)."""
        self.count -= 1

    def lend(self, packets: int) -> None:
        """Have TCP take references, one for each packet that has some of it (``tcp_build_frag()``).

        :param packets: at most so many, in its write queue and, merged, in a receive queue (``skb_try_coalesce()``)
        """
        self.lent += 2 * packets

    def references(self) -> int | Between:
        """Return ``page_count()``."""
        return Between(LENT, self.count, self.count + self.lent) if self.lent else self.count


class FileData(bytearray):
    """What a page of a file holds, wherever it is mapped.

    :ivar page: the page itself
    """

    page: Page


class ZeroPage(Page):
    """The page of zeros that all share (``ZERO_PAGE(0)``)."""

    def references(self) -> int | Between:
        """Return ``page_count()``: any."""
        return Between(ZERO_PAGE, 1, 1 << 30)


class Compound(Page):
    """Pages in a row, of which the first one is referred to (``struct page`` with a compound order)."""

    def __init__(self, key: int, data: bytes | bytearray) -> None:
        super().__init__(key, 1, bytearray(data))


def lru_references(count: int, batched: bool, lent: int = 0, mapped: int = 0) -> int | Between:
    """Return *count*, and what batches of pages between LRU lists may hold (``mm/swap.c: cpu_fbatches``).

    :param batched: what those hold was not taken off
    :param lent: references that TCP may have besides, and *mapped*, that mappings may have
    """
    if batched:
        return Between(LRU, count, count + LRU_BATCHES + lent + mapped)
    if lent or mapped:
        return Between(LENT if lent else SHARED, count, count + lent + mapped)
    return count


class UserPage(Page):
    """A page of a process's memory; what holds it besides decides whether a later write copies it.

    :param batched: batches on their way to LRU lists count, too
    """

    def __init__(self, key: int, data: bytearray, batched: bool) -> None:
        super().__init__(key, 0, data)
        self.batched = batched

    def get(self) -> None:
        """Take a reference (``get_user_pages()``)."""
        if isinstance(self.data, AnonPage):
            self.data.pins += 1

    def put(self) -> None:
        """Drop a reference."""
        if isinstance(self.data, AnonPage):
            self.data.pins -= 1

    def references(self) -> int | Between:
        """Return ``page_count()``; memory to share is in the page cache, and mapped by anybody."""
        if isinstance(self.data, AnonPage):
            return lru_references(self.data.mappers + self.data.pins, self.batched, self.lent)
        return Between(SHARED, 1, 1 << 30)
