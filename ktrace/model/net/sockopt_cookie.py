"""SO_COOKIE and SO_NETNS_COOKIE: numbers that name a socket, and its namespace, for good (``net/core/sock_diag.c``)."""

from __future__ import annotations

from ktrace.include.linux.types import SIZEOF_LONG
from ktrace.model.net.core.sock import Sock
from ktrace.model.task import Errno, Task
from ktrace.state.rule import Rule
from ktrace.uapi.socket import SO_COOKIE, SO_NETNS_COOKIE

COOKIE = Rule("include/linux/cookie.h", "gen_cookie_next", "any number that none has, where the next was not read")


def get_cookie(task: Task, sk: Sock, optname: int, room: int) -> bytes:
    """Tell a number that stays the same: the next one, once a sock is asked (``__sock_gen_cookie()``)."""
    if room < SIZEOF_LONG:
        raise Errno("EINVAL")
    if sk.cookie is None:
        net = task.kernel.net
        sk.cookie = _cookie(task, net.next_cookie)
        net.next_cookie += bool(net.next_cookie)
    return sk.cookie


def get_netns_cookie(task: Task, sk: Sock, optname: int, room: int) -> bytes:
    """Tell the number of the network namespace (``net/core/sock.c: sock_getsockopt()``)."""
    if room != SIZEOF_LONG:
        raise Errno("EINVAL")
    net = task.kernel.net
    if net.cookie is None:
        net.cookie = _cookie(task, net.facts.net_cookie)
    return net.cookie


def _cookie(task: Task, known: int) -> bytes:
    """Return a cookie as it is told: *known*, or as it was seen."""
    if known:
        return known.to_bytes(SIZEOF_LONG, "little")
    return bytes(
        task.kernel.choose(
            COOKIE, lambda seen: seen.out(task, "optval"), lambda data: len(data) == SIZEOF_LONG and any(data), bytes(8)
        )
    )


GETTERS = {SO_COOKIE: get_cookie, SO_NETNS_COOKIE: get_netns_cookie}
