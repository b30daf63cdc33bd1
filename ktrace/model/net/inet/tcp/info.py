"""TCP_INFO: what is determined of it (``net/ipv4/tcp.c: tcp_get_info()``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ktrace.include.linux.limits import U8_MAX, U32_MAX, U64_MAX
from ktrace.include.net.ip import IP_MAX_MTU
from ktrace.model.net.inet.tcp.sock import Tcp
from ktrace.model.timer import HZ
from ktrace.state.allowed import Between, OneOf
from ktrace.state.net.inet import TcpSock
from ktrace.state.net.sock import TCP_STATES
from ktrace.state.rule import Rule
from ktrace.uapi.ipv6 import SIZEOF_IPV6HDR

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.model.observed import Observed
    from ktrace.model.task import Task

MEASURED = Rule("net/ipv4/tcp.c", "tcp_get_info", "times, windows and rates are measured")
BYTES = ("ca_state", "retransmits", "probes", "backoff", "options", "wscale", "flags")
WORDS = (
    "rto", "ato", "snd_mss", "rcv_mss", "unacked", "sacked", "lost", "retrans", "fackets", "last_data_sent",
    "last_ack_sent", "last_data_recv", "last_ack_recv", "pmtu", "rcv_ssthresh", "rtt", "rttvar", "snd_ssthresh",
    "snd_cwnd", "advmss", "reordering", "rcv_rtt", "rcv_space", "total_retrans", "segs_out", "segs_in",
    "notsent_bytes", "min_rtt", "data_segs_in", "data_segs_out", "delivered", "delivered_ce", "dsack_dups",
    "reord_seen", "rcv_ooopack", "snd_wnd",
)  # fmt: skip
LONGS = (
    "pacing_rate", "max_pacing_rate", "bytes_acked", "bytes_received", "delivery_rate", "busy_time", "rwnd_limited",
    "sndbuf_limited", "bytes_sent", "bytes_retrans",
)  # fmt: skip
OF_LISTENERS = ("pacing_rate", "max_pacing_rate", "reordering", "snd_cwnd")
"""What is told of a listener besides its queue; the rest is 0."""
NEVER = ("sacked", "lost", "reord_seen", "rcv_ooopack", "fackets", "last_ack_sent")
"""What is 0 where nothing is lost or overtaken, and what no code sets."""
AT_MOST = {
    "retransmits": ("total_retrans",),
    "retrans": ("total_retrans",),
    "data_segs_out": ("segs_out",),
    "data_segs_in": ("segs_in",),
    "bytes_retrans": ("bytes_sent",),
    "rwnd_limited": ("busy_time",),
    "sndbuf_limited": ("busy_time",),
}
"""What counts a part of something else (``tcp_update_skb_after_send()``, ``tcp_segs_in()``,
``tcp_get_info_chrono_stats()``), while it is connected."""
IP6_MAX_MTU = IP_MAX_MTU + SIZEOF_IPV6HDR
"""``include/net/ipv6.h``: a bit more than IP_MAX_MTU."""
TCP_INFINITE_SSTHRESH = 0x7FFFFFFF
USEC_PER_SEC = 1_000_000
TCP_CA_LOSS = 4
"""The last ``enum tcp_ca_state``."""
TCPI_OPTIONS = 0x3F
"""Every TCPI_OPT_*."""
INITIAL = {
    "snd_mss": 536, "rttvar": 250_000, "snd_ssthresh": TCP_INFINITE_SSTHRESH, "snd_cwnd": 10, "min_rtt": U32_MAX,
    "pacing_rate": U64_MAX,
}  # fmt: skip
"""What ``tcp_init_sock()`` sets; the rest is 0, or a setting."""
SETTINGS = ("rto", "reordering", "max_pacing_rate", "flags")
LAST = ("last_data_sent", "last_data_recv", "last_ack_recv")
"""Milliseconds since something happened: since the machine began where it never did."""


def get_info(kernel: Kernel, sk: Tcp) -> dict[str, Any]:
    """Return the members of ``struct tcp_info``; sets where time decides."""
    nothing: Mapping[str, int] = {}
    said = kernel.choose(MEASURED, lambda seen: _said(seen, kernel.current), lambda _: True, nothing)
    listens = sk.state == "TCP_LISTEN"
    found: dict[str, Any] = {}
    for names, most in ((BYTES, U8_MAX), (WORDS, U32_MAX), (LONGS, U64_MAX)):
        for name in names:
            known = listens and name not in OF_LISTENERS
            found[f"tcpi_{name}"] = 0 if known else Between(MEASURED, 0, most)
    found["tcpi_state"] = _state(sk)
    if listens:
        return found | {"tcpi_unacked": sk.ack_backlog, "tcpi_sacked": sk.max_ack_backlog}
    if sk.state == "TCP_CLOSE" and not (sk.was_connected or sk.write_gap or sk.unsent_gap):
        return found | _of_nothing(said)
    found |= _related(sk, said)
    found |= {"tcpi_bytes_received": sk.bytes_received, "tcpi_bytes_sent": sk.bytes_sent}
    found |= dict.fromkeys((f"tcpi_{name}" for name in NEVER), 0)
    closed = sk.state == "TCP_CLOSE" and not sk.was_connected
    if closed or sk.state in ("TCP_ESTABLISHED", "TCP_CLOSE_WAIT", "TCP_SYN_SENT"):
        found["tcpi_notsent_bytes"] = sk.outq(sent=False)
    if sk.state == "TCP_CLOSE":
        return found | {"tcpi_unacked": 0}  # tcp_write_queue_purge(), or all was acknowledged
    tcp: TcpSock | None = kernel.choose(MEASURED, lambda seen: seen.tcp(sk), lambda _: True, None)
    if tcp is not None and isinstance(tcp.unacked, int):
        # packets_out: each has a byte at least, or the FIN
        found["tcpi_unacked"] = Between(MEASURED, int(tcp.unacked > 0), tcp.unacked)
    return found


def _said(seen: Observed, task: Task | None) -> Mapping[str, int] | None:
    told = seen.out(task, "optval") if task is not None else None
    return told if isinstance(told, Mapping) else None


def _of_nothing(said: Mapping[str, int]) -> dict[str, Any]:
    """Return what is told of a sock that was never connected (``tcp_init_sock()``)."""
    told: dict[str, Any] = {f"tcpi_{name}": 0 for name in (*BYTES, *WORDS, *LONGS) if name not in SETTINGS}
    told |= {f"tcpi_{name}": value for name, value in INITIAL.items()}
    told |= {f"tcpi_{name}": said.get("tcpi_last_data_sent", 0) for name in LAST[1:]}
    del told["tcpi_last_data_sent"]
    return told


def _related(sk: Tcp, said: Mapping[str, int]) -> dict[str, Any]:
    """Return what members of a ``struct tcp_info`` say of each other."""
    found: dict[str, Any] = {
        f"tcpi_{name}": Between(MEASURED, 0, min(said.get(f"tcpi_{other}", U64_MAX) for other in others))
        for name, others in AT_MOST.items()
    }
    found["tcpi_ca_state"] = Between(MEASURED, 0, TCP_CA_LOSS)
    found["tcpi_options"] = Between(MEASURED, 0, TCPI_OPTIONS)
    largest = Between(MEASURED, 0, IP_MAX_MTU if sk.family == "AF_INET" else IP6_MAX_MTU)
    found |= dict.fromkeys(("tcpi_pmtu", "tcpi_advmss", "tcpi_snd_mss", "tcpi_rcv_mss"), largest)
    found["tcpi_snd_ssthresh"] = Between(MEASURED, 0, TCP_INFINITE_SSTHRESH)
    rto = said.get("tcpi_rto", 0)
    found["tcpi_rto"] = Between(MEASURED, 0, U32_MAX) if rto % (USEC_PER_SEC // HZ) == 0 else 0
    found["tcpi_snd_cwnd"] = Between(MEASURED, 1, U32_MAX)
    # A SYN and a FIN are acknowledged like a byte.
    found["tcpi_bytes_acked"] = Between(MEASURED, 0, said.get("tcpi_bytes_sent", U64_MAX - 2) + 2)
    found["tcpi_delivered"] = Between(MEASURED, 0, said.get("tcpi_segs_out", U32_MAX) + 1)
    found["tcpi_delivered_ce"] = Between(MEASURED, 0, said.get("tcpi_delivered", U32_MAX))
    return found


def _state(sk: Tcp) -> int | OneOf:
    state = sk.view_state()
    if isinstance(state, OneOf):
        return OneOf(state.rule, tuple(TCP_STATES.index(name) for name in state.values))
    return TCP_STATES.index(state)
