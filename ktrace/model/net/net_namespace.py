"""Network namespaces as files: what SIOCGSKNS opens (``net/socket.c``, ``fs/nsfs.c``)."""

from __future__ import annotations

from ktrace.include.linux.fs import FMODE_READ
from ktrace.model.fs.file import File
from ktrace.model.fs.file_table import get_unused_fd
from ktrace.model.fs.opaque_identity import identify
from ktrace.model.task import Errno, Task
from ktrace.model.wait import WaitQueue

NSFS = "nsfs"


def open_related_ns(task: Task) -> int:
    """Open the network namespace of a socket, of which there is one (``open_related_ns()``).

    :raises Errno: EPERM, EMFILE, ENFILE
    """
    if not task.cred.capable("CAP_NET_ADMIN"):
        raise Errno("EPERM")
    fd = get_unused_fd(task)
    inode = identify(task, fd, NSFS)
    inode.get()
    assert inode.ops is not None
    file = File(task.kernel.serial(), inode.ops, FMODE_READ, 0, inode.ref, WaitQueue(), inode=inode)
    task.files.install(fd, file, True)
    return fd
