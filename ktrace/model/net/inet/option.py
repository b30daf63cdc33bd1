"""Options of SOL_IP (``net/ipv4/ip_sockglue.c``)."""

from __future__ import annotations

import ipaddress
import struct
from typing import NoReturn

from ktrace.include.linux.types import u32
from ktrace.include.net.ip import INET_ECN_MASK, LOOPBACK_IFINDEX
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.proto_ops import in_range
from ktrace.model.net.inet.ip_multicast import change_membership, set_multicast_if
from ktrace.model.net.inet.route import dst_mtu
from ktrace.model.net.inet.sock import Inet
from ktrace.model.task import Errno, Task
from ktrace.uapi.in_ import (
    IP_ADD_MEMBERSHIP,
    IP_ADD_SOURCE_MEMBERSHIP,
    IP_BIND_ADDRESS_NO_PORT,
    IP_BLOCK_SOURCE,
    IP_CHECKSUM,
    IP_DROP_MEMBERSHIP,
    IP_DROP_SOURCE_MEMBERSHIP,
    IP_FREEBIND,
    IP_HDRINCL,
    IP_IPSEC_POLICY,
    IP_LOCAL_PORT_RANGE,
    IP_MINTTL,
    IP_MSFILTER,
    IP_MTU,
    IP_MTU_DISCOVER,
    IP_MULTICAST_ALL,
    IP_MULTICAST_IF,
    IP_MULTICAST_LOOP,
    IP_MULTICAST_TTL,
    IP_NODEFRAG,
    IP_OPTIONS,
    IP_PASSSEC,
    IP_PKTINFO,
    IP_PKTOPTIONS,
    IP_PMTUDISC_OMIT,
    IP_PMTUDISC_WANT,
    IP_PROTOCOL,
    IP_RECVERR,
    IP_RECVERR_RFC4884,
    IP_RECVFRAGSIZE,
    IP_RECVOPTS,
    IP_RECVORIGDSTADDR,
    IP_RECVTOS,
    IP_RECVTTL,
    IP_RETOPTS,
    IP_ROUTER_ALERT,
    IP_TOS,
    IP_TRANSPARENT,
    IP_TTL,
    IP_UNBLOCK_SOURCE,
    IP_UNICAST_IF,
    IP_XFRM_POLICY,
    IPPROTO_RAW,
    MCAST_BLOCK_SOURCE,
    MCAST_JOIN_GROUP,
    MCAST_JOIN_SOURCE_GROUP,
    MCAST_LEAVE_GROUP,
    MCAST_LEAVE_SOURCE_GROUP,
    MCAST_MSFILTER,
    MCAST_UNBLOCK_SOURCE,
)
from ktrace.uapi.ip import IPTOS_TOS_MASK
from ktrace.uapi.socket import SOCK_RAW, SOCK_STREAM, SOL_IP

TOS_PRIORITY = (0, 0, 0, 0, 2, 2, 2, 2, 6, 6, 6, 6, 4, 4, 4, 4)
"""``ip_tos2prio[]`` (``net/ipv4/route.c``)."""

IP_BITS = {
    IP_RECVERR: "recverr", IP_FREEBIND: "freebind", IP_BIND_ADDRESS_NO_PORT: "bind_address_no_port",
    IP_RECVERR_RFC4884: "recverr_rfc4884", IP_MULTICAST_LOOP: "mc_loop", IP_MULTICAST_ALL: "mc_all",
    IP_TRANSPARENT: "transparent", IP_HDRINCL: "hdrincl", IP_NODEFRAG: "nodefrag",
}  # fmt: skip
NEED_A_BYTE = (IP_FREEBIND, IP_MULTICAST_LOOP, IP_MULTICAST_ALL, IP_TTL, IP_MINTTL, IP_MULTICAST_TTL)
BYTES_NEEDED = {
    IP_ADD_MEMBERSHIP: 8, IP_DROP_MEMBERSHIP: 8, IP_MSFILTER: 16, IP_MULTICAST_IF: 4, MCAST_JOIN_GROUP: 136,
    MCAST_LEAVE_GROUP: 136, MCAST_MSFILTER: 144,
}  # fmt: skip
"""Sizes of the structures for multicast (``include/uapi/linux/in.h``); less is EINVAL."""

