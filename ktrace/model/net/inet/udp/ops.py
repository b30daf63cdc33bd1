"""``udp_prot`` and ``inet_dgram_ops``: packets over the loopback (``net/ipv4/udp.c``, ``datagram.c``)."""

from __future__ import annotations

from typing import Any

from ktrace.include.linux.socket import MSG_SENDPAGE_NOTLAST
from ktrace.include.net.ip import IP_MAX_MTU
from ktrace.include.net.sock import RCV_SHUTDOWN, SEND_SHUTDOWN
from ktrace.model.kernel import Kernel
from ktrace.model.mm.page import Page
from ktrace.model.net.core.datagram import ReceiveShutdown, datagram_poll, skb_try_recv_from_queue, wait_for_more
from ktrace.model.net.core.page_frag import FRAGMENTS_FROM, fill_unseen
from ktrace.model.net.core.proto_ops import InMessage, OutMessage
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock import Socket, raise_sock_error, sk_peek_offset, sk_peek_offset_bwd, sock_orphan
from ktrace.model.net.core.sock_cmsg import sock_recv_cmsgs
from ktrace.model.net.core.sock_wait import sock_rcvtimeo
from ktrace.model.net.inet.datagram_connect import ip4_datagram_connect, udp_disconnect
from ktrace.model.net.inet.ip_append import make_skb
from ktrace.model.net.inet.ip_cmsg import ip_cmsg_recv, ip_cmsg_send
from ktrace.model.net.inet.ip_error import ip_local_error, ip_recv_error, pmtu, skb_errqueue_purge
from ktrace.model.net.inet.option import get_ip_option, set_ip_option
from ktrace.model.net.inet.route import ip_route_output_flow
from ktrace.model.net.inet.sock import Proto
from ktrace.model.net.inet.socket import PacketOps, inet_address, register, sockaddr_in
from ktrace.model.net.inet.udp import udp
from ktrace.model.net.inet.udp.option import get_udp_option, is_udp_level, set_udp_option
from ktrace.model.net.inet.udp.payload import (
    first_payload,
    new_skb,
    payload,
    shares_pages,
    udp_cmsg_send,
    wants_zerocopy,
)
from ktrace.model.net.inet.udp.udp import UDP4, UDP6, Pending, Udp, udp_sk
from ktrace.model.net.sockopt import int_option
from ktrace.model.task import Errno, Task
from ktrace.model.wait import MaySleep, Sleeps
from ktrace.state.call import Result
from ktrace.uapi.errno import EMSGSIZE
from ktrace.uapi.eventpoll import EPOLLIN, EPOLLRDNORM
from ktrace.uapi.fcntl import O_NONBLOCK
from ktrace.uapi.in_ import SIZEOF_SOCKADDR_IN
from ktrace.uapi.ip import SIZEOF_IPHDR
from ktrace.uapi.socket import (
    AF_INET,
    AF_UNSPEC,
    MSG_DONTWAIT,
    MSG_ERRQUEUE,
    MSG_MORE,
    MSG_OOB,
    MSG_PEEK,
    MSG_PROBE,
    MSG_TRUNC,
)
from ktrace.uapi.sockios import SIOCINQ, SIOCOUTQ
from ktrace.uapi.udp import SIZEOF_UDPHDR, UDP_CORK


