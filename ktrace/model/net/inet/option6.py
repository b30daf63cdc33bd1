"""Options of SOL_IPV6 (``net/ipv6/ipv6_sockglue.c``), and what they add to messages (``net/ipv6/datagram.c``)."""

from __future__ import annotations

import ipaddress
import struct
from typing import Any

from ktrace.include.linux.types import u32
from ktrace.include.net.ip import INET_ECN_MASK, LOOPBACK_IFINDEX
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.proto_ops import InMessage, OutMessage, in_range
from ktrace.model.net.core.scm import for_each_cmsghdr, put_cmsg
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock_cmsg import cmsg_bytes, sock_cmsg_send
from ktrace.model.net.inet.addr6 import ANY6, LOOPBACK6, is_ipv6, mapped_v4, v4mapped
from ktrace.model.net.inet.option import get_ip_option, set_ip_option
from ktrace.model.net.inet.route import dst_mtu
from ktrace.model.net.inet.sock import DEFAULT_HOPS, Inet
from ktrace.model.task import Errno, Task
from ktrace.uapi.in6 import (
    IPV6_2292DSTOPTS,
    IPV6_2292HOPLIMIT,
    IPV6_2292HOPOPTS,
    IPV6_2292PKTINFO,
    IPV6_2292PKTOPTIONS,
    IPV6_2292RTHDR,
    IPV6_ADD_MEMBERSHIP,
    IPV6_ADDR_PREFERENCES,
    IPV6_ADDRFORM,
    IPV6_AUTOFLOWLABEL,
    IPV6_DONTFRAG,
    IPV6_DROP_MEMBERSHIP,
    IPV6_DSTOPTS,
    IPV6_FLOWINFO,
    IPV6_FLOWINFO_SEND,
    IPV6_FLOWLABEL_MGR,
    IPV6_FREEBIND,
    IPV6_HOPLIMIT,
    IPV6_HOPOPTS,
    IPV6_IPSEC_POLICY,
    IPV6_JOIN_ANYCAST,
    IPV6_LEAVE_ANYCAST,
    IPV6_MINHOPCOUNT,
    IPV6_MTU,
    IPV6_MTU_DISCOVER,
    IPV6_MULTICAST_ALL,
    IPV6_MULTICAST_HOPS,
    IPV6_MULTICAST_IF,
    IPV6_MULTICAST_LOOP,
    IPV6_PATHMTU,
    IPV6_PKTINFO,
    IPV6_PMTUDISC_OMIT,
    IPV6_PREFER_SRC_HOME,
    IPV6_PREFER_SRC_PUBTMP_DEFAULT,
    IPV6_RECVDSTOPTS,
    IPV6_RECVERR,
    IPV6_RECVERR_RFC4884,
    IPV6_RECVFRAGSIZE,
    IPV6_RECVHOPLIMIT,
    IPV6_RECVHOPOPTS,
    IPV6_RECVORIGDSTADDR,
    IPV6_RECVPATHMTU,
    IPV6_RECVPKTINFO,
    IPV6_RECVRTHDR,
    IPV6_RECVTCLASS,
    IPV6_ROUTER_ALERT,
    IPV6_ROUTER_ALERT_ISOLATE,
    IPV6_RTHDR,
    IPV6_RTHDRDSTOPTS,
    IPV6_TCLASS,
    IPV6_TRANSPARENT,
    IPV6_UNICAST_HOPS,
    IPV6_UNICAST_IF,
    IPV6_V6ONLY,
    IPV6_XFRM_POLICY,
)
from ktrace.uapi.in_ import IPPROTO_TCP, IPPROTO_UDP, MCAST_JOIN_GROUP, MCAST_MSFILTER
from ktrace.uapi.ipv6 import IPV6_MIN_MTU, SIZEOF_IN6_PKTINFO
from ktrace.uapi.socket import (
    AF_INET,
    AF_INET6,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    SOL_IP,
    SOL_IPV6,
    SOL_SOCKET,
)

