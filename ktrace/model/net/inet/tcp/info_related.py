"""TCP_INFO of a connection: what its members say of each other, and of what the model knows (``tcp_get_info()``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ktrace.include.linux.limits import U32_MAX, U64_MAX
from ktrace.include.linux.time64 import NSEC_PER_SEC
from ktrace.include.net.ip import IP_MAX_MTU
from ktrace.include.net.tcp import TCP_INIT_CWND, TCP_MIN_MSS
from ktrace.model.elapsed import elapsed
from ktrace.model.net.inet.tcp.handshake import Handshake
from ktrace.model.net.inet.tcp.info_fresh import pmtu
from ktrace.model.net.inet.tcp.info_rate import delivery_rates, pacing_rates, rtt_vars
from ktrace.model.net.inet.tcp.info_rules import (
    MAX_REORDERING,
    MEASURED,
    REORDERING,
    TCP_INFINITE_SSTHRESH,
    USEC_PER_SEC,
)
from ktrace.model.net.inet.tcp.sock import Tcp
from ktrace.model.timer import HZ
from ktrace.state.allowed import Between, OneOf
from ktrace.uapi.socket import SOL_TCP
from ktrace.uapi.tcp import TCP_FASTOPEN_CONNECT, TCP_MSS_DEFAULT, TCPI_OPT_ECN, TCPI_OPT_ECN_SEEN, TCPI_OPT_SYN_DATA

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.state.net.inet import TcpSock

NEVER = ("sacked", "lost", "reord_seen", "rcv_ooopack", "fackets", "last_ack_sent")
"""What is 0 where nothing is lost or overtaken, and what no code sets."""
AT_MOST = {
    "retransmits": ("total_retrans",),
    "retrans": ("total_retrans",),
    "total_retrans": ("segs_out",),
    "data_segs_out": ("segs_out", "bytes_sent"),
    "bytes_retrans": ("bytes_sent",),
    "rwnd_limited": ("busy_time",),
    "sndbuf_limited": ("busy_time",),
    "dsack_dups": ("total_retrans",),
    "min_rtt": ("rtt",),
}
"""What counts a part of something else (``tcp_update_skb_after_send()``, ``tcp_segs_in()``,
``tcp_get_info_chrono_stats()``)."""
TCP_CA_LOSS = 4
"""The last ``enum tcp_ca_state``."""
ATO_LEAST = USEC_PER_SEC // 50
"""``tcp_event_data_recv()``: half of TCP_ATO_MIN."""
SMALL = 48
"""Bytes after which no window grows (``__tcp_grow_window()``), and no segment is taken for a full one."""
LAST = ("last_data_sent", "last_data_recv", "last_ack_recv")
"""Milliseconds since something happened: since the handshake where it never did."""
USEC_PER_JIFFY = USEC_PER_SEC // HZ
NSEC_PER_MSEC = 1_000_000


def related(kernel: Kernel, sk: Tcp, hand: Handshake, said: Mapping[str, int]) -> dict[str, Any]:
    """Return what is determined of a connection, or of what is left of one.

    :param said: what was observed, whose members are held against each other
    """
    q = {name.removeprefix("tcpi_"): value for name, value in said.items()}
    if hand.crossed:
        # tcp_rcv_state_process(): it counts its own segments on both sides
        return _agreed(sk, hand) | {"bytes_received": sk.bytes_received, "bytes_sent": sk.bytes_sent}
    dropped = bool(sk.lost) or kernel.net.inet.dropped
    young = sk.asked is not None and elapsed(kernel, sk.asked)[1] < NSEC_PER_SEC
    calm = not q.get("total_retrans") and not dropped
    found: dict[str, Any] = {
        name: Between(MEASURED, 0, min(q.get(other, U64_MAX) for other in others)) for name, others in AT_MOST.items()
    }
    found |= dict.fromkeys(NEVER, 0)
    found |= _agreed(sk, hand)
    found |= _clocks(kernel, sk, hand, q)
    found |= _calm(sk, q) if calm else _troubled(q)
    found |= _windows(kernel, sk, hand, q, calm)
    found |= _segments(kernel, sk, hand, q, calm)
    found |= _under_way(kernel, sk, hand, q, calm)
    if young and hand.quick and not dropped:
        found["total_retrans"] = 0  # the first timer is a second's, TCP_TIMEOUT_INIT
    if q and calm:
        found |= _rates(hand, q)
    return found


def _agreed(sk: Tcp, hand: Handshake) -> dict[str, Any]:
    """Return what the handshake decided."""
    ecn = (0, TCPI_OPT_ECN, TCPI_OPT_ECN | TCPI_OPT_ECN_SEEN, TCPI_OPT_SYN_DATA)
    cookies = sk.options.get((SOL_TCP, TCP_FASTOPEN_CONNECT)) or sk.fastopen_req
    return {
        "options": OneOf(MEASURED, tuple(hand.options | more for more in ecn)),
        "advmss": sk.advmss,
        "pmtu": pmtu(sk),
        "max_pacing_rate": U64_MAX,
        "flags": Between(MEASURED, 0, 7 if cookies else 1),
        "snd_mss": Between(MEASURED, 48, IP_MAX_MTU),
        "wscale": _wscale(sk, hand),
    }


def _wscale(sk: Tcp, hand: Handshake) -> int | None:
    """Return by what each end scales its windows: of the peer's in the lower half of a byte."""
    if sk.snd_wscale is None or hand.rcv_wscale is None:
        return None
    return sk.snd_wscale | hand.rcv_wscale << 4


