"""Opening, making and removing files by name (``fs/open.c``, ``fs/namei.c``)."""

from __future__ import annotations

import re

from ktrace.include.linux.fs import FMODE_WRITE, MAY_EXEC, MAY_READ, MAY_WRITE
from ktrace.include.linux.stat import S_IALLUGO, S_IRWXUGO
from ktrace.model.fs.file import File, FileOperations, file_inode, fput
from ktrace.model.fs.file_table import alloc_empty_file
from ktrace.model.fs.inode import Inode, current_time
from ktrace.model.fs.proc import proc_inode
from ktrace.model.fs.shmem import DIRECTORY_OPS, SHMEM_OPS, truncate_inode
from ktrace.model.kernel import syscall
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps, drive
from ktrace.state.call import Pointer
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
    O_RDWR,
    O_SYNC,
    O_TMPFILE,
    O_TRUNC,
    O_WRONLY,
)
from ktrace.uapi.stat import S_IFDIR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK, S_ISVTX

O_SYNC_BIT, O_TMPFILE_BIT = O_SYNC & ~O_DSYNC, O_TMPFILE & ~O_DIRECTORY
VALID_OPEN_FLAGS = (
    O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_DSYNC | O_SYNC_BIT | FASYNC
    | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE_BIT
)  # fmt: skip
O_PATH_FLAGS = O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC
FD_LINK = re.compile(rb"/proc/(?:self|thread-self)/fd/(\d+)")
FOPS: dict[int, FileOperations] = {S_IFREG: SHMEM_OPS, S_IFDIR: DIRECTORY_OPS}
"""By file type; the FIFO's are added by its own module."""


class PathOperations(FileOperations):
    """``empty_fops`` of a file opened with O_PATH."""

    name = "empty_fops"


PATH_OPS = PathOperations()


@syscall("open")
def open_(task: Task, pathname: bytes, flags: int, mode: int) -> Sleeps[int]:
    """Open a file by name (``fs/open.c: do_sys_open()``)."""
    return (yield from do_open(task, AT_FDCWD, pathname, flags, mode))


@syscall("openat")
def openat(task: Task, dirfd: int, pathname: bytes, flags: int, mode: int) -> Sleeps[int]:
    """Open a file below a directory (``fs/open.c: do_sys_open()``)."""
    return (yield from do_open(task, dirfd, pathname, flags, mode))


@syscall("creat")
def creat(task: Task, pathname: bytes, mode: int) -> Sleeps[int]:
    """Make a file, or empty it (``fs/open.c``: creat)."""
    return (yield from do_open(task, AT_FDCWD, pathname, O_CREAT | O_WRONLY | O_TRUNC, mode))


def do_open(task: Task, dirfd: int, path: bytes | Pointer, flags: int, mode: int) -> Sleeps[int]:
    """Take a descriptor, then open (``fs/open.c: do_sys_openat2()``)."""
    flags = flags & VALID_OPEN_FLAGS | O_LARGEFILE
    if flags & O_PATH:
        flags &= O_PATH_FLAGS
    cloexec = bool(flags & O_CLOEXEC)
    flags &= ~O_CLOEXEC
    _check_flags(flags)
    if isinstance(path, Pointer):
        raise Errno("EFAULT")
    if not path.split(b"\0", 1)[0]:
        raise Errno("ENOENT")
    files = task.files
    fd = files.reserve(task, cloexec)
    try:
        file = yield from _open_file(task, dirfd, path, flags, mode & S_IALLUGO)
    except Errno:
        del files.reserved[fd]
        raise
    files.install(fd, file, cloexec)
    return fd


def _check_flags(flags: int) -> None:
    """``fs/open.c: build_open_flags()``."""
    if flags & O_DIRECTORY and flags & O_CREAT:
        raise Errno("EINVAL")
    if flags & O_TMPFILE_BIT and (not flags & O_DIRECTORY or flags & O_ACCMODE not in (O_WRONLY, O_RDWR)):
        raise Errno("EINVAL")


def _open_file(task: Task, dirfd: int, path: bytes, flags: int, mode: int) -> Sleeps[File]:
    """Find or make the inode and open it (``fs/namei.c: path_openat()``, ``do_open()``)."""
    kernel = task.kernel
    tree = kernel.fs
    alloc_empty_file(task)
    created = False
    if (link := FD_LINK.fullmatch(path)) is not None:
        inode = _behind_link(task, int(link[1]))
    elif (found := proc_inode(task, path)) is not None:
        inode = found
    elif flags & O_CREAT:
        directory, name, trailing = tree.parent_of(task, path, dirfd)
        if trailing or not name:
            raise Errno("EISDIR")
        found = directory.entries.get(name)
        created = found is None
        inode = found or tree.create(task, directory, name, S_IFREG | mode)
    else:
        inode = tree.lookup(task, path, dirfd)
    if flags & O_CREAT:
        if flags & O_EXCL and not created:
            raise Errno("EEXIST")
        if inode.i_mode & S_IFMT == S_IFDIR:
            raise Errno("EISDIR")
    if flags & O_DIRECTORY and inode.i_mode & S_IFMT != S_IFDIR:
        raise Errno("ENOTDIR")
    if not created:
        _may_open(task, inode, flags)
    return (yield from open_inode(task, inode, flags, created))


