"""Read ``struct packet_sock`` behind a ``struct sock`` (``net/packet/internal.h``)."""

from __future__ import annotations

from typing import Any

from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.members import type_of
from ktrace.inspect.net.core.family import SockPart, plain_buffers
from ktrace.inspect.net.core.skbuff import Packet
from ktrace.inspect.net.core.sock_names import bit_names, ntohs
from ktrace.state.net.packet import PacketSock


class PacketReader:
    """Read what only an AF_PACKET sock has."""

    def __init__(self, kernel: LiveKernel) -> None:
        self.packet = layout_of(kernel.prog, "struct packet_sock", "flags", "ifindex", "num")
        self.flags = {bit: name for name, bit in type_of(kernel.prog, "enum packet_sock_flags").enumerators}

    def read(
        self, observation: Observation, address: int, sock: Any, received: list[Packet], unsent: list[Packet]
    ) -> SockPart:
        """Return the part of AF_PACKET of the sock at *address*."""
        found = self.packet.read(observation.memory, address)
        part = PacketSock(num=ntohs(found.num), ifindex=found.ifindex, flags=bit_names(found.flags, self.flags))
        return SockPart(
            members={"packet": part},
            size=self.packet.size,
            receive_queue=plain_buffers(received),
            write_queue=plain_buffers(unsent),
        )
