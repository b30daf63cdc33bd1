"""Options of SOL_UDP (``net/ipv4/udp.c``: ``udp_lib_setsockopt()``, ``udp_lib_getsockopt()``)."""

from __future__ import annotations

from ktrace.model.kernel import Kernel
from ktrace.model.net.inet.udp.udp import Udp
from ktrace.model.task import Errno
from ktrace.uapi.in_ import IPPROTO_UDPLITE
from ktrace.uapi.limits import USHRT_MAX
from ktrace.uapi.socket import SOL_UDP, SOL_UDPLITE
from ktrace.uapi.udp import (
    UDP_CORK,
    UDP_ENCAP,
    UDP_ENCAP_L2TPINUDP,
    UDP_GRO,
    UDP_NO_CHECK6_RX,
    UDP_NO_CHECK6_TX,
    UDP_SEGMENT,
)

UDPLITE = (10, 11)
"""UDPLITE_SEND_CSCOV, UDPLITE_RECV_CSCOV: always 0 on UDP."""

NUMBER_OPTIONS = (UDP_NO_CHECK6_TX, UDP_NO_CHECK6_RX, UDP_SEGMENT, UDP_GRO)


def is_udp_level(kernel: Kernel, level: int) -> bool:
    """Tell whether options of *level* are UDP's; those of UDP-Lite are, on kernels that have it."""
    has_lite = any(switch.protocol == IPPROTO_UDPLITE for switch in kernel.net.facts.inetsw)
    return level == SOL_UDP or (level == SOL_UDPLITE and has_lite)


def set_udp_option(sk: Udp, optname: int, value: int) -> int:
    """Set any option but UDP_CORK, which sends.

    :raises Errno: EINVAL, ENOPROTOOPT
    """
    if optname == UDP_ENCAP and value in (0, UDP_ENCAP_L2TPINUDP):  # the only type without CONFIG_XFRM
        sk.encap_type = value
    elif optname == UDP_SEGMENT:
        if not 0 <= value <= USHRT_MAX:
            raise Errno("EINVAL")
        if value:
            raise NotImplementedError("the model does not cut datagrams into segments")
    elif optname in NUMBER_OPTIONS:
        sk.options[SOL_UDP, optname] = int(value != 0)
    elif optname in UDPLITE and sk.protocol == IPPROTO_UDPLITE:
        sk.options[SOL_UDP, optname] = min(max(value, 8), USHRT_MAX) if value else 0
    else:
        raise Errno("ENOPROTOOPT")
    return 0


def get_udp_option(sk: Udp, optname: int) -> bytes:
    """Return one option.

    :raises Errno: ENOPROTOOPT
    """
    if optname == UDP_CORK:
        value = int(sk.corkflag)
    elif optname == UDP_ENCAP:
        value = sk.encap_type
    elif optname in (*NUMBER_OPTIONS, *UDPLITE):
        value = sk.options.get((SOL_UDP, optname), 0)
    else:
        raise Errno("ENOPROTOOPT")
    return value.to_bytes(4, "little")
