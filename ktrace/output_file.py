"""Files that a person names for output: regular ones are written whole or not at all, nothing else is ever replaced."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ktrace.errors import HostError, UsageError

_LINKS = 40
"""Symbolic links that are followed, as the kernel does (``include/linux/namei.h: MAXSYMLINKS``)."""


@contextmanager
def output_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a file to write to *path*.

    A regular file, or one that is not there yet, gets its content when all of it was written. Symbolic links are
    followed. What is there and is no regular file (a device, a FIFO, a descriptor such as ``/dev/fd/63``) is opened
    and written to as it is.

    :raises UsageError: it is a directory
    :raises HostError: it cannot be written
    :raises BrokenPipeError: whoever read it has gone
    """
    target = check_output(path)
    try:
        with _open(target) as file:
            yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _unwritable(path, error) from error


def check_output(path: Path) -> Path:
    """Return where *path* leads, so far as it can be told beforehand that it can be written.

    :raises UsageError: it is a directory
    :raises HostError: the directory that it is to be in is not there, or neither it nor that can be written
    """
    try:
        target = _followed(path)
        if _is_directory(target):
            raise UsageError(f"{str(path)!r} is a directory", "name a file in it")
        if _descriptor(target) is None:
            there = os.path.lexists(target)
            place = target if there else target.parent
            if not there and not place.is_dir():
                raise NotADirectoryError(errno.ENOTDIR if place.exists() else errno.ENOENT, "", str(place))
            if not os.access(place, os.W_OK):
                raise PermissionError(errno.EACCES, "", str(place))
    except OSError as error:
        raise _unwritable(path, error) from error
    return target


def can_have_holes(file: BinaryIO) -> bool:
    """Tell whether parts of *file* can be left out instead of being written as zeros."""
    regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    return regular and not fcntl.fcntl(file, fcntl.F_GETFL) & os.O_APPEND and file.tell() == 0


def _followed(path: Path) -> Path:
    """Follow symbolic links to what there is at the end, but not those that stand for a descriptor."""
    for _ in range(_LINKS):
        if _descriptor(path) is not None or not path.is_symlink():
            return path
        path = Path(os.path.normpath(path.parent.resolve() / path.readlink()))
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))


def _is_directory(path: Path) -> bool:
    with suppress(OSError):
        return stat.S_ISDIR(path.stat().st_mode)
    return False


def _descriptor(path: Path) -> int | None:
    """Return the number of this process's descriptor that *path* stands for."""
    where = path.parent if path.parent == Path("/dev/fd") else path.parent.resolve()
    if where in (Path("/dev/fd"), Path("/proc/self/fd"), Path(f"/proc/{os.getpid()}/fd")) and path.name.isdecimal():
        return int(path.name)
    return None


@contextmanager
def _open(target: Path) -> Iterator[BinaryIO]:
    number = _descriptor(target)
    if number is not None:
        if fcntl.fcntl(number, fcntl.F_GETFD) & fcntl.FD_CLOEXEC:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))  # ours, not one that we were given
        with os.fdopen(os.dup(number), "wb") as file:
            yield file
        return
    try:
        before = target.stat()
    except FileNotFoundError:
        before = None
    if before is not None and not _is_ours_to_replace(before):
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC | os.O_TRUNC), "wb") as file:
            yield file
        return
    scratch = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        file = scratch.open("xb")
    except PermissionError:
        if before is None:
            raise
        file = target.open("wb")  # the file may be written, its directory may not
    else:
        try:
            with file:
                if before is not None:
                    os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
                yield file
            scratch.replace(target)
        finally:
            scratch.unlink(missing_ok=True)
        return
    with file:
        yield file


def _is_ours_to_replace(before: os.stat_result) -> bool:
    """Tell whether nobody will miss this very file: it has no other name, and a new one would have the same owner."""
    return (
        stat.S_ISREG(before.st_mode)
        and before.st_nlink == 1
        and (before.st_uid, before.st_gid) == (os.geteuid(), os.getegid())
    )


def _unwritable(path: Path, error: OSError) -> HostError:
    hint = "free some space there" if error.errno == errno.ENOSPC else "name another file with -o"
    what = os.strerror(error.errno) if error.errno else str(error)
    where = f" ({error.filename})" if error.filename and str(error.filename) != str(path) else ""
    return HostError(f"cannot write {str(path)!r}: {what}{where}", hint)