class UdpProto(Proto[Udp]):
    """``udp_prot``."""

    sock = Udp

    def init(self, task: Task, sk: Udp) -> None:
        """``udp_init_sock()``."""
        assert sk.socket is not None
        sk.socket.flags.add("SOCK_SUPPORT_ZC")
        if task.kernel.changes.udp_custom_sockopt:
            sk.socket.flags.add("SOCK_CUSTOM_SOCKOPT")

    def connect(self, kernel: Kernel, sk: Udp, addr: bytes) -> None:
        """``ip4_datagram_connect()``."""
        ip4_datagram_connect(sk, addr, lambda: udp.udp_lib_rehash(kernel, sk))

    def get_port(self, kernel: Kernel, sk: Udp, port: int) -> None:
        """``udp_v4_get_port()``."""
        udp.udp_lib_get_port(kernel, sk, port)

    def close(self, task: Task, sk: Udp, timeout: int | None) -> None:
        """``udp_lib_close()``, ``sk_common_release()``."""
        udp.udp_lib_unhash(task.kernel, sk)
        sock_orphan(sk)
        skb_errqueue_purge(sk)

    def disconnect(self, kernel: Kernel, sk: Udp) -> None:
        """``__udp_disconnect()``."""
        udp_disconnect(sk, lambda: udp.udp_lib_rehash(kernel, sk), lambda: udp.udp_lib_unhash(kernel, sk))

    def sendmsg(self, task: Task, sk: Udp, msg: OutMessage) -> int:
        """``udp_sendmsg()``."""
        kernel = task.kernel
        length = msg.source.count
        if (sk.pending is not None or length > FRAGMENTS_FROM) and not shares_pages(sk, msg):
            fill_unseen(task)
        if length > IP_MAX_MTU:
            raise Errno("EMSGSIZE")
        if msg.flags & MSG_OOB:
            raise Errno("EOPNOTSUPP")
        more = bool(sk.corkflag or msg.flags & MSG_MORE)
        if sk.pending is not None and sk.pending.family != AF_INET:
            raise Errno("EINVAL")
        if sk.pending is None:
            daddr, dport = self._destination(sk, msg)
            udp_cmsg_send(msg)
            cookie = ip_cmsg_send(task, sk, msg, over_ipv6=sk.family == "AF_INET6")
            if msg.name is None and not msg.control and sk.dst_cached and sk.flow is not None:
                # A cached route spares the lookup: the packet goes where inet->cork.fl says.
                saddr, (daddr, dport) = sk.flow_saddr, sk.flow
            else:
                flow = ip_route_output_flow(sk, daddr, cookie.addr, cookie.oif)
                saddr, daddr = flow.saddr, flow.daddr
                sk.dst_cached = sk.dst_cached or (msg.name is None and not msg.control)
            if more:
                wants_zerocopy(task, sk, msg, more)
                sk.flow, sk.flow_saddr = (daddr, dport), saddr
            if length + SIZEOF_UDPHDR > IP_MAX_MTU - SIZEOF_IPHDR:
                ip_local_error(kernel, sk, EMSGSIZE, daddr, sk.dport, pmtu(sk))
                raise Errno("EMSGSIZE")
            if not more:
                self.may_send(sk)
                if msg.flags & MSG_PROBE:
                    return length  # ip_make_skb()
                skb = new_skb(task, sk, msg, UDP4)
                skb.hops, skb.own_tos, skb.own_mark = cookie.ttl or 0, cookie.tos, cookie.mark
                udp.transmit(kernel, sk, skb, saddr, daddr, dport)
                return length
            length = self.cork(kernel, sk, msg, AF_INET)
            assert sk.pending is not None
            udp.ip_setup_cork(sk, sk.pending, cookie, kernel.changes.cork_keeps_tos)
            return length
        if len(sk.pending.data) + length + SIZEOF_UDPHDR > IP_MAX_MTU - SIZEOF_IPHDR:
            assert sk.flow is not None
            ip_local_error(kernel, sk, EMSGSIZE, sk.flow[0], sk.dport, pmtu(sk))
            self.flush(kernel, sk)
            raise Errno("EMSGSIZE")
        return self.append(kernel, sk, msg, more)

    def cork(self, kernel: Kernel, sk: Udp, msg: OutMessage, family: int) -> int:
        """Hold the first piece of a message back (``ip_append_data()``)."""
        self.may_send(sk)
        shares = shares_pages(sk, msg)
        data = first_payload(kernel, sk, msg)
        skb = make_skb(kernel, data, room=UDP4 if family == AF_INET else UDP6, shared=shares)
        sk.pending = Pending(data, 0 if shares else len(data), skb.truesize, skb.data_len, family, mark=sk.mark)
        sk.wmem_alloc += skb.truesize
        return len(data)

    def append(self, kernel: Kernel, sk: Udp, msg: OutMessage, more: bool) -> int:
        """Add a piece to what is held back, and send it all unless *more* comes."""
        pending = sk.pending
        assert pending is not None
        length = msg.source.count
        try:
            pending.data += payload(sk, msg)
        except Errno:
            self.flush(kernel, sk)
            raise
        pending.charge += length
        pending.paged += length
        sk.wmem_alloc += length
        if not more:
            self.push(kernel, sk)
        return length

    def flush(self, kernel: Kernel, sk: Udp) -> None:
        """Free what was held back, which makes room (``udp_flush_pending_frames()``, ``sock_wfree()``)."""
        if sk.pending is not None:
            sk.wmem_alloc -= sk.pending.charge
            sk.pending = None
            sk.call_write_space(kernel)

    def push(self, kernel: Kernel, sk: Udp) -> None:
        """Send what was held back (``udp_push_pending_frames()``)."""
        pending = sk.pending
        if pending is not None:
            sk.wmem_alloc -= pending.charge
            sk.pending = None
            assert sk.flow is not None
            self.send_corked(kernel, sk, pending, *sk.flow)

    def send_corked(self, kernel: Kernel, sk: Udp, pending: Pending, daddr: str, dport: int) -> None:
        """Send a corked message (``udp_send_skb()``)."""
        skb = make_skb(kernel, pending.data, pending.first, room=UDP4)
        skb.hops, skb.own_tos, skb.own_mark = pending.ttl, pending.tos, pending.mark
        udp.transmit(kernel, sk, skb, sk.flow_saddr, daddr, dport, corked=True)

    def _destination(self, sk: Udp, msg: OutMessage) -> tuple[str, int]:
        if msg.name is None:
            if sk.state != "TCP_ESTABLISHED":
                raise Errno("EDESTADDRREQ")
            return sk.daddr, sk.dport
        if len(msg.name) < SIZEOF_SOCKADDR_IN:
            raise Errno("EINVAL")
        family, daddr, dport = inet_address(msg.name)
        if family not in (AF_INET, AF_UNSPEC):
            raise Errno("EAFNOSUPPORT")
        if dport == 0:
            raise Errno("EINVAL")
        return daddr, dport

    def may_send(self, sk: Udp) -> None:
        """``sock_alloc_send_pskb()``: nothing stays in the send buffer, so there is always room."""
        raise_sock_error(sk)
        if sk.shutdown & SEND_SHUTDOWN:
            raise Errno("EPIPE")

    def source_name(self, skb: SkBuff) -> bytes:
        """Return the sender's address as recvmsg() tells it."""
        assert skb.addr is not None
        return sockaddr_in(*skb.addr)

    def tell(self, sk: Udp, skb: SkBuff, msg: InMessage) -> None:
        """Deliver the control messages that the socket asks for (``ip_cmsg_recv_offset()``)."""
        ip_cmsg_recv(sk, skb, msg)

    def receive_error(self, kernel: Kernel, sk: Udp, msg: InMessage) -> int:
        """Receive from the error queue (``ip_recv_error()``)."""
        return ip_recv_error(kernel, sk, msg)

    def recvmsg(self, task: Task, sk: Udp, msg: InMessage, flags: int) -> Sleeps[int]:
        """``udp_recvmsg()``."""
        kernel = task.kernel
        if flags & MSG_ERRQUEUE:
            return self.receive_error(kernel, sk, msg)
        peeking = bool(flags & MSG_PEEK)
        try:
            skb, off = yield from self._receive(task, sk, flags)
        except ReceiveShutdown:
            return 0
        length = len(skb)
        copied = msg.destination.count
        if copied > length - off:
            copied = length - off
        elif copied < length:
            msg.flags |= MSG_TRUNC
        if msg.destination.copy(skb.data[off : off + copied]) < copied:
            raise Errno("EFAULT")
        sock_recv_cmsgs(kernel, sk, skb, msg)
        if msg.wants_name:
            msg.name = self.source_name(skb)
        self.tell(sk, skb, msg)
        answer = length if flags & MSG_TRUNC else copied
        sk_peek_offset_bwd(sk, -answer if peeking else answer)
        return answer

    def _receive(self, task: Task, sk: Udp, flags: int) -> Sleeps[tuple[SkBuff, int]]:
        """``__skb_recv_udp()``."""
        timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT)
        off = sk_peek_offset(sk, flags)
        while True:
            raise_sock_error(sk)
            for refill in (False, True):
                if refill:
                    if not sk.receive_queue:
                        break
                    udp.skb_queue_splice_tail_init(sk)
                found = skb_try_recv_from_queue(sk.reader_queue, flags, off)
                if found is not None:
                    if not flags & MSG_PEEK:
                        udp.udp_rmem_release(sk, found[0].truesize)
                    return found
            if not timeo:
                raise Errno("EAGAIN")
            yield from wait_for_more(task, sk, timeo, None)

    def poll(self, kernel: Kernel, sk: Udp) -> int:
        """``udp_poll()``, ``datagram_poll()``."""
        mask = datagram_poll(sk)
        if sk.reader_queue:
            mask |= EPOLLIN | EPOLLRDNORM
        waits = sk.socket is not None and sk.socket.file is not None and not sk.socket.file.f_flags & O_NONBLOCK
        if mask & EPOLLRDNORM and waits and not sk.shutdown & RCV_SHUTDOWN:
            udp.first_packet_length(sk)
        return mask

    def ioctl(self, kernel: Kernel, sk: Udp, cmd: int, arg: Any) -> Result:
        """``udp_ioctl()``."""
        if cmd == SIOCOUTQ:
            return Result(0, None, {"arg": sk.wmem_get()})
        if cmd == SIOCINQ:
            return Result(0, None, {"arg": max(0, udp.first_packet_length(sk))})
        raise Errno("ENOIOCTLCMD")

    def setsockopt(self, task: Task, sk: Udp, level: int, optname: int, optval: bytes) -> int:
        """``udp_setsockopt()``, ``udp_lib_setsockopt()``."""
        if not is_udp_level(task.kernel, level):
            return set_ip_option(task, sk, level, optname, optval)
        value = int_option(optval)
        if optname != UDP_CORK:
            return set_udp_option(sk, optname, value)
        sk.corkflag = value != 0
        if not value:
            self.push(task.kernel, sk)
        return 0

    def getsockopt(self, task: Task, sk: Udp, level: int, optname: int, optlen: int) -> bytes:
        """``udp_getsockopt()``, ``udp_lib_getsockopt()``."""
        if not is_udp_level(task.kernel, level):
            return get_ip_option(task.kernel, sk, level, optname, optlen)
        if optlen < 0:
            raise Errno("EINVAL")
        return get_udp_option(sk, optname)[:optlen]


