"""Ping sockets: echoes without privilege (``net/ipv4/ping.c``, ``net/ipv6/ping.c``)."""

from __future__ import annotations

from ktrace.include.net.ip import IP_MAX_MTU, LOOPBACK_IFINDEX
from ktrace.include.net.sock import SEND_SHUTDOWN
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.datagram import datagram_poll
from ktrace.model.net.core.page_frag import FRAGMENTS_FROM, fill_unseen
from ktrace.model.net.core.proto_ops import InMessage, OutMessage
from ktrace.model.net.core.sock import raise_sock_error, sock_orphan
from ktrace.model.net.inet.addr4 import ANY
from ktrace.model.net.inet.addr6 import ANY6, LOOPBACK6, inet6_address, is_multicast, mapped_v4, needs_scope_id
from ktrace.model.net.inet.datagram_connect import ip4_datagram_connect, ip6_datagram_connect_v6_only, udp_disconnect
from ktrace.model.net.inet.icmp_output import icmp_packet, icmpv6_packet
from ktrace.model.net.inet.ip_cmsg import ip_cmsg_send
from ktrace.model.net.inet.ip_error import ip_local_error, pmtu, skb_errqueue_purge
from ktrace.model.net.inet.ip_input import Raw, send
from ktrace.model.net.inet.ip_packet import IpPacket, df_and_ident
from ktrace.model.net.inet.option import get_ip_option, set_ip_option
from ktrace.model.net.inet.option6 import get_ipv6_option, ip6_datagram_send_ctl, set_ipv6_option
from ktrace.model.net.inet.raw.receive import recv_packet
from ktrace.model.net.inet.route import LOOPBACK_MTU, ip_route_output_flow, route6
from ktrace.model.net.inet.sock import Inet, Proto
from ktrace.model.net.inet.socket import address_type, inet_address, not_local
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps
from ktrace.uapi.errno import EMSGSIZE
from ktrace.uapi.icmp import ICMP_ECHO, ICMP_EXT_ECHO, SIZEOF_ICMPHDR
from ktrace.uapi.icmpv6 import ICMPV6_ECHO_REQUEST, ICMPV6_EXT_ECHO_REQUEST
from ktrace.uapi.in6 import SIZEOF_SOCKADDR_IN6
from ktrace.uapi.in_ import SIZEOF_SOCKADDR_IN
from ktrace.uapi.ip import SIZEOF_IPHDR
from ktrace.uapi.ipv6 import SIZEOF_IPV6HDR
from ktrace.uapi.socket import AF_INET, AF_INET6, AF_UNSPEC, MSG_OOB, MSG_PROBE


def ping_lookup(kernel: Kernel, packet: IpPacket, ident: int) -> Raw | None:
    """Return the ping socket that receives an echo reply (``ping_lookup()``)."""
    for sk in kernel.net.inet.ping:
        if sk.inet_num != ident or (sk.family == "AF_INET6") != packet.wide or sk.bound_dev_if not in (0, 1):
            continue
        local = sk.v6_rcv_saddr if packet.wide else sk.rcv_saddr
        if local in (ANY6 if packet.wide else ANY, packet.daddr):
            return sk
    return None


def ping_get_port(kernel: Kernel, sk: Raw, ident: int) -> None:
    """Take an identifier, the next that is free where *ident* is 0 (``ping_get_port()``).

    :raises Errno: EADDRINUSE
    """
    own = kernel.net.inet
    if ident == 0:
        taken = {other.inet_num for other in own.ping}
        ident = own.ping_port_rover + 1 & 0xFFFF
        while ident in taken or not ident:
            ident = ident + 1 & 0xFFFF
        own.ping_port_rover = ident
    elif any(other.inet_num == ident and other is not sk and not (other.reuse and sk.reuse) for other in own.ping):
        raise Errno("EADDRINUSE")
    sk.inet_num = ident
    if sk not in own.ping:
        own.ping.insert(0, sk)
        sk.flags.add("SOCK_RCU_FREE")


def ping_unhash(kernel: Kernel, sk: Raw) -> None:
    """Give the identifier back (``ping_unhash()``)."""
    if sk in kernel.net.inet.ping:
        kernel.net.inet.ping.remove(sk)
        sk.inet_num = sk.sport = 0


