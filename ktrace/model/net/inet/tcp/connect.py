"""TCP connections: listening, connecting, accepting (``net/ipv4/tcp_ipv4.c``, ``inet_connection_sock.c``)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ktrace.include.linux.types import u32
from ktrace.include.net.ip import LOOPBACK_IFINDEX
from ktrace.include.net.sock import SEND_SHUTDOWN
from ktrace.include.net.tcp import TFO_CLIENT_NO_COOKIE, TFO_SERVER_ENABLE
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.reuseport import add_sock, select, wakes
from ktrace.model.net.core.sock import (
    Socket,
    Timeo,
    data_ready,
    prepare_to_wait,
    sleeper,
    sock_error,
    sock_graft,
    sock_intr_errno,
    sock_rcvtimeo,
    sock_sndtimeo,
    state_change,
)
from ktrace.model.net.inet.addr6 import ANY6, LOOPBACK4_IPV6, is_ipv6, v4mapped
from ktrace.model.net.inet.ip_input import refuse_watchers
from ktrace.model.net.inet.ports import TimeWait, choose_port, let_in
from ktrace.model.net.inet.route import ip_route_output_key
from ktrace.model.net.inet.sock import ANY, Answered
from ktrace.model.net.inet.socket import inet_address
from ktrace.model.net.inet.tcp.option import retrans_to_secs
from ktrace.model.net.inet.tcp.tcp import (
    RequestSock,
    Tcp,
    inet_bhash2_reset_saddr,
    tcp_close_state,
    tcp_disconnect,
    tcp_reset,
    tcp_send_fin,
    tcp_set_state,
    tcp_sk,
)
from ktrace.model.task import Errno, Task
from ktrace.model.timer import start
from ktrace.model.wait import Sleeps
from ktrace.state.net.sock import Sock as ObservedSock
from ktrace.state.rule import Rule
from ktrace.uapi.fcntl import O_NONBLOCK
from ktrace.uapi.in_ import IP_MULTICAST_TTL, SIZEOF_SOCKADDR_IN
from ktrace.uapi.socket import AF_INET, AF_UNSPEC, SOL_TCP
from ktrace.uapi.tcp import TCP_FASTOPEN, TCP_FASTOPEN_CONNECT, TCP_FASTOPEN_NO_COOKIE

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

OPEN_PORT = Rule("net/ipv4/inet_connection_sock.c", "inet_csk_find_open_port", "any free port")
HASH_CONNECT = Rule("net/ipv4/inet_hashtables.c", "__inet_hash_connect", "any port without a bind()")
TWSK_UNIQUE = Rule("net/ipv4/tcp_ipv4.c", "tcp_twsk_unique", "whether a second has begun since its last segment")
REQSK_TIMER = Rule("net/ipv4/inet_connection_sock.c", "reqsk_timer_handler", "at any time after the timer's")
TIMER_WHEEL = Rule("kernel/time/timer.c", "calc_wheel_index", "timers due within 32 ms of each other, in any order")
SECOND_SYN = Rule("net/ipv4/tcp_timer.c", "tcp_retransmit_timer", "a second SYN finds room, or nobody")


def inet_csk_get_port(kernel: Kernel, sk: Tcp, port: int) -> None:
    """Take a local port (``inet_csk_get_port()``).

    :raises Errno: EADDRINUSE
    """
    table = kernel.net.inet.bhash
    table.expire(kernel, asked=True)
    if not port:

        def free(number: int) -> bool:
            bucket = table.buckets.get(number)
            return bucket is None or not table.conflict(sk, number, False, False)

        held = set(table.buckets)

        def port_of(value: ObservedSock) -> int | None:
            if value.inet is None or value.tcp is None or value.inet.inet_num in held:
                return None
            return value.inet.inet_num

        try:
            port = choose_port(kernel, OPEN_PORT, port_of, free)
        except Errno:
            raise Errno("EADDRINUSE") from None
    elif table.conflict(sk, port, True, True):
        raise Errno("EADDRINUSE")
    if sk.bind_hash is None:
        table.hold(sk, port, by_bind=True)
    table.buckets[port].by_bind = True


def inet_listen(kernel: Kernel, sk: Tcp, sock: Socket, backlog: int) -> int:
    """Take connections (``inet_listen()``, ``inet_csk_listen_start()``)."""
    if sock.state != "SS_UNCONNECTED" or sk.state not in ("TCP_CLOSE", "TCP_LISTEN"):
        raise Errno("EINVAL")
    sk.max_ack_backlog = u32(backlog)
    if sk.state != "TCP_LISTEN":
        sk.ack_backlog = 0
        sk.state = "TCP_LISTEN"
        try:
            inet_csk_get_port(kernel, sk, sk.inet_num)
        except Errno:
            tcp_set_state(kernel, sk, "TCP_CLOSE")
            raise
        sk.sport = sk.inet_num
        if sk.reuseport:
            add_sock(sk, _listeners(kernel, sk.inet_num))
        sk.flags.add("SOCK_RCU_FREE")
    return 0


def inet_stream_connect(task: Task, sock: Socket, addr: bytes | None, flags: int) -> Sleeps[int]:
    """Connect, and wait for it (``__inet_stream_connect()``).

    :param addr: ``None`` for sendmsg() with MSG_FASTOPEN and no address
    """
    kernel = task.kernel
    sk = tcp_sk(sock.sk)
    if addr is not None:
        if len(addr) < 2:
            raise Errno("EINVAL")
        if int.from_bytes(addr[:2], "little") == AF_UNSPEC:
            tcp_disconnect(kernel, sk)
            sock.state = "SS_UNCONNECTED"
            return 0
    in_backlog: Answered | None = None
    if sock.state == "SS_CONNECTED":
        raise Errno("EISCONN")
    if sock.state == "SS_CONNECTING":
        error = Errno("EALREADY")
    elif sock.state == "SS_UNCONNECTED":
        if sk.state != "TCP_CLOSE":
            raise Errno("EISCONN")
        in_backlog = sk.proto.connect(kernel, sk, addr or b"")
        sock.state = "SS_CONNECTING"
        error = Errno("EINPROGRESS")
    else:
        raise Errno("EINVAL")
    timeo = sock_sndtimeo(sk, flags & O_NONBLOCK)
    if sk.state in ("TCP_SYN_SENT", "TCP_SYN_RECV"):
        if not timeo:
            release_sock(kernel, sk, in_backlog)
            raise error
        yield from inet_wait_for_connect(task, sk, in_backlog, timeo)
        if not timeo:
            raise error
        if task.signal_pending():
            raise sock_intr_errno(timeo)
    if sk.state == "TCP_CLOSE":
        name = sock_error(sk) or "ECONNABORTED"
        sock.state = "SS_UNCONNECTED"
        tcp_disconnect(kernel, sk)
        raise Errno(name)
    sock.state = "SS_CONNECTED"
    return 0


def inet_wait_for_connect(task: Task, sk: Tcp, in_backlog: Answered | None, timeo: Timeo) -> Sleeps[None]:
    """Sleep until the handshake is over (``inet_wait_for_connect()``)."""
    assert sk.wq is not None
    queue = sk.wq
    entry = sleeper(task, "woken_wake_function")
    entry.autoremove = False
    queue.add(entry)
    release_sock(task.kernel, sk, in_backlog)
    while sk.state in ("TCP_SYN_SENT", "TCP_SYN_RECV"):
        yield from timeo.sleep(task)
        if task.signal_pending() or not timeo:
            break
    queue.remove(entry)


def release_sock(kernel: Kernel, sk: Tcp, in_backlog: Answered | None) -> None:
    """Take the answer to the SYN, which waits until the sock is unlocked (``release_sock()``)."""
    if in_backlog is not None:
        in_backlog()


def tcp_v4_connect(kernel: Kernel, sk: Tcp, addr: bytes) -> Answered | None:
    """Send a SYN (``tcp_v4_connect()``); return the effect of its answer.

    :raises Errno: EINVAL, EAFNOSUPPORT, ENETUNREACH, EADDRNOTAVAIL
    """
    if len(addr) < SIZEOF_SOCKADDR_IN:
        raise Errno("EINVAL")
    family, daddr, dport = inet_address(addr)
    if family != AF_INET:
        raise Errno("EAFNOSUPPORT")
    flow = ip_route_output_key(sk, daddr, sk.saddr, sk.bound_dev_if)
    if flow.kind in ("RTN_MULTICAST", "RTN_BROADCAST"):
        raise Errno("ENETUNREACH")
    daddr = flow.daddr
    if sk.saddr == ANY:
        sk.saddr = flow.saddr
    sk.set_rcv_saddr(sk.saddr)
    sk.dport = dport
    sk.set_daddr(daddr)
    sk.state = "TCP_SYN_SENT"
    try:
        inet_hash_connect(kernel, sk)
    except Errno:
        tcp_set_state(kernel, sk, "TCP_CLOSE")
        inet_bhash2_reset_saddr(sk)
        sk.dport = 0
        raise
    return tcp_connect(kernel, sk)


def tcp_connect(kernel: Kernel, sk: Tcp) -> Answered | None:
    """Send a SYN and forget the last connection (``tcp_connect_init()``); return the effect of its answer."""
    sk.err = 0
    sk.set_flag("SOCK_DONE", False)
    sk.write_gap, sk.unsent_gap = 1, 0
    if sk.options.get((SOL_TCP, TCP_FASTOPEN_CONNECT)):
        # tcp_fastopen_defer_connect(): nothing is deferred without a cookie, but one is asked for
        tcp_fastopen_cookie_check(kernel, sk)
        sk.fastopen_req = True
    return tcp_conn_request(kernel, sk)


def tcp_fastopen_cookie_check(kernel: Kernel, sk: Tcp) -> None:
    """Find no cookie, so that no data goes with the SYN (``tcp_fastopen_cookie_check()``).

    :raises NotImplementedError: cookies are given, or not needed
    """
    setting = kernel.net.setting("ipv4/tcp_fastopen")
    if setting & TFO_SERVER_ENABLE:
        raise NotImplementedError("the model does not know the cookies of TCP Fast Open (net.ipv4.tcp_fastopen)")
    if setting & TFO_CLIENT_NO_COOKIE or sk.options.get((SOL_TCP, TCP_FASTOPEN_NO_COOKIE)):
        raise NotImplementedError("the model does not know TCP Fast Open without a cookie")


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
        return bucket is None or (not bucket.by_bind and not inet_check_established(kernel, sk, number, bound=False))

    def port_of(value: ObservedSock) -> int | None:
        if value.inet is None or value.tcp is None:
            return None
        port = value.inet.inet_sport
        return port if port not in known else None

    known = {socket.sk.sport for socket in kernel.net.sockets.values() if isinstance(socket.sk, Tcp)}
    known |= {other.sport for bucket in table.buckets.values() for other in bucket.owners}
    port = choose_port(kernel, HASH_CONNECT, port_of, free)
    _replace_time_wait(kernel, sk, port)
    table.hold(sk, port, by_bind=False)
    sk.sport = port


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
    if kernel.clock[0] - tw.started > 1:
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
            for other in _listeners(kernel, sk.dport)
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


def _listeners(kernel: Kernel, port: int) -> list[Tcp]:
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


def tcp_conn_request(kernel: Kernel, sk: Tcp) -> Answered | None:
    """Take the SYN at the listener (``tcp_conn_request()``); return the effect of its answer on *sk*."""
    local, remote = sk.endpoints()
    refuse_watchers(kernel, is_ipv6(remote))
    if sk.af_ops == "ipv6_mapped" and is_ipv6(remote):
        # tcp_v6_connect() does not take icsk_af_ops back: the SYN goes out over IPv4, and no answer finds the sock.
        return None
    listener = inet_lookup_listener(kernel, sk)
    waiting = _time_wait_at(kernel, sk)
    if waiting is not None:
        # tcp_timewait_state_process(): TCP_TW_SYN, for sequence number or time stamp are later
        if listener is None:
            raise NotImplementedError("the model does not know what a SYN does to a connection in TIME_WAIT")
        kernel.net.inet.bhash.drop_time_wait(waiting)
    if listener is None and (remote, sk.dport) == (local, sk.sport):
        return lambda: tcp_rcv_synsent_state_process(kernel, sk)
    if listener is None:
        return lambda: tcp_reset(kernel, sk)
    if listener.ack_backlog > listener.max_ack_backlog:
        # LINUX_MIB_LISTENOVERFLOWS: dropped, sent again after a second
        return None

    def syn_ack() -> None:
        tcp_set_state(kernel, sk, "TCP_ESTABLISHED")
        sk.was_connected = True
        state_change(kernel, sk)
        if listener.defer_accept:
            sk.peer = _defer(kernel, listener, sk)
        else:
            inet_csk_complete_hashdance(kernel, listener, sk)

    return syn_ack


def _time_wait_at(kernel: Kernel, sk: Tcp) -> TimeWait | None:
    """Return what is left of an older connection with the same four numbers where *sk* connects to."""
    bucket = kernel.net.inet.bhash.buckets.get(sk.dport)
    local, remote = sk.endpoints()
    for tw in bucket.deathrow if bucket is not None else ():
        if tw.endpoints() == (remote, local) and tw.dport == sk.sport:
            return tw
    return None


def inet_csk_complete_hashdance(kernel: Kernel, listener: Tcp, client: Tcp) -> Tcp:
    """Put the server's end on the accept queue (``inet_csk_complete_hashdance()``, ``tcp_child_process()``)."""
    child = tcp_v4_syn_recv_sock(kernel, listener, client)
    listener.accept_queue.append(child)
    listener.ack_backlog += 1
    _shut_down_before(kernel, child)
    data_ready(kernel, listener)
    return child


