"""What can be read of a bzImage without running it (Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header")."""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from pathlib import Path

_ELF = b"\x7fELF"
_MAGIC, _MAGIC_AT = b"HdrS", 0x202
_VERSION_AT, _SETUP_SECTS, _PAYLOAD_OFFSET, _PAYLOAD_LENGTH = 0x20E, 0x1F1, 0x248, 0x24C
_PREF_ADDRESS, _INIT_SIZE, _HEADER_END = 0x258, 0x260, 0x264
#: Bytes of a file that are enough to see the whole header.
HEAD = 0x264
_SECTOR = 512
# init/version-timestamp.c: linux_banner, and arch/x86/boot/version.c: kernel_version
_BANNER = re.compile(rb"Linux version (\S+) [^\n]{0,400}?(#\d+ [^\n\0]{1,200})\n")
_HEADER_VERSION = re.compile(rb"(\S+) [^\n\0]{0,200}?(#\d+ [^\0]{1,200})\0")
CHUNK = 1 << 24


def is_bzimage(head: bytes) -> bool:
    """Tell whether a file that begins like this is a bzImage.

    :param head: its first :data:`HEAD` bytes
    """
    return head[_MAGIC_AT : _MAGIC_AT + 4] == _MAGIC


def _number(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")


def bzimage_payload(image: bytes) -> bytes | None:
    """Unpack the vmlinux inside a bzImage.

    :returns: the ELF file, ``None`` if its compression is not one that Python reads
    """
    start = (max(image[_SETUP_SECTS], 1) if image[_SETUP_SECTS] else 4) + 1
    offset, length = _number(image, _PAYLOAD_OFFSET, 4), _number(image, _PAYLOAD_LENGTH, 4)
    payload = image[start * _SECTOR + offset :][:length]
    try:
        if payload.startswith(b"\x1f\x8b"):
            return zlib.decompressobj(wbits=31).decompress(payload)
        if payload.startswith(b"\xfd7zXZ"):
            return lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(payload)
        if payload.startswith(b"BZh"):
            return bz2.BZ2Decompressor().decompress(payload)
        if payload.startswith(b"\x5d\x00\x00"):
            return lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(payload)
    except (zlib.error, lzma.LZMAError, OSError, EOFError):
        return None
    return payload if payload.startswith(_ELF) else None


def bzimage_end(head: bytes) -> int:
    """Tell up to which physical address a bzImage needs memory before its kernel allocates any.

    :param head: its first :data:`HEAD` bytes
    :returns: bytes: where it would like to run, and the ``init_size`` that it needs there
    """
    return _number(head, _PREF_ADDRESS, 8) + _number(head, _INIT_SIZE, 4)


def bzimage_version(image: bytes) -> tuple[str, str] | None:
    """Read release and version of a bzImage, as ``uname -r`` and ``-v`` would say; ``None`` if it tells neither."""
    at = _number(image, _VERSION_AT, 2)
    match = _HEADER_VERSION.match(image, at + _SECTOR) if at else None
    return None if match is None else (match[1].decode("latin-1"), match[2].decode("latin-1").strip())


def banner_version(vmlinux: Path) -> tuple[str, str] | None:
    """Read release and version of a vmlinux out of its ``linux_banner``; ``None`` if there is none.

    :raises OSError: if it cannot be read
    """
    tail = b""
    with vmlinux.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            if match := _BANNER.search(tail + chunk):
                return match[1].decode("latin-1"), match[2].decode("latin-1").strip()
            tail = chunk[-1024:]
    return None
