"""Buffers that are queued on sockets (``struct sk_buff``)."""

from __future__ import annotations

from ktrace.state.process.process import Credentials
from ktrace.state.quick import dataclass
from ktrace.state.ref import Ref
from ktrace.state.unread import Unread


@dataclass(frozen=True, slots=True)
class UnixBuffer:
    """``UNIXCB(skb)``: what AF_UNIX keeps in a buffer (``include/net/af_unix.h``).

    :param creds: credentials in flight; uid and gid are 4294967295 where none were sent
    :param fp: descriptors in flight, as files
    :param consumed: bytes that the receiver has read already
    """

    creds: Credentials
    fp: tuple[Ref, ...]
    consumed: int


@dataclass(frozen=True, slots=True)
class Buffer:
    """A ``struct sk_buff`` on a queue.

    :param len: bytes in it, paged ones included
    :param data_len: paged bytes; ``None`` where the protocol's packing is not modelled
    :param truesize: bytes charged for it; ``None`` where it depends on how packets were merged
    :param data: its bytes, head and pages
    :param sk: the socket it is charged to
    :param tstamp: ns since the epoch at which it came, 0 where it was not stamped; ``None`` where TCP merges segments
    """

    len: int
    data_len: int | None
    truesize: int | None
    data: bytes
    sk: Ref | None
    unix: UnixBuffer | None = None
    tstamp: int | Unread | None = Unread(structure="struct sk_buff", member="tstamp")  # sessions of old lack it
