"""What AF_PACKET keeps for all its sockets (``struct netns_packet``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ktrace.model.net.packet.sock import Packet


class NetnsPacket:
    """AF_PACKET in one network namespace.

    :ivar taps: the socks that listen (``ptype_all``, ``ptype_base[]``)
    """

    def __init__(self) -> None:
        self.taps: list[Packet] = []
