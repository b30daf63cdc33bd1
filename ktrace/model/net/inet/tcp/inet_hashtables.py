"""Who has which ports: connections, listeners, what is left of older ones (``net/ipv4/inet_hashtables.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.model.kernel import Kernel
from ktrace.model.net.core.reuseport import select, wakes
from ktrace.model.net.inet.addr4 import ANY
from ktrace.model.net.inet.addr6 import ANY6, is_ipv6
from ktrace.model.net.inet.ports import Bucket, TimeWait, choose_port, let_in
from ktrace.model.net.inet.tcp.sock import Tcp
from ktrace.model.task import Errno
from ktrace.state.net.sock import Sock as ObservedSock
from ktrace.state.rule import Rule

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

HASH_CONNECT = Rule("net/ipv4/inet_hashtables.c", "__inet_hash_connect", "any port without a bind()")
TWSK_UNIQUE = Rule("net/ipv4/tcp_ipv4.c", "tcp_twsk_unique", "whether a second has begun since its last segment")


def inet_hash_connect(kernel: Kernel, sk: Tcp) -> None:
    """Make the connection's four numbers unique; choose a port where none was bound (``__inet_hash_connect()``).

    :raises Errno: EADDRNOTAVAIL
    """
    table = kernel.net.inet.bhash
    table.expire(kernel, asked=True)
    if sk.inet_num:
        if inet_check_established(kernel, sk, sk.inet_num, bound=True):
            raise Errno("EADDRNOTAVAIL")
        _replace_time_wait(kernel, sk, sk.inet_num)
        return

    def free(number: int) -> bool:
        bucket = table.buckets.get(number)
        return bucket is None or (
            not _is_bound(kernel, bucket) and not inet_check_established(kernel, sk, number, bound=False)
        )

    def port_of(value: ObservedSock) -> int | None:
        if value.inet is None or value.tcp is None:
            return None
        port = value.inet.inet_sport
        return port if port not in known else None

    known = {socket.sk.sport for socket in kernel.net.sockets.values() if isinstance(socket.sk, Tcp)}
    known |= {other.sport for bucket in table.buckets.values() for other in bucket.owners}
    port = choose_port(kernel, HASH_CONNECT, sk, port_of, free, parity=0)
    _replace_time_wait(kernel, sk, port)
    table.hold(sk, port, by_bind=False)
    sk.sport = port
    if kernel.changes.tcp_connect_bind:
        sk.userlocks.add("SOCK_CONNECT_BIND")


def _is_bound(kernel: Kernel, bucket: Bucket) -> bool:
    """Tell whether bind() holds a port, from which connect() keeps away.

    Where a kernel knows who has its port from connect(), a bucket that only those have left is free for others
    (``inet_bind2_bucket_destroy()``).
    """
    if kernel.changes.tcp_connect_bind and bucket.owners:
        return bucket.by_bind and not all("SOCK_CONNECT_BIND" in sk.userlocks for sk in bucket.owners)
    return bucket.by_bind


def inet_check_established(kernel: Kernel, sk: Tcp, port: int, bound: bool) -> bool:
    """Tell whether another connection has these four numbers (``__inet_check_established()``).

    :param bound: bind() chose the port: nothing else will do, so one in TIME_WAIT may be replaced at once
    """
    bucket = kernel.net.inet.bhash.buckets.get(port)
    if bucket is None:
        return False
    key = (sk.endpoints(), sk.dport)
    return any(
        other is not sk and (other.endpoints(), other.dport) == key and other.state != "TCP_LISTEN"
        for other in bucket.owners
    ) or any((tw.endpoints(), tw.dport) == key and not tcp_twsk_unique(kernel, tw, bound) for tw in bucket.deathrow)


def tcp_twsk_unique(kernel: Kernel, tw: TimeWait, bound: bool) -> bool:
    """Tell whether a new connection may replace *tw* (``tcp_twsk_unique()``).

    Time stamps make it safe. Where another port would do, net.ipv4.tcp_tw_reuse says if it is done: 2 for the loopback
    alone, which all is here; and only in another second than the last segment's.
    """
    sysctl = kernel.net.facts.sysctl
    if not sysctl.get("ipv4/tcp_timestamps", 1):
        return False
    if bound:
        return True
    if not sysctl.get("ipv4/tcp_tw_reuse", 2) or tw.substate == "TCP_FIN_WAIT2":
        return False
    if kernel.clock[0] - tw.started[1] > 1:
        return True
    return kernel.choose(TWSK_UNIQUE, let_in, lambda unique: True, otherwise=False)


def _replace_time_wait(kernel: Kernel, sk: Tcp, port: int) -> None:
    """Forget the connection in TIME_WAIT that *sk* takes the place of (``inet_twsk_deschedule_put()``)."""
    table = kernel.net.inet.bhash
    bucket = table.buckets.get(port)
    for tw in list(bucket.deathrow) if bucket is not None else ():
        if (tw.endpoints(), tw.dport) != (sk.endpoints(), sk.dport):
            continue
        if isinstance(tw.peer, Tcp) and tw.peer.state != "TCP_CLOSE":
            raise NotImplementedError("the model does not know a SYN that meets the other end of FIN_WAIT2")
        table.drop_time_wait(tw)


def inet_lookup_listener(kernel: Kernel, sk: Tcp) -> Tcp | None:
    """Return the listener at the address that *sk* connects to, an exact address before a wild card.

    ``__inet_lookup_listener()``, where an AF_INET sock goes before an AF_INET6 one, and ``inet6_lookup_listener()``.
    """
    saddr, daddr = sk.endpoints()
    for address in (daddr, ANY6 if is_ipv6(daddr) else ANY):
        matching = [
            other
            for other in listeners(kernel, sk.dport)
            if _listens_on(other, address) and other.bound_dev_if in (0, 1)
        ]
        for other in sorted(matching, key=lambda other: other.family != "AF_INET"):
            member = select(
                kernel,
                other,
                (saddr, sk.sport, daddr, sk.dport),
                _took,
                lambda seen, listener: _takes_unseen(seen, listener, sk),
            )
            return other if member is None else member
    return None


def listeners(kernel: Kernel, port: int) -> list[Tcp]:
    """Return the socks that listen on *port*, whatever their addresses."""
    bucket = kernel.net.inet.bhash.buckets.get(port)
    owners = bucket.owners if bucket is not None else []
    return [other for other in owners if isinstance(other, Tcp) and other.state == "TCP_LISTEN"]


def _took(listener: Tcp, seen: ObservedSock) -> bool:
    """Tell whether a connection waits that the model does not know."""
    return seen.tcp is not None and len(seen.tcp.accept_queue) > len(listener.accept_queue)


def _takes_unseen(seen: Observed, listener: Tcp, sk: Tcp) -> bool:
    """Tell whether a SYN leaves no trace: somebody accepts at once, or there is no room."""
    connection = seen.connection(sk)
    if connection is not None and connection.sk_state == "TCP_SYN_SENT":
        return listener.ack_backlog > listener.max_ack_backlog
    return wakes(seen, listener)


def _listens_on(listener: Tcp, address: str) -> bool:
    """``compute_score()`` of either family."""
    if is_ipv6(address):
        return listener.family == "AF_INET6" and listener.v6_rcv_saddr == address
    return not listener.ipv6only and listener.rcv_saddr == address


def time_wait_at(kernel: Kernel, sk: Tcp) -> TimeWait | None:
    """Return what is left of an older connection with the same four numbers where *sk* connects to."""
    bucket = kernel.net.inet.bhash.buckets.get(sk.dport)
    local, remote = sk.endpoints()
    for tw in bucket.deathrow if bucket is not None else ():
        if tw.endpoints() == (remote, local) and tw.dport == sk.sport:
            return tw
    return None
