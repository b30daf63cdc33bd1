"""Read ``struct netlink_sock`` behind a ``struct sock``, and ``nl_table[]`` (``net/netlink/af_netlink.h``)."""

from __future__ import annotations

from typing import Any

from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.memory import Place
from ktrace.inspect.net.core.family import SockPart, plain_buffers
from ktrace.inspect.net.core.skbuff import Packet
from ktrace.inspect.net.core.sock_names import bit_names
from ktrace.state.net.netlink import NetlinkSock, NetlinkTable
from ktrace.uapi.netlink import MAX_LINKS, NETLINK_USERSOCK

MAX_GROUPS = 1 << 12
FLAGS = {
    0: "KERNEL_SOCKET", 1: "RECV_PKTINFO", 2: "BROADCAST_SEND_ERROR", 3: "RECV_NO_ENOBUFS", 4: "LISTEN_ALL_NSID",
    5: "CAP_ACK", 6: "EXT_ACK", 7: "STRICT_CHK",
}  # fmt: skip
"""NETLINK_F_ bits; an enumeration without a name in DWARF."""

CONGESTED = 1


class NetlinkReader:
    """Read what only an AF_NETLINK sock has."""

    def __init__(self, kernel: LiveKernel) -> None:
        self.netlink = layout_of(
            kernel.prog, "struct netlink_sock", "flags", "portid", "dst_portid", "dst_group", "subscriptions",
            "ngroups", "groups", "state", "bound",
        )  # fmt: skip

    def read(
        self, observation: Observation, address: int, sock: Any, received: list[Packet], unsent: list[Packet]
    ) -> SockPart:
        """Return the part of AF_NETLINK of the sock at *address*."""
        found = self.netlink.read(observation.memory, address)
        members: list[int] = []
        places: list[Place] = []
        if found.groups and found.ngroups <= MAX_GROUPS:
            words = observation.memory.read(found.groups, -(-found.ngroups // 64) * 8)
            places.append((found.groups, words))
            mask = int.from_bytes(words, "little")
            members = [bit + 1 for bit in range(mask.bit_length()) if mask >> bit & 1]
        part = NetlinkSock(
            portid=found.portid,
            dst_portid=found.dst_portid,
            dst_group=found.dst_group,
            subscriptions=found.subscriptions,
            ngroups=found.ngroups,
            groups=tuple(members),
            bound=bool(found.bound),
            congested=bool(found.state & CONGESTED),
            flags=bit_names(found.flags, FLAGS),
        )
        return SockPart(
            members={"netlink": part},
            size=self.netlink.size,
            receive_queue=plain_buffers(received),
            write_queue=plain_buffers(unsent),
            places=places,
        )


def read_netlink_tables(kernel: LiveKernel) -> dict[int, NetlinkTable]:
    """Return the registered protocols of ``nl_table[]``; empty without netlink.

    :raises UsageError: there is netlink, but no table of that name
    """
    if not kernel.has_symbol("nl_table") and not kernel.has_symbol("netlink_create"):
        return {}
    table, tables = kernel.variable("nl_table"), {}
    for number in range(MAX_LINKS):
        entry = table[number]
        if int(entry.registered):
            bind = int(entry.bind.value_())
            symbol = kernel.symbol(bind) if bind else None
            # NETLINK_USERSOCK is for processes among themselves (netlink_add_usersock_entry()).
            tables[number] = NetlinkTable(
                groups=int(entry.groups), flags=int(entry.flags), bind=symbol, input=number != NETLINK_USERSOCK
            )
    return tables
