"""``struct netlink_sock`` and the messages that wait there (``net/netlink/af_netlink.h``, ``af_netlink.c``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ktrace.model.kernel import Kernel
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock import Sock
from ktrace.model.net.core.sock_callbacks import data_ready
from ktrace.state.net.netlink import NetlinkSock
from ktrace.uapi.netlink import (
    NETLINK_BROADCAST_ERROR,
    NETLINK_CAP_ACK,
    NETLINK_EXT_ACK,
    NETLINK_GET_STRICT_CHK,
    NETLINK_LISTEN_ALL_NSID,
    NETLINK_NO_ENOBUFS,
    NETLINK_PKTINFO,
)

NETLINK_FLAGS = {
    NETLINK_PKTINFO: "RECV_PKTINFO",
    NETLINK_BROADCAST_ERROR: "BROADCAST_SEND_ERROR",
    NETLINK_NO_ENOBUFS: "RECV_NO_ENOBUFS",
    NETLINK_LISTEN_ALL_NSID: "LISTEN_ALL_NSID",
    NETLINK_CAP_ACK: "CAP_ACK",
    NETLINK_EXT_ACK: "EXT_ACK",
    NETLINK_GET_STRICT_CHK: "STRICT_CHK",
}
"""Options that are one bit of ``nlk->flags``."""


@dataclass(eq=False)
class Netlink(Sock):
    """Mirror one ``struct netlink_sock``.

    :param groups: bit mask of the groups it is in; *ngroups* of them have room
    :param bound: it is in ``nl_table[]`` under its *portid*
    """

    portid: int = 0
    dst_portid: int = 0
    dst_group: int = 0
    groups: int = 0
    ngroups: int = 0
    nl_flags: set[str] = field(default_factory=set)
    bound: bool = False
    congested: bool = False

    def view_parts(self) -> dict[str, Any]:
        """Return the part behind the ``struct sock``."""
        members = tuple(bit + 1 for bit in range(self.groups.bit_length()) if self.groups >> bit & 1)
        return {
            "netlink": NetlinkSock(
                portid=self.portid,
                dst_portid=self.dst_portid,
                dst_group=self.dst_group,
                subscriptions=len(members),
                ngroups=self.ngroups,
                groups=members,
                bound=self.bound,
                congested=self.congested,
                flags=tuple(sorted(self.nl_flags)),
            )
        }


def nlk_sk(sk: Sock | None) -> Netlink:
    """Return *sk*, which is one of AF_NETLINK (``nlk_sk()``)."""
    assert isinstance(sk, Netlink)
    return sk


def make_skb(kernel: Kernel, data: bytes, receiver: Netlink, portid: int) -> SkBuff:
    """Return a message with its sender's number (``netlink_alloc_large_skb()``)."""
    alloc = kernel.net.alloc
    if len(data) <= alloc.page_size - alloc.shared_info:
        truesize = alloc.truesize(len(data))
    else:
        truesize = alloc.data_align(len(data)) + alloc.sk_buff + alloc.shared_info
    skb = SkBuff(data, 0, truesize, receiver)
    skb.addr = ("", portid)
    return skb


def has_room(sk: Netlink, skb: SkBuff) -> bool:
    """Tell whether a message fits; the first always does (``netlink_attachskb()``)."""
    return not sk.congested and (not sk.rmem_alloc or sk.rmem_alloc + skb.truesize <= sk.rcvbuf)


def queue(kernel: Kernel, sk: Netlink, skb: SkBuff) -> None:
    """``netlink_skb_set_owner_r()``, ``__netlink_sendskb()``."""
    sk.rmem_alloc += skb.truesize
    sk.receive_queue.append(skb)
    data_ready(kernel, sk)
