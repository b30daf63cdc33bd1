"""Errors that a socket queues (``include/uapi/linux/errqueue.h``)."""

from __future__ import annotations

SO_EE_ORIGIN_NONE = 0
SO_EE_ORIGIN_LOCAL = 1
SO_EE_ORIGIN_ICMP = 2
SO_EE_ORIGIN_ICMP6 = 3
SO_EE_ORIGIN_TXSTATUS = 4
SO_EE_ORIGIN_ZEROCOPY = 5
SO_EE_ORIGIN_TXTIME = 6
SO_EE_ORIGIN_TIMESTAMPING = SO_EE_ORIGIN_TXSTATUS
