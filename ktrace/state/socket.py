"""Sockets: ``struct socket``, ``struct sock`` with its relatives, and the buffers queued on them.

Names of constants are the kernel's own; a number without a name is shown as it is, in decimal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ktrace.state.ref import Ref

SOCKET_STATES = ("SS_FREE", "SS_UNCONNECTED", "SS_CONNECTING", "SS_CONNECTED", "SS_DISCONNECTING")
"""``socket_state`` (``include/uapi/linux/net.h``)."""

SOCK_TYPES = {
    1: "SOCK_STREAM", 2: "SOCK_DGRAM", 3: "SOCK_RAW", 4: "SOCK_RDM",
    5: "SOCK_SEQPACKET", 6: "SOCK_DCCP", 10: "SOCK_PACKET",
}  # fmt: skip
"""``enum sock_type`` (``include/linux/net.h``)."""

SOCKET_FLAGS = {
    2: "SOCK_NOSPACE", 3: "SOCK_PASSCRED", 4: "SOCK_PASSSEC", 5: "SOCK_SUPPORT_ZC", 6: "SOCK_CUSTOM_SOCKOPT",
}  # fmt: skip
"""Bits of ``socket.flags`` (``include/linux/net.h``)."""

SOCKWQ_FLAGS = {0: "SOCKWQ_ASYNC_NOSPACE", 1: "SOCKWQ_ASYNC_WAITDATA"}
"""Bits of ``socket_wq.flags`` (``include/linux/net.h``)."""

TCP_STATES = (
    "0", "TCP_ESTABLISHED", "TCP_SYN_SENT", "TCP_SYN_RECV", "TCP_FIN_WAIT1", "TCP_FIN_WAIT2", "TCP_TIME_WAIT",
    "TCP_CLOSE", "TCP_CLOSE_WAIT", "TCP_LAST_ACK", "TCP_LISTEN", "TCP_CLOSING", "TCP_NEW_SYN_RECV",
)  # fmt: skip
"""``skc_state`` (``include/net/tcp_states.h``); other families use some of them."""

FAMILIES = {
    0: "AF_UNSPEC", 1: "AF_UNIX", 2: "AF_INET", 10: "AF_INET6", 16: "AF_NETLINK", 17: "AF_PACKET",
}  # fmt: skip

SHUTDOWN = {1: "RCV_SHUTDOWN", 2: "SEND_SHUTDOWN"}
"""Bits of ``sk_shutdown`` (``include/net/sock.h``)."""

USERLOCKS = {1: "SOCK_SNDBUF_LOCK", 2: "SOCK_RCVBUF_LOCK", 4: "SOCK_BINDADDR_LOCK", 8: "SOCK_BINDPORT_LOCK"}
"""Bits of ``sk_userlocks`` (``include/net/sock.h``)."""


@dataclass(frozen=True, slots=True)
class Waiter:
    """One entry of a wait queue, in the order in which it would be woken.

    :param func: symbol of the entry's wake function, such as ``autoremove_wake_function``
    :param exclusive: WQ_FLAG_EXCLUSIVE
    :param task: who sleeps; ``None`` where the entry belongs to no single task (epoll)
    """

    func: str
    exclusive: bool
    task: Ref | None


@dataclass(frozen=True, slots=True)
class Socket:
    """A ``struct socket``, with the inode beside it in its ``struct socket_alloc`` (``SOCKET_I()``).

    :param state: ``SS_CONNECTED`` and the like
    :param flags: bits of ``flags`` by name
    :param file: the open file in front of it
    :param sk: the protocol's ``struct sock``
    :param ops: symbol of the ``proto_ops``; ``None`` after release
    :param wait: who waits on ``wq``
    :param wq_flags: bits of ``wq.flags`` by name
    :param i_mode: of the inode, as file type and permissions
    """

    state: str
    type: str
    flags: tuple[str, ...]
    file: Ref | None
    sk: Ref | None
    ops: str | None
    wait: tuple[Waiter, ...]
    wq_flags: tuple[str, ...]
    i_ino: int
    i_mode: str
    i_uid: int
    i_gid: int


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who sent or who listened: an actor's name (``pid N`` for a stranger), or ``None``."""

    pid: str | None
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class UnixBuffer:
    """``UNIXCB(skb)``: what AF_UNIX keeps in a buffer (``include/net/af_unix.h``).

    :param creds: credentials in flight; uid and gid are 4294967295 where none were sent
    :param fp: descriptors in flight, as files
    :param consumed: bytes that the receiver has read already
    """

    creds: Credentials
    fp: tuple[Ref, ...]
    consumed: int