def _defer(kernel: Kernel, listener: Tcp, client: Tcp) -> RequestSock:
    """Keep the request until something is sent, or its SYN-ACK has been sent again often enough."""

    def complete(kernel: Kernel) -> Tcp | None:
        listener.requests.remove(request)
        if listener.state != "TCP_LISTEN":
            return None
        if listener.ack_backlog > listener.max_ack_backlog:
            raise NotImplementedError("the model does not drop what completes a connection for which there is no room")
        return inet_csk_complete_hashdance(kernel, listener, client)

    request = RequestSock(listener, complete, start(kernel, retrans_to_secs(listener.defer_accept)))
    listener.requests.append(request)
    return request


def reqsk_timer_handler(kernel: Kernel, listener: Tcp) -> None:
    """Accept requests whose SYN-ACK was sent often enough (``reqsk_timer_handler()``, ``syn_ack_recalc()``)."""

    def find(seen: Observed) -> bool | None:
        twin = seen.listener(listener.inet_num)
        return twin.syn_queue < len(listener.requests) if twin is not None else None

    for request in list(listener.requests):
        timer = request.timer
        gone = kernel.choose(
            REQSK_TIMER,
            find,
            timer.may_fire_in(kernel.clock) if timer is not None else lambda fired: not fired,
            otherwise=False,
        )
        if gone or (timer is not None and timer.must_expire(kernel.clock)):
            request.complete(kernel)


