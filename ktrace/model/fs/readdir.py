"""Reading directories (``fs/readdir.c``, ``fs/libfs.c``): what order names have is not simulated."""

from __future__ import annotations

from typing import Any, NoReturn

from ktrace.model.calls import syscall
from ktrace.model.fs.file import File, file_inode
from ktrace.model.fs.inode import Touched
from ktrace.model.fs.opaque import OpaqueInode
from ktrace.model.fs.path_walk import is_dir
from ktrace.model.fs.shmem import file_accessed
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.state.allowed import Anything
from ktrace.state.call import Result
from ktrace.state.rule import Rule
from ktrace.uapi.fcntl import O_PATH

COOKIE = Rule("fs/libfs.c", "dcache_readdir", "where in a directory a reader is: a file system's own matter")


@syscall("getdents64")
def getdents64(task: Task, fd: int, dirp: Any, count: int) -> NoReturn:
    """Read names (``SYSCALL_DEFINE3(getdents64)``, ``iterate_dir()``): which ones and how many are taken as observed.

    :raises Errno: EBADF, ENOTDIR
    """
    file = task.files.get(fd)
    if file.f_flags & O_PATH:
        raise Errno("EBADF")
    inode = file.inode
    if inode is None or not (isinstance(inode, OpaqueInode) or is_dir(inode)):
        raise Errno("ENOTDIR")
    raise AsObserved("names of a directory", done=lambda result: _was_read(task, file, result))


syscall("getdents")(getdents64)


def _was_read(task: Task, file: File, result: Result) -> None:
    file.pos_known, file.offset = False, Anything(COOKIE)
    inode = file_inode(file)
    if isinstance(inode, OpaqueInode):
        inode.i_atime = Touched()
    elif result.errno != "ENOENT":
        file_accessed(task.kernel, file)
