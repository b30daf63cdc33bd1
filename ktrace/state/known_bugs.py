"""Bugs of kernels that the model knows: they are predicted, and told where they show (``docs/kernel-bugs/``)."""

from __future__ import annotations

from collections.abc import Mapping

from ktrace.state.rule import KNOWN_BUG, Rule


def _bug(name: str, source: str, function: str, what: str) -> tuple[str, Rule]:
    return name, Rule(source, function, f"{KNOWN_BUG}{name}: {what}")


KNOWN_BUGS: Mapping[str, Rule] = dict(
    [
        _bug(
            "splice-empty-errno-512", "fs/splice.c", "splice_to_socket",
            "a pipe that has empty buffers only fails with ERESTARTSYS, which no program knows",
        ),
        _bug(
            "unix-fionread-oob", "net/unix/af_unix.c", "manage_oob",
            "an out-of-band byte that is skipped stays in what FIONREAD counts",
        ),
        _bug(
            "unix-epollout-failed-send", "net/unix/af_unix.c", "unix_dgram_sendmsg",
            "a datagram that goes nowhere gives an EPOLLOUT event when it is freed",
        ),
        _bug(
            "unix-gc-forgets", "net/unix/garbage.c", "unix_vertex_dead",
            "sockets that only travel towards each other are never collected",
        ),
        _bug(
            "udp6-cork-connect", "net/ipv6/datagram.c", "ip6_datagram_dst_update",
            "connect() leads a datagram that is held back to another receiver",
        ),
        _bug(
            "icmp-zero-checksum", "net/ipv4/icmp.c", "icmp_push_reply",
            "the answer to an echo of nothing but zeros has a checksum of 0, which is wrong",
        ),
    ]
)  # fmt: skip
"""The rule of each, by name."""
