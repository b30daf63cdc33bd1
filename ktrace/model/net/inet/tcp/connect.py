"""connect(): a SYN and its answer (``net/ipv4/tcp_ipv4.c``, ``tcp_output.c``, ``tcp_input.c``, ``af_inet.c``)."""

from __future__ import annotations

from ktrace.include.net.tcp import TFO_CLIENT_NO_COOKIE, TFO_SERVER_ENABLE
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.sock import Socket, sock_error
from ktrace.model.net.core.sock_callbacks import state_change
from ktrace.model.net.core.sock_wait import Timeo, sleeper, sock_intr_errno, sock_sndtimeo
from ktrace.model.net.inet.addr4 import ANY
from ktrace.model.net.inet.addr6 import is_ipv6
from ktrace.model.net.inet.ip_input import refuse_watchers
from ktrace.model.net.inet.route import ip_route_output_key
from ktrace.model.net.inet.sock import Answered
from ktrace.model.net.inet.socket import inet_address
from ktrace.model.net.inet.tcp.agree import shake_hands, tcp_connect_init
from ktrace.model.net.inet.tcp.inet_connection_sock import defer, inet_csk_complete_hashdance, shut_down_before
from ktrace.model.net.inet.tcp.inet_hashtables import inet_hash_connect, inet_lookup_listener, time_wait_at
from ktrace.model.net.inet.tcp.sock import Tcp, tcp_sk
from ktrace.model.net.inet.tcp.tcp import inet_bhash2_reset_saddr, tcp_disconnect
from ktrace.model.net.inet.tcp.tcp_input import tcp_reset
from ktrace.model.net.inet.tcp.tcp_state import tcp_set_state
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps
from ktrace.uapi.fcntl import O_NONBLOCK
from ktrace.uapi.in_ import SIZEOF_SOCKADDR_IN
from ktrace.uapi.socket import AF_INET, AF_UNSPEC, SOL_TCP
from ktrace.uapi.tcp import TCP_FASTOPEN_CONNECT, TCP_FASTOPEN_NO_COOKIE


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
    return hash_and_connect(kernel, sk)


def hash_and_connect(kernel: Kernel, sk: Tcp) -> Answered | None:
    """Do the rest of ``tcp_v4_connect()`` and ``tcp_v6_connect()``, once the addresses are known.

    :raises Errno: EADDRNOTAVAIL
    """
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
    tcp_connect_init(kernel, sk)
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


def tcp_conn_request(kernel: Kernel, sk: Tcp) -> Answered | None:
    """Take the SYN at the listener (``tcp_conn_request()``); return the effect of its answer on *sk*."""
    local, remote = sk.endpoints()
    refuse_watchers(kernel, is_ipv6(remote))
    if sk.af_ops == "ipv6_mapped" and is_ipv6(remote):
        # tcp_v6_connect() does not take icsk_af_ops back: the SYN goes out over IPv4, and no answer finds the sock.
        return None
    listener = inet_lookup_listener(kernel, sk)
    waiting = time_wait_at(kernel, sk)
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
        shake_hands(kernel, sk, active=True)
        state_change(kernel, sk)
        if listener.defer_accept:
            sk.peer = defer(kernel, listener, sk)
        else:
            inet_csk_complete_hashdance(kernel, listener, sk)

    return syn_ack


def tcp_rcv_synsent_state_process(kernel: Kernel, sk: Tcp) -> None:
    """Take the SYN of *sk* at *sk* itself: a simultaneous open (``tcp_rcv_synsent_state_process()``)."""
    tcp_set_state(kernel, sk, "TCP_ESTABLISHED")
    sk.was_connected = True
    shake_hands(kernel, sk, active=True, crossed=True)
    sk.peer = sk
    state_change(kernel, sk)
    shut_down_before(kernel, sk)
