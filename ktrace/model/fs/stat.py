"""What a file is, whose it is, what it is called (``fs/stat.c``, ``fs/open.c``, ``fs/namei.c``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.fs import FMODE_READ, FMODE_WRITE, MAY_EXEC, MAY_READ, MAY_WRITE
from ktrace.include.linux.stat import S_IRWXUGO
from ktrace.model.fs.file import File, fdget
from ktrace.model.fs.file_table import alloc_empty_file
from ktrace.model.fs.inode import Inode, current_time
from ktrace.model.fs.namei import FD_LINK
from ktrace.model.fs.shmem import SHMEM_OPS
from ktrace.model.kernel import syscall
from ktrace.model.task import Cred, Errno, Task
from ktrace.state.call import Pointer, Result
from ktrace.state.rule import Rule
from ktrace.uapi.fcntl import F_SEAL_SEAL, O_LARGEFILE, O_RDWR
from ktrace.uapi.memfd import MFD_ALLOW_SEALING, MFD_CLOEXEC
from ktrace.uapi.stat import S_IFDIR, S_IFMT, S_IFREG, S_ISGID, S_ISUID, S_IXGRP

FILLATTR = Rule("fs/stat.c", "generic_fillattr", "numbers, devices, blocks and times of the file system's own")
DNAME = Rule("fs/pipe.c", "pipefs_dname", "the number of the inode")
UNCHANGED = 0xFFFFFFFF
MFD_NAME_MAX = 249


@syscall("fstat")
def fstat(task: Task, fd: int) -> Result:
    """Describe an open file (``vfs_fstat()``)."""
    with fdget(task, fd, raw=True) as file:
        return _stat(task, file.inode)


@syscall("stat")
def stat(task: Task, pathname: bytes) -> Result:
    """Describe a file by name (``vfs_statx()``)."""
    tree = task.kernel.fs
    return _stat(task, tree.lookup(task, pathname))


def _stat(task: Task, inode: Inode | None) -> Result:
    """Return the members of ``struct stat``; those that the model cannot know stay as they were first seen.

    Numbers, devices, sizes of directories, blocks and times are the file system's own
    (``generic_fillattr()``: ``get_next_ino()``, ``i_blocks``, ``current_time()``).
    """
    kernel = task.kernel
    if task.call is not None and isinstance(task.call.pointers.get("statbuf"), Pointer):
        raise Errno("EFAULT")
    nothing: Mapping[str, int] = {}
    answer = dict(kernel.choose(FILLATTR, lambda seen: seen.out(task, "statbuf"), lambda found: bool(found), nothing))
    if inode is None:
        return Result(0, None, {"statbuf": answer})
    answer.update(
        st_mode=inode.i_mode, st_nlink=inode.i_nlink, st_uid=inode.i_uid, st_gid=inode.i_gid, st_rdev=0,
        st_blksize=PAGE_SIZE,
    )  # fmt: skip
    if inode.i_mode & S_IFMT != S_IFDIR:
        answer["st_size"] = inode.i_size
    for name in ("st_ino", "st_dev"):
        if name in answer:
            answer[name] = inode.numbers.setdefault(name, answer[name])
    return Result(0, None, {"statbuf": answer})


@syscall("access")
def access(task: Task, pathname: bytes, mode: int) -> int:
    """Ask what the real user may do (``do_faccessat()``)."""
    if mode & ~(MAY_READ | MAY_WRITE | MAY_EXEC):
        raise Errno("EINVAL")
    tree = task.kernel.fs
    kept = task.cred
    task.cred = _as_real_user(task)
    try:
        inode = tree.lookup(task, pathname)
        if mode:
            inode.permission(task, mode)
    finally:
        task.cred = kept
    return 0


def _as_real_user(task: Task) -> Cred:
    """``fs/open.c: access_override_creds()``."""
    cred = task.cred
    capabilities = cred.permitted if cred.uid == 0 else frozenset()
    return replace(cred, euid=cred.uid, egid=cred.gid, capabilities=capabilities)


@syscall("chown")
def chown(task: Task, pathname: bytes, owner: int, group: int) -> int:
    """Change the owner of a file (``chown_common()``)."""
    tree = task.kernel.fs
    return _chown(task, tree.lookup(task, pathname), owner, group)


@syscall("fchown")
def fchown(task: Task, fd: int, owner: int, group: int) -> int:
    """Change the owner of an open file (``chown_common()``)."""
    with fdget(task, fd) as file:
        return _chown(task, file.inode, owner, group) if file.inode is not None else 0


def _chown(task: Task, inode: Inode, owner: int, group: int) -> int:
    cred = task.cred
    mine = cred.euid == inode.i_uid
    uid = inode.i_uid if owner & UNCHANGED == UNCHANGED else owner & UNCHANGED
    gid = inode.i_gid if group & UNCHANGED == UNCHANGED else group & UNCHANGED
    if not cred.capable("CAP_CHOWN"):
        if owner & UNCHANGED != UNCHANGED and not (mine and uid == inode.i_uid):
            raise Errno("EPERM")  # chown_ok()
        if group & UNCHANGED != UNCHANGED and not (mine and (gid == cred.egid or gid in cred.groups)):
            raise Errno("EPERM")  # chgrp_ok()
    inode.i_uid, inode.i_gid = uid, gid
    if owner & UNCHANGED != UNCHANGED:
        inode.owner_set(uid)
    inode.i_ctime = current_time(task.kernel)
    if inode.i_mode & S_IFMT != S_IFDIR:
        kill = S_ISUID | (S_ISGID if inode.i_mode & S_IXGRP else 0)  # setattr_should_drop_suidgid()
        inode.i_mode &= ~kill
    return 0


@syscall("rename")
def rename(task: Task, oldpath: bytes, newpath: bytes) -> int:
    """Change a file's name (``do_renameat2()``, ``vfs_rename()``)."""
    kernel = task.kernel
    tree = kernel.fs
    old_dir, old_name, _ = tree.parent_of(task, oldpath)
    new_dir, new_name, trailing = tree.parent_of(task, newpath)
    if not old_name or not new_name:
        raise Errno("EBUSY")
    inode = old_dir.entries.get(old_name)
    if inode is None:
        raise Errno("ENOENT")
    is_dir = inode.i_mode & S_IFMT == S_IFDIR
    if trailing and not is_dir:
        raise Errno("ENOTDIR")
    if is_dir and _is_below(new_dir, inode):
        raise Errno("EINVAL")
    target = new_dir.entries.get(new_name)
    if target is inode:
        return 0
    if target is not None and _is_below(old_dir, target):
        raise Errno("ENOTEMPTY")
    tree.may_delete(task, old_dir, inode)
    if target is None:
        new_dir.permission(task, MAY_WRITE | MAY_EXEC)
    else:
        tree.may_delete(task, new_dir, target)
        target_is_dir = target.i_mode & S_IFMT == S_IFDIR
        if is_dir != target_is_dir:
            raise Errno("ENOTDIR" if is_dir else "EISDIR")
        if target.entries:
            raise Errno("ENOTEMPTY")
        target.i_nlink -= 2 if target_is_dir else 1
        new_dir.i_nlink -= target_is_dir
    if is_dir and old_dir is not new_dir:
        inode.permission(task, MAY_WRITE)
    del old_dir.entries[old_name]
    new_dir.entries[new_name] = inode
    inode.parent = new_dir
    old_dir.i_nlink -= is_dir
    new_dir.i_nlink += is_dir
    if target is not None:
        target.i_ctime = current_time(kernel)
        target.evict()
    for directory in (old_dir, new_dir):
        directory.changed(kernel)
    inode.i_ctime = current_time(kernel)
    return 0


