"""Epoll sets: what they watch, what is ready, who waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ktrace.state.ref import Ref
from ktrace.state.wait import Waiter

EPOLL_EVENTS = {
    0x1: "EPOLLIN",
    0x2: "EPOLLPRI",
    0x4: "EPOLLOUT",
    0x8: "EPOLLERR",
    0x10: "EPOLLHUP",
    0x20: "EPOLLNVAL",
    0x40: "EPOLLRDNORM",
    0x80: "EPOLLRDBAND",
    0x100: "EPOLLWRNORM",
    0x200: "EPOLLWRBAND",
    0x400: "EPOLLMSG",
    0x2000: "EPOLLRDHUP",
    1 << 28: "EPOLLEXCLUSIVE",
    1 << 29: "EPOLLWAKEUP",
    1 << 30: "EPOLLONESHOT",
    1 << 31: "EPOLLET",
}
"""``include/uapi/linux/eventpoll.h``."""


@dataclass(frozen=True, slots=True)
class EpollItem:
    """A ``struct epitem``: one watched descriptor.

    :param fd: the descriptor at registration
    :param events: names of the events asked for, with EPOLLET and the like
    :param data: the caller's own 64 bits
    """

    fd: int
    events: tuple[str, ...]
    data: int


@dataclass(frozen=True, slots=True)
class Epoll:
    """A ``struct eventpoll``.

    :param items: what it watches, by file; the kernel sorts by its address and the descriptor
    :param ready: descriptors on the ready list, first to be reported first
    :param wq: who sleeps in epoll_wait(), first to be woken first
    :param poll_wait: who polls the set itself
    """

    items: Mapping[Ref, tuple[EpollItem, ...]]
    ready: tuple[int, ...]
    wq: tuple[Waiter, ...]
    poll_wait: tuple[Waiter, ...]
