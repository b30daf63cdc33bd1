"""Ethernet (``include/uapi/linux/if_ether.h``)."""

from __future__ import annotations

ETH_ALEN = 6
ETH_P_IP = 0x800
ETH_P_ALL = 0x3
