"""TCP_INFO: what is determined of it (``net/ipv4/tcp.c: tcp_get_info()``)."""

from __future__ import annotations

from typing import Any

from ktrace.include.linux.limits import U8_MAX, U32_MAX, U64_MAX
from ktrace.model.net.inet.tcp.sock import Tcp
from ktrace.state.allowed import Between, OneOf
from ktrace.state.net.sock import TCP_STATES
from ktrace.state.rule import Rule

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


def get_info(sk: Tcp) -> dict[str, Any]:
    """Return the members of ``struct tcp_info``; sets where time decides."""
    listens = sk.state == "TCP_LISTEN"
    found: dict[str, Any] = {}
    for names, most in ((BYTES, U8_MAX), (WORDS, U32_MAX), (LONGS, U64_MAX)):
        for name in names:
            known = listens and name not in OF_LISTENERS
            found[f"tcpi_{name}"] = 0 if known else Between(MEASURED, 0, most)
    found["tcpi_state"] = _state(sk)
    if listens:
        return found | {"tcpi_unacked": sk.ack_backlog, "tcpi_sacked": sk.max_ack_backlog}
    found |= {"tcpi_bytes_received": sk.bytes_received, "tcpi_bytes_sent": sk.bytes_sent}
    found |= dict.fromkeys(("tcpi_sacked", "tcpi_lost", "tcpi_reord_seen", "tcpi_rcv_ooopack", "tcpi_fackets"), 0)
    if sk.state in ("TCP_ESTABLISHED", "TCP_CLOSE_WAIT", "TCP_SYN_SENT"):
        found["tcpi_notsent_bytes"] = sk.outq(sent=False)
    return found


def _state(sk: Tcp) -> int | OneOf:
    state = sk.view_state()
    if isinstance(state, OneOf):
        return OneOf(state.rule, tuple(TCP_STATES.index(name) for name in state.values))
    return TCP_STATES.index(state)
