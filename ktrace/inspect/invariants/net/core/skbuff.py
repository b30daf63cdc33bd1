"""Check socket buffers and the queues that hold them (``net/core/skbuff.c``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ktrace.inspect.invariants.violation import Violation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.lib.list import Met
from ktrace.inspect.members import offset_of

MAX_QUEUED = 1 << 16
FRAGMENT_SIZE = 16


class Queued(NamedTuple):
    """One ``sk_buff``: its address and its members."""

    address: int
    skb: Any


@dataclass
class Charges:
    """What buffers say about sockets.

    :ivar written: bytes charged to a sock's ``sk_wmem_alloc``, by its address
    :ivar held: somebody sleeps until a receiver has room, with a buffer in hand that no queue has
    :ivar in_flight: how often a file is under way, by its address
    :ivar inflight_sockets: sum of ``scm_fp_list.count_unix``; ``None`` where the kernel has no such member
    """

    written: Counter[int] = field(default_factory=Counter)
    held: bool = False
    in_flight: Counter[int] = field(default_factory=Counter)
    inflight_sockets: int | None = 0


class Buffers:
    """Walk and check queues."""

    def __init__(self, kernel: LiveKernel) -> None:
        prog = kernel.prog
        self.kernel = kernel
        self.skb = layout_of(
            prog, "struct sk_buff", "next", "prev", "sk", "&cb", "len", "data_len", "end", "tail", "head", "data",
            "truesize", "destructor", users="users.refs.counter",
        )  # fmt: skip
        self.shared = layout_of(prog, "struct skb_shared_info", "nr_frags", "frag_list", "&frags")
        self.head = layout_of(prog, "struct sk_buff_head", "next", "prev", "qlen")
        self.max_head = 1 << 20

    def charged(self, packets: Iterable[Queued]) -> int:
        """Return how many bytes of an error queue are charged to ``sk_rmem_alloc``.

        ``sock_queue_err_skb()`` charges what it queues; what tells of MSG_ZEROCOPY is charged as an option
        (``sock_omalloc()``).
        """
        return sum(
            packet.skb.truesize for packet in packets if self.kernel.symbol(packet.skb.destructor) == "sock_rmem_free"
        )

    def truesize(self, address: int) -> int:
        """Return what the buffer at *address* is charged with, 0 where there is none."""
        return int(self.skb.read(self.kernel.memory, address).truesize) if address else 0

    def queue(
        self, where: str, name: str, owner: int, type_name: str = "struct sock"
    ) -> tuple[list[Queued], list[Violation]]:
        """Return what is on a ``sk_buff_head``, as far as it can be followed, and what is wrong with it.

        :param name: the member of the *type_name* at *owner*
        """
        address = owner + offset_of(self.kernel.prog, type_name, name)
        found: list[Violation] = []
        head = self.head.read(self.kernel.memory, address)
        packets: list[Queued] = []
        previous, node, met = address, head.next, Met(name, MAX_QUEUED)
        while node != address:
            met.add(node)
            skb = self.skb.read(self.kernel.memory, node)
            place = f"{where}.{name}[{len(packets)}]"
            if skb.prev != previous:
                found.append(Violation(f"{place}.prev", f"is {skb.prev:#x}, not {previous:#x}"))
            packets.append(Queued(node, skb))
            found += self._check(place, skb)
            previous, node = node, skb.next
        if head.prev != previous:
            found.append(Violation(f"{where}.{name}.prev", f"is {head.prev:#x}, not {previous:#x}"))
        if head.qlen != len(packets):
            found.append(Violation(f"{where}.{name}.qlen", f"is {head.qlen}, with {len(packets)} buffers"))
        return packets, found

    def _check(self, where: str, skb: Any) -> list[Violation]:
        """Check one buffer: its lengths against its head, its pages and its charge."""
        found: list[Violation] = []
        if skb.users < 1:
            found.append(Violation(f"{where}.users", f"is {skb.users}"))
        if skb.data_len > skb.len:
            found.append(Violation(f"{where}.data_len", f"is {skb.data_len}, more than len, {skb.len}"))
        offset = skb.data - skb.head
        if not 0 <= offset <= skb.tail <= skb.end <= self.max_head:
            found.append(
                Violation(f"{where}.data", f"is at {offset}, with tail {skb.tail} and end {skb.end}: out of order")
            )
            return found
        if skb.len - skb.data_len != skb.tail - offset:
            what = f"is {skb.len}, {skb.data_len} of it paged, but the head has {skb.tail - offset} bytes"
            found.append(Violation(f"{where}.len", what))
        shared = self.shared.read(self.kernel.memory, skb.head + skb.end)
        most = len(shared.frags) // FRAGMENT_SIZE
        if shared.nr_frags > most:
            found.append(Violation(f"{where}.nr_frags", f"is {shared.nr_frags}, more than {most}"))
            return found
        if not shared.frag_list:
            paged = sum(
                int.from_bytes(shared.frags[at + 8 : at + 12], "little")
                for at in range(0, shared.nr_frags * FRAGMENT_SIZE, FRAGMENT_SIZE)
            )
            if paged != skb.data_len:
                found.append(Violation(f"{where}.data_len", f"is {skb.data_len}, but its pages have {paged} bytes"))
        if skb.truesize < skb.len:
            found.append(Violation(f"{where}.truesize", f"is {skb.truesize}, less than len, {skb.len}"))
        return found
