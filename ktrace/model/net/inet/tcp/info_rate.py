"""What members of ``struct tcp_info`` that follow from round trips say of each other (``net/ipv4/tcp_input.c``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ktrace.include.linux.limits import U32_MAX
from ktrace.include.net.tcp import TCP_INIT_CWND
from ktrace.model.net.inet.tcp.info_rules import TCP_INFINITE_SSTHRESH, USEC_PER_SEC

SS_RATIO, CA_RATIO = 200, 120
"""``tcp_sk_init()``: sysctl_tcp_pacing_ss_ratio, sysctl_tcp_pacing_ca_ratio."""
MOST_SAMPLES = 512
"""Segments after which nothing is said of the rate of delivery any more."""


def smoothed(q: Mapping[str, int]) -> range:
    """Return what ``srtt_us`` may be, of which *rtt* is an eighth."""
    return range(max(1, q["rtt"] << 3), (q["rtt"] << 3) + 8)


def pacing_rates(q: Mapping[str, int], active: bool) -> tuple[int, ...] | None:
    """Return what the rate of pacing may be (``tcp_update_pacing_rate()``); ``None`` where it is not known.

    The window may have shrunk since where it had grown (``tcp_cwnd_restart()``). The SYN-ACK found the first guess at
    the largest segment.
    """
    if not q["rtt"] or q["snd_cwnd"] > TCP_INIT_CWND or (active and q["delivered"] <= 1):
        return None
    ratio = SS_RATIO if q["snd_cwnd"] < q["snd_ssthresh"] >> 1 else CA_RATIO
    if q["snd_ssthresh"] != TCP_INFINITE_SSTHRESH or q["delivered"] > 8 * TCP_INIT_CWND:
        return None
    rate = q["snd_mss"] * ((USEC_PER_SEC // 100) << 3) * ratio * q["snd_cwnd"]
    return tuple(dict.fromkeys(rate // srtt for srtt in smoothed(q)))


def delivery_rates(q: Mapping[str, int], active: bool) -> tuple[int, ...] | None:
    """Return what the rate of delivery may be: so many segments in so many µs (``tcp_compute_delivery_rate()``)."""
    said, delivered = q["delivery_rate"], q["delivered"]
    if not said or delivered > MOST_SAMPLES:
        return None
    if delivered <= 1 and not active:
        return (0,)
    for segments in range(1, delivered + 1):
        size = segments * q["snd_mss"] * USEC_PER_SEC
        for interval in (size // said, size // (said + 1) + 1):
            if 0 < interval <= U32_MAX and interval >= q["min_rtt"] and size // interval == said:
                return (said,)
    return (0,)


def rtt_vars(q: Mapping[str, int]) -> tuple[int, ...] | None:
    """Return what *rttvar* may be after one measured round trip, or two (``tcp_rtt_estimator()``).

    The shortest of them is *min_rtt*.
    """
    if q["delivered"] + q["unacked"] > 2 or not q["rtt"]:
        return None
    found = dict.fromkeys([q["rtt"] >> 1]) if q["rtt"] == q["min_rtt"] else {}
    for srtt in smoothed(q) if q["delivered"] == 2 else ():
        for first, second in _two(srtt, q["min_rtt"]):
            found[_deviation(first, second) >> 2] = None
    return tuple(found) or (U32_MAX,)


def _two(srtt: int, least: int) -> Iterator[tuple[int, int]]:
    """Yield two round trips, the shorter of which is *least*, that come to *srtt* (in eighths)."""
    if (second := srtt - 7 * least) >= least:
        yield least, second
    first, left = divmod(srtt - least, 7)
    if not left and first >= least:
        yield first, least


def _deviation(first: int, second: int) -> int:
    """Return ``mdev_us`` after two round trips."""
    deviation = first << 1
    error = second - first
    if error < 0:
        error = -error - (deviation >> 2)
        if error > 0:
            error >>= 3
    else:
        error -= deviation >> 2
    return deviation + error
