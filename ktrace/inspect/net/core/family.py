"""The part of a ``struct sock`` that the reader of its family adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from ktrace.inspect.inspector import Observation
from ktrace.inspect.memory import Place
from ktrace.inspect.net.core.skbuff import Packet
from ktrace.state.net.skbuff import Buffer
from ktrace.state.ref import Ref


class SockPart(NamedTuple):
    """A family's part of a sock.

    :param members: of ``state.net.sock.Sock``, by name
    :param size: bytes of the family's whole object, which begins with the ``struct sock``
    :param receive_queue: what ``sk_receive_queue`` holds; *write_queue* likewise
    :param leads_to: addresses of the socks that it points at
    :param places: what it depends on besides its object; ``None`` for more than bytes at known addresses
    :param merges: the protocol merges buffers as timers have it, so their number and charge say nothing
    """

    members: Mapping[str, Any]
    size: int
    receive_queue: tuple[Buffer, ...]
    write_queue: tuple[Buffer, ...]
    leads_to: Sequence[int] = ()
    places: Sequence[Place] | None = ()
    merges: bool = False


class FamilyReader(Protocol):
    """Read what only a sock of one family has."""

    def read(
        self, observation: Observation, address: int, sock: Any, received: list[Packet], unsent: list[Packet]
    ) -> SockPart:
        """Return the family's part of the sock at *address*.

        :param sock: the unpacked members of its ``struct sock``
        :param received: what is on its receive queue
        :param unsent: what is on its write queue
        """


def plain_buffer(packet: Packet) -> Buffer:
    """Return a packet of a family that keeps nothing of its own in it."""
    skb = packet.skb
    return Buffer(
        len=skb.len,
        data_len=skb.data_len,
        truesize=skb.truesize,
        data=packet.data,
        sk=Ref("sock", skb.sk) if skb.sk else None,
        tstamp=skb.tstamp,
    )


def plain_buffers(packets: Sequence[Packet]) -> tuple[Buffer, ...]:
    """Return the packets of a queue."""
    return tuple(map(plain_buffer, packets))
