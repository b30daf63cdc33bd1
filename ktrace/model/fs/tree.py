"""The workload's directory, a tmpfs: names, permissions, new inodes (``fs/namei.c``, ``mm/shmem.c``)."""

from __future__ import annotations

from typing import Any

from ktrace.include.linux.fs import MAY_EXEC, MAY_WRITE
from ktrace.include.linux.stat import S_IALLUGO
from ktrace.model.fs.inode import Inode
from ktrace.model.kernel import Kernel, Subsystem
from ktrace.model.task import Errno, Task
from ktrace.state.call import Pointer
from ktrace.state.fs.inode import TreeFacts
from ktrace.state.ref import Ref
from ktrace.uapi.fcntl import AT_FDCWD
from ktrace.uapi.limits import NAME_MAX, PATH_MAX
from ktrace.uapi.stat import S_IFDIR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK, S_ISGID, S_ISVTX

SPECIAL_FOPS = {S_IFIFO: "pipefifo_fops", S_IFSOCK: "no_open_fops", S_IFREG: "shmem_file_operations"}


class Tree(Subsystem):
    """Hold the directory that workloads work in; every other path is as the guest's init left it.

    :param facts: the directory itself
    """

    def __init__(self, facts: TreeFacts | None = None) -> None:
        self.facts = facts or TreeFacts()
        self.root = Inode(
            self.facts.path,
            self.facts.i_mode,
            self.facts.i_uid,
            self.facts.i_gid,
            "tmpfs",
            self.facts.i_fop,
            i_nlink=2,
            relatime=True,
        )
        self.root.i_atime, self.root.i_mtime, self.root.i_ctime = self.facts.times

    def observe(self, kernel: Kernel, objects: dict[Ref, Any]) -> None:
        """Add the directory and what is below it."""
        self.root.observe(kernel, objects)

    def fork(self, parent: Task, child: Task, flags: int) -> None:
        """Copy umask and working directory (``copy_fs()``)."""
        child.umask, child.cwd = parent.umask, parent.cwd

    # -- lookup ----------------------------------------------------------------------------------

    def parent_of(self, task: Task, path: bytes | Pointer, dirfd: int = AT_FDCWD) -> tuple[Inode, str, bool]:
        """Return the directory, the last name and whether slashes trail (``filename_parentat()``).

        :raises Errno: ENOENT, ENOTDIR, EACCES, ENAMETOOLONG, EFAULT, EBADF
        """
        names, trailing = self._names(task, path, dirfd)
        inode = self._walk(task, names[:-1])
        if inode.i_mode & S_IFMT != S_IFDIR:
            raise Errno("ENOTDIR")
        inode.permission(task, MAY_EXEC)
        if len(names[-1].encode()) > NAME_MAX:
            raise Errno("ENAMETOOLONG")
        return inode, names[-1], trailing

    def lookup(self, task: Task, path: bytes | Pointer, dirfd: int = AT_FDCWD) -> Inode:
        """Return the inode that *path* leads to (``filename_lookup()``).

        :raises Errno: ENOENT, ENOTDIR, EACCES, ENAMETOOLONG, EFAULT, EBADF
        """
        names, trailing = self._names(task, path, dirfd)
        inode = self._walk(task, names)
        if trailing and inode.i_mode & S_IFMT != S_IFDIR:
            raise Errno("ENOTDIR")
        return inode

    def _names(self, task: Task, path: bytes | Pointer, dirfd: int) -> tuple[list[str], bool]:
        """Return the names below the directory that *path* goes through, and whether slashes trail."""
        if isinstance(path, Pointer):
            raise Errno("EFAULT")
        path = path.split(b"\0", 1)[0]
        if not path:
            raise Errno("ENOENT")
        if len(path) >= PATH_MAX:
            raise Errno("ENAMETOOLONG")
        text = path.decode("utf-8", "surrogateescape")
        if not text.startswith("/"):
            if dirfd == AT_FDCWD:
                text = f"{task.cwd}/{text}"
            else:
                inode = task.files.get(dirfd).inode
                if inode is None or inode.i_mode & S_IFMT != S_IFDIR:
                    raise Errno("ENOTDIR")
                text = f"{self.path_of(inode)}/{text}"
        names: list[str] = []
        for name in text.split("/"):
            if name == "..":
                names = names[:-1]
            elif name not in ("", "."):
                names.append(name)
        mount = self.facts.path.strip("/").split("/")
        if names[: len(mount)] != mount:
            raise Errno("ENOENT")
        return ["", *names[len(mount) :]], text.endswith("/")

    def _walk(self, task: Task, names: list[str]) -> Inode:
        inode = self.root
        for name in names[1:]:
            if inode.i_mode & S_IFMT != S_IFDIR:
                raise Errno("ENOTDIR")
            inode.permission(task, MAY_EXEC)
            if len(name.encode("utf-8", "surrogateescape")) > NAME_MAX:
                raise Errno("ENAMETOOLONG")
            below = inode.entries.get(name)
            if below is None:
                raise Errno("ENOENT")
            inode = below
        return inode

    def path_of(self, inode: Inode) -> str:
        """Return the path of a directory (``d_path()``)."""
        if inode.parent is None:
            return self.facts.path
        name = next(name for name, entry in inode.parent.entries.items() if entry is inode)
        return f"{self.path_of(inode.parent)}/{name}"

    # -- changes ---------------------------------------------------------------------------------

    def create(self, task: Task, directory: Inode, name: str, mode: int) -> Inode:
        """Add a new inode (``vfs_create()``, ``vfs_mknod()``, ``vfs_mkdir()``, ``shmem_get_inode()``).

        :param mode: with the file type, umask not yet applied
        :raises Errno: EACCES
        """
        kernel = task.kernel
        directory.permission(task, MAY_WRITE | MAY_EXEC)
        kind = mode & S_IFMT
        gid = task.cred.egid
        permissions = mode & S_IALLUGO & ~task.umask
        if directory.i_mode & S_ISGID:
            gid = directory.i_gid
            if kind == S_IFDIR:
                permissions |= S_ISGID
        fop = self.facts.i_fop if kind == S_IFDIR else SPECIAL_FOPS[kind]
        inode = Inode(kernel.serial(), kind | permissions, task.cred.euid, gid, "tmpfs", fop, parent=directory)
        inode.relatime = True
        inode.born(kernel)
        directory.changed(kernel)
        if kind == S_IFDIR:
            inode.i_nlink = 2
            directory.i_nlink += 1
        directory.entries[name] = inode
        return inode

    def may_delete(self, task: Task, directory: Inode, victim: Inode) -> None:
        """Refuse what the caller may not remove (``may_delete()``).

        :raises Errno: EACCES, EPERM in a sticky directory
        """
        directory.permission(task, MAY_WRITE | MAY_EXEC)
        uid = task.cred.euid
        sticky = directory.i_mode & S_ISVTX and uid not in (victim.i_uid, directory.i_uid)
        if sticky and not task.cred.capable("CAP_FOWNER"):
            raise Errno("EPERM")
