"""Sizes and options that a connection of TCP begins with (``net/ipv4/tcp_output.c``, ``tcp_input.c``).

A lab image leaves ``net.ipv4.tcp_sack`` and ``tcp_window_scaling`` as they are born; what sets them is not known.
"""

from __future__ import annotations

from ktrace.include.net.ip import IP_MAX_MTU
from ktrace.include.net.tcp import TCP_MAX_WSCALE, TCP_MIN_MSS, TCPOLEN_TSTAMP_ALIGNED
from ktrace.model.elapsed import this_step
from ktrace.model.kernel import Kernel
from ktrace.model.net.inet.addr6 import is_ipv6
from ktrace.model.net.inet.route import LOOPBACK_MTU
from ktrace.model.net.inet.tcp.handshake import Handshake
from ktrace.model.net.inet.tcp.sock import Tcp
from ktrace.uapi.ip import SIZEOF_IPHDR
from ktrace.uapi.ipv6 import IPV6_MIN_MTU, SIZEOF_IPV6HDR
from ktrace.uapi.socket import SOL_TCP
from ktrace.uapi.tcp import (
    SIZEOF_TCPHDR,
    TCP_MAXSEG,
    TCP_MSS_DEFAULT,
    TCP_WINDOW_CLAMP,
    TCPI_OPT_SACK,
    TCPI_OPT_TIMESTAMPS,
    TCPI_OPT_WSCALE,
)


def tcp_dst_advmss(sk: Tcp) -> int:
    """Return what the loopback's route has as the largest segment (``ipv4_default_advmss()``)."""
    if is_ipv6(sk.endpoints()[1]):
        return LOOPBACK_MTU - SIZEOF_IPV6HDR - SIZEOF_TCPHDR
    return IP_MAX_MTU - SIZEOF_IPHDR - SIZEOF_TCPHDR


def tcp_mss_clamp(sk: Tcp, mss: int) -> int:
    """Return *mss*, or what TCP_MAXSEG asks for where that is less (``tcp_mss_clamp()``)."""
    return min(mss, sk.options.get((SOL_TCP, TCP_MAXSEG)) or mss)


def tcp_connect_init(kernel: Kernel, sk: Tcp) -> None:
    """Begin with the smallest segment that everybody takes (``tcp_connect_init()``, ``tcp_sync_mss()``)."""
    clamp = IPV6_MIN_MTU - SIZEOF_IPV6HDR - SIZEOF_TCPHDR if is_ipv6(sk.endpoints()[1]) else TCP_MSS_DEFAULT
    clamp = sk.options.get((SOL_TCP, TCP_MAXSEG)) or clamp
    again = sk.advmss > 0
    sk.asked, sk.over_ipv6 = this_step(kernel), is_ipv6(sk.endpoints()[1])
    sk.advmss = tcp_mss_clamp(sk, tcp_dst_advmss(sk))
    stamps = TCPOLEN_TSTAMP_ALIGNED if _timestamps(kernel) else 0
    sk.mss_cache = clamp - stamps
    # tcp_initialize_rcv_mss(): no window was offered yet, at first
    sk.rcv_mss = max(min(sk.advmss, sk.mss_cache, TCP_MSS_DEFAULT), TCP_MIN_MSS) if again else TCP_MIN_MSS


def shake_hands(kernel: Kernel, sk: Tcp, active: bool, crossed: bool = False) -> None:
    """Agree on options (``tcp_rcv_synsent_state_process()``, ``tcp_create_openreq_child()``).

    :param active: it sent the SYN; *crossed*: to itself
    """
    options = TCPI_OPT_SACK | TCPI_OPT_WSCALE
    most = sk.advmss
    if _timestamps(kernel):
        options |= TCPI_OPT_TIMESTAMPS
        sk.advmss -= TCPOLEN_TSTAMP_ALIGNED
    sk.mss_cache = None
    sk.over_ipv6 = is_ipv6(sk.endpoints()[1])
    usual = "SOCK_RCVBUF_LOCK" not in sk.userlocks and not sk.options.get((SOL_TCP, TCP_WINDOW_CLAMP))
    # tcp_select_initial_window(): half of the buffer, rounded down, where that is more than one
    unit = 0 if not usual or sk.rcvbuf >> 1 <= most else most if active else sk.advmss
    scale = tcp_wscale(kernel) if usual else None
    sk.handshake = Handshake(this_step(kernel), active, options, unit, scale, sk.quickack, crossed)


def _timestamps(kernel: Kernel) -> bool:
    """Tell whether segments carry time stamps; sessions of old do not say, and nobody had set it there."""
    return bool(kernel.net.facts.sysctl.get("ipv4/tcp_timestamps", 1))


def tcp_wscale(kernel: Kernel) -> int:
    """Return by what a buffer of the kernel's own choice has its windows scaled (``tcp_select_initial_window()``)."""
    space = max(kernel.net.setting("ipv4/tcp_rmem/2"), kernel.net.setting("core/rmem_max"))
    return min(max(space.bit_length() - 1 - 15, 0), TCP_MAX_WSCALE)
