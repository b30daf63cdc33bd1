"""Kinds of network devices (``include/uapi/linux/if_arp.h``)."""

from __future__ import annotations

ARPHRD_LOOPBACK = 772
