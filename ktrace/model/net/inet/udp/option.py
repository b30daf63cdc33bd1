"""Options of SOL_UDP (``net/ipv4/udp.c``: ``udp_lib_setsockopt()``, ``udp_lib_getsockopt()``)."""

from __future__ import annotations

from ktrace.model.net.inet.udp.udp import Udp
from ktrace.model.task import Errno

SOL_UDP, SOL_UDPLITE, UDP_CORK, USHRT_MAX = 17, 136, 1, 0xFFFF
IPPROTO_UDPLITE = 136
UDPLITE = (10, 11)
"""UDPLITE_SEND_CSCOV, UDPLITE_RECV_CSCOV: always 0 on UDP."""

UDP_ENCAP, UDP_NO_CHECK6_TX, UDP_NO_CHECK6_RX, UDP_SEGMENT, UDP_GRO = range(100, 105)
KEPT = (UDP_NO_CHECK6_TX, UDP_NO_CHECK6_RX, UDP_SEGMENT, UDP_GRO)
UDP_ENCAP_L2TPINUDP = 3
"""The only type without CONFIG_XFRM."""


def set_udp_option(sk: Udp, optname: int, value: int) -> int:
    """Set any option but UDP_CORK, which sends.

    :raises Errno: EINVAL, ENOPROTOOPT
    """
    if optname == UDP_ENCAP and value in (0, UDP_ENCAP_L2TPINUDP):
        sk.encap_type = value
    elif optname == UDP_SEGMENT:
        if not 0 <= value <= USHRT_MAX:
            raise Errno("EINVAL")
        if value:
            raise NotImplementedError("the model does not cut datagrams into segments")
    elif optname in KEPT:
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
    elif optname in (*KEPT, *UDPLITE):
        value = sk.options.get((SOL_UDP, optname), 0)
    else:
        raise Errno("ENOPROTOOPT")
    return value.to_bytes(4, "little")
