"""What the internet families keep for all their sockets (``struct netns_ipv4``, ``struct netns_ipv6``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.model.net.inet.ports import Ports
from ktrace.state.net.facts import SocketFacts

if TYPE_CHECKING:
    from ktrace.model.net.inet.ip_input import Raw
    from ktrace.model.net.inet.ip_packet import IpPacket
    from ktrace.model.net.inet.tcp.sock import Tcp
    from ktrace.model.net.inet.udp.udp import Udp


class UdpTable:
    """The socks of a protocol that have a port (``struct udp_table``).

    :ivar bound: the last one bound first
    :ivar hash: in the order of the chains by port
    """

    def __init__(self) -> None:
        self.bound: list[Udp] = []
        self.hash: list[Udp] = []


class NetnsInet:
    """IPv4 and IPv6 in one network namespace.

    :ivar bhash: ports of TCP (``tcp_hashinfo.bhash``)
    :ivar orphans: closed socks of TCP that still have something to send
    :ivar held_back: bytes ever had to wait for a timer of TCP, which may keep them for minutes
    :ivar dropped: a receiver of TCP ever had no room for what was sent to it
    :ivar raw: raw socks of IPv4, the last one first (``raw_v4_hashinfo``); *raw6* of IPv6
    :ivar ping: ping socks that have an identifier, the last one first (``ping_table``)
    :ivar ping_port_rover: the last identifier that a ping sock was given
    :ivar backlog: packets on the loopback that nobody received yet (``softnet_data``)
    """

    def __init__(self, facts: SocketFacts) -> None:
        self.bhash = Ports()
        self.orphans: list[Tcp] = []
        self.held_back = False
        self.dropped = False
        self.raw: list[Raw] = []
        self.raw6: list[Raw] = []
        self.ping: list[Raw] = []
        self.ping_port_rover = facts.ping_port_rover
        self.backlog: list[IpPacket] = []
        self._udp: dict[int, UdpTable] = {}

    def udp_table(self, protocol: int) -> UdpTable:
        """Return the table of UDP or UDP-Lite (``udp_table``, ``udplite_table``)."""
        return self._udp.setdefault(protocol, UdpTable())
