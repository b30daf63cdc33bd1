"""Socket addresses: as dicts in calls and results, as bytes in the kernel (``struct sockaddr_*``)."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Mapping
from typing import Any

from ktrace.uapi.socket import AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX

_V4MAPPED = bytes(10) + b"\xff\xff"
_WHOLE = {AF_INET: 8, AF_INET6: 28, AF_NETLINK: 12, AF_PACKET: 12}


def ipv6_text(packed: bytes) -> str:
    """Return an IPv6 address as people write it, one that stands for an IPv4 address with dots."""
    if packed[:12] == _V4MAPPED:
        return f"::ffff:{ipaddress.IPv4Address(packed[12:])}"
    return str(ipaddress.IPv6Address(packed))


def pack(addr: Mapping[str, Any]) -> bytes:
    """Return the bytes of a socket address; their number is the usual addrlen."""
    family = addr["sa_family"]
    head = struct.pack("<H", family & 0xFFFF)
    if "sa_data" in addr:
        return head + bytes(addr["sa_data"])
    if family == AF_UNIX:
        path = bytes(addr["sun_path"])
        # unix(7): a pathname is followed by NUL, an abstract name is not, an unnamed one has no byte.
        return head + path + (b"\0" if path and path[0] else b"")
    if family == AF_INET:
        packed = ipaddress.IPv4Address(addr["sin_addr"]).packed
        return head + struct.pack(">H4s8x", addr["sin_port"] & 0xFFFF, packed)
    if family == AF_INET6:
        packed = ipaddress.IPv6Address(addr["sin6_addr"]).packed
        middle = struct.pack(">HI16s", addr["sin6_port"] & 0xFFFF, addr["sin6_flowinfo"], packed)
        return head + middle + struct.pack("<I", addr["sin6_scope_id"])
    if family == AF_NETLINK:
        return head + struct.pack("<2xII", addr["nl_pid"] & 0xFFFFFFFF, addr["nl_groups"])
    if family == AF_PACKET:
        lladdr = bytes(addr["sll_addr"])
        return (
            head
            + struct.pack(">H", addr["sll_protocol"])
            + struct.pack("<iHBB", addr["sll_ifindex"], addr["sll_hatype"], addr["sll_pkttype"], len(lladdr))
            + lladdr.ljust(8, b"\0")
        )
    return head


def unpack(data: bytes) -> dict[str, Any] | None:
    """Return the address in *data*, which may be cut off anywhere; ``None`` where there is none."""
    if len(data) < 2:
        return None
    family = struct.unpack_from("<H", data)[0]
    if family == AF_UNIX:
        path = data[2:]
        return {"sa_family": family, "sun_path": path.split(b"\0", 1)[0] if path[:1] != b"\0" else path}
    if len(data) < _WHOLE.get(family, 1 << 30):
        return {"sa_family": family, "sa_data": data[2:]}
    if family == AF_INET:
        port, packed = struct.unpack_from(">H4s", data, 2)
        return {"sa_family": family, "sin_port": port, "sin_addr": str(ipaddress.IPv4Address(packed))}
    if family == AF_INET6:
        port, flow, packed = struct.unpack_from(">HI16s", data, 2)
        return {
            "sa_family": family,
            "sin6_port": port,
            "sin6_flowinfo": flow,
            "sin6_addr": ipv6_text(packed),
            "sin6_scope_id": struct.unpack_from("<I", data, 24)[0],
        }
    if family == AF_NETLINK:
        pid, groups = struct.unpack_from("<II", data, 4)
        return {"sa_family": family, "nl_pid": pid, "nl_groups": groups}
    protocol = struct.unpack_from(">H", data, 2)[0]
    ifindex, hatype, pkttype, halen = struct.unpack_from("<iHBB", data, 4)
    return {
        "sa_family": family,
        "sll_protocol": protocol,
        "sll_ifindex": ifindex,
        "sll_hatype": hatype,
        "sll_pkttype": pkttype,
        "sll_addr": data[12 : 12 + halen],
    }
