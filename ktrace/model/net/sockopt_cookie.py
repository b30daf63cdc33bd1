"""SO_COOKIE and SO_NETNS_COOKIE: numbers that name a socket, and its namespace, for good (``net/core/sock_diag.c``)."""

from __future__ import annotations

from ktrace.include.linux.types import SIZEOF_LONG
from ktrace.model.net.core.sock import Sock
from ktrace.model.net.socket import Sockets
from ktrace.model.task import Errno, Task
from ktrace.state.rule import Rule
from ktrace.uapi.socket import SO_COOKIE, SO_NETNS_COOKIE

COOKIE = Rule("include/linux/cookie.h", "gen_cookie_next", "any number that none has")


def get_cookie(task: Task, sk: Sock, optname: int, room: int) -> bytes:
    """Tell a number that stays the same: the sock's, or its network namespace's (``__sock_gen_cookie()``)."""
    kernel = task.kernel
    if room < SIZEOF_LONG or (optname == SO_NETNS_COOKIE and room != SIZEOF_LONG):
        raise Errno("EINVAL")
    owner: Sock | Sockets = sk if optname == SO_COOKIE else kernel.net
    if owner.cookie is None:
        owner.cookie = kernel.choose(
            COOKIE, lambda seen: seen.out(task, "optval"), lambda data: len(data) == SIZEOF_LONG and any(data), bytes(8)
        )
    return bytes(owner.cookie or b"")[:room]


GETTERS = dict.fromkeys((SO_COOKIE, SO_NETNS_COOKIE), get_cookie)
