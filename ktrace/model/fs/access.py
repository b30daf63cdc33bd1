"""access(): what the real user may do (``fs/open.c``)."""

from __future__ import annotations

from dataclasses import replace

from ktrace.include.linux.fs import MAY_EXEC, MAY_READ, MAY_WRITE
from ktrace.model.calls import syscall
from ktrace.model.fs.path_walk import path_lookupat
from ktrace.model.task import Cred, Errno, Task
from ktrace.uapi.fcntl import AT_EACCESS, AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW


@syscall("access")
def access(task: Task, pathname: bytes, mode: int) -> int:
    """Ask what the real user may do (``do_faccessat()``)."""
    return _faccessat(task, AT_FDCWD, pathname, mode, 0)


@syscall("faccessat")
def faccessat(task: Task, dirfd: int, pathname: bytes, mode: int) -> int:
    """Ask what the real user may do to a file below a directory (``do_faccessat()``)."""
    return _faccessat(task, dirfd, pathname, mode, 0)


@syscall("faccessat2")
def faccessat2(task: Task, dirfd: int, pathname: bytes, mode: int, flags: int) -> int:
    """Ask what the real or the effective user may do (``do_faccessat()``)."""
    return _faccessat(task, dirfd, pathname, mode, flags)


def _faccessat(task: Task, dirfd: int, path: bytes, mode: int, flags: int) -> int:
    if mode & ~(MAY_READ | MAY_WRITE | MAY_EXEC):
        raise Errno("EINVAL")
    if flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise Errno("EINVAL")
    kept = task.cred
    if not flags & AT_EACCESS:
        task.cred = _as_real_user(task)
    try:
        inode = path_lookupat(task, path, dirfd, not flags & AT_SYMLINK_NOFOLLOW, bool(flags & AT_EMPTY_PATH))
        if mode:
            inode.permission(task, mode)
    finally:
        task.cred = kept
    return 0


def _as_real_user(task: Task) -> Cred:
    """``access_override_creds()``."""
    cred = task.cred
    capabilities = cred.permitted if cred.uid == 0 else frozenset()
    return replace(cred, euid=cred.uid, egid=cred.gid, capabilities=capabilities)
