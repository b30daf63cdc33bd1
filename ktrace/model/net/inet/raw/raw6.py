"""``rawv6_prot``, ``pingv6_prot`` and ``inet6_sockraw_ops`` (``net/ipv6/raw.c``)."""

from __future__ import annotations

import struct

from ktrace.include.net.ip import LOOPBACK_IFINDEX
from ktrace.include.net.ipv6 import IPV6_MAXPLEN, SIN6_LEN_RFC2133
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.page_frag import FRAGMENTS_FROM, fill_unseen
from ktrace.model.net.core.proto_ops import OutMessage
from ktrace.model.net.inet.addr4 import ANY
from ktrace.model.net.inet.addr6 import (
    ANY6,
    LOOPBACK4_IPV6,
    LOOPBACK6,
    inet6_address,
    is_multicast,
    mapped_v4,
    needs_scope_id,
)
from ktrace.model.net.inet.datagram_connect import ip6_datagram_connect_v6_only
from ktrace.model.net.inet.ip_append import HH_LEN, Room, make_skb
from ktrace.model.net.inet.ip_input import Raw, send
from ktrace.model.net.inet.ip_packet import IpPacket, ones_sum, pseudo_header
from ktrace.model.net.inet.option6 import get_ipv6_option, ip6_datagram_send_ctl, set_ipv6_option
from ktrace.model.net.inet.raw.ping import Ping6Proto
from ktrace.model.net.inet.raw.raw import RawOps, RawProto
from ktrace.model.net.inet.route import LOOPBACK_MTU, route6
from ktrace.model.net.inet.socket import not_local, register
from ktrace.model.net.inet.socket6 import Inet6Ops
from ktrace.model.net.sockopt import int_option
from ktrace.model.task import Errno, Task
from ktrace.uapi.icmpv6 import ICMPV6_FILTER, SIZEOF_ICMP6_FILTER
from ktrace.uapi.in6 import IPPROTO_ICMPV6, IPPROTO_MH, IPV6_CHECKSUM, IPV6_HDRINCL, SIZEOF_SOCKADDR_IN6
from ktrace.uapi.in_ import IPPROTO_RAW, IPPROTO_UDP
from ktrace.uapi.ipv6 import SIZEOF_IPV6HDR
from ktrace.uapi.socket import AF_INET6, MSG_MORE, MSG_OOB, MSG_PROBE, SOL_ICMPV6, SOL_IPV6, SOL_RAW

CHECKSUM_AT = {IPPROTO_ICMPV6: 2, IPPROTO_MH: 4}
"""Where the checksum stands in packets of protocols that have one."""

RAW6 = Room(SIZEOF_IPV6HDR, HH_LEN + 8, HH_LEN + 8)