RXOPT = {
    IPV6_RECVPKTINFO: "rxinfo",
    IPV6_2292PKTINFO: "rxoinfo",
    IPV6_RECVHOPLIMIT: "rxhlim",
    IPV6_2292HOPLIMIT: "rxohlim",
    IPV6_RECVRTHDR: "srcrt",
    IPV6_2292RTHDR: "osrcrt",
    IPV6_RECVHOPOPTS: "hopopts",
    IPV6_2292HOPOPTS: "ohopopts",
    IPV6_RECVDSTOPTS: "dstopts",
    IPV6_2292DSTOPTS: "odstopts",
    IPV6_RECVTCLASS: "rxtclass",
    IPV6_FLOWINFO: "rxflow",
    IPV6_RECVPATHMTU: "rxpmtu",
    IPV6_RECVORIGDSTADDR: "rxorigdstaddr",
    IPV6_RECVFRAGSIZE: "recvfragsize",
}
"""Options that are one bit of ``np->rxopt``."""

TOLD = ("rxinfo", "rxhlim", "rxtclass", "srcrt", "hopopts", "dstopts", "rxpmtu", "recvfragsize")
"""Those of which the model knows what they add to a message: nothing, for packets without such headers."""

IPV6_BITS = {
    IPV6_RECVERR: "recverr", IPV6_FLOWINFO_SEND: "sndflow", IPV6_MULTICAST_LOOP: "mc_loop",
    IPV6_MULTICAST_ALL: "mc_all", IPV6_RECVERR_RFC4884: "recverr_rfc4884", IPV6_DONTFRAG: "dontfrag",
    IPV6_ROUTER_ALERT_ISOLATE: "rtalert_isolate", IPV6_AUTOFLOWLABEL: "autoflowlabel",
}  # fmt: skip
"""Options that are one bit of ``struct ipv6_pinfo``."""

IPV6_INET_BITS = {IPV6_TRANSPARENT: "transparent", IPV6_FREEBIND: "freebind"}
SHORT = (IPV6_DONTFRAG, IPV6_AUTOFLOWLABEL, IPV6_RECVFRAGSIZE)
"""Options that do not ask for a whole int."""

IPV6_UNMODELLED = {
    IPV6_2292PKTOPTIONS, IPV6_ADD_MEMBERSHIP, IPV6_DROP_MEMBERSHIP, IPV6_ROUTER_ALERT, IPV6_JOIN_ANYCAST,
    IPV6_LEAVE_ANYCAST, IPV6_FLOWLABEL_MGR, IPV6_PKTINFO, IPV6_HOPOPTS, IPV6_RTHDRDSTOPTS, IPV6_RTHDR, IPV6_DSTOPTS,
    IPV6_ADDR_PREFERENCES, *range(MCAST_JOIN_GROUP, MCAST_MSFILTER + 1),
}  # fmt: skip


def set_ipv6_option(task: Task, sk: Inet, level: int, optname: int, optval: bytes) -> int:
    """Set one option (``ipv6_setsockopt()``, ``do_ipv6_setsockopt()``).

    :raises Errno: ENOPROTOOPT, EINVAL, EPERM, ENOTCONN, EADDRNOTAVAIL, EBUSY, ENODEV
    """
    if level == SOL_IP and sk.type != SOCK_RAW:
        return set_ip_option(task, sk, level, optname, optval)
    if level != SOL_IPV6:
        raise Errno("ENOPROTOOPT")
    whole = len(optval) >= 4
    value: int = struct.unpack_from("<i", optval)[0] if whole else 0
    trusted = task.cred.capable("CAP_NET_RAW") or task.cred.capable("CAP_NET_ADMIN")
    if optname == IPV6_TRANSPARENT and value and not trusted:
        raise Errno("EPERM")
    if optname in (IPV6_MULTICAST_HOPS, IPV6_MULTICAST_IF) and sk.type == SOCK_STREAM:
        raise Errno("ENOPROTOOPT")
    if optname in (IPV6_IPSEC_POLICY, IPV6_XFRM_POLICY):
        # xfrm_user_policy() without CONFIG_XFRM
        raise Errno("ENOPROTOOPT" if task.cred.capable("CAP_NET_ADMIN") else "EPERM")
    if optname in IPV6_UNMODELLED:
        raise NotImplementedError(f"the model does not know the SOL_IPV6 option {optname}")
    if (optname not in SHORT and optname in KNOWN and not whole) or (optname == IPV6_UNICAST_IF and len(optval) != 4):
        raise Errno("EINVAL")
    if optname in RXOPT:
        _set_rxopt(sk, RXOPT[optname], value)
    elif optname in IPV6_INET_BITS:
        _put(sk.bits, IPV6_INET_BITS[optname], value)
    elif optname in IPV6_BITS:
        _set_bit(sk, optname, value)
    elif optname == IPV6_V6ONLY:
        if sk.inet_num:
            raise Errno("EINVAL")
        sk.ipv6only = value != 0
    elif optname == IPV6_ADDRFORM:
        _addrform(sk, value)
    else:
        _set_number(sk, optname, value)
    return 0


