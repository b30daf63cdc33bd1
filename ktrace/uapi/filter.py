"""Socket filters (``include/uapi/linux/filter.h``)."""

from __future__ import annotations

SKF_AD_OFF = -0x1000
SKF_AD_MAX = 64
SKF_NET_OFF = -0x100000
SKF_LL_OFF = -0x200000

SIZEOF_SOCK_FPROG = 16
