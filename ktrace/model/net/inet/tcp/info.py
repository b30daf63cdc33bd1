"""TCP_INFO: what is determined of it (``net/ipv4/tcp.c: tcp_get_info()``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ktrace.include.linux.limits import U8_MAX, U32_MAX, U64_MAX
from ktrace.include.net.tcp import TCP_INIT_CWND
from ktrace.model.net.inet.tcp.info_fresh import fresh
from ktrace.model.net.inet.tcp.info_related import related
from ktrace.model.net.inet.tcp.info_rules import MEASURED, REORDERING
from ktrace.model.net.inet.tcp.sock import Tcp
from ktrace.state.allowed import Between, OneOf
from ktrace.state.net.sock import TCP_STATES

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.model.observed import Observed
    from ktrace.model.task import Task

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


def get_info(kernel: Kernel, sk: Tcp) -> dict[str, Any]:
    """Return the members of ``struct tcp_info``; sets where time decides."""
    nothing: Mapping[str, int] = {}
    said = kernel.choose(MEASURED, lambda seen: _said(seen, kernel.current), lambda _: True, nothing)
    told: dict[str, Any] = {f"tcpi_{name}": 0 for name in (*BYTES, *WORDS, *LONGS)}
    told["tcpi_state"] = _state(sk)
    if sk.state == "TCP_LISTEN":
        known = _listens(sk)
    elif sk.handshake is None:
        known = fresh(kernel, sk, said)
    else:
        known = dict.fromkeys((*BYTES, *WORDS, *LONGS), None) | related(kernel, sk, sk.handshake, said)
    for name, value in known.items():
        most = U8_MAX if name in BYTES else U32_MAX if name in WORDS else U64_MAX
        told[f"tcpi_{name}"] = Between(MEASURED, 0, most) if value is None else value
    return told


def _listens(sk: Tcp) -> dict[str, Any]:
    """Return what is told of a listener: its queue, and what ``tcp_init_sock()`` and ``tcp_disconnect()`` set."""
    return {
        "unacked": sk.ack_backlog,
        "sacked": sk.max_ack_backlog,
        "max_pacing_rate": U64_MAX,
        "pacing_rate": None if sk.was_connected else U64_MAX,
        "reordering": None if sk.was_connected else REORDERING,
        "snd_cwnd": TCP_INIT_CWND,
    }


def _said(seen: Observed, task: Task | None) -> Mapping[str, int] | None:
    told = seen.out(task, "optval") if task is not None else None
    return told if isinstance(told, Mapping) else None


def _state(sk: Tcp) -> int | OneOf:
    state = sk.view_state()
    if isinstance(state, OneOf):
        return OneOf(state.rule, tuple(TCP_STATES.index(name) for name in state.values))
    return TCP_STATES.index(state)
