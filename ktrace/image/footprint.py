"""How much memory a guest needs for a kernel and its initramfs, told from the files."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from ktrace.image.bzimage import HEAD, bzimage_end, is_bzimage

MIB = 1 << 20
#: What guests are given: the first of these that suffices, in MiB.
SIZES = (64, 128, 256, 512, 1024, 2048)
#: Bytes besides kernel and initramfs for what the kernel allocates at boot, and for the workloads. Measured: Debian's
#: 6.12 of 66 MiB panics in 64 MiB of memory, boots in 80 with 21 left.
HEADROOM = 16 * MIB


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
        stream.seek(0)
        try:
            segments = ELFFile(stream).iter_segments("PT_LOAD")
            return max((segment["p_paddr"] + segment["p_memsz"] for segment in segments), default=0)
        except (ELFError, ValueError, KeyError):
            return 0


@cache
def smallest_mib(kernel: Path, initramfs: Path) -> int:
    """Tell the MiB below which a guest cannot even hold kernel and initramfs.

    :raises OSError: if they cannot be read
    """
    return -(-(kernel_end(kernel) + initramfs.stat().st_size) // MIB)


def enough_mib(kernel: Path, initramfs: Path) -> int:
    """Choose the memory of a guest, in MiB.

    :raises OSError: if kernel or initramfs cannot be read
    """
    return next_size(smallest_mib(kernel, initramfs) + HEADROOM // MIB - 1)


def next_size(mib: int) -> int:
    """Choose the next larger memory of those in :data:`SIZES`; twice as much where there is none."""
    return next((size for size in SIZES if size > mib), 2 * mib)