@dataclass(frozen=True, slots=True)
class Buffer:
    """A ``struct sk_buff`` on a queue.

    :param len: bytes in it, paged ones included
    :param data_len: paged bytes; ``None`` where the protocol's packing is not modelled
    :param truesize: bytes charged for it; ``None`` where it depends on how packets were merged
    :param data: its bytes, head and pages
    :param sk: the socket it is charged to
    """

    len: int
    data_len: int | None
    truesize: int | None
    data: bytes
    sk: Ref | None
    unix: UnixBuffer | None = None


@dataclass(frozen=True, slots=True)
class UnixSock:
    """The part of ``struct unix_sock`` behind its ``struct sock``.

    :param addr: the bound ``sun_path``, abstract names with their leading NUL, paths with their trailing one
    :param path: inode that a bound path made
    :param peer: the other end
    :param listener: the listening end whose backlog this embryo is on
    :param peer_wait: who waits for room in this one's queue
    :param nr_fds: descriptors in its receive queue (``scm_stat``)
    :param oob: position in the receive queue of the out-of-band byte
    """

    addr: bytes | None
    path: Ref | None
    peer: Ref | None
    listener: Ref | None
    peer_wait: tuple[Waiter, ...]
    nr_fds: int
    oob: int | None


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


@dataclass(frozen=True, slots=True)
class NetlinkSock:
    """``struct netlink_sock``.

    :param dst_group: where messages go without an address, counted from 1, 0 for no group
    :param groups: the groups it is in, counted from 1; *ngroups* could be
    :param bound: it can be found by its *portid*
    :param congested: NETLINK_S_CONGESTED
    :param flags: NETLINK_F_ bits by name, sorted
    """

    portid: int
    dst_portid: int
    dst_group: int
    subscriptions: int
    ngroups: int
    groups: tuple[int, ...]
    bound: bool
    congested: bool
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PacketSock:
    """``struct packet_sock``.

    :param num: the protocol it listens for, in host byte order
    :param flags: PACKET_SOCK_ bits by name, sorted
    """

    num: int
    ifindex: int
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sock:
    """A ``struct sock``, in the order of its members, then its family's own part.

    :param sk_prot: symbol of the ``struct proto``
    :param sk_flags: SOCK_DEAD, SOCK_ZAPPED, ... sorted
    :param sk_receive_qlen: ``sk_receive_queue.qlen``; ``None`` for TCP, where merging decides
    :param sk_write_queue: what is not sent yet: of TCP the bytes, as one buffer, for packets are cut as they are sent;
        of UDP a corked message
    :param sk_backlog: packets that came while a call had the sock locked: none, once it is over
    :param sk_rmem_alloc: bytes charged to the receive queue; ``None`` for TCP, where merging decides
    :param sk_wmem_alloc: bytes of buffers in flight plus 1 for the socket itself; ``None`` for TCP
    :param sk_rcvtimeo: jiffies, ``None`` for ever
    :param sk_peer: who listened or connected; ``None`` where nobody said
    """

    sk_family: str
    sk_state: str
    sk_reuse: int
    sk_reuseport: int
    sk_bound_dev_if: int
    sk_prot: str
    sk_rcvlowat: int
    sk_receive_queue: tuple[Buffer, ...]
    sk_receive_qlen: int | None
    sk_write_queue: tuple[Buffer, ...]
    sk_error_queue: tuple[Buffer, ...]
    sk_backlog: tuple[Buffer, ...]
    sk_rmem_alloc: int | None
    sk_rcvbuf: int
    sk_sndbuf: int
    sk_wmem_alloc: int | None
    sk_peek_off: int
    sk_sndtimeo: int | None
    sk_priority: int
    sk_mark: int
    sk_userlocks: tuple[str, ...]
    sk_no_check_tx: int
    sk_type: str
    sk_protocol: int
    sk_lingertime: int | None
    sk_flags: tuple[str, ...]
    sk_err: int
    sk_err_soft: int
    sk_ack_backlog: int
    sk_max_ack_backlog: int
    sk_uid: int
    sk_peer: Credentials | None
    sk_rcvtimeo: int | None
    sk_shutdown: tuple[str, ...]
    sk_socket: Ref | None
    unix: UnixSock | None = None
    inet: InetSock | None = None
    tcp: TcpSock | None = None
    udp: UdpSock | None = None
    ipv6: Ipv6Sock | None = None
    raw: RawSock | None = None
    netlink: NetlinkSock | None = None
    packet: PacketSock | None = None


