"""What goes out, and when (``net/ipv4/tcp_output.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.include.net.tcp import TCP_NAGLE_CORK, TCP_NAGLE_OFF, TCP_NAGLE_PUSH
from ktrace.model.kernel import Kernel
from ktrace.model.net.inet.addr6 import is_ipv6
from ktrace.model.net.inet.ip_input import refuse_watchers
from ktrace.model.net.inet.tcp.sock import SURE, Tcp
from ktrace.model.net.inet.tcp.tcp_input import fin_is_sure, tcp_reset
from ktrace.state.rule import Rule

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

FIN_WINDOW = Rule("net/ipv4/tcp_output.c", "tcp_snd_wnd_test", "a FIN takes a place in the window")
WRITE_XMIT = Rule("net/ipv4/tcp_output.c", "tcp_write_xmit", "the windows and Nagle's test hold segments back")


def tcp_send_active_reset(kernel: Kernel, sk: Tcp) -> None:
    """Send a RST to the other end (``tcp_send_active_reset()``)."""
    refuse_watchers(kernel, is_ipv6(sk.endpoints()[1]))
    peer, sk.peer = sk.peer, None
    tcp_reset(kernel, peer)


def may_send(kernel: Kernel, sk: Tcp, late: bool) -> int:
    """Return how many of the waiting bytes go out now.

    All of them, where little is under way. ``tcp_nagle_test()`` may hold a small segment back while
    another is not acknowledged, ``tcp_cwnd_test()`` and ``tcp_snd_wnd_test()`` may stop a large one:
    both depend on when the receiver acknowledges and how much it makes room for, so any amount is allowed.
    """
    waiting = len(sk.out)
    if not waiting:
        return 0
    peer = sk.peer
    calm = not late and not sk.lost
    alone = calm and not isinstance(peer, Tcp)  # whatever was under way was acknowledged, or reset this sock
    if isinstance(peer, Tcp):
        small = calm and waiting + len(peer.rx) <= SURE and peer.has_room()
    else:
        small = calm and waiting <= SURE and not sk.narrow
    corked = bool(sk.nonagle & TCP_NAGLE_CORK) or sk.more
    # tcp_nagle_test(): a FIN, urgent bytes and TCP_NODELAY send at once.
    at_once = (
        sk.fin_out is not None
        or sk.snd_up is not None
        or bool(sk.nonagle & TCP_NAGLE_PUSH)
        or (sk.nonagle & TCP_NAGLE_OFF and not corked)
    )
    if small and (at_once or not (corked or (sk.bytes_sent and not sk.quickack and not alone))):
        return waiting
    if small and corked and (alone or sk.quickack):
        kernel.net.inet.held_back = True
        return 0

    def find(seen: Observed) -> int | None:
        found = seen.connection(sk) if isinstance(peer, Tcp) else seen.sock(sk)  # which a reset closes at once
        tcp = None if found is None else found.tcp
        if tcp is not None:
            return tcp.bytes_sent - sk.bytes_sent
        return _arrived(seen, peer, waiting) if sk.closing and isinstance(peer, Tcp) else None

    went = kernel.choose(WRITE_XMIT, find, lambda size: 0 <= size <= waiting, otherwise=None)
    if went is None:
        return 0 if corked or late else waiting
    if went < waiting and not alone:
        kernel.net.inet.held_back = True
    return went


def fin_may_go(kernel: Kernel, sk: Tcp, size: int) -> bool:
    """Tell whether the FIN goes out, behind *size* bytes that go now (``tcp_snd_wnd_test()``).

    It takes a sequence number: a window that is full holds it back, a congestion window does not (``tcp_cwnd_test()``).
    """
    peer = sk.peer
    if not isinstance(peer, Tcp) or fin_is_sure(sk, peer, size):
        return True

    def find(seen: Observed) -> bool | None:
        tcp = seen.tcp(sk)  # not visible once it is closed: then whether the FIN arrives says all (tcp_data_queue())
        return None if tcp is None or tcp.unsent is None else not tcp.unsent

    goes = kernel.choose(FIN_WINDOW, find, lambda goes: True, otherwise=True)
    if not goes:
        kernel.net.inet.held_back = True
    return goes


def is_one_segment(sk: Tcp, size: int) -> bool:
    """Tell whether *size* bytes go out as one segment (``tcp_bound_to_half_wnd()``, ``tcp_mss_split_point()``)."""
    peer = sk.peer
    return size <= SURE and (not isinstance(peer, Tcp) or peer.has_room() or size <= peer.rcvbuf >> 2)


def _arrived(seen: Observed, receiver: Tcp, waiting: int) -> int:
    """Return the bytes of a closed sock that were seen to arrive: its own side is not visible any more."""
    tcp = seen.tcp(receiver)
    return 0 if tcp is None else max(0, min(waiting, tcp.bytes_received - receiver.bytes_received))
