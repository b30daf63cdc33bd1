"""The part of AF_PACKET in a sock (``struct packet_sock``)."""

from __future__ import annotations

from ktrace.state.quick import dataclass


@dataclass(frozen=True, slots=True)
class PacketSock:
    """``struct packet_sock``.

    :param num: the protocol it listens for, in host byte order
    :param flags: PACKET_SOCK_ bits by name, sorted
    """

    num: int
    ifindex: int
    flags: tuple[str, ...]
