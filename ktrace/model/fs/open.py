"""Opening files, and what else is done to them by name (``fs/open.c``, ``fs/namei.c: path_openat()``)."""

from __future__ import annotations

from typing import Any

from ktrace.include.linux.fs import MAY_EXEC, MAY_READ, MAY_WRITE
from ktrace.include.linux.namei import MAXSYMLINKS
from ktrace.include.linux.stat import S_IALLUGO
from ktrace.model.calls import syscall
from ktrace.model.fs.file import File, FileOperations, fput
from ktrace.model.fs.file_table import alloc_empty_file
from ktrace.model.fs.inode import Inode
from ktrace.model.fs.opaque import OpaqueInode, OpaqueOperations
from ktrace.model.fs.opaque_identity import identify
from ktrace.model.fs.path_walk import (
    LAST_NORM,
    LAST_ROOT,
    Nameidata,
    getname,
    is_dir,
    link_path_walk,
    lookup,
    parent,
    path_init,
    path_lookupat,
    step_into,
)
from ktrace.model.fs.shmem import DIRECTORY_OPS, SHMEM_OPS, truncate_inode
from ktrace.model.fs.tree import is_dead
from ktrace.model.kernel import Kernel
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.model.unsimulated import as_observed
from ktrace.model.wait import Sleeps, drive
from ktrace.state.call import Pointer
from ktrace.state.ref import Ref
from ktrace.uapi.fcntl import (
    AT_FDCWD,
    FASYNC,
    O_ACCMODE,
    O_APPEND,
    O_CLOEXEC,
    O_CREAT,
    O_DIRECT,
    O_DIRECTORY,
    O_DSYNC,
    O_EXCL,
    O_LARGEFILE,
    O_NOATIME,
    O_NOCTTY,
    O_NOFOLLOW,
    O_NONBLOCK,
    O_PATH,
    O_RDONLY,
    O_SYNC,
    O_TMPFILE,
    O_TRUNC,
    O_WRONLY,
)
from ktrace.uapi.stat import S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK

TMPFILE_BIT = O_TMPFILE & ~O_DIRECTORY
"""``__O_TMPFILE``."""

VALID_OPEN_FLAGS = (
    O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_DSYNC | O_SYNC | FASYNC
    | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | TMPFILE_BIT
)  # fmt: skip
O_PATH_FLAGS = O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC
FOPS: dict[int, FileOperations] = {S_IFREG: SHMEM_OPS}
"""By file type; the FIFO's are added by its own module."""
OPS_BY_SYMBOL: dict[str, FileOperations] = {**DIRECTORY_OPS}
"""Of file types that have more than one kind, by the symbol that the inode has."""


class PathOperations(FileOperations):
    """``empty_fops`` of a file opened with O_PATH."""

    name = "empty_fops"

    def observe(self, kernel: Kernel, file: File, objects: dict[Ref, Any]) -> None:
        """Add the inode, whatever it is."""
        if file.inode is not None:
            file.inode.observe_by_path(kernel, objects)


PATH_OPS = PathOperations()


@syscall("open")
def open_(task: Task, pathname: bytes, flags: int, mode: int) -> Sleeps[int]:
    """Open a file by name (``do_sys_open()``)."""
    return (yield from do_open(task, AT_FDCWD, pathname, flags, mode))


@syscall("openat")
def openat(task: Task, dirfd: int, pathname: bytes, flags: int, mode: int) -> Sleeps[int]:
    """Open a file below a directory (``do_sys_open()``)."""
    return (yield from do_open(task, dirfd, pathname, flags, mode))


@syscall("creat")
def creat(task: Task, pathname: bytes, mode: int) -> Sleeps[int]:
    """Make a file, or empty it (``fs/open.c``: creat)."""
    return (yield from do_open(task, AT_FDCWD, pathname, O_CREAT | O_WRONLY | O_TRUNC, mode))


