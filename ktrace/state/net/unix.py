"""The part of AF_UNIX in a sock (``struct unix_sock``)."""

from __future__ import annotations

from ktrace.state.quick import dataclass
from ktrace.state.ref import Ref
from ktrace.state.wait import Waiter


@dataclass(frozen=True, slots=True)
class UnixSock:
    """The part of ``struct unix_sock`` behind its ``struct sock``.

    :param addr: the bound ``sun_path``, abstract names with their leading NUL, paths with their trailing one
    :param path: inode that a bound path made
    :param peer: the other end
    :param listener: the listening end whose backlog this embryo is on
    :param peer_wait: who waits for room in this one's queue
    :param nr_fds: descriptors in its receive queue (``scm_stat``)
    :param oob: position in the receive queue of the out-of-band byte
    """

    addr: bytes | None
    path: Ref | None
    peer: Ref | None
    listener: Ref | None
    peer_wait: tuple[Waiter, ...]
    nr_fds: int
    oob: int | None
