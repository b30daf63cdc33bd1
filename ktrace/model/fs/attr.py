"""Attributes that are changed: permissions, owner, size (``fs/open.c``, ``fs/attr.c``)."""

from __future__ import annotations

from functools import partial

from ktrace.include.linux.fs import FMODE_WRITE, MAY_WRITE
from ktrace.include.linux.stat import S_IALLUGO
from ktrace.model.calls import syscall
from ktrace.model.fs.anon_files import AnonOperations
from ktrace.model.fs.file import File, fdget
from ktrace.model.fs.inode import Inode, current_time
from ktrace.model.fs.opaque import OpaqueInode, OpaqueOperations
from ktrace.model.fs.path_walk import path_lookupat
from ktrace.model.fs.shmem import SHMEM_OPS, truncate_inode
from ktrace.model.kernel import Kernel
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.state.call import Result
from ktrace.uapi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, O_PATH
from ktrace.uapi.limits import UINT_MAX
from ktrace.uapi.stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_ISGID, S_ISUID, S_IXGRP

UNCHANGED = UINT_MAX


@syscall("chmod")
def chmod(task: Task, pathname: bytes, mode: int) -> int:
    """Change a file's permissions (``chmod_common()``)."""
    return _chmod(task, path_lookupat(task, pathname, changes=True), mode)


@syscall("fchmodat")
def fchmodat(task: Task, dirfd: int, pathname: bytes, mode: int) -> int:
    """Change the permissions of a file below a directory (``do_fchmodat()``)."""
    return _chmod(task, path_lookupat(task, pathname, dirfd, changes=True), mode)


@syscall("fchmod")
def fchmod(task: Task, fd: int, mode: int) -> int:
    """Change an open file's permissions (``chmod_common()``)."""
    with fdget(task, fd) as file:
        return _chmod(task, _known_inode(task, file), mode)


def _known_inode(task: Task, file: File) -> Inode:
    """Return the inode of an open file; what others answer is as observed."""
    if isinstance(file.inode, OpaqueInode):
        raise AsObserved(file.inode.what, done=file.inode.set_attributes)
    if file.inode is None:
        raise AsObserved("an inode that all files without a name share", done=partial(_anon_inode_set, task.kernel))
    return file.inode


def _anon_inode_set(kernel: Kernel, result: Result) -> None:
    """Take what the inode of all files without a name is now, where one of them shows it (``alloc_anon_inode()``)."""
    for task in kernel.tasks.values():
        for slot in task.files.slots.values():
            if isinstance(slot.file.ops, AnonOperations) and isinstance(slot.file.inode, OpaqueInode):
                slot.file.inode.set_attributes(result)


def _owner_or_capable(task: Task, inode: Inode) -> bool:
    """``inode_owner_or_capable()``."""
    return task.cred.euid == inode.i_uid or task.cred.capable("CAP_FOWNER")


def _in_group_or_capable(task: Task, gid: int) -> bool:
    """``in_group_or_capable()``."""
    return task.cred.in_group_p(gid) or task.cred.capable("CAP_FSETID")


def _chmod(task: Task, inode: Inode, mode: int) -> int:
    """``chmod_common()``, ``setattr_prepare()``, ``setattr_copy()``."""
    if inode.i_mode & S_IFMT == S_IFLNK:
        raise Errno("EOPNOTSUPP")
    if inode.ops is not None and "mode" in inode.ops.refuses:
        raise Errno("EPERM")
    if not _owner_or_capable(task, inode):
        raise Errno("EPERM")
    if not _in_group_or_capable(task, inode.i_gid):
        mode &= ~S_ISGID
    inode.i_mode = inode.i_mode & S_IFMT | mode & S_IALLUGO
    inode.i_ctime = inode.i_ctime.then(current_time(task.kernel))
    inode.times_set(task.kernel)
    return 0


@syscall("chown")
def chown(task: Task, pathname: bytes, owner: int, group: int) -> int:
    """Give a file away (``do_fchownat()``)."""
    return fchownat(task, AT_FDCWD, pathname, owner, group, 0)


@syscall("lchown")
def lchown(task: Task, pathname: bytes, owner: int, group: int) -> int:
    """Give a file away, or a link itself (``do_fchownat()``)."""
    return fchownat(task, AT_FDCWD, pathname, owner, group, AT_SYMLINK_NOFOLLOW)


