"""Change the guest's memory behind its kernel's back."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path

import drgn
from elftools.elf.elffile import ELFFile

from ktrace.image.image import Image
from ktrace.inspect.memory import START_KERNEL_MAP
from ktrace.machine.machine import Machine
from ktrace.verify.lab import Lab


@cache
def _symbols(vmlinux: Path) -> tuple[bytes, bytes]:
    with vmlinux.open("rb") as stream:
        elf = ELFFile(stream)
        return elf.get_section_by_name(".symtab").data(), elf.get_section_by_name(".strtab").data()


def address_of(image: Image, function: str) -> int:
    """Return where a function of the kernel is."""
    symbols, names = _symbols(image.vmlinux)
    # A name may be the end of another one.
    places = {found.start() for found in re.finditer(re.escape(function.encode() + b"\0"), names)}
    return next(value for name, value in struct.iter_unpack("<I4xQ8x", symbols) if name in places)


def put_code(machine: Machine, image: Image, function: str, code: bytes) -> None:
    """Put *code* at the beginning of a function of the kernel.

    Nothing may have come through it in this guest before: QEMU does not see that what it translated was changed.
    """
    machine.memory.write(address_of(image, function) - START_KERNEL_MAP, code)


def physical(lab: Lab, address: int) -> int:
    """Return where an address in the direct map or the kernel image lies in RAM."""
    kernel = lab.kernel.memory
    if address >= START_KERNEL_MAP:
        return address - START_KERNEL_MAP + kernel.phys_base
    return address - kernel.page_offset


def poke(lab: Lab, where: drgn.Object | int, change: Callable[[int], int]) -> None:
    """Change the first byte of a member, or the byte at an address."""
    place = physical(lab, where if isinstance(where, int) else int(where.address_ or 0))
    lab.guest.memory.write(place, bytes([change(lab.guest.memory.read(place, 1)[0]) & 0xFF]))


def write(lab: Lab, member: drgn.Object, value: int) -> None:
    """Store a number in a member of a structure."""
    size = drgn.sizeof(member)
    data = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
    lab.guest.memory.write(physical(lab, int(member.address_ or 0)), data)
