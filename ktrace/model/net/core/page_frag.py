"""Pages that a task's socket calls fill bit by bit (``net/core/sock.c: skb_page_frag_refill()``)."""

from __future__ import annotations

from ktrace.model.mm.page import Compound
from ktrace.model.task import Task

SIZE = 32768
"""``PAGE_SIZE << SKB_FRAG_PAGE_ORDER``."""

LEAST = 32
FRAGMENTS_FROM = 4096
"""Bytes from which on a datagram may be put into a fragment instead of its head (``__ip_append_data()``)."""


class FragPage(Compound):
    """Pages that a fragment is cut from; TCP and UDP may have filled them, too, once they are ``lent``."""


class PageFrag:
    """Mirror a task's ``struct page_frag``."""

    def __init__(self, page: FragPage) -> None:
        self.page = page
        self.offset = 0


def refill(task: Task) -> PageFrag:
    """Return the task's fragment with some room left (``sk_page_frag_refill()``)."""
    if task.frag_unseen:
        raise NotImplementedError("the model does not know how much of a page fragment TCP and UDP have filled")
    frag = task.task_frag
    if frag is not None:
        if frag.page.count == 1:
            frag.offset = 0
            return frag
        if frag.offset + LEAST <= SIZE:
            return frag
        frag.page.put()
    frag = task.task_frag = PageFrag(FragPage(task.kernel.serial(), bytes(SIZE)))
    return frag


def copy_to_frag(task: Task, data: bytes) -> tuple[FragPage, int, int]:
    """Copy as much of *data* as there is room for; return page, offset and size (``linear_to_page()``)."""
    frag = refill(task)
    page, offset = frag.page, frag.offset
    size = min(len(data), SIZE - offset)
    page.data[offset : offset + size] = data[:size]
    frag.offset += size
    return page, offset, size


def fill_unseen(task: Task) -> None:
    """Forget the page fragment of *task*, which TCP and UDP fill out of sight (``tcp_sendmsg_locked()``)."""
    task.frag_unseen = True
    frag, task.task_frag = task.task_frag, None
    if frag is not None:
        # From here on the task holds it or not, and TCP's queues hold it as often as it has bytes, at most.
        frag.page.put()
        frag.page.lent += SIZE


def put_page_frag(task: Task) -> None:
    """Let go of the page that is being filled (``kernel/exit.c: do_exit()``)."""
    frag, task.task_frag = task.task_frag, None
    if frag is not None:
        frag.page.put()
