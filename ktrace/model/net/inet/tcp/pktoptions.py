"""What a TCP sock over IPv6 keeps of the last packet in order (``net/ipv6/tcp_ipv6.c``: ipv6_pktoptions)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.include.net.ip import LOOPBACK_IFINDEX
from ktrace.model.kernel import Kernel
from ktrace.model.net.inet.addr6 import is_ipv6
from ktrace.model.net.inet.tcp.sock import Tcp
from ktrace.state.rule import Rule

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

PKTOPTIONS = Rule(
    "net/ipv6/tcp_ipv6.c", "tcp_v6_do_rcv", "a peer acknowledges at once or after its timer, and that is a packet, too"
)


def keep_packet_options(kernel: Kernel, sk: Tcp) -> None:
    """Keep hop limit and interface of the last packet, where *sk* wants to hear of them.

    Bytes, a FIN and the answer to a SYN have come for sure; whether a mere acknowledgement has depends on timers.
    """
    np, local = sk.np, sk.endpoints()[0]
    if isinstance(sk.peer, Tcp):
        sk.peer_hops = sk.peer.hop_limit(local)[0]
    heard, sk.heard = sk.heard, (sk.state not in ("TCP_CLOSE", "TCP_SYN_SENT"), sk.bytes_received)
    passive = sk.state in ("TCP_CLOSE", "TCP_LISTEN")
    if not is_ipv6(local) or (passive and (heard is None or heard[1] == sk.heard[1])):
        return
    kept = (
        sk.peer_hops if np.rxopt & {"rxhlim", "rxohlim"} else np.mcast_hops,
        LOOPBACK_IFINDEX if np.rxopt & {"rxinfo", "rxoinfo"} else np.mcast_oif,
    )

    def find(seen: Observed) -> bool | None:
        found = seen.sock(sk)
        return None if found is None or found.ipv6 is None else (found.ipv6.mcast_hops, found.ipv6.mcast_oif) == kept

    came = heard is not None and heard != sk.heard and not passive
    if kept == (np.mcast_hops, np.mcast_oif):
        return
    if came or kernel.choose(PKTOPTIONS, find, lambda _: True, otherwise=False):
        np.mcast_hops, np.mcast_oif = kept