def _is_below(inode: Inode | None, above: Inode) -> bool:
    while inode is not None:
        if inode is above:
            return True
        inode = inode.parent
    return False


@syscall("readlink")
def readlink(task: Task, pathname: bytes, bufsiz: int) -> Result:
    """Read where a descriptor's link leads (``do_readlinkat()``, ``d_path()``); the directory has no links."""
    kernel = task.kernel
    if bufsiz <= 0:
        raise Errno("EINVAL")
    tree = kernel.fs
    if isinstance(pathname, Pointer) or (link := FD_LINK.fullmatch(pathname)) is None:
        tree.lookup(task, pathname)
        raise Errno("EINVAL")
    slot = task.files.slots.get(int(link[1]))
    if slot is None:
        raise Errno("ENOENT")
    inode = slot.file.inode
    if inode is not None and inode.i_sb == "tmpfs" and inode.i_nlink and (inode.parent or inode is tree.root):
        text = tree.path_of(inode).encode()
        return Result(min(len(text), bufsiz), None, {"buf": text[:bufsiz]})
    # pipe:[inode number] and the like (pipefs_dname()).
    start = b"pipe:[" if inode is not None and inode.i_sb == "pipefs" else b""
    found: bytes = kernel.choose(
        DNAME, lambda seen: seen.out(task, "buf"), lambda text: text.startswith(start[:bufsiz]), start
    )
    return Result(len(found), None, {"buf": found})


@syscall("memfd_create")
def memfd_create(task: Task, name: bytes | Pointer, flags: int) -> int:
    """Make a file without a name (``mm/memfd.c``: memfd_create)."""
    kernel = task.kernel
    if flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING):
        raise Errno("EINVAL")
    if isinstance(name, Pointer):
        raise Errno("EFAULT")
    if len(name.split(b"\0", 1)[0]) > MFD_NAME_MAX:
        raise Errno("EINVAL")
    fd = task.files.reserve(task)
    try:
        alloc_empty_file(task)
    except Errno:
        del task.files.reserved[fd]
        raise
    cred = task.cred
    inode = Inode(
        kernel.serial(), S_IFREG | S_IRWXUGO, cred.euid, cred.egid, "tmpfs", SHMEM_OPS.name, i_nlink=0, count=1
    )
    inode.born(kernel)
    inode.seals = 0 if flags & MFD_ALLOW_SEALING else F_SEAL_SEAL
    mode = FMODE_READ | FMODE_WRITE
    file = File(kernel.serial(), SHMEM_OPS, mode, O_RDWR | O_LARGEFILE, inode.ref, seekable=True, inode=inode)
    task.files.install(fd, file, bool(flags & MFD_CLOEXEC))
    return fd
