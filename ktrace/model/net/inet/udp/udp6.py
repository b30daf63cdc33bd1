"""``udpv6_prot`` and ``inet6_dgram_ops`` (``net/ipv6/udp.c``)."""

from __future__ import annotations

from dataclasses import replace

from ktrace.include.net.ipv6 import IPV6_MAXPLEN, SIN6_LEN_RFC2133
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.page_frag import FRAGMENTS_FROM, fill_unseen
from ktrace.model.net.core.proto_ops import InMessage, OutMessage, ProtoOps
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.inet.addr4 import LOOPBACK_ADDRESS
from ktrace.model.net.inet.addr6 import ANY6, LOOPBACK6, inet6_address, is_ipv6, mapped_v4, sockaddr_in6, v4mapped
from ktrace.model.net.inet.datagram_connect import ip6_datagram_connect
from ktrace.model.net.inet.ip6_error import ipv6_local_error, ipv6_recv_error
from ktrace.model.net.inet.ip_append import make_skb
from ktrace.model.net.inet.ip_cmsg import ip_cmsg_recv
from ktrace.model.net.inet.option6 import get_ipv6_option, ip6_datagram_recv_ctl, ip6_datagram_send_ctl, set_ipv6_option
from ktrace.model.net.inet.path_mtu6 import ipv6_local_rxpmtu, ipv6_recv_rxpmtu
from ktrace.model.net.inet.route import LOOPBACK_MTU, route6
from ktrace.model.net.inet.socket import register, sockaddr_in
from ktrace.model.net.inet.socket6 import Inet6Ops
from ktrace.model.net.inet.udp import udp
from ktrace.model.net.inet.udp.ops import DGRAM_OPS, UDP, DgramOps, UdpProto
from ktrace.model.net.inet.udp.option import is_udp_level
from ktrace.model.net.inet.udp.payload import new_skb, shares_pages, udp_cmsg_send, wants_zerocopy
from ktrace.model.net.inet.udp.udp import UDP6, Pending, Udp
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps
from ktrace.uapi.errno import EMSGSIZE
from ktrace.uapi.in6 import IPV6_PMTUDISC_DO, IPV6_PMTUDISC_OMIT
from ktrace.uapi.ipv6 import SIZEOF_IPV6HDR
from ktrace.uapi.socket import AF_INET, AF_INET6, AF_UNSPEC, MSG_ERRQUEUE, MSG_MORE, MSG_PROBE
from ktrace.uapi.udp import SIZEOF_UDPHDR


