"""Read ``struct packet_sock`` behind a ``struct sock`` (``net/packet/internal.h``)."""

from __future__ import annotations

from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import Layout
from ktrace.inspect.members import type_of
from ktrace.inspect.net.core.sock_names import bit_names, ntohs
from ktrace.state.net.packet import PacketSock


class PacketReader:
    """Read what only an AF_PACKET sock has."""

    def __init__(self, kernel: LiveKernel) -> None:
        self.packet = Layout(kernel.prog, "struct packet_sock", "flags", "ifindex", "num")
        self.flags = {bit: name for name, bit in type_of(kernel.prog, "enum packet_sock_flags").enumerators}

    def read(self, observation: Observation, address: int) -> PacketSock:
        """Return the part of the sock at *address*."""
        found = self.packet.read(observation.memory, address)
        return PacketSock(ntohs(found.num), found.ifindex, bit_names(found.flags, self.flags))
