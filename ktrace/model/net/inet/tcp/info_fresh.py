"""TCP_INFO without a connection: there never was one, or it was ended (``tcp_init_sock()``, ``tcp_disconnect()``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ktrace.include.linux.limits import U32_MAX, U64_MAX
from ktrace.include.linux.time64 import NSEC_PER_SEC
from ktrace.include.net.ip import IP_MAX_MTU
from ktrace.include.net.tcp import TCP_INIT_CWND
from ktrace.model.elapsed import elapsed
from ktrace.model.net.inet.route import LOOPBACK_MTU
from ktrace.model.net.inet.tcp.info_rules import MEASURED, REORDERING, TCP_INFINITE_SSTHRESH, USEC_PER_SEC
from ktrace.model.net.inet.tcp.sock import Tcp
from ktrace.state.allowed import Between, OneOf
from ktrace.uapi.socket import SOL_TCP
from ktrace.uapi.tcp import TCP_FASTOPEN_CONNECT

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel

AT_ONCE = ("last_data_recv", "last_ack_recv")
"""What never happened to a sock that was never connected: as long ago as *last_data_sent*."""
KEPT = ("last_data_recv", "last_ack_recv", "rcv_rtt", "min_rtt", "snd_wnd", "delivery_rate", "rcv_ssthresh",
        "rcv_space", "busy_time", "rwnd_limited", "sndbuf_limited", "pacing_rate", "snd_mss", "reordering",
        "retransmits")  # fmt: skip
"""What ``tcp_disconnect()`` leaves there of a connection."""
TIMEOUT_NS = NSEC_PER_SEC
"""``include/net/tcp.h``: TCP_TIMEOUT_INIT, before which no SYN is sent again."""


def fresh(kernel: Kernel, sk: Tcp, said: Mapping[str, int]) -> dict[str, Any]:
    """Return what TCP_INFO tells of *sk*, without what is 0; sets where a SYN may have been sent again.

    :param said: what was observed, whose members are held against each other
    """
    asking = sk.state == "TCP_SYN_SENT"
    found: dict[str, Any] = {
        "rto": USEC_PER_SEC, "rttvar": USEC_PER_SEC >> 2, "snd_ssthresh": TCP_INFINITE_SSTHRESH,
        "snd_cwnd": TCP_INIT_CWND, "min_rtt": U32_MAX, "pacing_rate": U64_MAX, "max_pacing_rate": U64_MAX,
        "reordering": REORDERING, "flags": 1, "advmss": sk.advmss, "pmtu": pmtu(sk), "rcv_mss": sk.rcv_mss,
        "snd_mss": sk.mss_cache, "notsent_bytes": sk.outq(sent=False), "unacked": int(asking),
        "last_data_sent": Between(MEASURED, 0, U32_MAX), "rcv_ssthresh": _first_window(sk, said),
    }  # fmt: skip
    found |= {name: said.get("tcpi_last_data_sent", 0) for name in AT_ONCE}
    found |= _syn(sk, said)
    if sk.was_connected:
        found |= {name: Between(MEASURED, 0, U64_MAX) for name in KEPT}
        found["last_data_sent"] = Between(MEASURED, 0, U32_MAX)
    if sk.fastopen_req or sk.options.get((SOL_TCP, TCP_FASTOPEN_CONNECT)):
        found["flags"] = Between(MEASURED, 0, 7)
    if asking and (sk.asked is None or elapsed(kernel, sk.asked)[1] >= TIMEOUT_NS):
        for name in ("rto", "retransmits", "total_retrans", "segs_out", "snd_ssthresh", "lost", "retrans", "backoff"):
            found[name] = Between(MEASURED, 0, U32_MAX)
        found |= {"ca_state": Between(MEASURED, 0, 4), "snd_cwnd": Between(MEASURED, 1, TCP_INIT_CWND)}
    return found


def pmtu(sk: Tcp) -> int:
    """Return ``icsk_pmtu_cookie``, which it has since it was to be connected (``ipv4_mtu()``, ``ip6_mtu()``)."""
    if not sk.advmss:
        return 0
    return LOOPBACK_MTU if sk.over_ipv6 else IP_MAX_MTU


def _first_window(sk: Tcp, said: Mapping[str, int]) -> int | Between:
    """Return *rcv_ssthresh*: what a SYN offers, which is a multiple of *advmss* (``tcp_select_initial_window()``)."""
    if not sk.advmss:
        return 0
    window = said.get("tcpi_rcv_ssthresh", 0)
    usual = "SOCK_RCVBUF_LOCK" not in sk.userlocks and sk.rcvbuf >> 1 > sk.advmss
    if not usual or not window or window % sk.advmss == 0 or window == IP_MAX_MTU:
        return Between(MEASURED, 1 if usual else 0, max(sk.rcvbuf, IP_MAX_MTU))
    return window - window % sk.advmss


def _syn(sk: Tcp, said: Mapping[str, int]) -> dict[str, Any]:
    """Return how many segments came and went: a SYN, and the RST that refused it."""
    if sk.state == "TCP_SYN_SENT":
        return {"segs_out": 1}
    if not sk.advmss:
        return {}
    refused = OneOf(MEASURED, (0, 1))
    return {"segs_out": refused, "segs_in": said.get("tcpi_segs_out", 0) if said.get("tcpi_segs_out") == 1 else 0}
