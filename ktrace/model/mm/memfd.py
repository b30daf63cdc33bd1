"""Files without a name (``mm/memfd.c``)."""

from __future__ import annotations

from ktrace.include.linux.fs import FMODE_READ, FMODE_WRITE
from ktrace.model.calls import syscall
from ktrace.model.fs.file import File
from ktrace.model.fs.file_table import get_unused_fd
from ktrace.model.fs.inode import Inode
from ktrace.model.fs.shmem import SHMEM_OPS
from ktrace.model.task import Errno, Task
from ktrace.state.call import Pointer
from ktrace.uapi.fcntl import F_SEAL_SEAL, O_LARGEFILE, O_RDWR
from ktrace.uapi.memfd import MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_HUGE_MASK, MFD_HUGE_SHIFT, MFD_HUGETLB
from ktrace.uapi.stat import S_IFREG

MFD_NAME_MAX = 249


@syscall("memfd_create")
def memfd_create(task: Task, name: bytes | Pointer, flags: int) -> int:
    """Make a file without a name (``mm/memfd.c``: memfd_create)."""
    kernel = task.kernel
    huge = MFD_HUGETLB | MFD_HUGE_MASK << MFD_HUGE_SHIFT if flags & MFD_HUGETLB else 0
    if flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | huge):
        raise Errno("EINVAL")
    if isinstance(name, Pointer):
        raise Errno("EFAULT")
    if len(name.split(b"\0", 1)[0]) > MFD_NAME_MAX:
        raise Errno("EINVAL")
    if flags & MFD_HUGETLB:
        if kernel.mm.facts.hugetlb:
            raise NotImplementedError("the model does not know huge pages")
        task.files.unused(task)
        raise Errno("ENOSYS")  # hugetlb_file_setup()
    fd = get_unused_fd(task)
    cred = task.cred
    inode = Inode(kernel.serial(), S_IFREG | 0o777, cred.euid, cred.egid, "tmpfs", SHMEM_OPS.name, i_nlink=0, count=1)
    inode.born(kernel)
    inode.seals = 0 if flags & MFD_ALLOW_SEALING else F_SEAL_SEAL
    mode = FMODE_READ | FMODE_WRITE
    file = File(kernel.serial(), SHMEM_OPS, mode, O_RDWR | O_LARGEFILE, inode.ref, seekable=True, inode=inode)
    task.files.install(fd, file, bool(flags & MFD_CLOEXEC))
    return fd
