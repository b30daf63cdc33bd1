"""``raw_prot``, ``ping_prot`` and ``inet_sockraw_ops`` (``net/ipv4/raw.c``)."""

from __future__ import annotations

import struct
from typing import Any

from ktrace.include.net.ip import IP_DF, IP_MAX_MTU
from ktrace.include.net.sock import SEND_SHUTDOWN
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.datagram import datagram_poll
from ktrace.model.net.core.page_frag import FRAGMENTS_FROM, fill_unseen
from ktrace.model.net.core.proto_ops import InMessage, OutMessage
from ktrace.model.net.core.sock import raise_sock_error, sock_orphan
from ktrace.model.net.inet.addr4 import ANY
from ktrace.model.net.inet.datagram_connect import ip4_datagram_connect, udp_disconnect
from ktrace.model.net.inet.ip_append import HH_LEN, Room, make_skb
from ktrace.model.net.inet.ip_cmsg import ip_cmsg_send
from ktrace.model.net.inet.ip_error import ip_local_error, pmtu, skb_errqueue_purge
from ktrace.model.net.inet.ip_input import Raw, raw_hash, send
from ktrace.model.net.inet.ip_packet import (
    IPHDR_FREE,
    IPHDR_SUMMED,
    IpPacket,
    df_and_ident,
    ip_header,
    packed,
    with_checksum,
)
from ktrace.model.net.inet.option import get_ip_option, set_ip_option
from ktrace.model.net.inet.raw.ping import PingProto
from ktrace.model.net.inet.raw.receive import recv_packet
from ktrace.model.net.inet.route import LOOPBACK_MTU, Flow, ip_route_output_flow
from ktrace.model.net.inet.sock import Proto
from ktrace.model.net.inet.socket import PacketOps, address_type, inet_address, not_local, register
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps
from ktrace.state.call import Result
from ktrace.uapi.errno import EMSGSIZE
from ktrace.uapi.icmp import ICMP_FILTER
from ktrace.uapi.in_ import IPPROTO_ICMP, SIZEOF_SOCKADDR_IN
from ktrace.uapi.ip import SIZEOF_IPHDR
from ktrace.uapi.socket import AF_INET, MSG_MORE, MSG_OOB, MSG_PROBE, SOL_RAW
from ktrace.uapi.sockios import SIOCINQ, SIOCOUTQ

RAW4 = Room(SIZEOF_IPHDR, HH_LEN, HH_LEN + 15)


