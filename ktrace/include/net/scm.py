"""Control messages (``include/net/scm.h``)."""

from __future__ import annotations

SCM_MAX_FD = 253
