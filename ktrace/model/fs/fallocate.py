"""Room for files that is made beforehand (``fs/open.c``, ``mm/shmem.c``)."""

from __future__ import annotations

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.fs import FMODE_WRITE, MAX_LFS_FILESIZE
from ktrace.model.calls import syscall
from ktrace.model.fs.file import fdget
from ktrace.model.fs.opaque import OpaqueInode
from ktrace.model.fs.shmem import SHMEM_OPS, page_of
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.uapi.falloc import FALLOC_FL_KEEP_SIZE
from ktrace.uapi.fcntl import F_SEAL_GROW
from ktrace.uapi.stat import S_IFDIR, S_IFIFO, S_IFMT, S_IFREG


@syscall("fallocate")
def fallocate(task: Task, fd: int, mode: int, offset: int, len: int) -> int:
    """Have a file hold pages of zeros where it has none (``vfs_fallocate()``, ``shmem_fallocate()``).

    :raises Errno: EBADF, EINVAL, ESPIPE, EISDIR, ENODEV, EFBIG, EOPNOTSUPP, EPERM, EINTR
    :raises NotImplementedError: another mode than FALLOC_FL_KEEP_SIZE
    """
    with fdget(task, fd) as file:
        if offset < 0 or len <= 0:
            raise Errno("EINVAL")
        if mode & ~FALLOC_FL_KEEP_SIZE:
            raise NotImplementedError(f"the model does not know the mode {mode:#x} of fallocate()")
        if not file.f_mode & FMODE_WRITE:
            raise Errno("EBADF")
        inode = file.inode
        if isinstance(inode, OpaqueInode):
            opaque = inode
            raise AsObserved(inode.what, done=lambda _: opaque.resize())
        kind = inode.i_mode & S_IFMT if inode is not None else 0
        if kind == S_IFIFO:
            raise Errno("ESPIPE")
        if kind == S_IFDIR:
            raise Errno("EISDIR")
        if inode is None or kind != S_IFREG:
            raise Errno("ENODEV")
        if offset + len > MAX_LFS_FILESIZE:
            raise Errno("EFBIG")
        if file.ops is not SHMEM_OPS:
            raise Errno("EOPNOTSUPP")
        if inode.seals & F_SEAL_GROW and offset + len > inode.i_size:
            raise Errno("EPERM")
        if task.signal_pending():
            raise Errno("EINTR")
        for index in range(offset // PAGE_SIZE, (offset + len + PAGE_SIZE - 1) // PAGE_SIZE):
            page_of(task.kernel, inode, index)
        if not mode & FALLOC_FL_KEEP_SIZE:
            inode.i_size = max(inode.i_size, offset + len)
        inode.changed(task.kernel)  # file_modified()
        return 0
