"""``struct sock``, which every family has, with the parts of its family.

Names of constants are the kernel's own; a number without a name is shown as it is, in decimal.
"""

from __future__ import annotations

from ktrace.include.net import sock, tcp_states
from ktrace.state.net.inet import InetSock, Ipv6Sock, RawSock, TcpSock, UdpSock
from ktrace.state.net.netlink import NetlinkSock
from ktrace.state.net.packet import PacketSock
from ktrace.state.net.skbuff import Buffer
from ktrace.state.net.unix import UnixSock
from ktrace.state.process.process import Credentials
from ktrace.state.quick import dataclass
from ktrace.state.ref import Ref
from ktrace.uapi import socket
from ktrace.uapi.named import by_number, family, numbers

SOCK_TYPES = by_number(numbers(socket, "SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_RDM SOCK_SEQPACKET SOCK_DCCP SOCK_PACKET"))
"""``enum sock_type`` (``include/linux/net.h``)."""


TCP_STATES = ("0", *family(tcp_states, "TCP_", but="TCP_MAX_STATES"))
"""``skc_state`` (``include/net/tcp_states.h``); other families use some of them."""


FAMILIES = by_number(numbers(socket, "AF_UNSPEC AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET"))


SHUTDOWN = by_number(numbers(sock, "RCV_SHUTDOWN SEND_SHUTDOWN"))
"""Bits of ``sk_shutdown`` (``include/net/sock.h``)."""


USERLOCKS = by_number(
    numbers(socket, "SOCK_SNDBUF_LOCK SOCK_RCVBUF_LOCK")
    | numbers(sock, "SOCK_BINDADDR_LOCK SOCK_BINDPORT_LOCK SOCK_CONNECT_BIND")
)
"""Bits of ``sk_userlocks`` (``include/net/sock.h``)."""


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