BYTES_EXACT = {
    IP_UNBLOCK_SOURCE: 12, IP_BLOCK_SOURCE: 12, IP_ADD_SOURCE_MEMBERSHIP: 12, IP_DROP_SOURCE_MEMBERSHIP: 12,
    MCAST_BLOCK_SOURCE: 264, MCAST_UNBLOCK_SOURCE: 264, MCAST_JOIN_SOURCE_GROUP: 264, MCAST_LEAVE_SOURCE_GROUP: 264,
    IP_UNICAST_IF: 4, IP_LOCAL_PORT_RANGE: 4,
}  # fmt: skip
MESSAGES = (
    IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, IP_RECVOPTS, IP_RETOPTS, IP_PASSSEC, IP_RECVORIGDSTADDR, IP_CHECKSUM,
    IP_RECVFRAGSIZE,
)  # fmt: skip
"""``inet_sock.cmsg_flags``: what recvmsg() tells of a datagram; streams take the flags and ignore them."""


def set_ip_option(task: Task, sk: Inet, level: int, optname: int, optval: bytes) -> int:
    """Set one option (``do_ip_setsockopt()``, without multicast routing and netfilter).

    :raises Errno: ENOPROTOOPT, EINVAL, EPERM, EPROTO, EADDRNOTAVAIL
    """
    if level != SOL_IP:
        raise Errno("ENOPROTOOPT")
    value: int = struct.unpack_from("<i", optval)[0] if len(optval) >= 4 else (optval[0] if optval else 0)
    if optname in (IP_HDRINCL, IP_NODEFRAG) and sk.type != SOCK_RAW:
        raise Errno("ENOPROTOOPT")
    if optname == IP_ROUTER_ALERT and (sk.type != SOCK_RAW or sk.inet_num == IPPROTO_RAW):
        raise Errno("EINVAL")
    if optname == IP_TRANSPARENT:
        if value and not (task.cred.capable("CAP_NET_RAW") or task.cred.capable("CAP_NET_ADMIN")):
            raise Errno("EPERM")
        if not optval:
            raise Errno("EINVAL")
    if optname in (IP_MULTICAST_TTL, IP_MULTICAST_IF) and sk.type == SOCK_STREAM:
        raise Errno("EINVAL")
    if optname in (IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP) and "is_icsk" in sk.bits:
        raise Errno("EPROTO")
    if not optval and optname in NEED_A_BYTE:
        raise Errno("EINVAL")
    if len(optval) < BYTES_NEEDED.get(optname, 0) or len(optval) != BYTES_EXACT.get(optname, len(optval)):
        raise Errno("EINVAL")
    if optname in (IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP):
        change_membership(sk, optval, optname == IP_ADD_MEMBERSHIP)
    elif optname == IP_MULTICAST_IF:
        set_multicast_if(sk, optval)
    elif optname in IP_BITS:
        _set_bit(sk, optname, value)
    elif optname in MESSAGES:
        _set_message(sk, optname, value)
    elif optname == IP_TOS:
        _set_tos(sk, value)
    else:
        _set_number(task, sk, optname, value)
    return 0


def _set_bit(sk: Inet, optname: int, value: int) -> None:
    if optname in (IP_RECVERR_RFC4884, IP_MULTICAST_ALL):
        in_range(value, 0, 1)
    if optname == IP_RECVERR and value and sk.type == SOCK_RAW:
        raise NotImplementedError("the model does not queue ICMP errors of raw sockets (raw_err())")
    if optname == IP_RECVERR and not value:
        # skb_errqueue_purge()
        sk.rmem_alloc -= sum(skb.truesize for skb in sk.error_queue)
        sk.error_queue.clear()
    if value:
        sk.bits.add(IP_BITS[optname])
    else:
        sk.bits.discard(IP_BITS[optname])


def _set_message(sk: Inet, optname: int, value: int) -> None:
    if optname == IP_RECVFRAGSIZE and sk.type == SOCK_STREAM:
        raise Errno("EINVAL")
    sk.options[SOL_IP, optname] = int(value != 0)


