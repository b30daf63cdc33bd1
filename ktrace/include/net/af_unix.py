"""Unix sockets (``include/net/af_unix.h``)."""

from __future__ import annotations

UNIX_HASH_SIZE = 256 * 2