@dataclass(frozen=True, slots=True)
class ProtocolSwitch:
    """One ``struct inet_protosw`` of ``inetsw[]``.

    :param protocol: IPPROTO_ number, 0 is the wild card
    :param flags: INET_PROTOSW_REUSE, INET_PROTOSW_PERMANENT, INET_PROTOSW_ICSK
    """

    type: int
    protocol: int
    prot: str
    ops: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NetlinkTable:
    """One entry of ``nl_table[]``.

    :param groups: how many groups there are
    :param flags: NL_CFG_F_NONROOT_RECV 1, NL_CFG_F_NONROOT_SEND 2
    :param bind: symbol of what is asked before a group is joined
    :param input: whether the kernel itself reads messages
    """

    groups: int
    flags: int
    bind: str | None
    input: bool


@dataclass(frozen=True, slots=True)
class SocketFacts:
    """What the model of sockets is told about the kernel it stands for, read once at attach.

    :param net_families: symbol of the ``create`` function by address family (``net_families[]``)
    :param inetsw: ``inetsw[]`` list by list, each in lookup order
    :param inetsw6: ``inetsw6[]`` likewise; empty without IPv6
    :param inet_protos: symbol of the ``handler`` by IP protocol; *inet6_protos* likewise
    :param sizes: bytes of ``sk_buff`` and ``skb_shared_info`` (unaligned), ``max_skb_frags``,
        ``smp_cache_bytes``, ``page_size``, ``kmalloc_max_cache``
    :param sysctl: settings below ``/proc/sys/net`` by path, such as ``core/rmem_default``
    :param congestion: symbol of the ``tcp_congestion_ops`` by name; a new socket has *default_congestion*
    :param netdevices: whether sockets can be bound to a device (CONFIG_NETDEVICES)
    :param compat: whether there are 32-bit system calls (CONFIG_COMPAT)
    :param oob: whether AF_UNIX has out-of-band bytes (CONFIG_AF_UNIX_OOB)
    :param netlink: protocols that somebody registered (``nl_table[]``); *netlink_tables*: what they are
    :param ping_port_rover: the last identifier that a ping socket was given
    :param quickack: the routes to this machine's own addresses ask TCP to acknowledge at once (RTAX_QUICKACK)
    """

    net_families: Mapping[int, str]
    inetsw: tuple[ProtocolSwitch, ...]
    inetsw6: tuple[ProtocolSwitch, ...]
    sizes: Mapping[str, int]
    sysctl: Mapping[str, int]
    inet_protos: Mapping[int, str] = field(default_factory=dict)
    inet6_protos: Mapping[int, str] = field(default_factory=dict)
    congestion: Mapping[str, str] = field(default_factory=dict)
    default_congestion: str = ""
    compat: bool = False
    netdevices: bool = False
    oob: bool = True
    netlink: tuple[int, ...] = ()
    quickack: bool = False
    ping_port_rover: int = 0
    netlink_tables: Mapping[int, NetlinkTable] = field(default_factory=dict)
