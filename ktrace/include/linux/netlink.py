"""Netlink sockets (``include/linux/netlink.h``)."""

from __future__ import annotations

NL_CFG_F_NONROOT_RECV = 1 << 0
NL_CFG_F_NONROOT_SEND = 1 << 1
