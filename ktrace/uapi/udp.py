"""UDP sockets (``include/uapi/linux/udp.h``)."""

from __future__ import annotations

UDP_CORK = 1
UDP_ENCAP = 100
UDP_NO_CHECK6_TX = 101
UDP_NO_CHECK6_RX = 102
UDP_SEGMENT = 103
UDP_GRO = 104
UDP_ENCAP_L2TPINUDP = 3

SIZEOF_UDPHDR = 8