def _behind_link(task: Task, fd: int) -> Inode:
    """Return what a descriptor's link below /proc leads to (``fs/proc/fd.c: proc_fd_link()``)."""
    slot = task.files.slots.get(fd)
    if slot is None:
        raise Errno("ENOENT")
    if slot.file.inode is None or slot.file.target.kind == "socket":
        # anon_inode: 0600 and root's; a socket's inode: 0777. Neither can be opened (no_open()).
        anonymous = slot.file.target.kind != "socket"
        if anonymous and task.cred.euid != 0 and not task.cred.capable("CAP_DAC_OVERRIDE"):
            raise Errno("EACCES")
        raise Errno("ENXIO")
    inode: Inode = slot.file.inode
    return inode


def _may_open(task: Task, inode: Inode, flags: int) -> None:
    """``fs/namei.c: may_open()``."""
    if flags & O_PATH:
        return
    mask = (MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE)[flags & O_ACCMODE]
    if flags & O_TRUNC:
        mask |= MAY_WRITE
    if inode.i_mode & S_IFMT == S_IFDIR and mask & MAY_WRITE:
        raise Errno("EISDIR")
    inode.permission(task, mask)
    if flags & O_NOATIME and task.cred.euid != inode.i_uid and not task.cred.capable("CAP_FOWNER"):
        raise Errno("EPERM")


def open_inode(task: Task, inode: Inode, flags: int, created: bool = False) -> Sleeps[File]:
    """Make an open file of an inode (``fs/open.c: do_dentry_open()``)."""
    kernel = task.kernel
    kind = inode.i_mode & S_IFMT
    if kind == S_IFSOCK and not flags & O_PATH:
        raise Errno("ENXIO")  # no_open()
    # OPEN_FMODE: O_ACCMODE 3 gives neither mode.
    f_mode = flags + 1 & O_ACCMODE
    ops = PATH_OPS if flags & O_PATH else inode.ops or FOPS[kind]
    file = File(kernel.serial(), ops, 0 if flags & O_PATH else f_mode, flags, inode.ref, inode=inode)
    inode.get()
    if not flags & O_PATH:
        file.seekable = kind != S_IFIFO
        try:
            yield from drive(ops.open(task, inode, file))
        except Errno:
            inode.put(kernel)
            raise
    file.f_flags &= ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC)
    tree = kernel.fs
    if flags & O_DIRECT and not (kind == S_IFREG and tree.facts.direct):
        fput(task, file)
        raise Errno("EINVAL")
    if flags & O_TRUNC and not created and kind == S_IFREG:
        truncate_inode(kernel, inode, 0, True)
    return file


# -- making and removing -------------------------------------------------------------------------


@syscall("mknod")
def mknod(task: Task, pathname: bytes, mode: int, dev: int) -> int:
    """Make a FIFO, a socket's name or an empty file (``fs/namei.c: do_mknodat()``)."""
    return _mknod(task, AT_FDCWD, pathname, mode)


@syscall("mkfifo")
def mkfifo(task: Task, pathname: bytes, mode: int) -> int:
    """Make a FIFO: mknod(2) with the type set (``fs/namei.c: do_mknodat()``)."""
    return _mknod(task, AT_FDCWD, pathname, mode | S_IFIFO)


@syscall("mknodat")
def mknodat(task: Task, dirfd: int, pathname: bytes, mode: int, dev: int) -> int:
    """Make a FIFO below a directory (``fs/namei.c: do_mknodat()``)."""
    return _mknod(task, dirfd, pathname, mode)


def _mknod(task: Task, dirfd: int, path: bytes, mode: int) -> int:
    kind = mode & S_IFMT or S_IFREG
    if isinstance(path, Pointer):
        raise Errno("EFAULT")  # getname() comes first
    if kind == S_IFDIR:
        raise Errno("EPERM")
    if kind not in (S_IFREG, S_IFIFO, S_IFSOCK):
        raise Errno("EINVAL")
    make(task, dirfd, path, kind | mode & S_IALLUGO)
    return 0


def make(task: Task, dirfd: int, path: bytes | Pointer, mode: int) -> Inode:
    """Make an inode with a new name (``fs/namei.c: filename_create()``, ``vfs_mknod()``).

    :param mode: with the file type
    :raises Errno: EEXIST, ENOENT and whatever the lookup says
    """
    tree = task.kernel.fs
    directory, name, trailing = tree.parent_of(task, path, dirfd)
    if not name or name in directory.entries:
        raise Errno("EEXIST")
    if trailing and mode & S_IFMT != S_IFDIR:
        raise Errno("ENOENT")
    return tree.create(task, directory, name, mode)


