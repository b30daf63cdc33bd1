"""How much memory a guest gets is told from its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from ktrace.image.footprint import MIB, enough_mib, kernel_end, next_size, smallest_mib
from ktrace.image.foreign import KernelFiles, import_image
from ktrace.image.store import Store
from tests.unit.image.test_foreign import bzimage

# Where the bzImages of Debian's cloud kernels want to run, and the init_size in their headers.
PREFERRED = 0x1000000
DEBIAN = {"6.1.192": (53968896, 128), "6.12.117": (58581504, 128), "7.3.4": (63148032, 128)}


def sized(tmp_path: Path, init_size: int) -> Path:
    data = bytearray(bzimage(bytes(100)))
    data[0x258:0x260] = PREFERRED.to_bytes(8, "little")
    data[0x260:0x264] = init_size.to_bytes(4, "little")
    path = tmp_path / "vmlinuz"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("version", DEBIAN)
def test_debians_kernels_need_128(tmp_path: Path, version: str) -> None:
    init_size, mib = DEBIAN[version]
    kernel = sized(tmp_path, init_size)
    (tmp_path / "initramfs").write_bytes(bytes(50_000))
    assert kernel_end(kernel) == PREFERRED + init_size
    assert smallest_mib(kernel, tmp_path / "initramfs") > 64
    assert enough_mib(kernel, tmp_path / "initramfs") == mib


def test_a_large_initramfs_counts(tmp_path: Path) -> None:
    kernel = sized(tmp_path, 10 * MIB)
    (tmp_path / "small").write_bytes(b"x")
    (tmp_path / "large").write_bytes(bytes(200 * MIB))
    assert enough_mib(kernel, tmp_path / "small") == 64
    assert enough_mib(kernel, tmp_path / "large") == 256


def test_an_elf_kernel_ends_with_its_last_segment(kernel: Path, store: Store) -> None:
    image = import_image("mine", KernelFiles(kernel), store=store)
    # ld puts the segments of a static program at 4 MiB.
    assert 0x400000 < kernel_end(image.kernel) < 0x500000
    assert image.memory_mib == 64


def test_what_is_neither_has_no_end(tmp_path: Path) -> None:
    (tmp_path / "junk").write_bytes(b"junk")
    assert kernel_end(tmp_path / "junk") == 0


@pytest.mark.parametrize(("mib", "more"), [(1, 64), (64, 128), (100, 128), (2048, 4096), (5000, 10000)])
def test_the_next_size(mib: int, more: int) -> None:
    assert next_size(mib) == more


def test_what_is_no_whole_elf_kernel_has_no_end(tmp_path: Path) -> None:
    whole = b"\x7fELF\2\1" + bytes(26) + (64).to_bytes(8, "little") + bytes(14) + b"\x38\0\2\0" + bytes(6)
    segment = b"\1\0\0\0" + bytes(20) + (4096).to_bytes(8, "little") + bytes(8) + (512).to_bytes(8, "little") + bytes(8)
    kernel = tmp_path / "kernel"
    kernel.write_bytes(whole + segment + bytes(56))
    assert kernel_end(kernel) == 4096 + 512
    for cut in (6, 63, 64, len(whole) + 100):
        kernel.write_bytes((whole + segment + bytes(56))[:cut])
        assert kernel_end(kernel) == 0
