"""Read socket buffers and the queues they are on (``include/linux/skbuff.h``)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.lib.list import Met, for_each_next, points_elsewhere
from ktrace.inspect.members import MissingMember, first_member, offset_of
from ktrace.inspect.memory import KernelMemory

MAX_QUEUED = 1 << 16
MAX_BYTES = 1 << 24
_FRAGMENT = struct.Struct("<QII")


class Packet(NamedTuple):
    """One ``sk_buff``: its address, its members, and all its bytes."""

    address: int
    skb: Any
    data: bytes


class BufferReader:
    """Read the ``sk_buff`` structures of one kernel."""

    def __init__(self, kernel: LiveKernel) -> None:
        prog = kernel.prog
        self.skb = layout_of(
            prog, "struct sk_buff", "next", "prev", "sk", "&cb", "len", "data_len", "peeked", "end", "head", "data",
            "truesize", "users.refs.counter", "transport_header", "tstamp",
        )  # fmt: skip
        self.next = self.skb.offsets["next"]
        # sk_buff.rbnode is in a union at its very beginning.
        self.node = layout_of(prog, "struct rb_node", "rb_left", "rb_right")
        self.shared = layout_of(prog, "struct skb_shared_info", "nr_frags", "frag_list", "&frags")
        page = first_member(prog, "skb_frag_t", "bv_page", "netmem")
        length = first_member(prog, "skb_frag_t", "bv_len", "len")
        start = first_member(prog, "skb_frag_t", "bv_offset", "offset")
        for name, offset in ((page, 0), (length, 8), (start, 12)):
            if offset_of(prog, "skb_frag_t", name) != offset:
                raise MissingMember("skb_frag_t", name, f"is not at {offset}")

    def for_each_skb(self, memory: KernelMemory, head: int, first: int) -> Iterator[Packet]:
        """Yield the packets of the ``sk_buff_head`` at *head*, in queue order.

        :param first: its ``next``
        :raises CorruptStructure: the queue does not come back to its head, or a packet cannot be read
        """
        previous, node = head, first
        for _ in range(MAX_QUEUED):
            if node == head:
                return
            skb = self.skb.read(memory, node)
            if skb.prev != previous:
                raise points_elsewhere("sk_buff_head", node, skb.prev, previous)
            yield Packet(node, skb, self.bytes_of(memory, node, skb))
            previous, node = node, skb.next
        raise CorruptStructure("sk_buff_head", head, f"queue has more than {MAX_QUEUED} buffers")

    def backlog(self, memory: KernelMemory, first: int) -> Iterator[Packet]:
        """Yield the packets of a singly linked list, such as ``sk_backlog``.

        :raises CorruptStructure: it does not end
        """
        for node in for_each_next(memory, first, "sk_backlog.head", MAX_QUEUED, self.next):
            skb = self.skb.read(memory, node)
            yield Packet(node, skb, self.bytes_of(memory, node, skb))

    def for_each_in_tree(self, memory: KernelMemory, root: int) -> Iterator[Packet]:
        """Yield the packets of a red-black tree in order (``skb_rb_first()``, ``skb_rb_next()``).

        :raises CorruptStructure: it is no tree
        """
        above: list[int] = []
        node, met = root, Met("tcp_rtx_queue", MAX_QUEUED)
        while node or above:
            while node:
                met.add(node)
                above.append(node)
                node = self.node.read(memory, node).rb_left
            node = above.pop()
            skb = self.skb.read(memory, node)
            yield Packet(node, skb, self.bytes_of(memory, node, skb))
            node = self.node.read(memory, node).rb_right

    def bytes_of(self, memory: KernelMemory, address: int, skb: Any, depth: int = 0) -> bytes:
        """Return the bytes of a packet: its head, its pages, its fragment list.

        A length that does not fit is taken as far as the memory goes, so that it shows up as itself.
        """
        if skb.len > MAX_BYTES:
            return b""
        head_length = skb.len - skb.data_len
        parts = []
        if head_length > 0:
            parts.append(memory.read(skb.data, min(head_length, MAX_BYTES)))
        if skb.data_len:
            shared = self.shared.read(memory, skb.head + skb.end)
            for index in range(min(shared.nr_frags, len(shared.frags) // 16)):
                page, length, offset = _FRAGMENT.unpack_from(shared.frags, index * 16)
                parts.append(memory.page_bytes(page, offset, length))
            fragments = 0 if depth else shared.frag_list
            for node in for_each_next(memory, fragments, "skb_shared_info.frag_list", MAX_QUEUED, self.next):
                parts.append(self.bytes_of(memory, node, self.skb.read(memory, node), depth + 1))
        return b"".join(parts)
