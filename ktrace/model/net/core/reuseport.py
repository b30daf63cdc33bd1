"""Groups of socks that share an address by SO_REUSEPORT (``net/core/sock_reuseport.c``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from ktrace.model.kernel import Kernel
from ktrace.state.net.sock import Sock as ObservedSock
from ktrace.state.rule import Rule

if TYPE_CHECKING:
    from ktrace.model.net.inet.sock import Inet
    from ktrace.model.observed import Observed

S = TypeVar("S", bound="Inet")
SELECT = Rule("net/core/sock_reuseport.c", "reuseport_select_sock", "a hash with a secret, the same for the same flow")
Flow = tuple[str, int, str, int]


@dataclass(eq=False)
class SockReuseport(Generic[S]):
    """Mirror a ``struct sock_reuseport``.

    :param has_conns: whether a member was ever connected
    :param selected: who was seen to take the packets of a flow while the members and their states were the same
    """

    socks: list[S] = field(default_factory=list)
    has_conns: bool = False
    selected: dict[tuple[Flow, tuple[tuple[int, bool], ...]], S] = field(default_factory=dict)


def add_sock(sk: Inet, others: Iterable[Inet]) -> None:
    """Join the group of the first of *others* that has the address, device and owner of *sk*, or found one.

    ``udp_reuseport_add_sock()``, ``inet_reuseport_add_sock()``.

    :param others: who has the port already, in the order of their hash chain
    """
    for other in others:
        if other is not sk and other.reuseport and _alike(sk, other):
            if other.reuseport_cb is None:
                other.reuseport_cb = SockReuseport([other])
            sk.reuseport_cb = other.reuseport_cb
            sk.reuseport_cb.socks.append(sk)
            return
    sk.reuseport_cb = SockReuseport([sk])


def _alike(sk: Inet, other: Inet) -> bool:
    names = ("family", "ipv6only", "bound_dev_if", "rcv_saddr", "v6_rcv_saddr")
    return all(getattr(sk, name) == getattr(other, name) for name in names) and sk.sock_uid() == other.sock_uid()


def detach(sk: Inet) -> None:
    """Leave the group; the last member takes the place (``reuseport_detach_sock()``)."""
    group = sk.reuseport_cb
    if group is not None:
        sk.reuseport_cb = None
        group.socks[group.socks.index(sk)] = group.socks[-1]
        group.socks.pop()


def select(
    kernel: Kernel,
    sk: S,
    flow: Flow,
    took: Callable[[S, ObservedSock], bool],
    unseen: Callable[[Observed, S], bool],
) -> S | None:
    """Return the member of a group that receives a packet, ``None`` without a group (``reuseport_select_sock()``).

    :param flow: where the packet comes from and goes to
    :param took: tells from the observed sock that a member took it
    :param unseen: tells from what was observed whether a member could take it without a trace
    """
    group: SockReuseport[S] | None = sk.reuseport_cb
    if group is None or not sk.reuseport:
        return None
    members = [other for other in group.socks if other.state != "TCP_ESTABLISHED"]
    if len(members) < 2:
        return members[0] if members else None
    key = (flow, tuple((other.key, other in members) for other in group.socks))
    before = group.selected.get(key)

    def find(seen: Observed) -> int | None:
        twins = ((group.socks.index(other), other, seen.sock(other)) for other in members)
        return next((index for index, other, twin in twins if twin is not None and took(other, twin)), None)

    def find_unseen(seen: Observed) -> int | None:
        return next((group.socks.index(other) for other in members if unseen(seen, other)), None)

    expected = None if before is None else group.socks.index(before)
    chosen = kernel.choose(SELECT, find, lambda index: expected in (None, index), otherwise=expected)
    if chosen is not None:
        group.selected[key] = group.socks[chosen]
    else:
        chosen = kernel.choose(SELECT, find_unseen, lambda index: True, otherwise=group.socks.index(members[0]))
    return group.socks[chosen]


def wakes(seen: Observed, sk: Inet) -> bool:
    """Tell whether a task that slept on *sk* returned in this step."""
    sleepers = [entry.task for entry in sk.wq.entries if entry.task is not None] if sk.wq is not None else []
    return any(map(seen.returned, sleepers))