class Raw6Proto(RawProto):
    """``rawv6_prot``."""

    wide = True

    def init(self, task: Task, sk: Raw) -> None:
        """``rawv6_init_sk()``: the kernel puts the checksums of ICMPv6 and of mobility headers in."""
        super().init(task, sk)
        if sk.inet_num in CHECKSUM_AT:
            sk.checksum, sk.offset = 1, CHECKSUM_AT[sk.inet_num]

    def bind(self, task: Task, sk: Raw, addr: bytes) -> int:
        """``rawv6_bind()``."""
        if len(addr) < SIN6_LEN_RFC2133:
            raise Errno("EINVAL")
        family, address, _, _, scope = inet6_address(addr)
        if family != AF_INET6:
            raise Errno("EINVAL")
        if mapped_v4(address) is not None:
            raise Errno("EADDRNOTAVAIL")
        if sk.state != "TCP_CLOSE":
            raise Errno("EINVAL")
        if address != ANY6:
            if needs_scope_id(address):
                if len(addr) >= SIZEOF_SOCKADDR_IN6 and scope:
                    sk.bound_dev_if = scope
                if not sk.bound_dev_if:
                    raise Errno("EINVAL")
            if sk.bound_dev_if not in (0, LOOPBACK_IFINDEX):
                raise Errno("ENODEV")
            foreign = not is_multicast(address) and address != LOOPBACK6
            if foreign and not_local(task.kernel, sk, "ipv6/ip_nonlocal_bind"):
                raise Errno("EADDRNOTAVAIL")
        sk.rcv_saddr = sk.saddr = ANY if address == ANY6 else LOOPBACK4_IPV6
        sk.v6_rcv_saddr = address
        if not is_multicast(address):
            sk.np.saddr = address
        return 0

    def connect(self, kernel: Kernel, sk: Raw, addr: bytes) -> None:
        """``ip6_datagram_connect_v6_only()``."""
        ip6_datagram_connect_v6_only(kernel, sk, addr)

    def sendmsg(self, task: Task, sk: Raw, msg: OutMessage) -> int:
        """``rawv6_sendmsg()``."""
        kernel = task.kernel
        length = msg.source.count
        if msg.flags & MSG_OOB:
            raise Errno("EOPNOTSUPP")
        daddr, protocol = self._destination(sk, msg)
        source = ip6_datagram_send_ctl(task, sk, msg, sk.bound_dev_if) if msg.control else ANY6
        hdrincl = "hdrincl" in sk.bits
        probed = b""
        if not hdrincl and protocol == IPPROTO_ICMPV6:
            # rawv6_probe_proto_opt()
            probed = msg.source.copy(2)
            if len(probed) < 2:
                raise Errno("EFAULT")
        daddr = LOOPBACK6 if daddr == ANY6 else daddr
        saddr = route6(sk.np.saddr if source == ANY6 else source, daddr)
        if hdrincl:
            raise NotImplementedError("the model does not send IPv6 packets whose header was made by hand")
        if msg.flags & MSG_MORE:
            raise NotImplementedError("the model does not cork raw sockets")
        if length > IPV6_MAXPLEN:
            raise Errno("EMSGSIZE")
        if length > LOOPBACK_MTU - SIZEOF_IPV6HDR:
            raise NotImplementedError("the model does not cut IPv6 packets into fragments")
        if msg.flags & MSG_PROBE:
            return length  # ip_append_data(), ip6_append_data()
        if length > FRAGMENTS_FROM:
            fill_unseen(task)
        data = self._with_checksum(sk, saddr, daddr, protocol, probed + msg.source.copy_all())
        skb = make_skb(kernel, data, room=RAW6)
        hops, tos = sk.hop_limit(daddr)
        packet = IpPacket(saddr, daddr, protocol, data, skb.truesize, skb.data_len, hops, tos, by_hand=True)
        packet.mark = sk.mark
        send(kernel, packet, sk)
        return length

    def _destination(self, sk: Raw, msg: OutMessage) -> tuple[str, int]:
        if msg.name is None:
            if sk.state != "TCP_ESTABLISHED":
                raise Errno("EDESTADDRREQ")
            return sk.v6_daddr, sk.inet_num
        if len(msg.name) < SIN6_LEN_RFC2133:
            raise Errno("EINVAL")
        family, daddr, port, _, _ = inet6_address(msg.name)
        if family not in (0, AF_INET6):
            raise Errno("EAFNOSUPPORT")
        protocol = port or sk.inet_num
        if protocol != sk.inet_num and sk.inet_num != IPPROTO_RAW:
            raise Errno("EINVAL")
        if protocol > IPPROTO_RAW:
            raise Errno("EINVAL")
        return daddr, protocol

    def _with_checksum(self, sk: Raw, saddr: str, daddr: str, protocol: int, data: bytes) -> bytes:
        """Put a checksum in where the sock wants one (``rawv6_push_pending_frames()``).

        What stands there is taken out of the sum first.
        """
        if not sk.checksum:
            return data
        at = sk.offset
        if at >= len(data) - 1:
            raise Errno("EINVAL")
        blank = data[:at] + bytes(2) + data[at + 2 :]
        total = ones_sum(pseudo_header(saddr, daddr, protocol, len(data)) + blank)
        value = ~total & 0xFFFF
        if value == 0 and protocol == IPPROTO_UDP:
            value = 0xFFFF
        return data[:at] + struct.pack(">H", value) + data[at + 2 :]

    def setsockopt(self, task: Task, sk: Raw, level: int, optname: int, optval: bytes) -> int:
        """``rawv6_setsockopt()``, ``do_rawv6_setsockopt()``."""
        if level == SOL_ICMPV6:
            if sk.inet_num != IPPROTO_ICMPV6:
                raise Errno("EOPNOTSUPP")
            if optname != ICMPV6_FILTER:
                raise Errno("ENOPROTOOPT")
            kept = sk.filter.to_bytes(SIZEOF_ICMP6_FILTER, "little")
            given = optval[:SIZEOF_ICMP6_FILTER]
            sk.filter = int.from_bytes(given + kept[len(given) :], "little")
            return 0
        if level != SOL_RAW and (level != SOL_IPV6 or optname not in (IPV6_CHECKSUM, IPV6_HDRINCL)):
            return set_ipv6_option(task, sk, level, optname, optval)
        value = int_option(optval)
        if optname == IPV6_HDRINCL:
            if value:
                sk.bits.add("hdrincl")
            else:
                sk.bits.discard("hdrincl")
        elif optname == IPV6_CHECKSUM:
            if (sk.inet_num == IPPROTO_ICMPV6 and level == SOL_IPV6) or (value > 0 and value & 1):
                raise Errno("EINVAL")
            sk.checksum = int(value >= 0)
            if value >= 0:
                sk.offset = value
        else:
            raise Errno("ENOPROTOOPT")
        return 0

    def getsockopt(self, task: Task, sk: Raw, level: int, optname: int, optlen: int) -> bytes:
        """``rawv6_getsockopt()``, ``do_rawv6_getsockopt()``."""
        if level == SOL_ICMPV6:
            if sk.inet_num != IPPROTO_ICMPV6:
                raise Errno("EOPNOTSUPP")
            if optname != ICMPV6_FILTER:
                raise Errno("ENOPROTOOPT")
            if optlen < 0:
                raise Errno("EINVAL")
            return sk.filter.to_bytes(SIZEOF_ICMP6_FILTER, "little")[:optlen]
        if level != SOL_RAW and (level != SOL_IPV6 or optname not in (IPV6_CHECKSUM, IPV6_HDRINCL)):
            return get_ipv6_option(task.kernel, sk, level, optname, optlen)
        if optname == IPV6_HDRINCL:
            value = int("hdrincl" in sk.bits)
        elif optname == IPV6_CHECKSUM:
            value = sk.offset if sk.checksum else -1
        else:
            raise Errno("ENOPROTOOPT")
        return struct.pack("<i", value)[: optlen if 0 <= optlen < 4 else 4]


class Raw6Ops(Inet6Ops, RawOps):
    """``inet6_sockraw_ops``."""

    name = "inet6_sockraw_ops"


RAW6_OPS = Raw6Ops()
register("rawv6_prot", Raw6Proto(), RAW6_OPS)
register("pingv6_prot", Ping6Proto(), RAW6_OPS)
