"""The limits of an IPC namespace as files below /proc/sys/kernel (``fs/proc/proc_sysctl.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ktrace.include.linux.fs import MAY_READ, MAY_WRITE
from ktrace.include.linux.stat import S_IRUGO, S_IWUGO
from ktrace.model.fs.file import FileOperations
from ktrace.model.fs.inode import Inode
from ktrace.model.fs.proc import proc_lookup
from ktrace.model.ipc.namespace import Namespace
from ktrace.model.ipc.sysctl import Limit, find_limit, read_limit, write_limit
from ktrace.model.process.user_namespace import INVALID, UserNamespace, ns_capable
from ktrace.model.task import Errno, Task
from ktrace.uapi.fs import SEEK_CUR, SEEK_END
from ktrace.uapi.stat import S_IFREG

if TYPE_CHECKING:
    from ktrace.model.fs.file import File
    from ktrace.model.mm.iov import Destination, Source

PROC_SYS = b"/proc/sys/"


class ProcSysInode(Inode):
    """Mirror the inode of one limit; every namespace has inodes of its own (``set_lookup()``)."""

    limit: Limit
    ns: Namespace

    def permission(self, task: Task, mask: int) -> None:
        """Refuse what the mode does not allow, whatever the capabilities (``sysctl_perm()``, ``ipc_permissions()``).

        :raises Errno: EACCES
        """
        mode, cred, ns = self.limit.mode, task.cred, self.ns.user_ns
        uid, gid = roots(ns)
        restore = any(ns_capable(cred, ns, name) for name in ("CAP_CHECKPOINT_RESTORE", "CAP_SYS_ADMIN"))
        if self.limit.name.endswith("_ids") and restore:
            mode = S_IRUGO | S_IWUGO
        elif cred.euid == uid:
            mode >>= 6
        elif cred.in_group_p(gid):
            mode >>= 3
        if mask & ~mode & (MAY_READ | MAY_WRITE):
            raise Errno("EACCES")


def roots(ns: UserNamespace) -> tuple[int, int]:
    """Return the kernel's ids of a namespace's root, real root's where it has none (``ipc_set_ownership()``)."""
    uid, gid = ns.make_kuid(0), ns.make_kgid(0)
    return 0 if uid == INVALID else uid, 0 if gid == INVALID else gid


class ProcSysOperations(FileOperations):
    """``proc_sys_file_operations``."""

    name = "proc_sys_file_operations"
    refuses = ("mode", "owner")  # proc_sys_setattr()

    def open(self, task: Task, inode: Inode, file: File) -> None:
        """Nothing to do (``proc_sys_open()``)."""

    def read_iter(self, task: Task, file: File, to: Destination) -> int:
        """Show the limit, from the beginning only (``proc_sys_call_handler()``)."""
        inode = _check(task, file, MAY_READ)
        text = read_limit(task.kernel, inode.ns, inode.limit) if to.count and not file.pos else b""
        text = text[: to.count]
        if to.copy(text) < len(text):
            raise Errno("EFAULT")
        file.pos += len(text)
        return len(text)

    def write_iter(self, task: Task, file: File, source: Source) -> int:
        """Set the limit, at the beginning only; elsewhere it is ignored (``proc_first_pos_non_zero_ignore()``)."""
        inode = _check(task, file, MAY_WRITE)
        data = source.copy_all()
        taken = len(data) if file.pos else write_limit(task.kernel, inode.ns, inode.limit, data)
        file.pos += taken
        return taken

    def poll(self, task: Task, file: File) -> int:
        """Be ready: no limit has a queue (``proc_sys_poll()``)."""
        return super().poll(task, file)

    def splice_read(self, task: Task, file: File, position: int, pipe: Any, length: int, flags: int) -> tuple[int, int]:
        """Stop: what a pipe gets differs between kernels, and is not known."""
        raise NotImplementedError("the model does not know what splice brings from a limit below /proc/sys")

    def splice_write(
        self, task: Task, pipe: Any, file: File, position: int, length: int, flags: int
    ) -> tuple[int, int]:
        """Stop: what a pipe of several pages writes is not known (``iter_file_splice_write()``)."""
        raise NotImplementedError("the model does not know what splice writes to a limit below /proc/sys")

    def llseek(self, task: Task, file: File, offset: int, whence: int) -> int:
        """Move the offset (``default_llseek()``)."""
        if whence > SEEK_END:
            raise Errno("EINVAL" if offset < 0 or whence > 4 else "ENXIO")
        base = file.pos if whence == SEEK_CUR else 0
        if base + offset < 0:
            raise Errno("EINVAL")
        file.pos = base + offset
        return file.pos


PROC_SYS_OPS = ProcSysOperations()


def _check(task: Task, file: File, mask: int) -> ProcSysInode:
    """Return the file's inode if its caller may use it now.

    :raises Errno: EPERM; ENOENT once the namespace is gone
    """
    inode = file.inode
    assert isinstance(inode, ProcSysInode)
    if inode.ns.retired:
        raise Errno("ENOENT")  # sysctl_head_grab()
    try:
        inode.permission(task, mask)
    except Errno:
        raise Errno("EPERM") from None
    return inode


@proc_lookup
def proc_sys_inode(task: Task, path: bytes) -> Inode | None:
    """Return the inode of a limit of the caller's namespace, ``None`` for any other path (``proc_sys_lookup()``)."""
    kernel = task.kernel
    if not path.startswith(PROC_SYS):
        return None
    ns = kernel.ipc.namespace(task)
    name = path[len(PROC_SYS) :].decode("ascii", "replace")
    limit = find_limit(ns, name)
    if limit is None:
        return None
    inode = ns.sysctl_inodes.get(name)
    if inode is None:
        mode, owners = S_IFREG | limit.mode, roots(ns.user_ns)
        inode = ProcSysInode(kernel.serial(), mode, *owners, "proc", PROC_SYS_OPS.name, ops=PROC_SYS_OPS)
        inode.ns, inode.limit = ns, limit
        ns.sysctl_inodes[name] = inode
    return inode
