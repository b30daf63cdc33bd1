"""Making, removing and renaming by name (``fs/namei.c``)."""

from __future__ import annotations

from ktrace.include.linux.fs import MAY_EXEC, MAY_WRITE
from ktrace.include.linux.stat import S_IALLUGO, S_IRWXUGO
from ktrace.model.calls import syscall
from ktrace.model.fs.inode import Inode, current_time
from ktrace.model.fs.path_walk import (
    LAST_DOT,
    LAST_DOTDOT,
    LAST_NORM,
    Nameidata,
    getname,
    lookup,
    path_lookupat,
    path_parentat,
)
from ktrace.model.fs.tree import is_dead, root_of
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.state.call import Pointer
from ktrace.uapi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_FOLLOW
from ktrace.uapi.fs import RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT
from ktrace.uapi.limits import PATH_MAX
from ktrace.uapi.stat import S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK, S_ISVTX


@syscall("mknod")
def mknod(task: Task, pathname: bytes, mode: int, dev: int) -> int:
    """Make a FIFO, a socket's name or an empty file (``do_mknodat()``)."""
    return _mknod(task, AT_FDCWD, pathname, mode)


@syscall("mkfifo")
def mkfifo(task: Task, pathname: bytes, mode: int) -> int:
    """Make a FIFO: mknod(2) with the type set (``do_mknodat()``)."""
    return _mknod(task, AT_FDCWD, pathname, mode | S_IFIFO)


@syscall("mknodat")
def mknodat(task: Task, dirfd: int, pathname: bytes, mode: int, dev: int) -> int:
    """Make a FIFO below a directory (``do_mknodat()``)."""
    return _mknod(task, dirfd, pathname, mode)


def _mknod(task: Task, dirfd: int, path: bytes | Pointer, mode: int) -> int:
    """``do_mknodat()``, ``may_mknod()``."""
    kind = mode & S_IFMT or S_IFREG
    if kind == S_IFDIR:
        raise Errno("EPERM")
    if kind not in (S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK):
        raise Errno("EINVAL")
    getname(path)
    if kind in (S_IFCHR, S_IFBLK):
        raise AsObserved("a device", only_errors=True)
    make(task, dirfd, path, kind | mode & S_IALLUGO)
    return 0


def make(task: Task, dirfd: int, path: bytes | Pointer, mode: int) -> tuple[Inode, Inode, str]:
    """Make an inode with a new name, and return it, its directory and the name (``filename_create()``).

    :param mode: with the file type
    :raises Errno: EEXIST, ENOENT and whatever the walk says
    """
    nd = path_parentat(task, path, dirfd)
    _absent(task, nd, wants_dir=mode & S_IFMT == S_IFDIR)
    return task.kernel.fs.create(task, nd.inode, nd.last, mode), nd.inode, nd.last


def _absent(task: Task, nd: Nameidata, wants_dir: bool) -> None:
    """Refuse where the last name is none, or is there already (``filename_create()``).

    :raises Errno: EEXIST, ENOENT
    """
    if nd.last_type != LAST_NORM:
        raise Errno("EEXIST")
    if is_dead(nd.inode):
        raise Errno("ENOENT")
    if lookup(task, nd.inode, nd.last) is not None:
        raise Errno("EEXIST")
    if nd.slash and not wants_dir:
        raise Errno("ENOENT")


@syscall("mkdir")
def mkdir(task: Task, pathname: bytes, mode: int) -> int:
    """Make a directory (``do_mkdirat()``)."""
    return mkdirat(task, AT_FDCWD, pathname, mode)


@syscall("mkdirat")
def mkdirat(task: Task, dirfd: int, pathname: bytes, mode: int) -> int:
    """Make a directory below another (``do_mkdirat()``)."""
    make(task, dirfd, pathname, S_IFDIR | mode & (S_IRWXUGO | S_ISVTX))
    return 0


@syscall("symlink")
def symlink(task: Task, target: bytes, linkpath: bytes) -> int:
    """Make a symbolic link (``do_symlinkat()``)."""
    return symlinkat(task, target, AT_FDCWD, linkpath)


@syscall("symlinkat")
def symlinkat(task: Task, target: bytes, newdirfd: int, linkpath: bytes) -> int:
    """Make a symbolic link below a directory (``do_symlinkat()``, ``shmem_symlink()``).

    :raises Errno: ENAMETOOLONG, EEXIST, ENOENT
    """
    text = getname(target).encode("utf-8", "surrogateescape")
    assert len(text) < PATH_MAX
    inode, _, _ = make(task, newdirfd, linkpath, S_IFLNK | S_IRWXUGO)
    inode.link, inode.i_size = text, len(text)
    return 0


@syscall("link")
def link(task: Task, oldpath: bytes, newpath: bytes) -> int:
    """Give a file one more name (``do_linkat()``)."""
    return linkat(task, AT_FDCWD, oldpath, AT_FDCWD, newpath, 0)