class RawProto(Proto[Raw]):
    """``raw_prot``."""

    sock = Raw
    wide = False
    has_bind = True

    def init(self, task: Task, sk: Raw) -> None:
        """``raw_hash_sk()``, which ``inet_create()`` calls for it, and ``raw_sk_init()``."""
        if sk.inet_num:
            sk.flags.add("SOCK_RCU_FREE")
            raw_hash(task.kernel, self.wide).insert(0, sk)

    def unhash(self, kernel: Kernel, sk: Raw) -> None:
        """``raw_unhash_sk()``."""
        table = raw_hash(kernel, self.wide)
        if sk in table:
            table.remove(sk)

    def close(self, task: Task, sk: Raw, timeout: int | None) -> None:
        """``raw_close()``, ``sk_common_release()``."""
        self.unhash(task.kernel, sk)
        sock_orphan(sk)
        skb_errqueue_purge(sk)

    def bind(self, task: Task, sk: Raw, addr: bytes) -> int:
        """``raw_bind()``."""
        if sk.state != "TCP_CLOSE" or len(addr) < SIZEOF_SOCKADDR_IN:
            raise Errno("EINVAL")
        address = inet_address(addr)[1]
        kind = address_type(address)
        if kind == "RTN_UNICAST" and not_local(task.kernel, sk, "ipv4/ip_nonlocal_bind"):
            raise Errno("EADDRNOTAVAIL")
        sk.rcv_saddr = sk.saddr = address
        if kind in ("RTN_MULTICAST", "RTN_BROADCAST"):
            sk.saddr = ANY
        sk.dst_cached = False
        return 0

    def connect(self, kernel: Kernel, sk: Raw, addr: bytes) -> None:
        """``ip4_datagram_connect()``."""
        ip4_datagram_connect(sk, addr, lambda: None)

    def disconnect(self, kernel: Kernel, sk: Raw) -> None:
        """``__udp_disconnect()``: the sock gets nothing any more."""
        udp_disconnect(sk, lambda: None, lambda: self.unhash(kernel, sk))

    def sendmsg(self, task: Task, sk: Raw, msg: OutMessage) -> int:
        """``raw_sendmsg()``."""
        kernel = task.kernel
        length = msg.source.count
        if length > IP_MAX_MTU:
            raise Errno("EMSGSIZE")
        if msg.flags & MSG_OOB:
            raise Errno("EOPNOTSUPP")
        if msg.name is not None:
            if len(msg.name) < SIZEOF_SOCKADDR_IN:
                raise Errno("EINVAL")
            family, daddr, _ = inet_address(msg.name)
            if family not in (0, AF_INET):
                raise Errno("EAFNOSUPPORT")
        else:
            if sk.state != "TCP_ESTABLISHED":
                raise Errno("EDESTADDRREQ")
            daddr = sk.daddr
        cookie = ip_cmsg_send(task, sk, msg)
        hdrincl = "hdrincl" in sk.bits
        probed = b""
        if not hdrincl and sk.protocol == IPPROTO_ICMP:
            # raw_probe_proto_opt()
            probed = msg.source.copy(2)
            if len(probed) < 2:
                raise Errno("EFAULT")
        flow = ip_route_output_flow(sk, daddr, cookie.addr, cookie.oif)
        saddr, daddr = flow.saddr, flow.daddr
        if hdrincl:
            self._send_hdrinc(kernel, sk, msg, flow)
            return length
        if msg.flags & MSG_MORE:
            raise NotImplementedError("the model does not cork raw sockets")
        if length > IP_MAX_MTU - SIZEOF_IPHDR:
            ip_local_error(kernel, sk, EMSGSIZE, daddr, sk.dport, pmtu(sk))
            raise Errno("EMSGSIZE")
        if msg.flags & MSG_PROBE:
            return length  # ip_append_data(), ip6_append_data()
        if length > FRAGMENTS_FROM:
            fill_unseen(task)
        data = probed + msg.source.copy_all()
        skb = make_skb(kernel, data, room=RAW4)
        hops, tos = cookie.limits(sk, daddr)
        packet = IpPacket(saddr, daddr, sk.protocol, data, skb.truesize, skb.data_len, hops, tos)
        frag_off, loose = df_and_ident(sk)
        packet.header, packet.mark = ip_header(packet, frag_off), sk.mark if cookie.mark is None else cookie.mark
        if loose:
            packet.free, packet.summed = IPHDR_FREE, IPHDR_SUMMED
        send(kernel, packet, sk)
        return length

    def _send_hdrinc(self, kernel: Kernel, sk: Raw, msg: OutMessage, flow: Flow) -> None:
        """Send a packet whose header user space made (``raw_send_hdrinc()``)."""
        length = msg.source.count
        if length > LOOPBACK_MTU:
            raise Errno("EMSGSIZE")
        if length < SIZEOF_IPHDR:
            raise Errno("EINVAL")
        raise_sock_error(sk)
        if sk.shutdown & SEND_SHUTDOWN:
            raise Errno("EPIPE")
        try:
            data = msg.source.copy_all()
            size = (data[0] & 0xF) * 4
            if not SIZEOF_IPHDR <= size <= length:
                raise Errno("EINVAL")
        except Errno:
            sk.call_write_space(kernel)  # its buffer is freed (sock_wfree())
            raise
        if data[0] >> 4 != 4 or size != SIZEOF_IPHDR or struct.unpack_from(">H", data, 6)[0] & 0x3FFF:
            raise NotImplementedError("the model does not receive odd IPv4 headers, options or fragments made by hand")
        source = data[12:16] if any(data[12:16]) else packed(flow.saddr)
        header = data[:2] + struct.pack(">H", length) + data[4:10] + bytes(2) + source + data[16:20]
        header = with_checksum(header, 10)
        alloc = kernel.net.alloc
        # It is received by the route of the call, wherever its header says that it goes.
        packet = IpPacket(
            _dotted(source), _dotted(data[16:20]), data[9], data[size:], alloc.truesize(length + HH_LEN + 15), 0,
            data[8], data[1], header,
        )  # fmt: skip
        packet.routed = flow.daddr
        if not any(data[4:6]) and not data[6] & IP_DF >> 8:
            packet.free, packet.summed = IPHDR_FREE, IPHDR_SUMMED
        send(kernel, packet, sk)

    def recvmsg(self, task: Task, sk: Raw, msg: InMessage, flags: int) -> Sleeps[int]:
        """``raw_recvmsg()``."""
        return recv_packet(task, sk, msg, flags)

    def poll(self, kernel: Kernel, sk: Raw) -> int:
        """``datagram_poll()``."""
        return datagram_poll(sk)

    def ioctl(self, kernel: Kernel, sk: Raw, cmd: int, arg: Any) -> Result:
        """``raw_ioctl()``."""
        if cmd == SIOCOUTQ:
            return Result(0, None, {"arg": sk.wmem_get()})
        if cmd == SIOCINQ:
            return Result(0, None, {"arg": len(sk.receive_queue[0]) if sk.receive_queue else 0})
        raise Errno("ENOIOCTLCMD")

    def setsockopt(self, task: Task, sk: Raw, level: int, optname: int, optval: bytes) -> int:
        """``raw_setsockopt()``, ``do_raw_setsockopt()``."""
        if level != SOL_RAW:
            return set_ip_option(task, sk, level, optname, optval)
        if optname != ICMP_FILTER:
            raise Errno("ENOPROTOOPT")
        if sk.inet_num != IPPROTO_ICMP:
            raise Errno("EOPNOTSUPP")
        kept = sk.filter.to_bytes(4, "little")
        sk.filter = int.from_bytes(optval[:4] + kept[len(optval) :], "little")
        return 0

    def getsockopt(self, task: Task, sk: Raw, level: int, optname: int, optlen: int) -> bytes:
        """``raw_getsockopt()``, ``do_raw_getsockopt()``."""
        if level != SOL_RAW:
            return get_ip_option(task.kernel, sk, level, optname, optlen)
        if optname != ICMP_FILTER:
            raise Errno("ENOPROTOOPT")
        if sk.inet_num != IPPROTO_ICMP:
            raise Errno("EOPNOTSUPP")
        if optlen < 0:
            raise Errno("EINVAL")
        return sk.filter.to_bytes(4, "little")[:optlen]


def _dotted(data: bytes) -> str:
    return ".".join(map(str, data))


class RawOps(PacketOps):
    """``inet_sockraw_ops``."""

    name = "inet_sockraw_ops"


RAW_OPS = RawOps()
register("raw_prot", RawProto(), RAW_OPS)
register("ping_prot", PingProto(), RAW_OPS)