class PingProto(Proto[Raw]):
    """``ping_prot`` and ``pingv6_prot``."""

    sock = Raw
    has_bind = True

    def init(self, task: Task, sk: Raw) -> None:
        """Refuse groups outside of ``ping_group_range``, which is empty at first (``ping_init_sock()``).

        :raises Errno: EACCES
        """
        if sk.family == "AF_INET6":
            sk.ipv6only = True
        setting = task.kernel.net.facts.sysctl.get
        low, high = setting("ipv4/ping_group_range/low", 1), setting("ipv4/ping_group_range/high", 0)
        if not any(low <= group <= high for group in (task.cred.egid, *task.cred.groups)):
            raise Errno("EACCES")

    def bind(self, task: Task, sk: Raw, addr: bytes) -> int:
        """``ping_bind()``."""
        kernel = task.kernel
        device = sk.bound_dev_if
        address, ident = self._check_bind_addr(kernel, sk, addr)
        if sk.inet_num:
            raise Errno("EINVAL")
        try:
            ping_get_port(kernel, sk, ident)
        except Errno:
            sk.bound_dev_if = device
            raise
        if sk.family == "AF_INET6":
            sk.v6_rcv_saddr = sk.np.saddr = address
            sk.v6_daddr = ANY6
        else:
            sk.saddr = sk.rcv_saddr = address
        if address not in (ANY, ANY6):
            sk.userlocks.add("SOCK_BINDADDR_LOCK")
        if ident:
            sk.userlocks.add("SOCK_BINDPORT_LOCK")
        sk.sport = sk.inet_num
        sk.daddr, sk.dport = ANY, 0
        sk.dst_cached = False
        return 0

    def _check_bind_addr(self, kernel: Kernel, sk: Raw, addr: bytes) -> tuple[str, int]:
        """Return address and identifier of a name that is good (``ping_check_bind_addr()``)."""
        if sk.family == "AF_INET":
            if len(addr) < SIZEOF_SOCKADDR_IN:
                raise Errno("EINVAL")
            family, address, ident = inet_address(addr)
            if family != AF_INET and (family != AF_UNSPEC or address != ANY):
                raise Errno("EAFNOSUPPORT")
            kind = address_type(address)
            odd = kind != "RTN_LOCAL" and (kind != "RTN_UNICAST" or not_local(kernel, sk, "ipv4/ip_nonlocal_bind"))
            if odd and address != ANY:
                raise Errno("EADDRNOTAVAIL")
            return address, ident
        if len(addr) < SIZEOF_SOCKADDR_IN6:
            raise Errno("EINVAL")
        family, address, ident, _, scope = inet6_address(addr)
        if family != AF_INET6:
            raise Errno("EAFNOSUPPORT")
        if is_multicast(address) or mapped_v4(address) is not None or (needs_scope_id(address) and not scope):
            raise Errno("EINVAL")
        if scope not in (0, LOOPBACK_IFINDEX):
            raise Errno("ENODEV")
        if address not in (ANY6, LOOPBACK6) and not_local(kernel, sk, "ipv6/ip_nonlocal_bind"):
            raise Errno("EADDRNOTAVAIL")
        if needs_scope_id(address):
            sk.bound_dev_if = scope
        return address, ident

    def connect(self, kernel: Kernel, sk: Raw, addr: bytes) -> None:
        """``ip4_datagram_connect()``."""
        ip4_datagram_connect(sk, addr, lambda: None)

    def disconnect(self, kernel: Kernel, sk: Raw) -> None:
        """``__udp_disconnect()``."""
        udp_disconnect(sk, lambda: None, lambda: ping_unhash(kernel, sk))

    def get_port(self, kernel: Kernel, sk: Raw, port: int) -> None:
        """``ping_get_port()``."""
        ping_get_port(kernel, sk, port)

    def close(self, task: Task, sk: Raw, timeout: int | None) -> None:
        """``ping_close()``."""
        ping_unhash(task.kernel, sk)
        sock_orphan(sk)
        skb_errqueue_purge(sk)

    def sendmsg(self, task: Task, sk: Raw, msg: OutMessage) -> int:
        """``ping_v4_sendmsg()``."""
        kernel = task.kernel
        length = msg.source.count
        head = self.common_sendmsg(msg, (ICMP_ECHO, ICMP_EXT_ECHO))
        if msg.name is not None:
            if len(msg.name) < SIZEOF_SOCKADDR_IN:
                raise Errno("EINVAL")
            family, daddr, _ = inet_address(msg.name)
            if family != AF_INET:
                raise Errno("EAFNOSUPPORT")
        else:
            if sk.state != "TCP_ESTABLISHED":
                raise Errno("EDESTADDRREQ")
            daddr = sk.daddr
        cookie = ip_cmsg_send(task, sk, msg)
        flow = ip_route_output_flow(sk, daddr, cookie.addr, cookie.oif)
        saddr, daddr = flow.saddr, flow.daddr
        if length > IP_MAX_MTU - SIZEOF_IPHDR:
            ip_local_error(kernel, sk, EMSGSIZE, daddr, sk.dport, pmtu(sk))
            raise Errno("EMSGSIZE")
        if msg.flags & MSG_PROBE:
            return length  # ip_append_data(), ip6_append_data()
        if length > FRAGMENTS_FROM:
            fill_unseen(task)
        data = self.echo(kernel, sk, head, msg)
        hops, tos = cookie.limits(sk, daddr)
        packet = icmp_packet(kernel, saddr, daddr, data, hops, tos, *df_and_ident(sk))
        packet.mark = sk.mark if cookie.mark is None else cookie.mark
        send(kernel, packet, sk)
        return length

    def common_sendmsg(self, msg: OutMessage, kinds: tuple[int, ...]) -> bytes:
        """Return the ICMP header that user space gives (``ping_common_sendmsg()``).

        :raises Errno: EMSGSIZE, EINVAL, EOPNOTSUPP, EFAULT
        """
        length = msg.source.count
        if length > IP_MAX_MTU:
            raise Errno("EMSGSIZE")
        if length < SIZEOF_ICMPHDR:
            raise Errno("EINVAL")
        if msg.flags & MSG_OOB:
            raise Errno("EOPNOTSUPP")
        head = msg.source.copy(SIZEOF_ICMPHDR)
        if len(head) < SIZEOF_ICMPHDR:
            raise Errno("EFAULT")
        if head[0] not in kinds or head[1]:
            raise Errno("EINVAL")
        return head

    def echo(self, kernel: Kernel, sk: Raw, head: bytes, msg: OutMessage) -> bytes:
        """Return the message with the sock's own identifier, its checksum still 0 (``struct pingfakehdr``)."""
        raise_sock_error(sk)
        if sk.shutdown & SEND_SHUTDOWN:
            raise Errno("EPIPE")
        try:
            data = msg.source.copy_all()
        except Errno:
            sk.call_write_space(kernel)  # its buffer is freed (sock_wfree())
            raise
        return head[:2] + bytes(2) + sk.sport.to_bytes(2, "big") + head[6:8] + data

    def recvmsg(self, task: Task, sk: Raw, msg: InMessage, flags: int) -> Sleeps[int]:
        """``ping_recvmsg()``."""
        return recv_packet(task, sk, msg, flags)

    def poll(self, kernel: Kernel, sk: Raw) -> int:
        """``datagram_poll()``."""
        return datagram_poll(sk)

    def setsockopt(self, task: Task, sk: Inet, level: int, optname: int, optval: bytes) -> int:
        """``ip_setsockopt()``."""
        return set_ip_option(task, sk, level, optname, optval)

    def getsockopt(self, task: Task, sk: Inet, level: int, optname: int, optlen: int) -> bytes:
        """``ip_getsockopt()``."""
        return get_ip_option(task.kernel, sk, level, optname, optlen)


