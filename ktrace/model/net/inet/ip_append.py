"""Buffers of outgoing packets (``net/ipv4/ip_output.c: __ip_append_data()``, ``net/ipv6/ip6_output.c``)."""

from __future__ import annotations

from typing import NamedTuple

from ktrace.model.kernel import Kernel
from ktrace.model.net.core.skbuff import SkBuff

HH_LEN = 16
"""LL_RESERVED_SPACE() of the loopback, whose Ethernet header has 14 bytes."""


class Room(NamedTuple):
    """What a packet needs beside its payload.

    :param headers: bytes of the headers
    :param reserve: bytes before them (``skb_reserve()``)
    :param extra: bytes asked for beside headers and payload (*alloc_extra*)
    :param kept: bytes of the payload that are a transport header: not in pages either
    """

    headers: int
    reserve: int
    extra: int
    kept: int = 0


def make_skb(kernel: Kernel, data: bytes, first: int | None = None, *, room: Room, shared: bool = False) -> SkBuff:
    """Return a packet as its receiver gets it (``__ip_append_data()``, ``__ip6_append_data()``).

    :param first: bytes of the first piece of a corked message, which is linear
    :param shared: the payload is shared pages (``MSG_SPLICE_PAGES``)
    """
    alloc = kernel.net.alloc
    linear = len(data) if first is None else first
    if shared or room.headers + linear + room.extra >= alloc.max_order(2):
        linear = room.kept
    paged = len(data) - linear
    asked = room.headers + linear + room.extra
    skb = SkBuff(data, paged, alloc.truesize(asked) + paged)
    skb.tail_room = alloc.head_room(asked) - room.reserve - room.headers - linear
    return skb
