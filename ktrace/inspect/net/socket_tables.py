"""Read the tables of families and protocols that ``socket()`` searches (``net/socket.c``, ``net/ipv4/af_inet.c``)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import drgn

from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import Layout, layout_of
from ktrace.inspect.lib.list import for_each_list_node
from ktrace.inspect.members import offset_of
from ktrace.inspect.memory import Place
from ktrace.inspect.remembered import Remembered
from ktrace.state.net.facts import ProtocolSwitch
from ktrace.state.net.socket_tables import TABLES, Family, SocketTables

INET_PROTOSW = {1: "INET_PROTOSW_REUSE", 2: "INET_PROTOSW_PERMANENT", 4: "INET_PROTOSW_ICSK"}
"""``include/net/protocol.h``."""

TABLE_OF: Mapping[str, str | None] = {
    "net_families": None, "sock_mnt": None, "inetsw": "inet_create", "inet_protos": "inet_create",
    "inetsw6": "inet6_create", "inet6_protos": "inet6_create",
}  # fmt: skip
"""Each table with the function that reads it, of a part of the kernel that may be configured out: one that has the
function has the table as well, maybe under another name."""

MAX_ENTRIES = 1 << 10
MAX_INETPROTOS = 256


class TablesReader:
    """Read ``net_families[]``, ``inetsw[]``, ``inet_protos[]`` and their like.

    :raises UsageError: a kernel has no such table, and yet what reads it
    """

    def __init__(self, kernel: LiveKernel) -> None:
        self.kernel = kernel
        prog = kernel.prog
        self.family = layout_of(prog, "struct net_proto_family", "family", "create")
        self.switch = layout_of(prog, "struct inet_protosw", "type", "protocol", "prot", "ops", "flags", "list.next")
        self.switch_list = offset_of(prog, "struct inet_protosw", "list")
        self.protocol = layout_of(prog, "struct net_protocol", "handler")
        self.protocol6 = layout_of(prog, "struct inet6_protocol", "handler")
        self.mount = layout_of(prog, "struct vfsmount", "mnt_sb")
        self.super_block = layout_of(prog, "struct super_block", "s_type", "s_op")
        self.fs_type = layout_of(prog, "struct file_system_type", "name")
        self._tables = {
            name: (int(kernel.variable(name).address_ or 0), drgn.sizeof(kernel.variable(name)))
            for name, reader in TABLE_OF.items()
            if reader is None or kernel.has_symbol(name) or kernel.has_symbol(reader)
        }
        self._places: list[Place] = []
        self._remembered: Remembered[SocketTables] = Remembered()

    def observe(self, observation: Observation) -> None:
        """Add the tables."""
        if TABLES not in observation.objects:
            observation.objects[TABLES] = self.read()

    def read(self) -> SocketTables:
        """Return the tables, decoded anew once a byte of them or of what they point at has changed."""
        known = self._remembered.find(self.kernel.memory, TABLES)
        if known is not None:
            return known
        self._places = []
        tables = self._decode({name: self._bytes(*place) for name, place in self._tables.items()})
        return self._remembered.keep(TABLES, tables, self._places)

    def _bytes(self, address: int, size: int) -> bytes:
        """Read what the tables depend on."""
        data = self.kernel.memory.read(address, size)
        self._places.append((address, data))
        return data

    def _members(self, layout: Layout, address: int) -> Any:
        """Return the members of a structure that the tables depend on."""
        return layout.unpack_span(self._bytes(address + layout.start, layout.span), 0)

    def _decode(self, raw: dict[str, bytes]) -> SocketTables:
        families = {
            number: self._family(address) for number, address in enumerate(_pointers(raw["net_families"])) if address
        }
        switches = {name: self._switch(name, raw[name]) if name in raw else {} for name in ("inetsw", "inetsw6")}
        protos = self._protocols(raw.get("inet_protos", b""), self.protocol)
        protos6 = self._protocols(raw.get("inet6_protos", b""), self.protocol6)
        return SocketTables(
            net_families=families,
            inetsw=switches["inetsw"],
            inetsw6=switches["inetsw6"],
            inet_protos=protos,
            inet6_protos=protos6,
            sock_mnt=self._mount(_pointers(raw["sock_mnt"])[0]),
        )

    def _family(self, address: int) -> Family:
        found = self._members(self.family, address)
        return Family(family=found.family, create=self.kernel.symbol(found.create))

    def _switch(self, name: str, raw: bytes) -> dict[int, tuple[ProtocolSwitch, ...]]:
        """Return every list that is not empty, in lookup order (``list_for_each_entry_rcu()``)."""
        memory, start = self.kernel.memory, self._tables[name][0]
        found = {}
        for number in range(len(raw) // 16):
            head = start + 16 * number
            if struct.unpack_from("<Q", raw, 16 * number)[0] != head:
                nodes = for_each_list_node(memory, head, f"{name}[{number}]", MAX_ENTRIES)
                found[number] = tuple(self._entry(node - self.switch_list) for node in nodes)
        return found

    def _entry(self, address: int) -> ProtocolSwitch:
        found = self._members(self.switch, address)
        symbol = self.kernel.symbol
        flags = tuple(name for bit, name in INET_PROTOSW.items() if found.flags & bit)
        return ProtocolSwitch(
            type=found.type,
            protocol=found.protocol,
            prot=symbol(found.prot),
            ops=symbol(found.ops),
            flags=flags,
        )

    def _protocols(self, raw: bytes, layout: Layout) -> dict[int, str]:
        return {
            number: self.kernel.symbol(self._members(layout, address).handler)
            for number, address in enumerate(_pointers(raw)[:MAX_INETPROTOS])
            if address
        }

    def _mount(self, address: int) -> str:
        super_block = self._members(self.super_block, self._members(self.mount, address).mnt_sb)
        name = self._members(self.fs_type, super_block.s_type).name
        text = drgn.Object(self.kernel.prog, "char *", value=name).string_().decode("ascii", "replace")
        return f"{text}, {self.kernel.symbol(super_block.s_op)}"


def _pointers(raw: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(raw) // 8}Q", raw)
