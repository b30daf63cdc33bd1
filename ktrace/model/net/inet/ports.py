"""Local ports and who holds them (``net/ipv4/inet_connection_sock.c``, ``inet_hashtables.c``, ``udp.c``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ktrace.model.kernel import Kernel
from ktrace.model.net.inet.addr4 import ANY
from ktrace.model.net.inet.addr6 import ANY6, MAPPED_ANY, mapped_v4, v4mapped
from ktrace.model.task import Errno
from ktrace.state.net.sock import Sock as ObservedSock
from ktrace.state.rule import Rule

if TYPE_CHECKING:
    from ktrace.model.net.inet.sock import Inet
    from ktrace.model.net.inet.tcp.sock import Tcp
    from ktrace.model.observed import Observed

TIMEWAIT = Rule("net/ipv4/inet_timewait_sock.c", "tw_timer_handler", "at any time after the timer's")


TCP_TIMEWAIT_LEN = 60
"""Seconds."""


@dataclass(eq=False)
class TimeWait:
    """Mirror an ``inet_timewait_sock``: it keeps its port for TCP_TIMEWAIT_LEN."""

    num: int
    rcv_saddr: str
    daddr: str
    dport: int
    reuse: int
    reuseport: int
    bound_dev_if: int
    substate: str
    started: tuple[int, int]
    peer: Tcp | TimeWait | None = None
    family: str = "AF_INET"
    v6_rcv_saddr: str = ANY6
    v6_daddr: str = ANY6
    ipv6only: bool = False

    def endpoints(self) -> tuple[str, str]:
        """Return local and remote address as packets of the connection carry them."""
        if self.family == "AF_INET6" and mapped_v4(self.v6_daddr) is None:
            return self.v6_rcv_saddr, self.v6_daddr
        return self.rcv_saddr, self.daddr


@dataclass
class Bucket:
    """Mirror an ``inet_bind_bucket``.

    :param by_bind: made by bind(): connect() does not choose it (``fastreuse`` is not -1)
    """

    owners: list[Inet] = field(default_factory=list)
    deathrow: list[TimeWait] = field(default_factory=list)
    by_bind: bool = False

    def empty(self) -> bool:
        """Tell whether nobody holds the port."""
        return not self.owners and not self.deathrow


class Ports:
    """The ports of one protocol."""

    def __init__(self) -> None:
        self.buckets: dict[int, Bucket] = {}

    def hold(self, sk: Inet, port: int, by_bind: bool) -> None:
        """Give *port* to *sk* (``inet_bind_hash()``)."""
        bucket = self.buckets.get(port)
        if bucket is None:
            bucket = self.buckets[port] = Bucket(by_bind=by_bind)
        bucket.owners.append(sk)
        sk.inet_num = port
        sk.bind_hash = port

    def put(self, sk: Inet) -> None:
        """Take the port of *sk* back (``inet_put_port()``)."""
        bucket = self.buckets.get(sk.bind_hash or -1)
        if bucket is not None and sk in bucket.owners:
            bucket.owners.remove(sk)
            if bucket.empty():
                del self.buckets[sk.bind_hash or -1]
        sk.bind_hash = None
        sk.inet_num = 0
        sk.userlocks.discard("SOCK_CONNECT_BIND")

    def add_time_wait(self, tw: TimeWait) -> None:
        """Let *tw* hold its port (``inet_twsk_hashdance()``)."""
        self.buckets.setdefault(tw.num, Bucket()).deathrow.append(tw)

    def drop_time_wait(self, tw: TimeWait) -> None:
        """Let go of the port of *tw* (``inet_twsk_kill()``)."""
        bucket = self.buckets.get(tw.num)
        if bucket is not None and tw in bucket.deathrow:
            bucket.deathrow.remove(tw)
            if bucket.empty():
                del self.buckets[tw.num]

    def expire(self, kernel: Kernel, asked: bool = False) -> None:
        """Free TIME_WAIT ports whose time is over (``tw_timer_handler()``); clocks are known to the second.

        :param asked: a call is about to find out: those whose time may be over are gone, if it was seen to succeed
        """
        before, after = kernel.clock
        for bucket in list(self.buckets.values()):
            for tw in list(bucket.deathrow):
                over = before - 1 - tw.started[1] > TCP_TIMEWAIT_LEN
                perhaps = after + 1 - tw.started[0] >= TCP_TIMEWAIT_LEN
                if over or (asked and perhaps and kernel.choose(TIMEWAIT, let_in, lambda gone: True, otherwise=True)):
                    self.drop_time_wait(tw)
                    if tw.peer is not None and tw.peer.peer is tw:
                        tw.peer.peer = None

    def clock_was_set(self, by: tuple[int, int]) -> None:
        """Let what waits run on, by clocks that nobody sets (``jiffies``).

        :param by: how many seconds the clock was set forward, at least and at most
        """
        for bucket in self.buckets.values():
            for tw in bucket.deathrow:
                tw.started = tw.started[0] + by[0], tw.started[1] + by[1]

    def conflict(self, sk: Inet, port: int, relax: bool, reuseport_ok: bool) -> bool:
        """Tell whether somebody's hold on *port* excludes *sk* (``inet_csk_bind_conflict()``).

        ``fastreuse`` and ``fastreuseport`` only spare this search: they never change its answer.
        """
        bucket = self.buckets.get(port)
        if bucket is None:
            return False
        for other in bucket.owners:
            if other is not sk and _meets(sk, other) and _excludes(sk, other, relax, reuseport_ok):
                return True
        return any(_meets(sk, tw) and _excludes(sk, tw, relax, reuseport_ok) for tw in bucket.deathrow)


def rcv_saddr_equal(sk: Inet, other: Inet | TimeWait) -> bool:
    """Tell whether two bound addresses meet, wild cards included (``inet_rcv_saddr_equal()``)."""
    if sk.family != "AF_INET6":
        return _rcv_saddr_equal4(sk, other)
    mine = sk.v6_rcv_saddr
    theirs = other.v6_rcv_saddr if other.family == "AF_INET6" else None
    mapped = mapped_v4(mine) is not None
    others_mapped = theirs is None or mapped_v4(theirs) is not None
    if mapped and others_mapped:
        return _rcv_saddr_equal4(sk, other)
    if theirs == ANY6 and not (other.ipv6only and mapped):
        return True
    if mine == ANY6 and not (sk.ipv6only and others_mapped):
        return True
    return mine == theirs


def _rcv_saddr_equal4(sk: Inet, other: Inet | TimeWait) -> bool:
    """``ipv4_rcv_saddr_equal()``."""
    return not other.ipv6only and (sk.rcv_saddr == other.rcv_saddr or ANY in (sk.rcv_saddr, other.rcv_saddr))


def _meets(sk: Inet, other: Inet | TimeWait) -> bool:
    """Tell whether a bind conflict is looked for between the two (``inet_csk_bind_conflict()``).

    A sock with an address is held against its own second-level bucket and that of the wild card only.
    """
    if not _use_hash2_on_bind(sk):
        return rcv_saddr_equal(sk, other)
    if other.ipv6only and (sk.family == "AF_INET" or mapped_v4(sk.v6_rcv_saddr) is not None):
        return False
    mine, theirs = _bind2_address(sk), _bind2_address(other)
    if mine == theirs:
        return True
    # inet_bind2_bucket_match_addr_any()
    if sk.family != other.family:
        if sk.family == "AF_INET":
            return theirs in (ANY6, MAPPED_ANY)
        return mapped_v4(sk.v6_rcv_saddr) is not None and other.rcv_saddr == ANY
    return theirs == (ANY6 if sk.family == "AF_INET6" else MAPPED_ANY)


def _use_hash2_on_bind(sk: Inet) -> bool:
    """``inet_use_hash2_on_bind()``."""
    if sk.family == "AF_INET6":
        if sk.v6_rcv_saddr == ANY6:
            return False
        if mapped_v4(sk.v6_rcv_saddr) is None:
            return True
    return sk.rcv_saddr != ANY


def _bind2_address(sk: Inet | TimeWait) -> str:
    """Return the address of the second-level bucket, an IPv4 one in its IPv6 form (``inet_bind2_bucket``)."""
    return sk.v6_rcv_saddr if sk.family == "AF_INET6" else v4mapped(sk.rcv_saddr)


def _excludes(sk: Inet, other: Inet | TimeWait, relax: bool, reuseport_ok: bool) -> bool:
    """``inet_bind_conflict()``."""
    if sk.bound_dev_if and other.bound_dev_if and sk.bound_dev_if != other.bound_dev_if:
        return False
    same_user = isinstance(other, TimeWait) or sk.sock_uid() == other.sock_uid()
    listens = not isinstance(other, TimeWait) and other.state == "TCP_LISTEN"
    if sk.reuse and other.reuse and not listens:
        return not relax or bool(not reuseport_ok and sk.reuseport and other.reuseport and same_user)
    return not reuseport_ok or not sk.reuseport or not other.reuseport or not same_user


def choose_port(
    kernel: Kernel,
    rule: Rule,
    sk: Inet,
    port_of: Callable[[ObservedSock], int | None],
    free: Callable[[int], bool],
    parity: int | None = None,
) -> int:
    """Take the port that the kernel took, any one of the local range that is free.

    :param rule: what leaves the choice open
    :param sk: which has no port; others may have the same one
    :param port_of: tells the port of an observed sock, if it may be the one, where *sk* itself is not found
    :param parity: 0: ports as even or odd as the first of the range come first, as long as nobody holds one of them;
        1: the others do
    :raises Errno: EADDRNOTAVAIL where no port is free
    """

    own = kernel.net
    low, high = own.setting("ipv4/ip_local_port_range/low"), own.setting("ipv4/ip_local_port_range/high")

    def find(seen: Observed) -> int | None:
        twin = seen.sock(sk)
        sure = [twin.inet.inet_sport or twin.inet.inet_num] if twin is not None and twin.inet is not None else []
        others = (port_of(value) for value in seen.socks() if value.inet is not None)
        return next((port for port in (*sure, *others) if port and low <= port <= high and free(port)), None)

    step = 1 if parity is None else 2
    first = range(low + (parity or 0), high + 1 if high <= low + 1 else low + ((high + 1 - low) & ~1), step)
    held = kernel.net.inet.bhash.buckets
    port = next((port for port in first if free(port) and (parity is None or port not in held)), None)
    if port is not None:
        return kernel.choose(rule, find, lambda port: port in first and free(port), port)
    port = next((port for port in range(low, high + 1) if free(port)), None)
    if port is None:
        raise Errno("EADDRNOTAVAIL")
    return kernel.choose(rule, find, free, port)


def let_in(seen: Observed) -> bool:
    """Tell whether no call of the step failed with EADDRINUSE or EADDRNOTAVAIL."""
    return not any(result.errno in ("EADDRINUSE", "EADDRNOTAVAIL") for result in seen.results.values())