@syscall("mkdir")
def mkdir(task: Task, pathname: bytes, mode: int) -> int:
    """Make a directory (``fs/namei.c: do_mkdirat()``)."""
    make(task, AT_FDCWD, pathname, S_IFDIR | mode & (S_IRWXUGO | S_ISVTX))
    return 0


@syscall("unlink")
def unlink(task: Task, pathname: bytes) -> int:
    """Remove a name; the inode stays while it is open (``fs/namei.c: do_unlinkat()``)."""
    kernel = task.kernel
    tree = kernel.fs
    directory, name, trailing = tree.parent_of(task, pathname)
    if not name:
        raise Errno("EBUSY" if directory is tree.root else "EISDIR")
    inode = directory.entries.get(name)
    if inode is None:
        raise Errno("ENOENT")
    is_dir = inode.i_mode & S_IFMT == S_IFDIR
    if trailing:
        raise Errno("EISDIR" if is_dir else "ENOTDIR")
    tree.may_delete(task, directory, inode)
    if is_dir:
        raise Errno("EISDIR")
    del directory.entries[name]
    inode.i_nlink -= 1
    directory.changed(kernel)
    inode.i_ctime = current_time(kernel)
    inode.evict()
    return 0


@syscall("rmdir")
def rmdir(task: Task, pathname: bytes) -> int:
    """Remove an empty directory (``fs/namei.c: do_rmdir()``)."""
    kernel = task.kernel
    tree = kernel.fs
    directory, name, _ = tree.parent_of(task, pathname)
    if not name:
        raise Errno("EBUSY")
    inode = directory.entries.get(name)
    if inode is None:
        raise Errno("ENOENT")
    tree.may_delete(task, directory, inode)
    if inode.i_mode & S_IFMT != S_IFDIR:
        raise Errno("ENOTDIR")
    if inode.entries:
        raise Errno("ENOTEMPTY")
    del directory.entries[name]
    inode.i_nlink -= 2
    directory.i_nlink -= 1
    directory.changed(kernel)
    inode.i_ctime = current_time(kernel)
    return 0


@syscall("umask")
def umask(task: Task, mask: int) -> int:
    """Set the permission bits that new files lack (``kernel/sys.c``: umask)."""
    old, task.umask = task.umask, mask & S_IRWXUGO
    return old


@syscall("chdir")
def chdir(task: Task, path: bytes) -> int:
    """Change the working directory (``fs/open.c``: chdir)."""
    tree = task.kernel.fs
    inode = tree.lookup(task, path)
    if inode.i_mode & S_IFMT != S_IFDIR:
        raise Errno("ENOTDIR")
    inode.permission(task, MAY_EXEC)
    task.cwd = tree.path_of(inode)
    return 0


@syscall("chmod")
def chmod(task: Task, pathname: bytes, mode: int) -> int:
    """Change a file's permissions (``fs/open.c: chmod_common()``)."""
    tree = task.kernel.fs
    return _chmod(task, tree.lookup(task, pathname), mode)


@syscall("fchmod")
def fchmod(task: Task, fd: int, mode: int) -> int:
    """Change an open file's permissions (``fs/open.c: chmod_common()``)."""
    file = task.files.get(fd)
    if file.inode is None or file.f_flags & O_PATH:
        raise Errno("EBADF")
    return _chmod(task, file.inode, mode)


def _chmod(task: Task, inode: Inode, mode: int) -> int:
    if task.cred.euid != inode.i_uid and not task.cred.capable("CAP_FOWNER"):
        raise Errno("EPERM")
    inode.i_mode = inode.i_mode & S_IFMT | mode & S_IALLUGO
    inode.i_ctime = current_time(task.kernel)
    return 0


@syscall("truncate")
def truncate(task: Task, path: bytes, length: int) -> int:
    """Cut or extend a file by name (``fs/open.c: vfs_truncate()``)."""
    kernel = task.kernel
    tree = kernel.fs
    if length < 0:
        raise Errno("EINVAL")
    inode = tree.lookup(task, path)
    kind = inode.i_mode & S_IFMT
    if kind == S_IFDIR:
        raise Errno("EISDIR")
    if kind != S_IFREG:
        raise Errno("EINVAL")
    inode.permission(task, MAY_WRITE)
    truncate_inode(kernel, inode, length, False)
    return 0


@syscall("ftruncate")
def ftruncate(task: Task, fd: int, length: int) -> int:
    """Cut or extend an open file (``fs/open.c: do_sys_ftruncate()``)."""
    if length < 0:
        raise Errno("EINVAL")
    file = task.files.get(fd)
    if file.f_flags & O_PATH:
        raise Errno("EBADF")
    if file.ops is not SHMEM_OPS or not file.f_mode & FMODE_WRITE:
        raise Errno("EINVAL")
    truncate_inode(task.kernel, file_inode(file), length, True)
    return 0