def retransmit_syns(kernel: Kernel) -> None:
    """Send the SYNs of all waiting socks again, in the order in which listeners were seen to take them.

    Timers that are due within 32 ms of each other fire in any order (``kernel/time/timer.c: calc_wheel_index()``).
    """
    waiting = [
        socket.sk
        for socket in kernel.net.sockets.values()
        if isinstance(socket.sk, Tcp) and socket.sk.state == "TCP_SYN_SENT"
    ]

    def find(seen: Observed) -> list[int]:
        taken = seen.accepted()
        return sorted(ports, key=lambda port: taken.index(port) if port in taken else len(taken))

    if len(waiting) > 1:
        ports = [sk.sport for sk in waiting]
        order = kernel.choose(TIMER_WHEEL, find, lambda order: True, otherwise=ports)
        waiting.sort(key=lambda sk: order.index(sk.sport))
    for sk in waiting:
        retransmit_syn(kernel, sk)


def retransmit_syn(kernel: Kernel, sk: Tcp) -> None:
    """Send a SYN again that a full accept queue had dropped (``tcp_retransmit_timer()``).

    The timer runs after one second, three, seven, ...: whether it did shows in the connection.
    """

    def find(seen: Observed) -> str:
        connection = seen.connection(sk)
        if connection is not None:
            return "waits" if connection.sk_state == "TCP_SYN_SENT" else "answered"
        if inet_lookup_listener(kernel, sk) is not None:
            return "waits"
        # Refused, or nobody has it open any more: then only who sleeps in connect() can tell.
        sleepers = [entry.task for entry in sk.wq.entries if entry.task is not None] if sk.wq is not None else []
        gone = not seen.blind if _is_open(kernel, sk) else any(map(seen.returned, sleepers))
        return "refused" if gone else "waits"

    fate = kernel.choose(SECOND_SYN, find, lambda fate: True, otherwise="waits")
    if fate == "refused":
        tcp_reset(kernel, sk)
    elif fate == "answered":
        answer = tcp_conn_request(kernel, sk)
        if answer is not None:
            answer()