def do_open(task: Task, dirfd: int, path: bytes | Pointer, flags: int, mode: int) -> Sleeps[int]:
    """Take a descriptor, then open (``do_sys_openat2()``)."""
    flags = flags & VALID_OPEN_FLAGS | O_LARGEFILE
    if flags & O_PATH:
        flags &= O_PATH_FLAGS
    cloexec = bool(flags & O_CLOEXEC)
    flags &= ~O_CLOEXEC
    _check_flags(flags)
    text = getname(path)
    files = task.files
    fd = files.reserve(task, cloexec)
    try:
        file = yield from _open_file(task, dirfd, text, fd, flags, mode & S_IALLUGO)
    except (Errno, AsObserved):
        del files.reserved[fd]
        raise
    files.install(fd, file, cloexec)
    return fd


def _check_flags(flags: int) -> None:
    """``build_open_flags()``."""
    if flags & TMPFILE_BIT:
        if not flags & O_DIRECTORY or flags & O_CREAT or flags & O_ACCMODE == O_RDONLY:  # ACC_MODE: 3 may write
            raise Errno("EINVAL")
    elif flags & O_DIRECTORY and flags & O_CREAT:
        raise Errno("EINVAL")


def _open_file(task: Task, dirfd: int, path: str, fd: int, flags: int, mode: int) -> Sleeps[File]:
    """Find or make the inode and open it (``path_openat()``, ``do_open()``)."""
    alloc_empty_file(task)
    nd = path_init(task, dirfd, path)
    if flags & TMPFILE_BIT:
        return (yield from _tmpfile(nd, path, flags, mode))
    link_path_walk(nd, path)
    try:
        created = _last_lookups(nd, flags, mode)
        inode = nd.inode
        if isinstance(inode, OpaqueInode):
            return (yield from _open_opaque(task, inode, fd, flags))
        if flags & O_CREAT:
            if flags & O_EXCL and not created:
                raise Errno("EEXIST")
            if is_dir(inode):
                raise Errno("EISDIR")
        if (flags & O_DIRECTORY or nd.slash) and not is_dir(inode):
            raise Errno("ENOTDIR")
        if not created:
            _may_open(task, inode, flags)
        file = yield from open_inode(task, inode, flags, created)
        if nd.directory is not None and nd.directory.entries.get(nd.last) is inode:
            file.dentry = nd.directory, nd.last
        return file
    except AsObserved as opaque:
        # A driver, or a file system that is not simulated, has the last word.
        result = yield from as_observed(task, opaque)
        raise Errno(result.errno or "EIO") from None


def _last_lookups(nd: Nameidata, flags: int, mode: int) -> bool:
    """Go to the last name, or make it with O_CREAT; tell whether it was made (``open_last_lookups()``).

    :raises Errno: EISDIR, ENOENT, EACCES
    """
    task = nd.task
    follow = not flags & O_NOFOLLOW and not (flags & O_CREAT and flags & O_EXCL)
    while True:
        if nd.last_type != LAST_NORM:
            if nd.last_type != LAST_ROOT and nd.last_type == "..":
                nd.inode = parent(nd.inode)
            return False
        if flags & O_CREAT and nd.slash:
            raise Errno("EISDIR")
        directory = nd.directory = nd.inode
        if is_dead(directory) and not isinstance(directory, OpaqueInode):
            raise Errno("ENOENT")
        found = lookup(task, directory, nd.last)
        if found is None:
            if not flags & O_CREAT:
                raise Errno("ENOENT")
            nd.inode = task.kernel.fs.create(task, directory, nd.last, S_IFREG | mode)
            return True
        before = nd.links
        last_link = _one_link(nd, found, follow or nd.slash)
        if not last_link:
            step_into(nd, found, follow or nd.slash)
            return False
        assert nd.links > before


def _one_link(nd: Nameidata, found: Inode, follow: bool) -> bool:
    """Walk along a link at the end up to its own last name, which may not be there yet; tell whether it is a link.

    :raises Errno: ELOOP
    """
    if not follow or found.mounted is not None or found.i_mode & S_IFMT != S_IFLNK or found.link is None:
        return False
    nd.links += 1
    if nd.links > MAXSYMLINKS:
        raise Errno("ELOOP")
    found.accessed(nd.task.kernel)
    slash = nd.slash
    link_path_walk(nd, found.link.decode("utf-8", "surrogateescape"))
    nd.slash = nd.slash or slash
    return True