def _put(names: set[str], name: str, on: Any) -> None:
    if on:
        names.add(name)
    else:
        names.discard(name)


def _set_rxopt(sk: Inet, name: str, value: int) -> None:
    if value and name not in TOLD and sk.type != SOCK_STREAM:
        raise NotImplementedError(f"the model does not know what {name} adds to messages")
    _put(sk.np.rxopt, name, value)


def _set_bit(sk: Inet, optname: int, value: int) -> None:
    if optname in (IPV6_MULTICAST_LOOP, IPV6_RECVERR_RFC4884):
        in_range(value, 0, 1)
    if optname == IPV6_RECVERR and value and not sk.prot.startswith(("tcp", "udp")):
        raise NotImplementedError("the model does not queue ICMP errors of raw and ping sockets (ipv6_icmp_error())")
    if optname == IPV6_RECVERR and not value:
        # skb_queue_purge()
        sk.rmem_alloc -= sum(skb.truesize for skb in sk.error_queue)
        sk.error_queue.clear()
    _put(sk.np.bits, IPV6_BITS[optname], value)
    if optname == IPV6_AUTOFLOWLABEL:
        sk.np.bits.add("autoflowlabel_set")


def _set_number(sk: Inet, optname: int, value: int) -> None:
    np = sk.np
    if optname == IPV6_UNICAST_HOPS:
        np.hop_limit = in_range(value, -1, 255)
    elif optname == IPV6_MULTICAST_HOPS:
        np.mcast_hops = 1 if in_range(value, -1, 255) == -1 else value
    elif optname == IPV6_TCLASS:
        value = max(in_range(value, -1, 255), 0)
        if sk.type == SOCK_STREAM:
            value = value & ~INET_ECN_MASK | np.tclass & INET_ECN_MASK
        if np.tclass != value:
            np.tclass = value
            sk.dst_reset()
    elif optname == IPV6_MTU_DISCOVER:
        np.pmtudisc = in_range(value, 0, IPV6_PMTUDISC_OMIT)
    elif optname == IPV6_MTU:
        if value and value < IPV6_MIN_MTU:
            raise Errno("EINVAL")
        if value and sk.type != SOCK_STREAM:
            raise NotImplementedError("the model does not cut IPv6 packets into fragments")
        np.frag_size = u32(value)
    elif optname == IPV6_MINHOPCOUNT:
        if in_range(value, 0, 255) > DEFAULT_HOPS:
            raise NotImplementedError("the model does not drop packets for their hop limit")
        np.min_hopcount = value
    elif optname == IPV6_MULTICAST_IF:
        if value not in (0, LOOPBACK_IFINDEX):
            raise Errno("ENODEV")
        np.mcast_oif = value
    elif optname == IPV6_UNICAST_IF:
        index = int.from_bytes(u32(value).to_bytes(4, "little"), "big")
        if index not in (0, LOOPBACK_IFINDEX):
            raise Errno("EADDRNOTAVAIL")
        if index and sk.bound_dev_if:
            raise Errno("EINVAL")
        np.ucast_oif = index
    else:
        raise Errno("ENOPROTOOPT")


