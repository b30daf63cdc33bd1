"""The tables that ``socket()`` goes by: families, ``inetsw[]``, the protocols above IP, sockfs."""

from __future__ import annotations

from collections.abc import Mapping

from ktrace.state.net.facts import ProtocolSwitch
from ktrace.state.quick import dataclass
from ktrace.state.ref import Ref

TABLES = Ref("net", "tables")
"""What they are called in a World: they are there as soon as there is a socket."""


@dataclass(frozen=True, slots=True)
class Family:
    """A ``struct net_proto_family``.

    :param create: symbol of its ``create`` function
    """

    family: int
    create: str


@dataclass(frozen=True, slots=True)
class SocketTables:
    """What is registered (``net/socket.c``, ``net/ipv4/af_inet.c``, ``net/ipv4/protocol.c``).

    :param net_families: ``net_families[]`` by address family
    :param inetsw: ``inetsw[]`` by type, each list in lookup order; *inetsw6* likewise
    :param inet_protos: symbol of the ``handler`` by IP protocol; *inet6_protos* likewise
    :param sock_mnt: file system and operations of the mount that sockets' inodes are on
    """

    net_families: Mapping[int, Family]
    inetsw: Mapping[int, tuple[ProtocolSwitch, ...]]
    inetsw6: Mapping[int, tuple[ProtocolSwitch, ...]]
    inet_protos: Mapping[int, str]
    inet6_protos: Mapping[int, str]
    sock_mnt: str