def _is_open(kernel: Kernel, sk: Tcp) -> bool:
    """Tell whether an actor has the socket of *sk* open, so that the World shows it."""
    return any(
        sk.socket is not None and slot.file.private is sk.socket
        for task in kernel.tasks.values()
        for slot in task.files.slots.values()
    )


def tcp_rcv_synsent_state_process(kernel: Kernel, sk: Tcp) -> None:
    """Take the SYN of *sk* at *sk* itself: a simultaneous open (``tcp_rcv_synsent_state_process()``)."""
    tcp_set_state(kernel, sk, "TCP_ESTABLISHED")
    sk.was_connected = True
    sk.peer = sk
    state_change(kernel, sk)
    _shut_down_before(kernel, sk)


def _shut_down_before(kernel: Kernel, sk: Tcp) -> None:
    """Send the FIN that shutdown() asked for before there was a connection (TCP_SYN_RECV only)."""
    if sk.shutdown & SEND_SHUTDOWN and tcp_close_state(kernel, sk):
        tcp_send_fin(kernel, sk)


def tcp_v4_syn_recv_sock(kernel: Kernel, listener: Tcp, client: Tcp) -> Tcp:
    """Make the server's end of a connection, a copy of the listener (``tcp_v4_syn_recv_sock()``)."""
    child = Tcp(
        kernel.serial(), listener.family, listener.prot, listener.protocol, listener.rcvbuf, listener.sndbuf,
        type=listener.type, state="TCP_ESTABLISHED", reuse=listener.reuse, reuseport=listener.reuseport,
        bound_dev_if=listener.bound_dev_if, rcvlowat=listener.rcvlowat, peek_off=listener.peek_off,
        sndtimeo=listener.sndtimeo, rcvtimeo=listener.rcvtimeo, mark=listener.mark,
        userlocks=listener.userlocks - {"SOCK_BINDPORT_LOCK"}, no_check_tx=listener.no_check_tx,
        lingertime=listener.lingertime, flags=listener.flags - {"SOCK_DONE", "SOCK_RCU_FREE"},
        ack_backlog=listener.ack_backlog, max_ack_backlog=listener.max_ack_backlog, uid=listener.uid,
        shutdown=listener.shutdown, proto=listener.proto, uc_ttl=listener.uc_ttl, tos=listener.tos,
        bits=set(listener.bits), sport=client.dport, dport=client.sport, nonagle=listener.nonagle,
        linger2=listener.linger2,
        keepalive_time=listener.keepalive_time, keepalive_intvl=listener.keepalive_intvl,
        keepalive_probes=listener.keepalive_probes, syn_retries=listener.syn_retries,
        user_timeout=listener.user_timeout, notsent_lowat=listener.notsent_lowat, was_connected=True,
        busy=dict(listener.busy), ca_setsockopt=listener.ca_setsockopt,
        ca_ops=listener.ca_ops if listener.ca_setsockopt else kernel.net.facts.default_congestion,
        ipv6only=listener.ipv6only, quickack=listener.quickack,
        options={option: value for option, value in listener.options.items() if option != (SOL_TCP, TCP_FASTOPEN)},
    )  # fmt: skip
    _name_child(listener, child, client)
    kernel.net.inet.bhash.hold(child, client.dport, by_bind=True)
    child.peer, client.peer = client, child
    return child


