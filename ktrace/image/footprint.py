"""How much memory a guest needs for a kernel and its initramfs, told from the files."""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path

from ktrace.image.bzimage import HEAD, bzimage_end, is_bzimage
from ktrace.uapi.elf import PT_LOAD

MIB = 1 << 20
#: What guests are given: the first of these that suffices, in MiB.
SIZES = (64, 128, 256, 512, 1024, 2048)
#: Bytes besides kernel and initramfs for what the kernel allocates at boot, and for the workloads. Measured: Debian's
#: 6.12 of 66 MiB panics in 64 MiB of memory, boots in 80 with 21 left.
HEADROOM = 16 * MIB

# Elf64_Ehdr and Elf64_Phdr (include/uapi/linux/elf.h). This is asked at every start, and pyelftools takes longer to
# load than all that it would read here.
_ELF64 = b"\x7fELF\2\1"
_E_PHOFF = struct.Struct("<32xQ")
_E_PHENTSIZE_E_PHNUM = struct.Struct("<54xHH")
_PHDR = struct.Struct("<I20xQ8xQ8x")
_EHDR_SIZE = 64


def kernel_end(kernel: Path) -> int:
    """Tell up to which physical address a kernel lies in memory.

    :param kernel: ELF file that QEMU boots through its PVH entry, or bzImage
    :returns: bytes; 0 for a file that is neither
    :raises OSError: if it cannot be read
    """
    with kernel.open("rb") as stream:
        head = stream.read(HEAD)
        if is_bzimage(head):
            return bzimage_end(head)
        if not head.startswith(_ELF64) or len(head) < _EHDR_SIZE:
            return 0
        (table,), (entry_size, entries) = _E_PHOFF.unpack_from(head), _E_PHENTSIZE_E_PHNUM.unpack_from(head)
        stream.seek(table)
        headers = stream.read(entry_size * entries)
    if entry_size < _PHDR.size or len(headers) < entry_size * entries:
        return 0
    segments = [_PHDR.unpack_from(headers, entry_size * index) for index in range(entries)]
    return max((paddr + memsz for kind, paddr, memsz in segments if kind == PT_LOAD), default=0)


@cache
def smallest_mib(kernel: Path, initramfs: Path) -> int:
    """Tell the MiB below which a guest cannot even hold kernel and initramfs.

    :raises OSError: if they cannot be read
    """
    return -(-(kernel_end(kernel) + initramfs.stat().st_size) // MIB)


def enough_mib(kernel: Path, initramfs: Path, more: int = 0) -> int:
    """Choose the memory of a guest, in MiB.

    :param more: bytes that are to be free besides what guests are given anyway
    :raises OSError: if kernel or initramfs cannot be read
    """
    return next_size(smallest_mib(kernel, initramfs) + (HEADROOM + more) // MIB - 1)


def next_size(mib: int) -> int:
    """Choose the next larger memory of those in :data:`SIZES`; twice as much where there is none."""
    return next((size for size in SIZES if size > mib), 2 * mib)
