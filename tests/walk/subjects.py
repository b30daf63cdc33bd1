"""What calls are tried on: lines that make descriptors of every kind, ``f`` among them."""

from __future__ import annotations

FILES = {
    "pipe": ("pipe([f, g])", 'write(g, "abc")'),
    "pipe-end": ("pipe([g, f])",),
    "fifo": ('mkfifo("/tmp/w#", 0600)', 'open("/tmp/w#", O_RDWR) -> f', 'write(f, "abc")'),
    "file": ('open("/tmp/w#", O_RDWR|O_CREAT, 0600) -> f', 'write(f, "abcdef")', "lseek(f, 2, SEEK_SET)"),
    "read-only": ('creat("/tmp/w#", 0600) -> g', 'open("/tmp/w#", O_RDONLY) -> f'),
    "directory": ('mkdir("/tmp/w#", 0700)', 'open("/tmp/w#", O_RDONLY) -> f'),
    "path": ('creat("/tmp/w#", 0600) -> g', 'open("/tmp/w#", O_PATH) -> f'),
    "memfd": ('memfd_create("m", MFD_ALLOW_SEALING) -> f', 'write(f, "abcdef")', "lseek(f, 0, SEEK_SET)"),
    "null": ('open("/dev/null", O_RDWR) -> f',),
    "zero": ('open("/dev/zero", O_RDWR) -> f',),
    "full": ('open("/dev/full", O_RDWR) -> f',),
    "urandom": ('open("/dev/urandom", O_RDWR) -> f',),
    "console": ('open("/dev/console", O_RDWR|O_NOCTTY|O_NONBLOCK) -> f',),
    "proc": ('open("/proc/self/maps", O_RDONLY) -> f',),
    "sysctl": ('open("/proc/sys/kernel/sem", O_RDWR) -> f',),
    "sysfs": ('open("/sys/kernel/rcu_expedited", O_RDWR) -> f',),
    "root": ('open("/", O_RDONLY|O_DIRECTORY) -> f',),
    "namespace": ('open("/proc/self/ns/ipc", O_RDONLY) -> f',),
    "epoll": ("epoll_create1(0) -> f",),
    "eventfd": ("eventfd2(3, EFD_NONBLOCK) -> f",),
    "timerfd": ("timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK) -> f",),
    "signalfd": ("signalfd4(-1, 0x200, SFD_NONBLOCK) -> f",),
    "inotify": ("inotify_init1(IN_NONBLOCK) -> f",),
    "pidfd": ("pidfd_open(A) -> f",),
    "none": ("getpid() -> f",),
}
"""Kinds of files: ``f`` is one; ``w#`` is a name that no other word has."""

_CONNECTED = (
    "socket({family}, SOCK_STREAM) -> l",
    "bind(l, {address})",
    "listen(l, 5)",
    "socket({family}, SOCK_STREAM) -> f",
    "connect(f, {address})",
    "accept(l, NULL, NULL) -> g",
    'send(g, "abc")',
)


def _made(lines: tuple[str, ...], family: str, address: str) -> tuple[str, ...]:
    return tuple(line.format(family=family, address=address) for line in lines)


_UDP = ("socket({family}, SOCK_DGRAM) -> f", "bind(f, {address})", "connect(f, {address})", 'send(f, "abc")')

SOCKETS = {
    "unix-stream": ("socketpair(AF_UNIX, SOCK_STREAM, 0, [f, g])", 'send(g, "abc")'),
    "unix-dgram": ("socketpair(AF_UNIX, SOCK_DGRAM, 0, [f, g])", 'send(g, "abc")'),
    "unix-seqpacket": ("socketpair(AF_UNIX, SOCK_SEQPACKET, 0, [f, g])", 'send(g, "abc")'),
    "unix-fresh": ("socket(AF_UNIX, SOCK_STREAM) -> f",),
    "tcp-fresh": ("socket(AF_INET, SOCK_STREAM) -> f",),
    "tcp-listening": ("socket(AF_INET, SOCK_STREAM) -> f", 'bind(f, inet("127.0.0.1", @))', "listen(f, 5)"),
    "tcp": _made(_CONNECTED, "AF_INET", 'inet("127.0.0.1", @)'),
    "tcp6": _made(_CONNECTED, "AF_INET6", 'inet6("::1", @)'),
    "udp-fresh": ("socket(AF_INET, SOCK_DGRAM) -> f",),
    "udp": _made(_UDP, "AF_INET", 'inet("127.0.0.1", @)'),
    "udp6": _made(_UDP, "AF_INET6", 'inet6("::1", @)'),
    "ping": ("socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP) -> f",),
    "raw": ("socket(AF_INET, SOCK_RAW, 222) -> f",),
    "raw6": ("socket(AF_INET6, SOCK_RAW, 222) -> f",),
    "icmp": ("socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) -> f",),
    "icmp6": ("socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6) -> f",),
    "netlink": ("socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK) -> f",),
    "route": ("socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) -> f",),
    "packet": ("socket(AF_PACKET, SOCK_RAW, 0) -> f",),
}
"""Kinds of sockets; ``@`` is a port that no other word has."""

EVERYTHING = {**FILES, **SOCKETS}
