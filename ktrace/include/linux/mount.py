"""Mounts (``include/linux/mount.h``)."""

from __future__ import annotations

MNT_RELATIME = 0x20
