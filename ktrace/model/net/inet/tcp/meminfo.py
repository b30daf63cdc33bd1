"""SO_MEMINFO of TCP: what is set aside comes in pages (``include/net/sock.h: sk_mem_charge()``)."""

from __future__ import annotations

from collections.abc import Sequence

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.model.kernel import Kernel
from ktrace.model.net.inet.tcp.sock import Tcp
from ktrace.state.allowed import Between

OVERHEAD = 1280
"""Bytes that a packet takes besides its own, at most (``tcp_stream_alloc_skb()``: SKB_TRUESIZE of MAX_TCP_HEADER)."""
SMALLEST = 48
"""Bytes that a packet takes before the next is begun (``tcp_send_mss()``: sysctl_tcp_min_snd_mss)."""
LARGEST = 1 << 17
"""Bytes of the largest packet with its overhead (GSO_LEGACY_MAX_SIZE), a part of which may have been read."""
LEFT_PAGES = 4
"""Pages that may be set aside in advance: what was scheduled for a packet that was merged stays
(``tcp_try_coalesce()``)."""
ALIVE = ("TCP_ESTABLISHED", "TCP_CLOSE_WAIT")


def tcp_fits(kernel: Kernel, sk: Tcp, values: Sequence[int]) -> bool:
    """Tell whether *values*, in the order of SK_MEMINFO_*, can be those of *sk* (``sk_get_meminfo()``)."""
    rmem, rcvbuf, _, sndbuf, forward, queued, optmem, _, drops = values
    if (rmem + forward + queued) % PAGE_SIZE or forward >= (LEFT_PAGES * PAGE_SIZE if rmem or queued else 1):
        return False
    setting = kernel.net.setting
    sizes = sk.view_buffers(setting("ipv4/tcp_rmem/2"), setting("ipv4/tcp_wmem/2"))
    for size, allowed in zip((rcvbuf, sndbuf), sizes, strict=True):
        if size != allowed and not (isinstance(allowed, Between) and allowed.admits(size)):
            return False
    if optmem and not (sk.zckey or sk.mc_list):
        return False
    fresh = sk.state == "TCP_CLOSE" and not sk.was_connected and not sk.max_ack_backlog
    if drops and (fresh or (sk.state in ALIVE and sk.handshake is not None and not kernel.net.inet.dropped)):
        return False
    waiting = 0 if sk.state in ("TCP_CLOSE", "TCP_LISTEN") else sk.outq(sent=True)
    if sk.state in ("TCP_SYN_SENT", "TCP_SYN_RECV"):
        waiting = 1
    least, most = (waiting, waiting) if isinstance(waiting, int) else (waiting.low, waiting.high)
    # A FIN takes a packet, and may have gone with the last bytes; dropped ones wait as well.
    packets = most if least < most or sk.lost else min(most, 2 + most // SMALLEST)
    least, most = max(0, least - 1), most + len(sk.lost)
    if not least <= queued <= most + OVERHEAD * (packets + len(sk.lost) + bool(most)):
        return False
    return len(sk.rx) <= rmem <= _most_received(sk)


def _most_received(sk: Tcp) -> int:
    """Return how much can be charged to the receive queue: each byte may have come in a packet of its own."""
    most = len(sk.rx) * (1 + OVERHEAD) + (OVERHEAD if sk.fin == "queued" else 0)
    if sk.rx and sk.reads:
        most += LARGEST
    return min(most, max(sk.rcvbuf, LARGEST) + LARGEST)
