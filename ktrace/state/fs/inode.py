"""Inodes, as far as named pipes, files in the workload's directory and descriptors reach them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import cache

from ktrace.state.quick import dataclass
from ktrace.state.ref import Ref
from ktrace.uapi import stat
from ktrace.uapi.named import by_number, family
from ktrace.uapi.stat import S_IFDIR, S_IFMT

FILE_TYPES = by_number(family(stat, "S_IF", but="S_IFMT"))


@dataclass(frozen=True, slots=True)
class Inode:
    """A ``struct inode``.

    :param i_mode: type and permission bits, such as ``S_IFIFO|0600``
    :param i_uid: owner; also *i_gid*
    :param i_nlink: names it has
    :param i_size: bytes
    :param i_sb: name of its file system, such as ``pipefs`` or ``tmpfs``; behind it what contradicts that
    :param i_fop: symbol of its ``file_operations``
    :param i_pipe: the pipe behind a FIFO, ``None`` while nobody has it open
    :param entries: a directory's inodes by name
    :param i_atime: seconds; also *i_mtime*, *i_ctime*
    :param i_ino: its number; ``None`` in sessions of a time when it was not read, as all that follow
    :param s_dev: the device of its file system (``i_sb->s_dev``, a ``dev_t``)
    :param i_atime_nsec: nanoseconds of *i_atime*; also *i_mtime_nsec*, *i_ctime_nsec*
    """

    i_mode: str
    i_uid: int
    i_gid: int
    i_nlink: int
    i_size: int
    i_sb: str
    i_fop: str
    i_pipe: Ref | None = None
    entries: Mapping[str, Ref] = field(default_factory=dict)
    i_atime: int = 0
    i_mtime: int = 0
    i_ctime: int = 0
    i_ino: int | None = None
    s_dev: int | None = None
    i_atime_nsec: int | None = None
    i_mtime_nsec: int | None = None
    i_ctime_nsec: int | None = None


@cache
def mode_name(mode: int) -> str:
    """Write ``i_mode`` as file type and octal permissions."""
    kind = FILE_TYPES.get(mode & S_IFMT, f"{mode & S_IFMT:#o}")
    return f"{kind}|{mode & 0o7777:04o}"


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What one inode of a file system is before the first step.

    :param i_mode: with the file type; likewise *i_uid*, *i_gid*, *i_nlink*, *i_size* in bytes
    :param i_fop: symbol of its ``file_operations``
    :param times: its *i_atime*, *i_mtime* and *i_ctime*, in seconds; *nsec*: ns past them, ``None`` in sessions of old
    :param i_ino: its number, 0 in sessions of old
    :param i_rdev: of a device, its number (``dev_t``)
    :param link: where a symbolic link leads, else ``None``
    :param entries: what a directory has by name
    """

    i_mode: int
    i_uid: int
    i_gid: int
    i_nlink: int
    i_size: int
    i_fop: str
    times: tuple[int, int, int]
    i_rdev: int = 0
    link: bytes | None = None
    entries: Mapping[str, NodeFacts] = field(default_factory=dict)
    i_ino: int = 0
    nsec: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class MountFacts:
    """One mounted file system.

    :param path: where it is mounted
    :param fstype: its type's name, such as ``tmpfs``, ``proc``
    :param s_op: symbol of its ``super_operations``
    :param flags: ``mnt_flags``
    :param root: its root, with all that is below it where *whole*
    :param whole: all its names lie in the dentry cache, as long as they exist (``fs/libfs.c``)
    :param s_dev: its number (``dev_t``), ``None`` in sessions of old
    """

    path: str
    fstype: str
    s_op: str
    flags: int
    root: NodeFacts
    whole: bool
    s_dev: int | None = None


@dataclass(frozen=True, slots=True)
class TreeFacts:
    """What the workload's directory is before the first step.

    :param path: where it is mounted
    :param i_mode: with the file type; likewise *i_uid*, *i_gid*
    :param i_fop: symbol of its ``file_operations``; directories below it have the same
    :param times: its *i_atime*, *i_mtime* and *i_ctime*
    :param direct: whether regular files can be opened with O_DIRECT (FMODE_CAN_ODIRECT)
    :param multigrain: whether times may be finer than CLOCK_REALTIME_COARSE; ``None`` where nanoseconds are not told
    :param mounts: every mounted file system, the root's first
    """

    path: str = "/tmp"
    i_mode: int = S_IFDIR | 0o1777
    i_uid: int = 0
    i_gid: int = 0
    i_fop: str = "simple_dir_operations"
    direct: bool = False
    times: tuple[int, int, int] = (0, 0, 0)
    mounts: tuple[MountFacts, ...] = ()
    multigrain: bool | None = None