class Udp6Proto(UdpProto):
    """``udpv6_prot``."""

    def connect(self, kernel: Kernel, sk: Udp, addr: bytes) -> None:
        """``ip6_datagram_connect()``."""
        ip6_datagram_connect(kernel, sk, addr, lambda: udp.udp_lib_rehash(kernel, sk))

    def sendmsg(self, task: Task, sk: Udp, msg: OutMessage) -> int:
        """``udpv6_sendmsg()``."""
        kernel = task.kernel
        name, daddr = msg.name, None
        dport = sk.dport
        if name is not None:
            if len(name) < 2:
                raise Errno("EINVAL")
            family = int.from_bytes(name[:2], "little")
            if family == AF_INET:
                return self._over_ipv4(task, sk, msg)
            if family == AF_UNSPEC:
                name = None
            elif family != AF_INET6 or len(name) < SIN6_LEN_RFC2133:
                raise Errno("EINVAL")
            else:
                _, daddr, dport, _, _ = inet6_address(name)
                if daddr == ANY6 and mapped_v4(sk.np.saddr) is not None:
                    daddr = v4mapped(LOOPBACK_ADDRESS)
        elif sk.pending is None:
            if sk.state != "TCP_ESTABLISHED":
                raise Errno("EDESTADDRREQ")
            daddr = sk.v6_daddr
        inside = mapped_v4(daddr) if daddr is not None else None
        if inside is not None:
            return self._over_ipv4(task, sk, replace(msg, name=sockaddr_in(inside, dport)))
        more = bool(sk.corkflag or msg.flags & MSG_MORE)
        if (sk.pending is not None or msg.source.count > FRAGMENTS_FROM) and not shares_pages(sk, msg):
            fill_unseen(task)
        if sk.pending is not None:
            if sk.pending.family == AF_INET:
                return super().sendmsg(task, sk, replace(msg, name=name))
            assert sk.flow is not None
            self._fits(kernel, sk, len(sk.pending.data) + msg.source.count, *sk.flow)
            return self.append(kernel, sk, msg, more)
        if name is None:
            if sk.state != "TCP_ESTABLISHED":
                raise Errno("EDESTADDRREQ")
            daddr = sk.v6_daddr
        elif not dport:
            raise Errno("EINVAL")
        udp_cmsg_send(msg)
        source = ip6_datagram_send_ctl(task, sk, msg, sk.bound_dev_if) if msg.control else ANY6
        assert daddr is not None
        daddr = LOOPBACK6 if daddr == ANY6 else daddr
        saddr = route6(sk.np.saddr if source == ANY6 else source, daddr)
        sk.dst_cached = sk.dst_cached or (name is None and not msg.control)
        if more:
            wants_zerocopy(task, sk, msg, more)
            sk.flow = daddr, dport
            self._fits(kernel, sk, msg.source.count, daddr, dport)
            length = self.cork(kernel, sk, msg, AF_INET6)
            assert sk.pending is not None
            sk.pending.begun_for, sk.pending.dontfrag = sk.flow, "dontfrag" in sk.np.bits
            sk.pending.limits = sk.hop_limit(daddr)  # ip6_setup_cork()
            return length
        self._fits(kernel, sk, msg.source.count, daddr, dport)
        self.may_send(sk)
        length = msg.source.count
        if not msg.flags & MSG_PROBE:  # ip6_make_skb()
            udp.transmit(kernel, sk, new_skb(task, sk, msg, UDP6), saddr, daddr, dport)
        return length

    def _fits(self, kernel: Kernel, sk: Udp, length: int, daddr: str, dport: int) -> None:
        """Refuse a message that no packet can hold (``__ip6_append_data()``)."""
        length += SIZEOF_UDPHDR
        np = sk.np
        dontfrag = "dontfrag" in np.bits
        if sk.pending is not None and sk.pending.dontfrag != dontfrag:
            raise NotImplementedError("the model does not know an IPV6_DONTFRAG that changes what is held back")
        whole = dontfrag or IPV6_PMTUDISC_DO <= np.pmtudisc < IPV6_PMTUDISC_OMIT
        if length > (LOOPBACK_MTU - SIZEOF_IPV6HDR if whole else IPV6_MAXPLEN):
            if dontfrag:
                ipv6_local_rxpmtu(sk, daddr, LOOPBACK_MTU)
            self.flush(kernel, sk)
            ipv6_local_error(kernel, sk, EMSGSIZE, daddr, dport, LOOPBACK_MTU)
            raise Errno("EMSGSIZE")
        if length > LOOPBACK_MTU - SIZEOF_IPV6HDR:
            raise NotImplementedError("the model does not cut IPv6 packets into fragments")

    def _over_ipv4(self, task: Task, sk: Udp, msg: OutMessage) -> int:
        if sk.ipv6only:
            raise Errno("ENETUNREACH")
        return super().sendmsg(task, sk, msg)

    def send_corked(self, kernel: Kernel, sk: Udp, pending: Pending, daddr: str, dport: int) -> None:
        """``udp_v6_push_pending_frames()``."""
        if pending.family == AF_INET:
            super().send_corked(kernel, sk, pending, daddr, dport)
            return
        skb = make_skb(kernel, pending.data, pending.first, room=UDP6)
        skb.own_mark = pending.mark
        if pending.limits is not None:
            skb.hops, skb.own_tos = pending.limits
        if pending.begun_for != (daddr, dport):
            kernel.known_bug("udp6-cork-connect")
        try:
            saddr = route6(sk.np.saddr, daddr)
        except Errno:
            raise NotImplementedError("the model does not know where a datagram goes that was led astray") from None
        udp.transmit(kernel, sk, skb, saddr, daddr, dport, corked=True)

    def source_name(self, skb: SkBuff) -> bytes:
        """Return the sender's address, an IPv4 one in its IPv6 form (``udpv6_recvmsg()``)."""
        assert skb.addr is not None
        address, port = skb.addr
        return sockaddr_in6(address if is_ipv6(address) else v4mapped(address), port)

    def tell(self, sk: Udp, skb: SkBuff, msg: InMessage) -> None:
        """Deliver the control messages asked for (``ip6_datagram_recv_ctl()``), IPv4's with packets of IPv4."""
        ip6_datagram_recv_ctl(sk, skb, msg)
        if not is_ipv6(skb.daddr):
            ip_cmsg_recv(sk, skb, msg)

    def recvmsg(self, task: Task, sk: Udp, msg: InMessage, flags: int) -> Sleeps[int]:
        """``udpv6_recvmsg()``."""
        told = None if flags & MSG_ERRQUEUE else ipv6_recv_rxpmtu(task.kernel, sk, msg)
        return (yield from super().recvmsg(task, sk, msg, flags)) if told is None else told

    def receive_error(self, kernel: Kernel, sk: Udp, msg: InMessage) -> int:
        """Receive from the error queue (``ipv6_recv_error()``)."""
        return ipv6_recv_error(kernel, sk, msg)

    def become_ipv4(self, sk: Udp) -> None:
        """Go on as ``udp_prot``."""
        assert sk.socket is not None
        sk.prot, sk.proto, sk.socket.ops = "udp_prot", UDP, DGRAM_OPS

    def setsockopt(self, task: Task, sk: Udp, level: int, optname: int, optval: bytes) -> int:
        """``udpv6_setsockopt()``."""
        if is_udp_level(task.kernel, level):
            return super().setsockopt(task, sk, level, optname, optval)
        return set_ipv6_option(task, sk, level, optname, optval)

    def getsockopt(self, task: Task, sk: Udp, level: int, optname: int, optlen: int) -> bytes:
        """``udpv6_getsockopt()``."""
        if is_udp_level(task.kernel, level):
            return super().getsockopt(task, sk, level, optname, optlen)
        return get_ipv6_option(task.kernel, sk, level, optname, optlen)


class Dgram6Ops(Inet6Ops, DgramOps):
    """``inet6_dgram_ops``."""

    name = "inet6_dgram_ops"
    sendpage = ProtoOps.sendpage
    splice_eof = ProtoOps.splice_eof


for _prot in ("udpv6_prot", "udplitev6_prot"):
    register(_prot, Udp6Proto(), Dgram6Ops())