@syscall("fchownat")
def fchownat(task: Task, dirfd: int, pathname: bytes, owner: int, group: int, flags: int) -> int:
    """Give a file below a directory away (``do_fchownat()``).

    :raises Errno: EINVAL
    """
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise Errno("EINVAL")
    follow, empty = not flags & AT_SYMLINK_NOFOLLOW, bool(flags & AT_EMPTY_PATH)
    return _chown(task, path_lookupat(task, pathname, dirfd, follow, empty, changes=True), owner, group)


@syscall("fchown")
def fchown(task: Task, fd: int, owner: int, group: int) -> int:
    """Give an open file away (``chown_common()``)."""
    with fdget(task, fd) as file:
        if isinstance(file.inode, OpaqueInode):
            raise AsObserved(file.inode.what, done=partial(file.inode.given_to, owner, group))
        return _chown(task, _known_inode(task, file), owner, group)


def _chown(task: Task, inode: Inode, owner: int, group: int) -> int:
    """``chown_common()``, ``notify_change()``, ``setattr_prepare()``, ``setattr_copy()``."""
    cred = task.cred
    gives, regroups = owner & UNCHANGED != UNCHANGED, group & UNCHANGED != UNCHANGED
    if inode.ops is not None and "owner" in inode.ops.refuses and (gives or regroups):
        raise Errno("EPERM")
    mine = cred.euid == inode.i_uid
    uid = owner & UNCHANGED if gives else inode.i_uid
    gid = group & UNCHANGED if regroups else inode.i_gid
    if not cred.capable("CAP_CHOWN"):
        if gives and not (mine and uid == inode.i_uid):
            raise Errno("EPERM")  # chown_ok()
        if regroups and not (mine and (gid == inode.i_gid or cred.in_group_p(gid))):
            raise Errno("EPERM")  # chgrp_ok()
    mode = inode.i_mode
    if mode & S_IFMT != S_IFDIR:
        mode &= ~S_ISUID
        if mode & S_IXGRP or not _in_group_or_capable(task, inode.i_gid):
            mode &= ~S_ISGID  # setattr_should_drop_sgid()
    if mode != inode.i_mode:
        # The bits that go are a change of mode (ATTR_KILL_SUID, ATTR_KILL_SGID).
        if not _owner_or_capable(task, inode):
            raise Errno("EPERM")
        if not _in_group_or_capable(task, gid):
            mode &= ~S_ISGID
    inode.i_uid, inode.i_gid, inode.i_mode = uid, gid, mode
    if gives:
        inode.owner_set(uid)
    inode.i_ctime = inode.i_ctime.then(current_time(task.kernel))
    inode.times_set(task.kernel)
    return 0


@syscall("truncate")
def truncate(task: Task, path: bytes, length: int) -> int:
    """Cut or extend a file by name (``vfs_truncate()``)."""
    if length < 0:
        raise Errno("EINVAL")
    inode = path_lookupat(task, path, changes=True)
    kind = inode.i_mode & S_IFMT
    if kind == S_IFDIR:
        raise Errno("EISDIR")
    if kind != S_IFREG:
        raise Errno("EINVAL")
    inode.permission(task, MAY_WRITE)
    if isinstance(inode.ops, OpaqueOperations):
        raise AsObserved(inode.ops.what, only_errors=True)
    truncate_inode(task, inode, length, False)
    return 0


@syscall("ftruncate")
def ftruncate(task: Task, fd: int, length: int) -> int:
    """Cut or extend an open file (``do_sys_ftruncate()``)."""
    if length < 0:
        raise Errno("EINVAL")
    file = task.files.get(fd)
    if file.f_flags & O_PATH:
        raise Errno("EBADF")
    inode = file.inode
    if isinstance(file.ops, OpaqueOperations):
        # ATTR_MTIME, ATTR_CTIME
        raise AsObserved(file.ops.what, done=inode.set_attributes if isinstance(inode, OpaqueInode) else None)
    if inode is None or inode.i_mode & S_IFMT != S_IFREG or not file.f_mode & FMODE_WRITE:
        raise Errno("EINVAL")
    if file.ops is SHMEM_OPS:
        truncate_inode(task, inode, length, True)
    else:
        inode.changed(task.kernel)  # proc_sys_setattr(), proc_setattr(): a file without a size
    return 0
