"""Write an initramfs as the kernel reads it: a "newc" cpio archive, the same bytes every time."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from dataclasses import dataclass

ALIGNMENT = 4
TRAILER = "TRAILER!!!"


@dataclass(frozen=True)
class CpioEntry:
    """One member of an archive.

    :param path: path without leading slash
    :param mode: ``mode_t`` with its file type bits
    :param data: contents of a regular file, target of a symbolic link, else empty
    :param rdev: (major, minor) of a device node
    """

    path: str
    mode: int
    data: bytes = b""
    rdev: tuple[int, int] = (0, 0)


def directory(path: str, permissions: int = 0o755) -> CpioEntry:
    """Make a directory entry."""
    return CpioEntry(path, stat.S_IFDIR | permissions)


def regular_file(path: str, data: bytes, permissions: int = 0o644) -> CpioEntry:
    """Make a regular file entry."""
    return CpioEntry(path, stat.S_IFREG | permissions, data)


def character_device(path: str, major: int, minor: int, permissions: int = 0o600) -> CpioEntry:
    """Make a character device entry."""
    return CpioEntry(path, stat.S_IFCHR | permissions, rdev=(major, minor))


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % ALIGNMENT)


def _member(entry: CpioEntry, ino: int) -> bytes:
    name = entry.path.encode() + b"\0"
    nlink = 2 if stat.S_ISDIR(entry.mode) else 1
    if entry.path == TRAILER:
        ino, nlink = 0, 1
    # ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
    fields = (ino, entry.mode, 0, 0, nlink, 0, len(entry.data), 0, 0, *entry.rdev, len(name), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + name) + _padded(entry.data)


def write_cpio(entries: Iterable[CpioEntry]) -> bytes:
    """Build a newc archive: members sorted, parents added, inodes counted, uid, gid and times zero.

    :param entries: members, in any order
    :returns: the archive, uncompressed
    :raises ValueError: for a path named twice, absolute, empty or leaving the root
    Rests on init/initramfs.c: do_header(), and
    Documentation/driver-api/early-userspace/buffer-format.rst.
    """
    members: dict[str, CpioEntry] = {}
    for entry in entries:
        parts = entry.path.split("/")
        if "" in parts or "." in parts or ".." in parts or entry.path == TRAILER:
            raise ValueError(f"bad path {entry.path!r} for an archive member")
        if entry.path in members:
            raise ValueError(f"path {entry.path!r} named twice")
        members[entry.path] = entry
    for path in list(members):
        parts = path.split("/")
        for depth in range(1, len(parts)):
            parent = "/".join(parts[:depth])
            members.setdefault(parent, directory(parent))
    ordered = [members[path] for path in sorted(members)]
    archive = b"".join(_member(entry, ino) for ino, entry in enumerate(ordered, start=1))
    return archive + _member(CpioEntry(TRAILER, 0), 0)
