"""The working directory and the file mode mask (``fs/open.c``, ``kernel/sys.c``)."""

from __future__ import annotations

from ktrace.include.linux.fs import MAY_EXEC
from ktrace.include.linux.stat import S_IRWXUGO
from ktrace.model.calls import syscall
from ktrace.model.fs.file import fdget
from ktrace.model.fs.inode import Inode
from ktrace.model.fs.opaque import OpaqueInode
from ktrace.model.fs.path_walk import is_dir, path_lookupat
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.model.unsimulated import as_observed
from ktrace.model.wait import Sleeps


@syscall("umask")
def umask(task: Task, mask: int) -> int:
    """Say which permissions new files lack (``kernel/sys.c``: umask)."""
    old, task.fs.umask = task.fs.umask, mask & S_IRWXUGO
    return old


@syscall("chdir")
def chdir(task: Task, path: bytes) -> Sleeps[int]:
    """Change the working directory (``fs/open.c``: chdir)."""
    inode = path_lookupat(task, path, opaque=True)
    if isinstance(inode, OpaqueInode):
        result = yield from as_observed(task, AsObserved(inode.what))
        if result.errno is not None:
            raise Errno(result.errno)
    else:
        _may_enter(task, inode)
    task.fs.pwd = inode
    return 0


@syscall("fchdir")
def fchdir(task: Task, fd: int) -> int:
    """Make an open directory the working one (``fs/open.c``: fchdir).

    :raises Errno: EBADF, ENOTDIR, EACCES
    """
    with fdget(task, fd, raw=True) as file:
        if isinstance(file.inode, OpaqueInode):
            raise AsObserved(file.inode.what, only_errors=True)
        if file.inode is None:
            raise Errno("ENOTDIR")
        _may_enter(task, file.inode)
        task.fs.pwd = file.inode
    return 0


def _may_enter(task: Task, inode: Inode) -> None:
    if not is_dir(inode):
        raise Errno("ENOTDIR")
    inode.permission(task, MAY_EXEC)