def _set_number(task: Task, sk: Inet, optname: int, value: int) -> None:
    if optname == IP_TTL:
        if value != -1:
            in_range(value, 1, 255)
        sk.uc_ttl = value
    elif optname == IP_MTU_DISCOVER:
        sk.options[SOL_IP, optname] = in_range(value, 0, IP_PMTUDISC_OMIT)
    elif optname == IP_MULTICAST_TTL:
        sk.options[SOL_IP, optname] = in_range(1 if value == -1 else value, 0, 255)
    elif optname == IP_MINTTL:
        if in_range(value, 0, 255) > 64:
            raise NotImplementedError("the model does not drop packets for their TTL")
        sk.options[SOL_IP, optname] = value
    elif optname == IP_UNICAST_IF:
        index = int.from_bytes(u32(value).to_bytes(4, "little"), "big")
        if index not in (0, LOOPBACK_IFINDEX):
            raise Errno("EADDRNOTAVAIL")
        if index and sk.bound_dev_if:
            raise Errno("EINVAL")
        sk.uc_index = index
        sk.options[SOL_IP, optname] = value
    elif optname in (IP_IPSEC_POLICY, IP_XFRM_POLICY):
        # xfrm_user_policy() without CONFIG_XFRM
        raise Errno("ENOPROTOOPT" if task.cred.capable("CAP_NET_ADMIN") else "EPERM")
    elif IP_OPTIONS <= optname <= IP_PROTOCOL and optname in (IP_OPTIONS, IP_ROUTER_ALERT, *BYTES_NEEDED, *BYTES_EXACT):
        raise NotImplementedError(f"the model does not know the SOL_IP option {optname}")
    else:
        raise Errno("ENOPROTOOPT")


def _set_tos(sk: Inet, value: int) -> None:
    """``__ip_sock_set_tos()``."""
    if sk.type == SOCK_STREAM:
        value = value & ~INET_ECN_MASK | sk.tos & INET_ECN_MASK
    if sk.tos != value:
        sk.tos = value & 0xFF
        sk.priority = TOS_PRIORITY[(value & IPTOS_TOS_MASK) >> 1]
        sk.dst_reset()


def get_ip_option(kernel: Kernel, sk: Inet, level: int, optname: int, optlen: int) -> bytes:
    """Return one option (``do_ip_getsockopt()``); a small number fits into one byte.

    :raises Errno: EOPNOTSUPP, EINVAL, ENOPROTOOPT
    """
    if level != SOL_IP:
        raise Errno("EOPNOTSUPP")
    if optlen < 0:
        raise Errno("EINVAL")
    if optname == IP_OPTIONS:
        return b""
    if optname == IP_MULTICAST_IF:
        return ipaddress.IPv4Address(sk.mc_addr).packed[:optlen]
    if optname in IP_BITS:
        value = int(IP_BITS[optname] in sk.bits)
    elif optname == IP_TTL:
        value = sk.uc_ttl if sk.uc_ttl != -1 else kernel.net.setting("ipv4/ip_default_ttl")
    elif optname == IP_TOS:
        value = sk.tos
    elif optname == IP_PROTOCOL:
        value = sk.inet_num
    elif optname == IP_MTU:
        if not _has_route(sk):
            raise Errno("ENOTCONN")
        value = dst_mtu(sk)
    elif optname in MESSAGES or optname in IP_NUMBERS:
        value = sk.options.get((SOL_IP, optname), IP_NUMBERS.get(optname, 0))
    else:
        _refuse(sk, optname, optlen)
    if 0 < optlen < 4 and 0 <= value <= 255:
        return bytes([value])
    return struct.pack("<i", value)[:optlen]


def _has_route(sk: Inet) -> bool:
    """Tell whether a socket keeps a route (``sk_dst_get()``); a stream does from ``connect()`` on."""
    if sk.type != SOCK_STREAM:
        return sk.dst_cached
    if sk.state == "TCP_CLOSE" and sk.daddr != "0.0.0.0":
        raise NotImplementedError("the model does not know the route of a connection that has ended")
    return sk.state not in ("TCP_CLOSE", "TCP_LISTEN")


IP_NUMBERS = {
    IP_MTU_DISCOVER: IP_PMTUDISC_WANT,
    IP_MULTICAST_TTL: 1,
    IP_MINTTL: 0,
    IP_UNICAST_IF: 0,
    IP_LOCAL_PORT_RANGE: 0,
}
"""Options that are a number, with what they are at first (``inet_create()``)."""


def _refuse(sk: Inet, optname: int, optlen: int) -> NoReturn:
    if optname in (IP_MSFILTER, MCAST_MSFILTER) and optlen < BYTES_NEEDED[optname]:
        raise Errno("EINVAL")
    if optname in (IP_MSFILTER, MCAST_MSFILTER) or (optname == IP_PKTOPTIONS and sk.type == SOCK_STREAM):
        raise NotImplementedError(f"the model does not know the SOL_IP option {optname}")
    raise Errno("ENOPROTOOPT")
