"""Pages that a pipe keeps for its next writes: one, two, or a pool (``fs/pipe.c: tmp_page``, ``prealloc``)."""

from __future__ import annotations

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.model.kernel import Kernel
from ktrace.model.mm.page import Page
from ktrace.state.fs.pipe.pipe import PipeFacts

PREALLOC_KEEP = 2
"""``PIPE_PREALLOC_KEEP`` (``include/linux/pipe_fs_i.h``)."""


class KeptPages:
    """Mirror ``tmp_page``, ``tmp_page[2]`` or ``prealloc`` of one pipe.

    :param facts: how many pages there may be
    :param prefills: they are a pool, which writes fill beforehand
    """

    def __init__(self, facts: PipeFacts, prefills: bool | None) -> None:
        self.prefills = prefills
        self.pages: list[Page | None] = [] if self.prefills else [None] * facts.kept_pages
        self.most = facts.kept_pages
        self.own_pages = facts.own_pages

    def __len__(self) -> int:
        return sum(page is not None for page in self.pages)

    def shown(self) -> bool | int:
        """Return what the World has: whether there is one, or how many where there may be several."""
        return len(self) if self.most > 1 else bool(len(self))

    def has_room(self) -> bool:
        """Tell whether one more is kept (``anon_pipe_put_page()``)."""
        return len(self) < self.most

    def push(self, page: Page) -> None:
        """Keep *page*, where :meth:`has_room`."""
        if self.prefills:
            self.pages.append(page)
        else:
            self.pages[self.pages.index(None)] = page

    def own(self, kernel: Kernel, count: int) -> list[Page]:
        """Return the pages that a write of *count* bytes makes for itself (``anon_pipe_get_page_prealloc()``)."""
        want = -(-count // PAGE_SIZE) if count > PAGE_SIZE else 0
        return [Page(kernel.serial()) for _ in range(min(want, self.own_pages))]

    def refill(self, own: list[Page]) -> None:
        """Keep what a write has left of its own pages, as far as there is room (``anon_pipe_refill_tmp_pages()``)."""
        while own and self.has_room():
            self.push(own.pop())

    def get(self, kernel: Kernel, own: list[Page]) -> Page:
        """Return a page for a write: its *own*, one that is kept, or a new one (``anon_pipe_get_page()``)."""
        if own:
            return own.pop()
        if self.prefills:
            return (self.pages.pop() if self.pages else None) or Page(kernel.serial())
        for index, page in enumerate(self.pages):
            if page is not None:
                self.pages[index] = None
                return page
        return Page(kernel.serial())

    def missing(self, count: int) -> int:
        """Return how many pages a write of *count* bytes makes before it takes the lock.

        ``anon_pipe_prefill_and_lock()``
        """
        if not self.prefills:
            return 0
        want = min(-(-count // PAGE_SIZE), self.most)
        return want - min(len(self), want)

    def prefill(self, kernel: Kernel, count: int) -> None:
        """Put *count* new pages into the pool, as far as it has room."""
        for _ in range(min(count, self.most - len(self))):
            self.push(Page(kernel.serial()))

    def trim(self) -> None:
        """Cut the pool, with the lock still held (``anon_pipe_trim_and_unlock()``)."""
        if self.prefills:
            del self.pages[PREALLOC_KEEP:]
