"""procfs, as far as it leads to what is simulated: limits, tables, namespaces, descriptors (``fs/proc/*.c``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ktrace.include.linux.stat import S_IRWXUGO
from ktrace.model.fs.inode import Inode
from ktrace.model.fs.opaque import OpaqueInode
from ktrace.model.task import AsObserved, Errno
from ktrace.uapi.stat import S_IFDIR, S_IFLNK, S_IRWXU

if TYPE_CHECKING:
    from ktrace.model.task import Task

Lookup = Callable[["Task", bytes], Inode | None]
_LOOKUPS: list[Lookup] = []
SELF = ("self", "thread-self")


def proc_lookup(lookup: Lookup) -> Lookup:
    """Register a function that returns the inode of a path of its own, ``None`` for any other path."""
    _LOOKUPS.append(lookup)
    return lookup


class ProcDirectory(OpaqueInode):
    """A directory of procfs, or a file of it that is not simulated: only names that lead on are known.

    :param names: from /proc on
    """

    def __init__(self, key: int | str, names: tuple[str, ...] = ()) -> None:
        super().__init__(key, "procfs", "/".join(("/proc", *names)), S_IFDIR | 0o555 if not names else 0)
        self.names = names

    def lookup(self, task: Task, name: str) -> Inode | None:
        """Return what is simulated, else something of which nothing but the name is known (``proc_lookup()``)."""
        names = (*self.names, name)
        path = "/".join(("/proc", *names)).encode("utf-8", "surrogateescape")
        for find in _LOOKUPS:
            if (found := find(task, path)) is not None:
                return found
        target = self._task(task)
        if target is not None and len(names) == 3 and names[1] == "fd" and name.isdigit():
            return FdLink(task.kernel.serial(), target, int(name))
        if target is not None and len(names) == 2 and name in ("cwd", "root"):
            return DirectoryLink(task.kernel.serial(), target.fs.pwd if name == "cwd" else task.kernel.fs.slash)
        below = ProcDirectory(task.kernel.serial(), names)
        below.parent = self
        return below

    def _task(self, task: Task) -> Task | None:
        """Return whose directory this is, or is in."""
        if not self.names:
            return None
        if self.names[0] in SELF:
            return task
        return task.kernel.find_task(int(self.names[0])) if self.names[0].isdigit() else None


class FdLink(Inode):
    """A link to what a descriptor opens (``fs/proc/fd.c: proc_fd_link()``).

    :param fd: of *owner*
    """

    def __init__(self, key: int, owner: Task, fd: int) -> None:
        super().__init__(key, S_IFLNK | S_IRWXU, owner.cred.euid, owner.cred.egid, "proc", "?")
        self.owner, self.fd = owner, fd

    def magic_link(self, task: Task) -> Inode:
        """Return the inode that the descriptor opens (``proc_pid_get_link()``).

        :raises Errno: ENOENT where there is none
        """
        if self.owner is not task and task.cred.euid != 0:
            raise AsObserved("another process's descriptors")  # proc_fd_access_allowed()
        slot = self.owner.files.slots.get(self.fd)
        if slot is None:
            raise Errno("ENOENT")
        if slot.file.inode is not None:
            inode: Inode = slot.file.inode
            return inode
        behind = getattr(slot.file.private, "inode", None)
        return behind if isinstance(behind, Inode) else AnonInode(task.kernel.serial())


class DirectoryLink(Inode):
    """/proc/PID/cwd and /proc/PID/root (``fs/proc/base.c``)."""

    def __init__(self, key: int, target: Inode) -> None:
        super().__init__(key, S_IFLNK | S_IRWXUGO, 0, 0, "proc", "?")
        self.target = target

    def magic_link(self, task: Task) -> Inode:
        """Return the directory."""
        return self.target


class AnonInode(Inode):
    """What has no inode of its own, such as an epoll (``fs/anon_inodes.c``): nothing can be opened by it."""

    def __init__(self, key: int) -> None:
        super().__init__(key, 0o600, 0, 0, "anon_inodefs", "no_open_fops")