class Ping6Proto(PingProto):
    """``pingv6_prot``."""

    def connect(self, kernel: Kernel, sk: Raw, addr: bytes) -> None:
        """``ip6_datagram_connect_v6_only()``."""
        ip6_datagram_connect_v6_only(kernel, sk, addr)

    def sendmsg(self, task: Task, sk: Raw, msg: OutMessage) -> int:
        """``ping_v6_sendmsg()``."""
        kernel = task.kernel
        length = msg.source.count
        head = self.common_sendmsg(msg, (ICMPV6_ECHO_REQUEST, ICMPV6_EXT_ECHO_REQUEST))
        scope = 0
        if msg.name is not None:
            if len(msg.name) < SIZEOF_SOCKADDR_IN6:
                raise Errno("EINVAL")
            family, daddr, _, _, scope = inet6_address(msg.name)
            if family != AF_INET6:
                raise Errno("EAFNOSUPPORT")
        else:
            if sk.state != "TCP_ESTABLISHED":
                raise Errno("EDESTADDRREQ")
            daddr = sk.v6_daddr
        oif = scope if needs_scope_id(daddr) else 0
        oif = oif or sk.bound_dev_if or (sk.np.mcast_oif if is_multicast(daddr) else sk.np.ucast_oif)
        if (needs_scope_id(daddr) and not oif) or mapped_v4(daddr) is not None:
            raise Errno("EINVAL")
        if sk.bound_dev_if and oif != sk.bound_dev_if:
            raise Errno("EINVAL")
        if msg.control:
            ip6_datagram_send_ctl(task, sk, msg, oif)  # what it asks for is forgotten
        saddr = route6(sk.np.saddr, daddr)
        if length > LOOPBACK_MTU - SIZEOF_IPV6HDR:
            raise NotImplementedError("the model does not cut IPv6 packets into fragments")
        if msg.flags & MSG_PROBE:
            return length  # ip_append_data(), ip6_append_data()
        if length > FRAGMENTS_FROM:
            fill_unseen(task)
        data = self.echo(kernel, sk, head, msg)
        hops, tos = sk.hop_limit(daddr)
        packet = icmpv6_packet(kernel, saddr, daddr, data, hops, tos)
        packet.mark = sk.mark
        send(kernel, packet, sk)
        return length

    def setsockopt(self, task: Task, sk: Inet, level: int, optname: int, optval: bytes) -> int:
        """``ipv6_setsockopt()``."""
        return set_ipv6_option(task, sk, level, optname, optval)

    def getsockopt(self, task: Task, sk: Inet, level: int, optname: int, optlen: int) -> bytes:
        """``ipv6_getsockopt()``."""
        return get_ipv6_option(task.kernel, sk, level, optname, optlen)
