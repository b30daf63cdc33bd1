"""The parts of the internet families in a sock: IPv4, IPv6, TCP, UDP, raw."""

from __future__ import annotations

from typing import Any

from ktrace.state.net.skbuff import Buffer
from ktrace.state.quick import dataclass
from ktrace.state.ref import Ref


@dataclass(frozen=True, slots=True)
class InetSock:
    """``struct inet_sock`` with the addresses of its ``sock_common``; ports in host byte order.

    :param bits: recverr, freebind, hdrincl, mc_loop, mc_all, ... where they are set, sorted
    :param cmsg_flags: what recvmsg() tells of a packet, without IP_CMSG_, in its order
    :param mc_list: groups that it belongs to, the last joined first, each with its interface
    """

    inet_num: int
    inet_sport: int
    inet_dport: int
    inet_saddr: str
    inet_rcv_saddr: str
    inet_daddr: str
    uc_ttl: int
    tos: int
    bits: tuple[str, ...]
    cmsg_flags: tuple[str, ...]
    min_ttl: int
    pmtudisc: int
    mc_ttl: int
    mc_index: int
    mc_addr: str
    mc_list: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ipv6Sock:
    """``struct ipv6_pinfo`` with the IPv6 addresses of its ``sock_common``; AF_INET6 only.

    :param ipv6only: ``skc_ipv6only``
    :param bits: mc_loop, mc_all, recverr, sndflow, ... where they are set, sorted
    :param rxopt: what recvmsg() tells of a packet: rxinfo, rxhlim, rxtclass, ... sorted
    """

    saddr: str
    v6_rcv_saddr: str
    v6_daddr: str
    ipv6only: bool
    flow_label: int
    frag_size: int
    hop_limit: int
    mcast_hops: int
    ucast_oif: int
    mcast_oif: int
    tclass: int
    pmtudisc: int
    srcprefs: int
    min_hopcount: int
    bits: tuple[str, ...]
    rxopt: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TcpSock:
    """``struct tcp_sock`` with its ``inet_connection_sock``.

    The kernel keeps no initial sequence number, so positions are told as distances and byte counts.

    :param unacked: sequence numbers sent and not acknowledged: ``snd_nxt - snd_una``, a FIN counts as one;
        ``None`` in TCP_CLOSE and TCP_LISTEN, where the kernel leaves what was there before
    :param unsent: bytes queued and never sent: ``write_seq - snd_nxt``; likewise ``None``
    :param unread: sequence numbers received and not read: ``rcv_nxt - copied_seq``
    :param tcp_rtx_queue: bytes sent and not acknowledged
    :param bytes_sent: without what was sent again (``bytes_sent - bytes_retrans``)
    :param icsk_ca_ops: symbol of what avoids congestion, such as ``cubictcp``
    :param accept_queue: established children that nobody accepted yet, oldest first
    :param syn_queue: requests whose handshake is not finished (``rskq`` *qlen*)
    :param icsk_af_ops: symbol of what tells IPv4, IPv6, and IPv4 below an AF_INET6 sock apart
    """

    unacked: int | Any
    unsent: int | None
    unread: int | Any
    tcp_rtx_queue: bytes | Any
    bytes_sent: int
    bytes_received: int
    accept_queue: tuple[Ref, ...]
    syn_queue: int
    nonagle: int
    linger2: int
    defer_accept: int
    keepalive_time: int
    keepalive_intvl: int
    keepalive_probes: int
    icsk_syn_retries: int
    icsk_ca_ops: str
    icsk_user_timeout: int
    notsent_lowat: int
    urg_data: int
    icsk_af_ops: str = "ipv4_specific"


@dataclass(frozen=True, slots=True)
class UdpSock:
    """``struct udp_sock``.

    :param pending: address family of a corked message, else 0
    :param corkflag: UDP_CORK
    :param reader_queue: packets that a reader took over from ``sk_receive_queue``
    :param forward_deficit: bytes read whose charge is still to be given back
    """

    pending: int
    corkflag: bool
    encap_type: int
    reader_queue: tuple[Buffer, ...]
    forward_deficit: int


@dataclass(frozen=True, slots=True)
class RawSock:
    """``struct raw_sock`` or ``struct raw6_sock``.

    :param filter: types of ICMP that it does not take, as a bit mask in hexadecimal
    :param checksum: whether the kernel puts a checksum into what is sent, at *offset* (IPv6 only)
    """

    filter: str
    checksum: int
    offset: int
