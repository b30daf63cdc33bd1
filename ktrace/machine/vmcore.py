"""A guest's memory as an ELF core file, which crash, drgn and gdb open; and back again.

The layout is that of ``/proc/vmcore`` (``fs/proc/vmcore.c``, ``include/linux/crash_core.h``): a note with the CPU's
registers, the VMCOREINFO note, and segments by physical and virtual address. A note of our own says who the actors are.
"""

from __future__ import annotations

import json
import mmap
import struct
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ktrace.errors import UsageError
from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.output_file import can_have_holes, output_file
from ktrace.uapi.elf import EM_X86_64, ET_CORE, NT_PRSTATUS, PT_LOAD, PT_NOTE

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_NOTE = struct.Struct("<III")
_IDENT = b"\x7fELF\x02\x01\x01" + bytes(9)
_CORE, _VMCOREINFO, _OURS = "CORE", "VMCOREINFO", "KTRACE"
_BLOCK = 1 << 16

_REGISTERS = (
    "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi", "orig_rax",
    "rip", "cs", "rfl", "rsp", "ss", "fs_base", "gs_base", "ds", "es", "fs", "gs",
)  # fmt: skip
"""``struct user_regs_struct`` (``arch/x86/include/asm/user_64.h``)."""
_BEFORE_REGISTERS, _AFTER_REGISTERS = 112, 8
"""Bytes of ``struct elf_prstatus`` around them (``include/linux/elfcore.h``)."""


_FORMERLY = {"actors": "living", "ever": "names_by_pid"}
"""What our note calls its members in files that were written under other names."""


class Memory(Protocol):
    """Guest RAM from physical address 0 on."""

    @property
    def size(self) -> int:
        """Bytes."""

    def read(self, address: int, size: int) -> bytes:
        """Return *size* bytes at physical *address*."""


@dataclass(frozen=True)
class CoreNotes:
    """What a core file says besides the memory.

    :param vmcoreinfo: text of the kernel's own note
    :param registers: of the CPU (see ``machine.registers``)
    :param image, title: what the guest ran; empty where another program wrote the file
    :param living: pids of the actors that live, by name; *names_by_pid*: of all that ever lived
    :param addresses: where objects are, by their names in the session (``pipe:pipe1``)
    """

    vmcoreinfo: bytes
    registers: Mapping[str, int] = field(default_factory=dict)
    image: str = ""
    title: str = ""
    living: Mapping[str, int] = field(default_factory=dict)
    names_by_pid: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, int] = field(default_factory=dict)


def write_vmcore(path: Path, memory: Memory, segments: Mapping[int, int], notes: CoreNotes) -> None:
    """Write the file; a regular one has holes where memory is zero.

    :param segments: what is mapped where: physical by virtual address, each to the end of RAM
    :raises HostError: it cannot be written
    """
    prstatus = bytes(_BEFORE_REGISTERS) + struct.pack(
        f"<{len(_REGISTERS)}Q", *(notes.registers.get(name, 0) for name in _REGISTERS)
    )
    ours = {name: value for name, value in asdict(notes).items() if name not in ("vmcoreinfo", "registers")}
    noted = (
        _note(_CORE, NT_PRSTATUS, prstatus + bytes(_AFTER_REGISTERS))
        + _note(_VMCOREINFO, 0, notes.vmcoreinfo)
        + _note(_OURS, 0, json.dumps(ours).encode())
    )
    begin = _HEADER.size + _SEGMENT.size * (len(segments) + 1)
    data = begin + len(noted) + -(begin + len(noted)) % PAGE_SIZE
    ident = _HEADER.pack(
        _IDENT, ET_CORE, EM_X86_64, 1, 0, _HEADER.size, 0, 0, _HEADER.size, _SEGMENT.size, len(segments) + 1, 0, 0, 0
    )
    table = _SEGMENT.pack(PT_NOTE, 0, begin, 0, 0, len(noted), len(noted), 4)
    for virtual, physical in segments.items():
        length = memory.size - physical
        table += _SEGMENT.pack(PT_LOAD, 7, data + physical, virtual, physical, length, length, PAGE_SIZE)
    with output_file(path) as file:
        holes = can_have_holes(file)
        file.write((ident + table + noted).ljust(data, b"\0"))
        for start in range(0, memory.size, _BLOCK):
            block = memory.read(start, min(_BLOCK, memory.size - start))
            if not holes:
                file.write(block)
            elif block.count(0) != len(block):
                file.seek(data + start)
                file.write(block)
        if holes:
            file.truncate(data + memory.size)