def _addrform(sk: Inet, value: int) -> None:
    """Turn a connection over IPv4 into an AF_INET one."""
    if value != AF_INET:
        raise Errno("EINVAL")
    if sk.type == SOCK_RAW or sk.protocol not in (IPPROTO_TCP, IPPROTO_UDP):
        raise Errno("ENOPROTOOPT")
    if sk.corked_over_ipv6():
        raise Errno("EBUSY")
    if sk.state != "TCP_ESTABLISHED":
        raise Errno("ENOTCONN")
    if sk.ipv6only or mapped_v4(sk.v6_daddr) is None:
        raise Errno("EADDRNOTAVAIL")
    sk.proto.become_ipv4(sk)
    sk.family = "AF_INET"
    sk.np.rxopt.clear()


IPV6_NUMBERS = (
    IPV6_UNICAST_HOPS, IPV6_MULTICAST_HOPS, IPV6_TCLASS, IPV6_MTU_DISCOVER, IPV6_MTU, IPV6_MINHOPCOUNT,
    IPV6_MULTICAST_IF, IPV6_UNICAST_IF, IPV6_V6ONLY, IPV6_ADDRFORM,
)  # fmt: skip
KNOWN = {*RXOPT, *IPV6_BITS, *IPV6_INET_BITS, *IPV6_NUMBERS}


def get_ipv6_option(kernel: Kernel, sk: Inet, level: int, optname: int, optlen: int) -> bytes:
    """Return one option (``ipv6_getsockopt()``, ``do_ipv6_getsockopt()``).

    :raises Errno: ENOPROTOOPT, ENOTCONN
    """
    if level == SOL_IP and sk.type != SOCK_RAW:
        return get_ip_option(kernel, sk, level, optname, optlen)
    if level != SOL_IPV6:
        raise Errno("ENOPROTOOPT")
    if optname in (IPV6_HOPOPTS, IPV6_RTHDRDSTOPTS, IPV6_RTHDR, IPV6_DSTOPTS):
        return b""
    value = _value(sk, optname)
    # min_t(unsigned int, sizeof(int), len)
    return struct.pack("<I", u32(value))[: optlen if 0 <= optlen < 4 else 4]


def _value(sk: Inet, optname: int) -> int:
    np = sk.np
    if optname in RXOPT:
        return int(RXOPT[optname] in np.rxopt)
    if optname == IPV6_AUTOFLOWLABEL and "autoflowlabel_set" not in np.bits:
        return 1  # ip6_default_np_autolabel() with IP6_AUTO_FLOW_LABEL_OPTOUT
    if optname in IPV6_BITS:
        return int(IPV6_BITS[optname] in np.bits)
    if optname in IPV6_INET_BITS:
        return int(IPV6_INET_BITS[optname] in sk.bits)
    if optname == IPV6_ADDRFORM:
        if sk.protocol not in (IPPROTO_TCP, IPPROTO_UDP):
            raise Errno("ENOPROTOOPT")
        if sk.state != "TCP_ESTABLISHED":
            raise Errno("ENOTCONN")
        return AF_INET6
    if optname == IPV6_MTU:
        if sk.type == SOCK_STREAM:
            raise NotImplementedError("the model does not know when TCP drops its route")
        if not sk.dst_cached:
            raise Errno("ENOTCONN")
        return dst_mtu(sk)
    values = {
        IPV6_V6ONLY: int(sk.ipv6only),
        IPV6_UNICAST_HOPS: np.hop_limit if np.hop_limit >= 0 else DEFAULT_HOPS,
        IPV6_MULTICAST_HOPS: np.mcast_hops if np.mcast_hops >= 0 else DEFAULT_HOPS,
        IPV6_TCLASS: np.tclass,
        IPV6_MTU_DISCOVER: np.pmtudisc,
        IPV6_MINHOPCOUNT: np.min_hopcount,
        IPV6_MULTICAST_IF: np.mcast_oif,
        IPV6_UNICAST_IF: int.from_bytes(np.ucast_oif.to_bytes(4, "big"), "little"),
        IPV6_ADDR_PREFERENCES: IPV6_PREFER_SRC_PUBTMP_DEFAULT | IPV6_PREFER_SRC_HOME,
    }
    if optname in values:
        return values[optname]
    if optname in (IPV6_2292PKTOPTIONS, IPV6_PATHMTU, IPV6_FLOWLABEL_MGR, MCAST_MSFILTER):
        raise NotImplementedError(f"the model does not know the SOL_IPV6 option {optname}")
    raise Errno("ENOPROTOOPT")


