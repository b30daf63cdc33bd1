"""IPC namespaces as files: /proc/self/ns/ipc, and setns (``fs/nsfs.c``, ``kernel/nsproxy.c``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ktrace.include.linux.stat import S_IRUGO
from ktrace.include.linux.types import s32
from ktrace.model.calls import syscall
from ktrace.model.fs.file import FileOperations
from ktrace.model.fs.inode import Inode
from ktrace.model.fs.proc import proc_lookup
from ktrace.model.ipc.namespace import Namespace
from ktrace.model.ipc.nsproxy import NsProxy, put_ipc_ns, switch_task_namespaces
from ktrace.model.ipc.sem_undo import exit_sem
from ktrace.model.kernel import Kernel
from ktrace.model.process.user_namespace import ns_capable
from ktrace.model.task import Errno, Task
from ktrace.uapi.fcntl import O_PATH
from ktrace.uapi.sched import CLONE_NEWIPC
from ktrace.uapi.stat import S_IFREG

if TYPE_CHECKING:
    from ktrace.model.fs.file import File

_LINK = re.compile(rb"/proc/(self|thread-self|[1-9]\d*)/ns/ipc")


class NsOperations(FileOperations):
    """``ns_file_operations``: such a file can only be held, and given to setns."""

    name = "ns_file_operations"
    refuses = ("mode", "owner")  # S_IMMUTABLE

    def open(self, task: Task, inode: Inode, file: File) -> None:
        """Nothing to do."""


NS_OPS = NsOperations()


class NsInode(Inode):
    """Mirror the inode that stands for a namespace, as long as anybody has it open.

    :ivar holds: whether it has its reference to the namespace
    """

    holds = False

    def get(self) -> None:
        """Pin it; the first to do so takes the namespace (``__ns_get_path()``)."""
        super().get()
        if not self.holds:
            self.holds = True
            self.i_private.count += 1

    def put(self, kernel: Kernel) -> None:
        """Let go of it, and of the namespace with the last reference (``nsfs_evict()``)."""
        super().put(kernel)
        if not self.count:
            ns: Namespace = self.i_private
            ns.inode = None
            if self.holds:
                put_ipc_ns(kernel, ns)


@proc_lookup
def ns_inode(task: Task, path: bytes) -> Inode | None:
    """Return the inode that a link below /proc leads to, ``None`` for any other path (``ns_get_path()``)."""
    kernel = task.kernel
    match = _LINK.fullmatch(path)
    target = None if match is None else kernel.find_task(int(match[1])) if match[1].isdigit() else task
    if target is None or (target is not task and task.cred.euid):
        return None  # proc_ns_get_link(): ptrace_may_access() is asked
    ns = kernel.ipc.namespace(target)
    found: Inode | None = ns.inode
    if found is None:
        found = ns.inode = NsInode(
            kernel.serial(), S_IFREG | S_IRUGO, 0, 0, i_sb="nsfs", i_fop=NS_OPS.name, i_private=ns, ops=NS_OPS
        )  # fmt: skip
    return found


@syscall("setns")
def setns(task: Task, fd: int, nstype: int) -> int:
    """Enter the namespace behind a descriptor (``SYSCALL_DEFINE2(setns)``, ``commit_nsset()``).

    What the task owes its old arrays is paid; the segments that it created stay on its list.
    """
    file = task.files.get(fd)
    if file.f_flags & O_PATH:
        raise Errno("EBADF")
    inode = file.inode
    if file.ops is not NS_OPS or not isinstance(inode, NsInode):
        raise Errno("EINVAL")
    if s32(nstype) not in (0, CLONE_NEWIPC):
        raise Errno("EINVAL")
    # ipcns_install()
    if (
        not ns_capable(task.cred, inode.i_private.user_ns, "CAP_SYS_ADMIN")
        or "CAP_SYS_ADMIN" not in task.cred.capabilities
    ):
        raise Errno("EPERM")
    new = NsProxy(inode.i_private)
    exit_sem(task, task.kernel.ipc.namespace(task))
    switch_task_namespaces(task, new)
    return 0