def _note(name: str, kind: int, content: bytes) -> bytes:
    label = name.encode() + b"\0"
    return (
        _NOTE.pack(len(label), len(content), kind) + label + bytes(-len(label) % 4) + content + bytes(-len(content) % 4)
    )


def is_core(path: Path) -> bool:
    """Tell whether *path* is an ELF core file."""
    try:
        with path.open("rb") as file:
            head = file.read(18)
    except OSError:
        return False
    return head[:4] == b"\x7fELF" and head[16:18] == ET_CORE.to_bytes(2, "little")


class Vmcore:
    """A core file opened for reading.

    :ivar size: bytes of RAM
    :ivar notes: what it says besides
    :raises UsageError: it is no vmcore of an x86-64 kernel
    """

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
            header = _HEADER.unpack_from(self._map)
            entries = [
                _SEGMENT.unpack_from(self._map, header[5] + index * _SEGMENT.size) for index in range(header[10])
            ]
            self.notes = self._read_notes(entries)
        except (OSError, ValueError, struct.error, TypeError) as error:
            raise UsageError(
                f"cannot read {str(path)!r}: {error}", "give an ELF vmcore: ktrace dump -o FILE"
            ) from error
        loaded = {entry[4]: (entry[2], entry[5]) for entry in entries if entry[0] == PT_LOAD}
        if not self.notes.vmcoreinfo or not loaded:
            raise UsageError(f"{str(path)!r} has no VMCOREINFO, or no memory", "it is no kernel's core file")
        self._ranges = sorted((physical, offset, length) for physical, (offset, length) in loaded.items())
        self.size = max(physical + length for physical, _, length in self._ranges)

    def read(self, address: int, size: int) -> bytes:
        """Return *size* bytes at physical *address*.

        :raises ValueError: they are not in the file
        """
        for physical, offset, length in self._ranges:
            if physical <= address and address + size <= physical + length:
                start = offset + address - physical
                return self._map[start : start + size]
        raise ValueError(f"{size} bytes at physical {address:#x} are not in the core file")

    def _read_notes(self, entries: list[tuple[int, ...]]) -> CoreNotes:
        vmcoreinfo, registers, ours = b"", {}, dict[str, Any]()
        for entry in entries:
            if entry[0] != PT_NOTE:
                continue
            for name, kind, content in _notes(self._map[entry[2] : entry[2] + entry[5]]):
                if name == _VMCOREINFO:
                    vmcoreinfo = content
                elif name == _OURS:
                    ours = json.loads(content)
                elif name == _CORE and kind == NT_PRSTATUS:
                    values = struct.unpack_from(f"<{len(_REGISTERS)}Q", content, _BEFORE_REGISTERS)
                    registers = dict(zip(_REGISTERS, values, strict=True))
        return CoreNotes(vmcoreinfo, registers, **{_FORMERLY.get(name, name): value for name, value in ours.items()})


def _notes(data: bytes) -> Iterator[tuple[str, int, bytes]]:
    at = 0
    while at + _NOTE.size <= len(data):
        name_size, size, kind = _NOTE.unpack_from(data, at)
        start = at + _NOTE.size + name_size + -name_size % 4
        name = data[at + _NOTE.size : at + _NOTE.size + name_size].rstrip(b"\0").decode("ascii", "replace")
        yield name, kind, data[start : start + size]
        at = start + size + -size % 4