def ip6_datagram_send_ctl(task: Task, sk: Inet, msg: OutMessage, oif: int = 0) -> str:
    """Act on control messages, and return the source address that IPV6_PKTINFO asks for, ``::`` for any.

    :param oif: the device that is chosen already
    :raises Errno: EINVAL, ENODEV
    :raises NotImplementedError: other SOL_IPV6 messages, where they are well formed
    """
    saddr = ANY6
    for message in for_each_cmsghdr(msg):
        kind, data = message["cmsg_type"], message["cmsg_data"]
        if message["cmsg_level"] == SOL_SOCKET and sock_cmsg_send(task, message) is not None:
            raise NotImplementedError("the model does not know marks of IPv6 packets")
        if message["cmsg_level"] != SOL_IPV6:
            continue
        if kind in (IPV6_PKTINFO, IPV6_2292PKTINFO):
            saddr, oif = _in6_pktinfo(sk, cmsg_bytes(data), oif)
        elif kind in WITH_NUMBER:
            low, high = WITH_NUMBER[kind]
            if len(cmsg_bytes(data)) != 4 or not low <= struct.unpack("<i", cmsg_bytes(data))[0] <= high:
                raise Errno("EINVAL")
            raise NotImplementedError(f"the model does not know what the SOL_IPV6 message {kind} changes")
        else:
            raise NotImplementedError(f"the model does not know the SOL_IPV6 message {kind}")
    return saddr


WITH_NUMBER = {IPV6_HOPLIMIT: (-1, 255), IPV6_2292HOPLIMIT: (-1, 255), IPV6_TCLASS: (-1, 255), IPV6_DONTFRAG: (0, 1)}
"""Messages that hold an int, and between what it must be."""


def _in6_pktinfo(sk: Inet, data: bytes, oif: int) -> tuple[str, int]:
    """Return source address and device of a ``struct in6_pktinfo``."""
    if len(data) < SIZEOF_IN6_PKTINFO:
        raise Errno("EINVAL")
    address, index = str(ipaddress.IPv6Address(data[:16])), struct.unpack_from("<i", data, 16)[0]
    if index:
        if oif and index != oif:
            raise Errno("EINVAL")
        oif = index
    if oif and oif != LOOPBACK_IFINDEX:
        raise Errno("ENODEV")
    if not oif and ipaddress.IPv6Address(data[:16]).is_link_local:
        raise Errno("EINVAL")
    if address not in (ANY6, LOOPBACK6) and not {"freebind", "transparent"} & sk.bits:
        raise Errno("EINVAL")  # ipv6_chk_addr_and_flags()
    return address, oif


def ip6_datagram_recv_ctl(sk: Inet, skb: SkBuff, msg: InMessage) -> None:
    """Deliver the control messages that the socket asks for (``ip6_datagram_recv_ctl()``).

    ``ip6_datagram_recv_common_ctl()``, ``ip6_datagram_recv_specific_ctl()``.
    """
    if sk.pinet6 is None or sk.type not in (SOCK_DGRAM, SOCK_RAW):
        return
    rxopt = sk.pinet6.rxopt
    wide = is_ipv6(skb.daddr)
    if "rxinfo" in rxopt:
        address = ipaddress.IPv6Address(skb.daddr if wide else v4mapped(skb.daddr)).packed
        put_cmsg(msg, SOL_IPV6, IPV6_PKTINFO, address + struct.pack("<I", LOOPBACK_IFINDEX))
    if wide and "rxhlim" in rxopt:
        put_cmsg(msg, SOL_IPV6, IPV6_HOPLIMIT, struct.pack("<i", skb.hops))
    if wide and "rxtclass" in rxopt:
        put_cmsg(msg, SOL_IPV6, IPV6_TCLASS, struct.pack("<i", skb.tos))
