"""AF_UNIX names that are files (``net/unix/af_unix.c``, ``fs/namei.c``)."""

from __future__ import annotations

from ktrace.include.linux.fs import MAY_WRITE
from ktrace.include.linux.stat import S_IRWXUGO
from ktrace.model.fs.namei import make
from ktrace.model.fs.path_walk import path_lookupat
from ktrace.model.net.unix.sock import Unix
from ktrace.model.task import Errno, Task
from ktrace.uapi.fcntl import AT_FDCWD
from ktrace.uapi.stat import S_IFMT, S_IFSOCK
from ktrace.uapi.un import SUN_PATH


def unix_find_bsd(task: Task, path: bytes, type_: int) -> Unix:
    """Return the sock that is bound to *path* (``unix_find_bsd()``).

    :raises Errno: ECONNREFUSED where there is none, EPROTOTYPE, EACCES, or what the path walk says
    """
    kernel = task.kernel
    inode = path_lookupat(task, path, changes=True)
    inode.permission(task, MAY_WRITE)
    if inode.i_mode & S_IFMT != S_IFSOCK:
        raise Errno("ECONNREFUSED")
    bound = kernel.net.unix.table.by_inode.get(inode.key)
    if not bound:
        raise Errno("ECONNREFUSED")
    if bound[0].type != type_:
        raise Errno("EPROTOTYPE")
    inode.accessed(kernel)
    return bound[0]


def unix_bind_bsd(task: Task, sk: Unix, path: bytes) -> None:
    """Make a socket inode at *path* and tie *sk* to it (``unix_bind_bsd()``).

    :raises Errno: EADDRINUSE where the path exists, EINVAL where *sk* has a name, or what the path walk says
    """
    kernel = task.kernel
    try:
        inode, directory, name = make(task, AT_FDCWD, path, S_IFSOCK | S_IRWXUGO)
    except Errno as error:
        raise Errno("EADDRINUSE" if error.name == "EEXIST" else error.name) from None
    if sk.addr is not None:
        # failed after successful mknod: vfs_unlink()
        del directory.entries[name]
        raise Errno("EINVAL")
    inode.count += 1
    sk.path = inode
    sk.addr = (1).to_bytes(SUN_PATH, "little") + path + b"\0"
    kernel.net.unix.table.by_inode.setdefault(inode.key, []).insert(0, sk)
