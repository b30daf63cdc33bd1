"""Epoll sets: what they watch, what is ready, who waits."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from ktrace.state.names import flag_names
from ktrace.state.quick import dataclass
from ktrace.state.ref import Ref
from ktrace.state.wait import Waiter
from ktrace.uapi import eventpoll
from ktrace.uapi.named import by_number, family

EPOLL_EVENTS = by_number(family(eventpoll, "EPOLL", but="EPOLL_"))
"""``include/uapi/linux/eventpoll.h``."""


@lru_cache(1 << 10)
def event_names(value: int) -> tuple[str, ...]:
    """Name the bits of ``epoll_event.events``, sorted."""
    return flag_names(value, EPOLL_EVENTS)


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