def _name_child(listener: Tcp, child: Tcp, client: Tcp) -> None:
    """Give the child its addresses (``tcp_v4_syn_recv_sock()``, ``tcp_v6_syn_recv_sock()``)."""
    remote, local = client.endpoints()
    if listener.pinet6 is not None and listener.family == "AF_INET6":
        child.pinet6 = replace(listener.pinet6, bits=set(listener.np.bits), rxopt=set(listener.np.rxopt))
    if is_ipv6(local):
        child.np.saddr = child.v6_rcv_saddr = local
        child.v6_daddr = remote
        child.saddr = child.rcv_saddr = child.daddr = LOOPBACK4_IPV6
        child.af_ops = "ipv6_specific"
        child.np.mcast_oif, child.np.mcast_hops = LOOPBACK_IFINDEX, client.hop_limit(remote)[0]
        return
    child.options[0, IP_MULTICAST_TTL], child.mc_index = client.hop_limit(remote)[0], LOOPBACK_IFINDEX
    child.saddr = local
    child.set_rcv_saddr(local)
    child.set_daddr(remote)
    if child.pinet6 is not None:
        # tcp_v6_mapped_child_init()
        child.pinet6.saddr = v4mapped(local)
        child.af_ops = "ipv6_mapped"
        child.pinet6.mcast_oif, child.pinet6.mcast_hops = LOOPBACK_IFINDEX, client.hop_limit(remote)[0]


