"""IPv6 addresses as the kernel tells them apart (``include/net/ipv6.h``, ``net/ipv6/addrconf_core.c``)."""

from __future__ import annotations

import ipaddress
import struct

from ktrace.state.net.sockaddr import ipv6_text, pack
from ktrace.uapi.in6 import SIZEOF_SOCKADDR_IN6
from ktrace.uapi.socket import AF_INET6

ANY6, LOOPBACK6, MAPPED_ANY = "::", "::1", "::ffff:0.0.0.0"
LOOPBACK4_IPV6 = "127.0.0.6"
"""What stands in the IPv4 members of a sock whose address has no IPv4 equivalent (``include/net/ipv6.h``)."""

_MAPPED = "::ffff:"


def inet6_address(data: bytes) -> tuple[int, str, int, int, int]:
    """Return family, address, port, flow information and scope of a ``struct sockaddr_in6``."""
    port, flow, packed = struct.unpack_from(">HI16s", data, 2)
    scope = struct.unpack_from("<I", data, 24)[0] if len(data) >= SIZEOF_SOCKADDR_IN6 else 0
    return int.from_bytes(data[:2], "little"), ipv6_text(packed), port, flow, scope


def sockaddr_in6(address: str, port: int, flow: int = 0, scope: int = 0) -> bytes:
    """Return the bytes of a ``struct sockaddr_in6``."""
    return pack(
        {"sa_family": AF_INET6, "sin6_port": port, "sin6_flowinfo": flow, "sin6_addr": address, "sin6_scope_id": scope}
    )


def v4mapped(address: str) -> str:
    """Return the IPv6 form of an IPv4 address (``ipv6_addr_set_v4mapped()``)."""
    return _MAPPED + address


def mapped_v4(address: str) -> str | None:
    """Return the IPv4 address in an IPv6 one, ``None`` where there is none (``ipv6_addr_v4mapped()``)."""
    return address[len(_MAPPED) :] if address.startswith(_MAPPED) and "." in address else None


def is_ipv6(address: str) -> bool:
    """Tell whether *address* is one that travels in IPv6 packets."""
    return ":" in address


def is_multicast(address: str) -> bool:
    """``IPV6_ADDR_MULTICAST``."""
    return address.startswith("ff") and ":" in address


def is_link_local(address: str) -> bool:
    """``IPV6_ADDR_LINKLOCAL``: fe80::/10."""
    return address != ANY6 and ipaddress.IPv6Address(address).is_link_local


def needs_scope_id(address: str) -> bool:
    """Tell whether an interface must be named with *address* (``__ipv6_addr_needs_scope_id()``)."""
    return is_link_local(address) or (is_multicast(address) and address[3:4] in ("1", "2"))