def _tmpfile(nd: Nameidata, path: str, flags: int, mode: int) -> Sleeps[File]:
    """Open a file that has no name yet (``do_tmpfile()``, ``shmem_tmpfile()``).

    :raises Errno: ENOTDIR, EACCES
    """
    task = nd.task
    text = path.encode("utf-8", "surrogateescape")
    directory = path_lookupat(task, text, _start(task, nd), follow=not flags & O_NOFOLLOW, changes=True)
    if not is_dir(directory):
        raise Errno("ENOTDIR")
    directory.permission(task, MAY_WRITE | MAY_EXEC)
    inode = task.kernel.fs.new_inode(task, directory, S_IFREG | mode & ~task.fs.umask)
    inode.i_nlink = 0
    return (yield from open_inode(task, inode, flags, True))


def _start(task: Task, nd: Nameidata) -> int:
    """Return the descriptor that a walk began at (``nd->dfd``)."""
    if nd.inode is task.fs.pwd or nd.inode is task.kernel.fs.slash:
        return AT_FDCWD
    return next(fd for fd, slot in task.files.slots.items() if slot.file.inode is nd.inode)


def _open_opaque(task: Task, inode: OpaqueInode, fd: int, flags: int) -> Sleeps[File]:
    """Open what is not simulated, if the kernel was seen to.

    :raises Errno: as observed
    """
    result = yield from as_observed(task, AsObserved(inode.what))
    if result.errno is not None:
        raise Errno(result.errno)
    found = identify(task, fd, inode.what, inode)
    found.parent = inode.parent
    return (yield from open_inode(task, found, flags))


def _may_open(task: Task, inode: Inode, flags: int) -> None:
    """``fs/namei.c: may_open()``."""
    kind = inode.i_mode & S_IFMT
    if flags & O_PATH:
        return
    mask = (MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE)[flags & O_ACCMODE]
    if flags & O_TRUNC:
        mask |= MAY_WRITE
    if kind == S_IFLNK:
        raise Errno("ELOOP")
    if kind == S_IFDIR and mask & MAY_WRITE:
        raise Errno("EISDIR")
    inode.permission(task, mask)
    if flags & O_NOATIME and task.cred.euid != inode.i_uid and not task.cred.capable("CAP_FOWNER"):
        raise Errno("EPERM")


def open_inode(task: Task, inode: Inode, flags: int, created: bool = False) -> Sleeps[File]:
    """Make an open file of an inode (``do_dentry_open()``)."""
    kernel = task.kernel
    kind = inode.i_mode & S_IFMT
    path_only = bool(flags & O_PATH)
    # OPEN_FMODE: O_ACCMODE 3 gives neither mode.
    f_mode = flags + 1 & O_ACCMODE
    ops = PATH_OPS if path_only else inode.ops or OPS_BY_SYMBOL.get(inode.i_fop) or FOPS.get(kind)
    if ops is None or (kind == S_IFSOCK and not path_only):
        raise Errno("ENXIO")  # no_open()
    file = File(kernel.serial(), ops, 0 if path_only else f_mode, flags, inode.ref, inode=inode)
    inode.get()
    if not path_only:
        file.seekable = kind != S_IFIFO
        try:
            yield from drive(ops.open(task, inode, file))
        except (Errno, AsObserved):
            inode.put(kernel)
            raise
    file.f_flags &= ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC)
    file.can_odirect = ops is SHMEM_OPS and kernel.fs.facts.direct  # shmem_file_open()
    if flags & O_DIRECT and not (file.can_odirect or isinstance(ops, OpaqueOperations)):
        fput(task, file)
        raise Errno("EINVAL")
    if flags & O_TRUNC and not created and kind == S_IFREG and not isinstance(ops, OpaqueOperations):
        truncate_inode(task, inode, 0, True)
    return file