def _clocks(kernel: Kernel, sk: Tcp, hand: Handshake, q: Mapping[str, int]) -> dict[str, Any]:
    """Return times, which are counted in jiffies, and none of which began before the handshake."""
    age = elapsed(kernel, hand.at)[1]
    found: dict[str, Any] = {}
    for name in LAST:
        most = min(U32_MAX, age // NSEC_PER_MSEC)
        found[name] = Between(MEASURED, 0, most) if q.get(name, 0) * HZ % 1000 == 0 else 0
    for name in ("busy_time", "rwnd_limited", "sndbuf_limited"):
        most = min(q.get("busy_time", U64_MAX), age // 1000)
        found[name] = Between(MEASURED, 0, most) if q.get(name, 0) % USEC_PER_JIFFY == 0 else 0
    life = elapsed(kernel, sk.asked or hand.at)[1] // 1000
    found |= {"rtt": Between(MEASURED, 0, min(U32_MAX, life)), "rttvar": Between(MEASURED, 0, min(U32_MAX, life))}
    if not q.get("rtt"):
        found["rttvar"] = Between(MEASURED, 0, USEC_PER_SEC)  # TCP_TIMEOUT_FALLBACK, where nothing could be measured
    rto, ato = q.get("rto", 0), q.get("ato", 0)
    found["rto"] = Between(MEASURED, 0, U32_MAX) if rto % USEC_PER_JIFFY == 0 else 0
    found["ato"] = Between(MEASURED, ATO_LEAST, max(ATO_LEAST, rto)) if ato and ato % USEC_PER_JIFFY == 0 else 0
    return found


def _calm(sk: Tcp, q: Mapping[str, int]) -> dict[str, Any]:
    """Return what stays as it was born where nothing was ever sent again, and nothing found no room."""
    found: dict[str, Any] = dict.fromkeys(("retransmits", "retrans", "bytes_retrans", "dsack_dups", "ca_state"), 0)
    found["reordering"] = REORDERING
    if q.get("data_segs_out", U32_MAX) < TCP_INIT_CWND >> 1:
        found["snd_cwnd"] = TCP_INIT_CWND  # tcp_is_cwnd_limited(): never was as much on its way
    else:
        most = TCP_INIT_CWND + q.get("delivered", U32_MAX - TCP_INIT_CWND)
        found["snd_cwnd"] = Between(MEASURED, TCP_INIT_CWND, most)
    if q.get("snd_cwnd", U32_MAX) <= TCP_INIT_CWND:
        found["snd_ssthresh"] = TCP_INFINITE_SSTHRESH
    else:
        found["snd_ssthresh"] = Between(MEASURED, 2, TCP_INFINITE_SSTHRESH)
    if not sk.flag("SOCK_KEEPOPEN") and not q.get("notsent_bytes"):
        found |= {"probes": 0, "backoff": 0}
    return found


def _troubled(q: Mapping[str, int]) -> dict[str, Any]:
    return {
        "reordering": Between(MEASURED, REORDERING, MAX_REORDERING),
        "ca_state": Between(MEASURED, 0, TCP_CA_LOSS),
        "snd_cwnd": Between(MEASURED, 1, U32_MAX),
        "snd_ssthresh": Between(MEASURED, 0, TCP_INFINITE_SSTHRESH),
    }


def _windows(kernel: Kernel, sk: Tcp, hand: Handshake, q: Mapping[str, int], calm: bool) -> dict[str, Any]:
    """Return what it offers and what it was offered (``tcp_select_initial_window()``, ``tcp_init_buffer_space()``)."""
    scale = q.get("wscale", 0) & 0xF
    offered = q.get("snd_wnd", 0)
    found: dict[str, Any] = {"rcv_mss": _rcv_mss(sk, q)}
    scaled = offered % (1 << scale) == 0 or (hand.active and q.get("delivered", 0) <= 1)
    found["snd_wnd"] = Between(MEASURED, 0, _most_offered(kernel, sk, scale)) if scaled else 0
    space, first = q.get("rcv_space", 0), TCP_INIT_CWND * sk.advmss
    found["rcv_space"] = Between(MEASURED, 0, max(first, sk.bytes_received))
    found["rcv_ssthresh"] = Between(MEASURED, 0, 1 << 30)
    if sk.bytes_received < TCP_MSS_DEFAULT:
        # tcp_rcv_rtt_measure_ts(), tcp_rcv_rtt_measure(): no full segment, no full window
        found["rcv_rtt"] = 0
    if calm and hand.unit and q and sk.bytes_received <= space < first:
        exact = space % hand.unit == 0 or space == IP_MAX_MTU
        found["rcv_space"] = Between(MEASURED, 1, first) if exact else space - space % hand.unit
        if sk.bytes_received < SMALL:
            found["rcv_ssthresh"] = space
    return found


def _most_offered(kernel: Kernel, sk: Tcp, scale: int) -> int:
    """Return the largest window that the peer can have offered, which lies in its buffer (``tcp_win_from_space()``)."""
    peer = sk.peer
    if not isinstance(peer, Tcp) or "SOCK_RCVBUF_LOCK" in peer.userlocks:
        return 1 << 30
    if peer.bytes_received < SMALL:
        most = max(peer.rcvbuf >> 1, IP_MAX_MTU)  # its first one, which did not grow
    else:
        most = max(peer.rcvbuf, kernel.net.setting("ipv4/tcp_rmem/2"))
    return most + (1 << scale)


def _rcv_mss(sk: Tcp, q: Mapping[str, int]) -> int | Between:
    """Return what is taken for the peer's segment (``tcp_initialize_rcv_mss()``, ``tcp_measure_rcv_mss()``)."""
    first = min(sk.advmss, q.get("snd_mss", TCP_MSS_DEFAULT), TCP_MSS_DEFAULT)
    if "SOCK_RCVBUF_LOCK" in sk.userlocks:
        return Between(MEASURED, SMALL, sk.advmss)
    if sk.bytes_received < SMALL:
        return max(first, TCP_MIN_MSS)
    return Between(MEASURED, SMALL, max(first, min(sk.advmss, sk.bytes_received)))


def _segments(kernel: Kernel, sk: Tcp, hand: Handshake, q: Mapping[str, int], calm: bool) -> dict[str, Any]:
    """Return how many segments came and went, of how many bytes."""
    fin, fin_in = int(sk.fin_out == "sent"), int(sk.fin is not None)
    sent, came, delivered = q.get("data_segs_out", 0), q.get("data_segs_in", 0), q.get("delivered", 0)
    marked = q.get("options", 0) & TCPI_OPT_ECN
    # What is refused is counted as well: what found no room, and what was answered by a reset.
    taken = sk.bytes_received + (sk.state == "TCP_CLOSE") if not kernel.net.inet.dropped else U32_MAX
    most_came = min(q.get("segs_in", U32_MAX), taken)
    shook = 1 if hand.active else 2
    found: dict[str, Any] = {
        "bytes_received": sk.bytes_received,
        "bytes_sent": sk.bytes_sent + q.get("bytes_retrans", 0),
        "bytes_acked": Between(MEASURED, int(hand.active), hand.active + sk.bytes_sent + fin),
        "delivered": Between(MEASURED, 0, 1 + sent + fin),
        "delivered_ce": Between(MEASURED, 0, delivered) if marked else 0,
        "data_segs_in": Between(MEASURED, int(sk.bytes_received > 1), most_came),
        "segs_in": Between(MEASURED, came, U32_MAX),
    }  # fmt: skip
    if sk.deferred or sk.flag("SOCK_KEEPOPEN") or not calm or not q:
        return found
    if sk.state == "TCP_CLOSE":
        # tcp_write_queue_purge(), or all was acknowledged: what came of the last segments is not known
        least = 2 * hand.active + sent
        answers = came + fin_in + 2 * sk.reads + q["probes"]
        found["segs_out"] = Between(MEASURED, least, least + fin + answers)
        found["data_segs_out"] = Between(MEASURED, max(0, delivered - 1 - fin), min(q["segs_out"], sk.bytes_sent))
        acks = sent + fin + fin_in + 2 * sk.bytes_sent + q["probes"] + 1
        found["segs_in"] = Between(MEASURED, shook + came, shook + came + acks)
    return found


def _under_way(kernel: Kernel, sk: Tcp, hand: Handshake, q: Mapping[str, int], calm: bool) -> dict[str, Any]:
    """Return what is told of a connection that still is one: every segment is on its way or was delivered."""
    found: dict[str, Any] = {"notsent_bytes": sk.outq(sent=False)}
    if sk.state == "TCP_CLOSE":
        return found | {"unacked": 0}
    tcp: TcpSock | None = kernel.choose(MEASURED, lambda seen: seen.tcp(sk), lambda _: True, None)
    if tcp is None or not isinstance(tcp.unacked, int) or not q:
        return found
    # packets_out: each has a byte at least, or the FIN
    found["unacked"] = Between(MEASURED, int(tcp.unacked > 0), tcp.unacked)
    fin, fin_in = int(sk.fin_out == "sent"), int(sk.fin is not None)
    found["bytes_acked"] = hand.active + sk.bytes_sent + fin - tcp.unacked
    if not calm or sk.deferred or sk.flag("SOCK_KEEPOPEN"):
        return found
    sure, came = 1 + q["data_segs_out"] - q["unacked"], q["data_segs_in"]
    # A FIN may have gone with the last bytes.
    found["delivered"] = OneOf(MEASURED, (sure, sure + 1)) if fin else sure
    least = 2 * hand.active + q["delivered"] + q["unacked"] - 1
    # tcp_cleanup_rbuf(): an answer whenever bytes were taken, besides one to each segment
    found["segs_out"] = Between(MEASURED, least, least + came + fin_in + 2 * sk.reads + q["probes"])
    if isinstance(sk.peer, Tcp) and not sk.peer.flag("SOCK_KEEPOPEN"):
        shook = 1 if hand.active else 2
        acks = q["delivered"] + q["unacked"] - 1 + 2 * sk.peer.reads + q["probes"]
        found["segs_in"] = Between(MEASURED, shook + came, shook + came + acks + fin_in)
    return found


def _rates(hand: Handshake, q: Mapping[str, int]) -> dict[str, Any]:
    """Return what follows from round trips: their variance, and what is sent and delivered in a second."""
    found: dict[str, Any] = {}
    for name, allowed in (
        ("rttvar", rtt_vars(q)),
        ("pacing_rate", pacing_rates(q, hand.active)),
        ("delivery_rate", delivery_rates(q, hand.active)),
    ):
        if allowed is not None:
            found[name] = OneOf(MEASURED, allowed) if len(allowed) > 1 else allowed[0]
    if not q["delivery_rate"] and not q["flags"] & 1:
        found["flags"] = q["flags"] | 1  # tcp_init_sock(), tcp_rate_gen(): set with the rate
    return found