@syscall("linkat")
def linkat(task: Task, olddirfd: int, oldpath: bytes, newdirfd: int, newpath: bytes, flags: int) -> int:
    """Give a file one more name (``do_linkat()``, ``vfs_link()``).

    :raises Errno: EINVAL, ENOENT, EEXIST, EXDEV, EPERM of a directory
    """
    if flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH):
        raise Errno("EINVAL")
    if flags & AT_EMPTY_PATH and not task.cred.capable("CAP_DAC_READ_SEARCH"):
        raise Errno("ENOENT")
    inode = path_lookupat(
        task, oldpath, olddirfd, bool(flags & AT_SYMLINK_FOLLOW), bool(flags & AT_EMPTY_PATH), changes=True
    )
    nd = path_parentat(task, newpath, newdirfd)
    _absent(task, nd, wants_dir=False)
    if not same_file_system(inode, nd.inode):
        raise Errno("EXDEV")
    nd.inode.permission(task, MAY_WRITE | MAY_EXEC)
    if inode.i_mode & S_IFMT == S_IFDIR:
        raise Errno("EPERM")
    if not inode.i_nlink:
        raise Errno("ENOENT")
    # shmem_link(), simple_link()
    nd.inode.changed(task.kernel)
    inode.i_ctime = inode.i_ctime.then(current_time(task.kernel))
    inode.i_nlink += 1
    nd.inode.entries[nd.last] = inode
    return 0


@syscall("unlink")
def unlink(task: Task, pathname: bytes) -> int:
    """Remove a name; the inode stays while it is open (``do_unlinkat()``)."""
    return _unlink(task, AT_FDCWD, pathname)


@syscall("rmdir")
def rmdir(task: Task, pathname: bytes) -> int:
    """Remove an empty directory (``do_rmdir()``)."""
    return _rmdir(task, AT_FDCWD, pathname)


@syscall("unlinkat")
def unlinkat(task: Task, dirfd: int, pathname: bytes, flags: int) -> int:
    """Remove a name below a directory (``fs/namei.c``: unlinkat)."""
    if flags & ~AT_REMOVEDIR:
        raise Errno("EINVAL")
    return _rmdir(task, dirfd, pathname) if flags & AT_REMOVEDIR else _unlink(task, dirfd, pathname)


def _unlink(task: Task, dirfd: int, path: bytes | Pointer) -> int:
    """``do_unlinkat()``, ``vfs_unlink()``."""
    kernel = task.kernel
    nd = path_parentat(task, path, dirfd)
    if nd.last_type != LAST_NORM:
        raise Errno("EISDIR")
    directory, inode = nd.inode, _existing(task, nd)
    is_dir = inode.i_mode & S_IFMT == S_IFDIR
    if nd.slash:
        raise Errno("EISDIR" if is_dir else "ENOTDIR")
    may_delete(task, directory, inode)
    if is_dir:
        raise Errno("EISDIR")
    del directory.entries[nd.last]
    directory.changed(kernel)
    inode.i_ctime = inode.i_ctime.then(current_time(kernel))
    inode.i_nlink -= 1
    inode.evict()
    return 0


def may_delete(task: Task, directory: Inode, victim: Inode) -> None:
    """Refuse what the caller may not remove (``may_delete()``).

    :raises Errno: EACCES, EPERM in a sticky directory
    """
    directory.permission(task, MAY_WRITE | MAY_EXEC)
    uid = task.cred.euid
    sticky = directory.i_mode & S_ISVTX and uid not in (victim.i_uid, directory.i_uid)
    if sticky and not task.cred.capable("CAP_FOWNER"):
        raise Errno("EPERM")


def _existing(task: Task, nd: Nameidata) -> Inode:
    """Return what the last name stands for, mounts not crossed (``__lookup_hash()``).

    :raises Errno: ENOENT
    """
    inode = None if is_dead(nd.inode) else lookup(task, nd.inode, nd.last)
    if inode is None:
        raise Errno("ENOENT")
    return inode


def _rmdir(task: Task, dirfd: int, path: bytes | Pointer) -> int:
    """``do_rmdir()``, ``vfs_rmdir()``, ``simple_rmdir()``."""
    kernel = task.kernel
    nd = path_parentat(task, path, dirfd)
    if nd.last_type == LAST_DOTDOT:
        raise Errno("ENOTEMPTY")
    if nd.last_type == LAST_DOT:
        raise Errno("EINVAL")
    if nd.last_type != LAST_NORM:
        raise Errno("EBUSY")
    directory, inode = nd.inode, _existing(task, nd)
    may_delete(task, directory, inode)
    if inode.i_mode & S_IFMT != S_IFDIR:
        raise Errno("ENOTDIR")
    if inode.mounted is not None:
        raise Errno("EBUSY")
    if inode.entries:
        raise Errno("ENOTEMPTY")
    del directory.entries[nd.last]
    inode.i_nlink -= 2
    directory.i_nlink -= 1
    directory.changed(kernel)
    inode.i_ctime = inode.i_ctime.then(current_time(kernel))
    return 0


@syscall("rename")
def rename(task: Task, oldpath: bytes, newpath: bytes) -> int:
    """Change a file's name (``do_renameat2()``)."""
    return renameat2(task, AT_FDCWD, oldpath, AT_FDCWD, newpath, 0)