class DgramOps(PacketOps):
    """``inet_dgram_ops``."""

    name = "inet_dgram_ops"

    def has_peek_off(self, kernel: Kernel) -> bool:
        """They have."""
        return True

    def set_peek_off(self, kernel: Kernel, sock: Socket, value: int) -> None:
        """``sk_set_peek_off()``."""
        udp_sk(sock.sk).peek_off = value

    def sendpage(self, task: Task, sock: Socket, page: Page, offset: int, size: int, flags: int) -> MaySleep[int]:
        """``udp_sendpage()``: copy it, and keep it for the next one where there is one."""
        more = MSG_MORE if flags & MSG_SENDPAGE_NOTLAST else 0
        return super().sendpage(task, sock, page, offset, size, flags | more)

    def splice_eof(self, kernel: Kernel, sock: Socket) -> None:
        """``inet_splice_eof()``, ``udp_splice_eof()``."""
        sk = udp_sk(sock.sk)
        if sk.pending is not None and not sk.corkflag:
            assert isinstance(sk.proto, UdpProto)
            sk.proto.push(kernel, sk)


UDP = UdpProto()
DGRAM_OPS = DgramOps()
register("udp_prot", UDP, DGRAM_OPS)
register("udplite_prot", UDP, DGRAM_OPS)
