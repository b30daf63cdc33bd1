"""What an ELF file needs to be run (``include/uapi/linux/elf.h``), read without what reads DWARF."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from ktrace.uapi.elf import (
    DT_NEEDED,
    DT_STRTAB,
    EM_386,
    EM_AARCH64,
    EM_ARM,
    EM_RISCV,
    EM_X86_64,
    ET_DYN,
    ET_EXEC,
    PT_DYNAMIC,
    PT_INTERP,
    PT_LOAD,
)

MAGIC = b"\x7fELF"
_MACHINES = {EM_386: "i386", EM_ARM: "ARM", EM_X86_64: "x86-64", EM_AARCH64: "AArch64", EM_RISCV: "RISC-V"}
_CLASS64_LITTLE = b"\2\1"
_E_TYPE_MACHINE = struct.Struct("<16xHH")
_E_PHOFF = struct.Struct("<32xQ")
_E_PHENTSIZE_E_PHNUM = struct.Struct("<54xHH")
_PHDR = struct.Struct("<I4xQQ8xQ")
_DYN = struct.Struct("<qQ")
_EHDR_SIZE = 64
_NAME_BYTES = 4096


@dataclass(frozen=True)
class Elf:
    """An ELF file.

    :param what: what it is, for people, without an article
    :param runs: whether an x86-64 kernel can execute it, or map it as a library
    :param interpreter: path of the loader that it asks for; ``""``: none
    :param needed: names of the libraries that it is linked with
    """

    what: str
    runs: bool
    interpreter: str = ""
    needed: tuple[str, ...] = ()


def read_elf(path: str) -> Elf | None:
    """Read what an ELF file needs; ``None`` where it is none.

    :raises OSError: it cannot be read
    """
    with open(path, "rb") as file:
        head = file.read(_EHDR_SIZE)
        if not head.startswith(MAGIC) or len(head) < _EHDR_SIZE:
            return None
        kind, machine = _E_TYPE_MACHINE.unpack_from(head)
        bits = "" if head[4:5] == b"\2" else "32-bit "
        named = "executable" if kind in (ET_EXEC, ET_DYN) else "ELF file, no executable,"
        what = f"{bits}{named} for {_MACHINES.get(machine, f'machine {machine}')}"
        if head[4:6] != _CLASS64_LITTLE or machine != EM_X86_64 or kind not in (ET_EXEC, ET_DYN):
            return Elf(what, runs=False)
        try:
            return _needs(file, head, what)
        except (struct.error, ValueError):
            return Elf(f"damaged {what}", runs=False)


def _needs(file: BinaryIO, head: bytes, what: str) -> Elf:
    (table,), (size, count) = _E_PHOFF.unpack_from(head), _E_PHENTSIZE_E_PHNUM.unpack_from(head)
    headers = _at(file, table, size * count)
    segments = [_PHDR.unpack_from(headers, size * index) for index in range(count)]
    interpreter, needed = "", []
    for kind, offset, _, length in segments:
        if kind == PT_INTERP:
            interpreter = _at(file, offset, min(length, _NAME_BYTES)).split(b"\0")[0].decode("utf-8", "surrogateescape")
        elif kind == PT_DYNAMIC:
            entries = list(_DYN.iter_unpack(_at(file, offset, length - length % _DYN.size)))
            names = next((value for tag, value in entries if tag == DT_STRTAB), 0)
            needed = [_name(file, segments, names + value) for tag, value in entries if tag == DT_NEEDED]
    return Elf(what, runs=True, interpreter=interpreter, needed=tuple(needed))


def _name(file: BinaryIO, segments: list[tuple[int, ...]], address: int) -> str:
    for kind, offset, start, length in segments:
        if kind == PT_LOAD and start <= address < start + length:
            file.seek(offset + address - start)
            return file.read(_NAME_BYTES).split(b"\0")[0].decode("utf-8", "surrogateescape")
    raise ValueError(f"{address:#x} is in no segment")


def _at(file: BinaryIO, offset: int, length: int) -> bytes:
    file.seek(offset)
    data = file.read(length)
    if len(data) != length:
        raise ValueError("it is cut off")
    return data