def inet_csk_accept(task: Task, sock: Socket, newsock: Socket, flags: int) -> Sleeps[int]:
    """Take the oldest connection (``inet_csk_accept()``, ``__inet_accept()``)."""
    sk = tcp_sk(sock.sk)
    if sk.state != "TCP_LISTEN":
        raise Errno("EINVAL")
    if not sk.accept_queue:
        timeo = sock_rcvtimeo(sk, flags & O_NONBLOCK)
        if not timeo:
            raise Errno("EAGAIN")
        yield from inet_csk_wait_for_connect(task, sk, timeo)
    child = sk.accept_queue.pop(0)
    sk.ack_backlog -= 1
    if "SOCK_SUPPORT_ZC" in sock.flags:
        newsock.flags.add("SOCK_SUPPORT_ZC")
    sock_graft(child, newsock)
    newsock.state = "SS_CONNECTED"
    return 0


def inet_csk_wait_for_connect(task: Task, sk: Tcp, timeo: Timeo) -> Sleeps[None]:
    """``inet_csk_wait_for_connect()``."""
    assert sk.wq is not None
    queue = sk.wq
    entry = sleeper(task, exclusive=True)
    try:
        while True:
            prepare_to_wait(queue, entry)
            if not sk.accept_queue:
                yield from timeo.sleep(task)
            if sk.accept_queue:
                return
            if sk.state != "TCP_LISTEN":
                raise Errno("EINVAL")
            if task.signal_pending():
                raise sock_intr_errno(timeo)
            if not timeo:
                raise Errno("EAGAIN")
    finally:
        queue.remove(entry)
