"""procfs, as far as it leads to what is simulated: limits, tables, namespaces, descriptors (``fs/proc/*.c``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ktrace.include.linux.fs import FMODE_READ, FMODE_WRITE
from ktrace.include.linux.stat import S_IRWXUGO
from ktrace.model.fs.inode import Inode, current_time
from ktrace.model.fs.opaque import OpaqueInode
from ktrace.model.process.user_namespace import task_dump_owner
from ktrace.model.task import AsObserved, Errno
from ktrace.uapi.limits import UINT_MAX
from ktrace.uapi.stat import S_IFDIR, S_IFLNK, S_IRUSR, S_IWUSR, S_IXUSR

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.model.task import Task

Lookup = Callable[["Task", bytes], Inode | None]
_LOOKUPS: list[Lookup] = []
SELF = ("self", "thread-self")


def proc_lookup(lookup: Lookup) -> Lookup:
    """Register a function that returns the inode of a path of its own, ``None`` for any other path."""
    _LOOKUPS.append(lookup)
    return lookup


def name_to_int(name: str) -> int | None:
    """Return the number that a name of procfs is, ``None`` where it is none, as with a leading zero."""
    if not (name.isascii() and name.isdigit()) or (len(name) > 1 and name[0] == "0"):
        return None
    number = int(name)
    return number if number // 10 < (UINT_MAX - 9) // 10 else None  # fs/proc/util.c


class ProcDirectory(OpaqueInode):
    """A directory of procfs, or a file of it that is not simulated: only names that lead on are known.

    :param names: from /proc on
    :param owner: whose it is, where that does not depend on who asks: it is open
    """

    def __init__(self, key: int | str, names: tuple[str, ...] = (), owner: Task | None = None) -> None:
        super().__init__(key, "procfs", "/".join(("/proc", *names)), S_IFDIR | 0o555 if not names else 0)
        self.names = names
        self.owner = owner

    def opened_by(self, task: Task) -> OpaqueInode:
        """Return it as it is for whoever has it, as /proc/self is a link to who opens it (``proc_self_get_link()``)."""
        return ProcDirectory(task.kernel.serial(), self.names, self.owner or self._task(task))

    def lookup(self, task: Task, name: str) -> Inode | None:
        """Return what is simulated, else something of which nothing but the name is known (``proc_lookup()``)."""
        names = (*self.names, name)
        if self.owner not in (None, task) and names[0] in SELF:
            names = (str(self.owner.pid), *names[1:])
        path = "/".join(("/proc", *names)).encode("utf-8", "surrogateescape")
        for find in _LOOKUPS:
            if (found := find(task, path)) is not None:
                return found
        target = self._task(task)
        fd = name_to_int(name)
        if target is not None and len(names) == 3 and names[1] == "fd" and fd is not None:
            return fd_link(task.kernel, target, fd, names[0])
        if target is not None and len(names) == 2 and name in ("cwd", "root"):
            return directory_link(task.kernel, target, names)
        below = ProcDirectory(task.kernel.serial(), names, self.owner)
        below.in_mount_of(self)
        return below

    def _task(self, task: Task) -> Task | None:
        """Return whose directory this is, or is in."""
        if not self.names:
            return None
        if self.owner is not None:
            return task.kernel.tasks.get(self.owner.name)
        if self.names[0] in SELF:
            return task
        pid = name_to_int(self.names[0])
        return None if pid is None else task.kernel.find_task(pid)


def fd_link(kernel: Kernel, owner: Task, fd: int, below: str) -> FdLink:
    """Return the link of a descriptor, the same one as long as no lookup misses it (``tid_fd_revalidate()``).

    :param below: the name of the directory: each of *owner*'s has links of its own
    """
    name = f"{'task' if below == 'thread-self' else ''}/fd/{fd}"
    if fd not in owner.files.slots:
        owner.proc_inodes.pop(name, None)
        return FdLink(kernel, owner, fd)
    link = owner.proc_inodes.get(name)
    if not isinstance(link, FdLink):
        link = owner.proc_inodes[name] = FdLink(kernel, owner, fd)
    link.update()
    return link


class ProcLink(Inode):
    """A link that leads somewhere without a path (``fs/proc/base.c: proc_pid_make_inode()``).

    :param owner: whose it is
    """

    def __init__(self, kernel: Kernel, owner: Task, permissions: int, i_size: int) -> None:
        now = current_time(kernel)
        super().__init__(
            kernel.serial(), S_IFLNK | permissions, 0, 0, "proc", "no_open_fops",
            i_size=i_size, i_atime=now, i_mtime=now, i_ctime=now, relatime=True,
        )  # fmt: skip
        self.owner = owner


class FdLink(ProcLink):
    """A link to what a descriptor opens (``fs/proc/fd.c: proc_fd_link()``).

    :param fd: of *owner*
    """

    def __init__(self, kernel: Kernel, owner: Task, fd: int) -> None:
        super().__init__(kernel, owner, 0, 64)
        self.fd = fd

    def update(self) -> None:
        """Take the owner's ids, and as mode what the descriptor may do (``tid_fd_update_inode()``)."""
        self.i_uid, self.i_gid = task_dump_owner(self.owner)
        f_mode = self.owner.files.slots[self.fd].file.f_mode
        self.i_mode = S_IFLNK
        if f_mode & FMODE_READ:
            self.i_mode |= S_IRUSR | S_IXUSR
        if f_mode & FMODE_WRITE:
            self.i_mode |= S_IWUSR | S_IXUSR

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


def directory_link(kernel: Kernel, owner: Task, names: tuple[str, ...]) -> DirectoryLink:
    """Return one of a task's links to directories, always the same (``pid_revalidate()``).

    :param names: of the link, from /proc on
    """
    name = f"{'task' if names[0] == 'thread-self' else ''}/{names[1]}"
    link = owner.proc_inodes.get(name)
    if not isinstance(link, DirectoryLink):
        link = owner.proc_inodes[name] = DirectoryLink(kernel, owner, names[1] == "root")
    link.i_uid, link.i_gid = task_dump_owner(owner)
    return link


class DirectoryLink(ProcLink):
    """/proc/PID/cwd and /proc/PID/root (``fs/proc/base.c``)."""

    def __init__(self, kernel: Kernel, owner: Task, slash: bool) -> None:
        super().__init__(kernel, owner, S_IRWXUGO, 0)
        self.slash = slash

    def magic_link(self, task: Task) -> Inode:
        """Return the directory (``proc_cwd_link()``, ``proc_root_link()``)."""
        return task.kernel.fs.slash if self.slash else self.owner.fs.pwd


class AnonInode(Inode):
    """What has no inode of its own, such as an epoll (``fs/anon_inodes.c``): nothing can be opened by it."""

    def __init__(self, key: int) -> None:
        super().__init__(key, 0o600, 0, 0, "anon_inodefs", "no_open_fops")