@syscall("renameat")
def renameat(task: Task, olddirfd: int, oldpath: bytes, newdirfd: int, newpath: bytes) -> int:
    """Change a file's name below directories (``do_renameat2()``)."""
    return renameat2(task, olddirfd, oldpath, newdirfd, newpath, 0)


@syscall("renameat2")
def renameat2(task: Task, olddirfd: int, oldpath: bytes, newdirfd: int, newpath: bytes, flags: int) -> int:
    """Change a file's name, or exchange two (``do_renameat2()``, ``vfs_rename()``).

    :raises Errno: EINVAL, EXDEV, EBUSY, EEXIST, ENOENT, ENOTDIR, ENOTEMPTY, EISDIR
    """
    if flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT):
        raise Errno("EINVAL")
    if flags & (RENAME_NOREPLACE | RENAME_WHITEOUT) and flags & RENAME_EXCHANGE:
        raise Errno("EINVAL")
    if flags & RENAME_WHITEOUT:
        raise NotImplementedError("the model does not know RENAME_WHITEOUT")
    old, new = path_parentat(task, oldpath, olddirfd), path_parentat(task, newpath, newdirfd)
    if not same_file_system(old.inode, new.inode):
        raise Errno("EXDEV")
    if old.last_type != LAST_NORM:
        raise Errno("EBUSY")
    if new.last_type != LAST_NORM:
        raise Errno("EEXIST" if flags & RENAME_NOREPLACE else "EBUSY")
    inode = _existing(task, old)
    target = None if is_dead(new.inode) else lookup(task, new.inode, new.last)
    if is_dead(new.inode):
        raise Errno("ENOENT")
    exchange = bool(flags & RENAME_EXCHANGE)
    if target is not None and flags & RENAME_NOREPLACE:
        raise Errno("EEXIST")
    if exchange:
        if target is None:
            raise Errno("ENOENT")
        if target.i_mode & S_IFMT != S_IFDIR and new.slash:
            raise Errno("ENOTDIR")
    is_dir = inode.i_mode & S_IFMT == S_IFDIR
    if not is_dir and (old.slash or (not exchange and new.slash)):
        raise Errno("ENOTDIR")
    if _is_below(new.inode, inode):
        raise Errno("EINVAL")
    if target is not None and _is_below(old.inode, target):
        raise Errno("EINVAL" if exchange else "ENOTEMPTY")
    _vfs_rename(task, old, new, inode, target, exchange)
    return 0


def _vfs_rename(task: Task, old: Nameidata, new: Nameidata, inode: Inode, target: Inode | None, exchange: bool) -> None:
    """``vfs_rename()``, ``shmem_rename2()``, ``simple_rename()``."""
    kernel = task.kernel
    if target is inode:
        return
    is_dir = inode.i_mode & S_IFMT == S_IFDIR
    target_is_dir = target is not None and target.i_mode & S_IFMT == S_IFDIR
    may_delete(task, old.inode, inode)
    if target is None:
        new.inode.permission(task, MAY_WRITE | MAY_EXEC)
    else:
        may_delete(task, new.inode, target)
        if not exchange and is_dir != target_is_dir:
            raise Errno("ENOTDIR" if is_dir else "EISDIR")
    if old.inode is not new.inode:
        if is_dir:
            inode.permission(task, MAY_WRITE)
        if exchange and target_is_dir:
            assert target is not None
            target.permission(task, MAY_WRITE)
    if inode.mounted is not None or (target is not None and target.mounted is not None):
        raise Errno("EBUSY")
    if target is not None and target.entries and not exchange:
        raise Errno("ENOTEMPTY")
    new.inode.entries[new.last] = inode
    if exchange:
        assert target is not None
        old.inode.entries[old.last] = target
        _moved(target, new.inode, old.inode)
    else:
        del old.inode.entries[old.last]
        if target is not None:
            target.i_nlink -= 2 if target_is_dir else 1
            new.inode.i_nlink -= target_is_dir
    _moved(inode, old.inode, new.inode)
    if target is not None:
        target.i_ctime = target.i_ctime.then(current_time(kernel))
        target.evict()
    for directory in (old.inode, new.inode):
        directory.changed(kernel)
    inode.i_ctime = inode.i_ctime.then(current_time(kernel))


def _moved(inode: Inode, old: Inode, new: Inode) -> None:
    if inode.i_mode & S_IFMT == S_IFDIR:
        inode.parent = new
        old.i_nlink -= 1
        new.i_nlink += 1


def same_file_system(one: Inode, other: Inode) -> bool:
    """Tell whether two inodes lie below the same mount."""
    return _root_of(one) is _root_of(other)


def _root_of(inode: Inode) -> object:
    """Return the root of a directory's mount; a file's is its ``super_block``."""
    return root_of(inode) if inode.i_mode & S_IFMT == S_IFDIR else inode.root


def _is_below(inode: Inode | None, above: Inode) -> bool:
    while inode is not None:
        if inode is above:
            return True
        inode = inode.parent
    return False
