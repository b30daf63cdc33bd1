"""Socks that are made, and what is left of them (``net/ipv4/tcp_minisocks.c``, ``tcp_ipv4.c``)."""

from __future__ import annotations

from dataclasses import replace

from ktrace.include.net.ip import LOOPBACK_IFINDEX
from ktrace.model.kernel import Kernel
from ktrace.model.net.inet.addr6 import LOOPBACK4_IPV6, is_ipv6, v4mapped
from ktrace.model.net.inet.ports import TimeWait
from ktrace.model.net.inet.tcp.agree import shake_hands, tcp_dst_advmss, tcp_mss_clamp
from ktrace.model.net.inet.tcp.sock import RequestSock, Tcp
from ktrace.model.net.inet.tcp.tcp_state import tcp_done
from ktrace.uapi.in_ import IP_MULTICAST_TTL
from ktrace.uapi.socket import SOL_TCP
from ktrace.uapi.tcp import TCP_FASTOPEN


def tcp_time_wait(kernel: Kernel, sk: Tcp, state: str) -> None:
    """Replace a finished connection by a TIME_WAIT entry that keeps its port (``tcp_time_wait()``)."""
    tw = TimeWait(
        num=sk.inet_num or sk.sport,
        rcv_saddr=sk.rcv_saddr,
        daddr=sk.daddr,
        dport=sk.dport,
        reuse=sk.reuse,
        reuseport=sk.reuseport,
        bound_dev_if=sk.bound_dev_if,
        substate=state,
        started=kernel.clock,
        peer=None if isinstance(sk.peer, RequestSock) else sk.peer,
        family=sk.family,
        v6_rcv_saddr=sk.v6_rcv_saddr,
        v6_daddr=sk.v6_daddr,
        ipv6only=sk.ipv6only,
    )
    kernel.net.inet.bhash.add_time_wait(tw)
    peer, narrow = sk.peer, not sk.has_room()
    tcp_done(kernel, sk)
    if isinstance(peer, Tcp):
        peer.peer = tw
        peer.narrow = narrow


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
        linger2=listener.linger2, clamped=listener.clamped,
        keepalive_time=listener.keepalive_time, keepalive_intvl=listener.keepalive_intvl,
        keepalive_probes=listener.keepalive_probes, syn_retries=listener.syn_retries,
        user_timeout=listener.user_timeout, notsent_lowat=listener.notsent_lowat, was_connected=True,
        busy=dict(listener.busy), ca_setsockopt=listener.ca_setsockopt,
        ca_ops=listener.ca_ops if listener.ca_setsockopt else kernel.net.facts.default_congestion,
        ipv6only=listener.ipv6only, quickack=listener.quickack,
        options={option: value for option, value in listener.options.items() if option != (SOL_TCP, TCP_FASTOPEN)},
    )  # fmt: skip
    _name_child(listener, child, client)
    child.advmss = tcp_mss_clamp(child, tcp_dst_advmss(child))
    child.asked, child.deferred = client.asked, client.deferred
    shake_hands(kernel, child, active=False)
    if child.handshake is not None and client.handshake is not None:
        child.snd_wscale, client.snd_wscale = client.handshake.rcv_wscale, child.handshake.rcv_wscale
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
