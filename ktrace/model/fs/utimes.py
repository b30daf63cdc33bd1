"""Times of files that are set (``fs/utimes.c``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ktrace.include.linux.fs import MAY_WRITE
from ktrace.include.linux.stat import UTIME_NOW, UTIME_OMIT
from ktrace.include.linux.time64 import NSEC_PER_SEC
from ktrace.model.calls import syscall
from ktrace.model.fs.file import fdget
from ktrace.model.fs.inode import SET_NOW, Inode, Moment, Unknown, current_time
from ktrace.model.fs.opaque import OpaqueInode
from ktrace.model.fs.path_walk import path_lookupat
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.state.call import Pointer, Result
from ktrace.uapi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW

Times = tuple[int | None, int | None]
"""What access and modification time become, in ns: UTIME_NOW is -1, ``None`` leaves one alone."""
NOW = -1


@syscall("utimensat")
def utimensat(task: Task, dirfd: int, pathname: Any, times: Any, flags: int) -> int:
    """Set the times of a file (``SYSCALL_DEFINE4(utimensat)``, ``do_utimes()``).

    :raises Errno: EFAULT, EINVAL, EBADF, EPERM, EACCES, or why the path leads nowhere
    """
    if isinstance(times, Pointer):
        raise Errno("EFAULT")
    if times is not None and all(times[name]["tv_nsec"] == UTIME_OMIT for name in ("atime", "mtime")):
        return 0  # nothing to do: the path is not even looked at
    if pathname is None and dirfd != AT_FDCWD:
        if flags:
            raise Errno("EINVAL")
        with fdget(task, dirfd) as file:
            if file.inode is None:
                raise AsObserved("an inode that all files without a name share")
            return _set(task, file.inode, times)
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise Errno("EINVAL")
    follow, empty = not flags & AT_SYMLINK_NOFOLLOW, bool(flags & AT_EMPTY_PATH)
    path = Pointer(0) if pathname is None else pathname
    return _set(task, path_lookupat(task, path, dirfd, follow, empty, opaque=True), times)


def _set(task: Task, inode: Inode, times: Mapping[str, Mapping[str, int]] | None) -> int:
    """``vfs_utimes()``, ``notify_change()``, ``setattr_copy()``."""
    if times is not None and not all(_valid(times[name]["tv_nsec"]) for name in ("atime", "mtime")):
        raise Errno("EINVAL")
    atime, mtime = (NOW, NOW) if times is None else (_ns(times["atime"]), _ns(times["mtime"]))
    if isinstance(inode, OpaqueInode):
        raise AsObserved(inode.what, done=lambda result: _forget_times(task, inode, result))
    if task.cred.euid != inode.i_uid and not task.cred.capable("CAP_FOWNER"):
        if (atime, mtime) != (NOW, NOW):
            raise Errno("EPERM")  # setattr_prepare(): ATTR_TIMES_SET
        inode.permission(task, MAY_WRITE)  # may_setattr(): ATTR_TOUCH
    now = current_time(task.kernel)
    if atime is not None:
        inode.i_atime = inode.i_atime.then(now if atime == NOW else Moment(SET_NOW, atime, atime))
    if mtime is not None:
        inode.i_mtime = inode.i_mtime.then(now if mtime == NOW else Moment(SET_NOW, mtime, mtime))
    inode.i_ctime = inode.i_ctime.then(now)
    inode.times_set(task.kernel)
    return 0


def _valid(nsec: int) -> bool:
    """``nsec_valid()``."""
    return nsec in (UTIME_NOW, UTIME_OMIT) or 0 <= nsec < NSEC_PER_SEC


def _ns(time: Mapping[str, int]) -> int | None:
    if time["tv_nsec"] == UTIME_OMIT:
        return None
    return NOW if time["tv_nsec"] == UTIME_NOW else time["tv_sec"] * NSEC_PER_SEC + time["tv_nsec"]


def _forget_times(task: Task, inode: OpaqueInode, result: Result) -> None:
    """Let the times of what is not simulated be any: a path does not say which open inode it leads to."""
    if result.errno is not None:
        return
    opened = (slot.file.inode for other in task.kernel.tasks.values() for slot in other.files.slots.values())
    for other in (inode, *opened):
        if isinstance(other, OpaqueInode) and other.file_system is inode.file_system:
            other.i_atime, other.i_mtime, other.i_ctime = Unknown(), Unknown(), Unknown()
