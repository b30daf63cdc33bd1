"""Socket buffers: what one holds and what it is charged (``net/core/skbuff.c``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.skbuff import MAX_SKB_FRAGS
from ktrace.model.elapsed import Instant
from ktrace.state.allowed import Stays, allowed
from ktrace.state.net.facts import SocketFacts
from ktrace.state.net.skbuff import Buffer, UnixBuffer
from ktrace.state.process.process import Credentials

if TYPE_CHECKING:
    from ktrace.model.fs.file import File
    from ktrace.model.mm.page import Page
    from ktrace.model.net.core.sock import Sock
    from ktrace.model.net.inet.ip_error import ExtendedError
    from ktrace.model.net.unix.graph import Edge

FRAG_ORDER = 3
INVALID_ID = 0xFFFFFFFF
"""``INVALID_UID`` and ``INVALID_GID`` as they lie in memory."""


@dataclass(eq=False)
class Fragment:
    """Mirror one ``skb_frag_t``: a part of a page, or of several in a row, that others may hold, too."""

    page: Page
    offset: int
    size: int

    def data(self) -> bytes:
        """Return what the page holds now."""
        return bytes(self.page.data[self.offset : self.offset + self.size])


@dataclass(eq=False)
class SkBuff:
    """Mirror one ``struct sk_buff`` with the ``UNIXCB()`` in it.

    :param linear: bytes that nobody else can see
    :param frags: pages behind them
    :param destructor: told when the buffer is freed, such as ``sock_wfree()``
    :param pid: actor whose credentials travel, ``None`` where none do
    :param fp: files that travel
    :param edges: of the graph that AF_UNIX keeps of them; *dead*: the collector frees it
    :param fp_uid: whose ``unix_inflight`` counts them, while they are counted
    :param addr: where a packet of the internet came from
    :param tail_room: bytes free behind its linear ones (``skb_tailroom()``)
    :param daddr: where a packet of the internet went; *hops* and *tos* likewise from its header
    :param own_tos: a type of service for this packet alone, *own_mark* a mark
    :param pktinfo: what IP_PKTINFO will tell: interface, address
    :param since: when it came, where it may have been stamped then
    :param stamps: its time stamp, by the unit of what is past the second: once told, it stays
    :param tstamp: when it was stamped, as far as that is known; 0: it was not
    :param dropcount: how many the receiver had dropped before
    :param error: what an error queue's buffer tells (``SKB_EXT_ERR()``)
    :param consumed: bytes that a stream reader has taken
    """

    linear: bytes
    data_len: int
    truesize: int
    sk: Sock | None = None
    destructor: Callable[[SkBuff], None] | None = None
    pid: str | None = None
    uid: int = 0
    gid: int = 0
    fp: list[File] = field(default_factory=list)
    consumed: int = 0
    peeked: bool = False
    fp_uid: int | None = None
    edges: list[Edge] = field(default_factory=list)
    dead: bool = False
    addr: tuple[str, int] | None = None
    tail_room: int = 0
    daddr: str = ""
    hops: int = 0
    tos: int = 0
    own_tos: int | None = None
    own_mark: int | None = None
    dport: int = 0
    mark: int = 0
    pktinfo: tuple[int, str] | None = None
    since: Instant | None = None
    stamps: dict[str, tuple[Stays, Stays]] = field(default_factory=dict)
    tstamp: int | Stays = 0
    dropcount: int = 0
    error: ExtendedError | None = None
    frags: list[Fragment] = field(default_factory=list)

    @property
    def data(self) -> bytes:
        """Return all bytes: those of pages are what the pages hold now."""
        if not self.frags:
            return self.linear
        return self.linear + b"".join(fragment.data() for fragment in self.frags)

    def append_page(self, page: Page, offset: int, size: int, across: bool = True) -> bool:
        """Share a part of a page; tell whether there was room (``skb_append_pagefrags()``).

        :param across: what lies in the next one of pages in a row may join a fragment, as they go by their first one
        """
        last = self.frags[-1] if self.frags else None
        joins = across or offset % PAGE_SIZE
        if last is not None and last.page is page and last.offset + last.size == offset and joins:
            last.size += size
            return True
        if len(self.frags) >= MAX_SKB_FRAGS:
            return False
        page.get()
        self.frags.append(Fragment(page, offset, size))
        return True

    def put_pages(self) -> None:
        """Let go of all pages (``skb_release_data()``)."""
        for fragment in self.frags:
            fragment.page.put()
        self.frags.clear()

    def __len__(self) -> int:
        return len(self.linear) + sum([fragment.size for fragment in self.frags])

    def __bool__(self) -> bool:
        return True

    def view(self, unix: bool = False) -> Buffer:
        """Return this buffer as the World has it, with its ``UNIXCB()`` where *unix*."""
        part = None
        if unix:
            creds = Credentials(pid=self.pid, uid=self.uid, gid=self.gid)
            part = UnixBuffer(creds=creds, fp=tuple(file.ref for file in self.fp), consumed=self.consumed)
        sk = self.sk.ref if self.sk is not None else None
        stamp = allowed(self.tstamp.settled() if isinstance(self.tstamp, Stays) else self.tstamp)
        return Buffer(
            len=len(self),
            data_len=self.data_len,
            truesize=self.truesize,
            data=self.data,
            sk=sk,
            unix=part,
            tstamp=stamp,
        )


class Allocator:
    """Tell what a buffer of a given size is charged on a kernel with *facts*."""

    def __init__(self, facts: SocketFacts) -> None:
        sizes = facts.sizes
        self.page_size = sizes["page_size"]
        self.align = sizes["smp_cache_bytes"]
        self.max_frags = sizes["max_skb_frags"]
        self.kmalloc_max_cache = sizes["kmalloc_max_cache"]
        self.shared_info = self.data_align(sizes["skb_shared_info"])
        self.sk_buff = self.data_align(sizes["sk_buff"])
        self.small_head = sizes.get("skb_small_head", 0)
        self.charged_apart = bool(sizes.get("charged_apart", 0))

    def data_align(self, size: int) -> int:
        """``SKB_DATA_ALIGN()``."""
        return -(-size // self.align) * self.align

    def page_align(self, size: int) -> int:
        """``PAGE_ALIGN()``."""
        return -(-size // self.page_size) * self.page_size

    def max_order(self, order: int) -> int:
        """``SKB_MAX_ORDER(0, order)``: linear bytes that fit into pages of *order* beside the shared info."""
        return (self.page_size << order) - self.shared_info

    def kmalloc_size_roundup(self, size: int) -> int:
        """Return what ``kmalloc(size)`` really gives (``mm/slab_common.c: kmalloc_size_roundup()``)."""
        if size > self.kmalloc_max_cache:
            pages = self.page_size
            while pages < size:
                pages *= 2
            return pages
        for odd in (96, 192):
            if size <= odd and size > odd * 2 // 3:
                return odd
        bucket = 8
        while bucket < size:
            bucket *= 2
        return bucket

    def head_room(self, size: int, account: bool = False) -> int:
        """Return the linear bytes that a buffer asked for *size* really has (``skb_end_offset()``).

        Small ones come from a cache of their own, where there is one (``kmalloc_reserve()``).

        :param account: it is charged to a memory cgroup (``__GFP_ACCOUNT``)
        """
        wanted = self.data_align(size) + self.shared_info
        if wanted <= self.small_head and not (account and self.charged_apart):
            return self.small_head - self.shared_info
        return self.kmalloc_size_roundup(wanted) - self.shared_info

    def truesize(self, header_len: int, data_len: int = 0, account: bool = False) -> int:
        """Return the charge of a buffer (``alloc_skb_with_frags()``, ``__build_skb_around()``)."""
        pages = -(-data_len // self.page_size) * self.page_size
        return self.head_room(header_len, account) + self.sk_buff + self.shared_info + pages


def fragment_sizes(data_len: int) -> list[int]:
    """Return how *data_len* bytes are spread over pages of the largest orders (``alloc_skb_with_frags()``)."""
    sizes = []
    pages = -(-data_len // PAGE_SIZE)
    while pages:
        order = min(FRAG_ORDER, pages.bit_length() - 1)
        sizes.append(min(data_len, PAGE_SIZE << order))
        data_len -= sizes[-1]
        pages -= 1 << order
    return sizes
