"""What leaves members of ``struct tcp_info`` open, and what they begin with (``net/ipv4/tcp.c: tcp_get_info()``)."""

from __future__ import annotations

from ktrace.state.rule import Rule

MEASURED = Rule("net/ipv4/tcp.c", "tcp_get_info", "times, windows and rates are measured")
TCP_INFINITE_SSTHRESH = 0x7FFFFFFF
USEC_PER_SEC = 1_000_000
REORDERING = 3
"""``net/ipv4/tcp_ipv4.c: tcp_sk_init()``: TCP_FASTRETRANS_THRESH, the setting that nobody is known to change."""
MAX_REORDERING = 300
"""``tcp_sk_init()``: sysctl_tcp_max_reordering."""
