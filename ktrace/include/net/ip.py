"""IPv4 and what it shares with others (``include/net/ip.h``, ``include/linux/ip.h``, ``include/net/flow.h``,
``include/net/inet_ecn.h``).
"""

from __future__ import annotations

IP_DF = 0x4000
IP_MAX_MTU = 0xFFFF

LOOPBACK_IFINDEX = 1

INET_ECN_MASK = 3
