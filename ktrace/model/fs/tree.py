"""The tree of files: what is mounted where, and its new inodes (``fs/namespace.c``, ``fs/namei.c``, ``mm/shmem.c``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ktrace.errors import UsageError
from ktrace.include.linux.fs import MAY_EXEC, MAY_WRITE
from ktrace.include.linux.mount import MNT_RELATIME
from ktrace.include.linux.stat import S_IALLUGO
from ktrace.model.fs.fs_struct import FsStruct
from ktrace.model.fs.inode import ANON_DEV, Inode, Touched, at_first, before
from ktrace.model.fs.mem_devices import mem_device
from ktrace.model.fs.opaque import LAY_THERE, OpaqueInode, OpaqueOperations
from ktrace.model.fs.proc import ProcDirectory
from ktrace.model.kernel import Kernel
from ktrace.model.subsystem import Subsystem
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.state.allowed import Stays
from ktrace.state.fs.inode import MountFacts, NodeFacts, TreeFacts
from ktrace.state.ref import Ref
from ktrace.uapi.limits import UINT_MAX
from ktrace.uapi.sched import CLONE_FS
from ktrace.uapi.stat import S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK, S_ISGID

SPECIAL_FOPS = {
    S_IFIFO: "pipefifo_fops",
    S_IFSOCK: "no_open_fops",
    S_IFLNK: "no_open_fops",
    S_IFREG: "shmem_file_operations",
}
"""``i_fop`` of what is made in tmpfs, by type; directories have one of two (``mm/shmem.c: shmem_get_inode()``)."""

BEFORE = "a session that does not tell what the guest's tree held"


class Tree(Subsystem):
    """Hold every file that can be reached by name, as far as its file system is simulated.

    :param facts: the workload's directory, and what else is mounted
    :ivar slash: the root of all
    :ivar root: the workload's directory, which the World shows with all that is below it
    """

    def __init__(self, facts: TreeFacts | None = None) -> None:
        self.facts = facts or TreeFacts()
        self._keys = 0
        self._devices: dict[str, dict[str, int]] = {}
        self._shmem = {"tmpfs", *(mount.fstype for mount in self.facts.mounts if mount.s_op == "shmem_ops")}
        self.root = self._workload_directory()
        self.slash = self._mount_all(self.facts.mounts) if self.facts.mounts else self._unknown_root()

    def _workload_directory(self) -> Inode:
        root = Inode(
            self.facts.path,
            self.facts.i_mode,
            self.facts.i_uid,
            self.facts.i_gid,
            "tmpfs",
            self.facts.i_fop,
            i_nlink=2,
            relatime=True,
        )
        root.i_atime, root.i_mtime, root.i_ctime = map(before, self.facts.times)
        return root

    def _key(self) -> int:
        """Return a raw key for what was there before the first serial number."""
        self._keys += 1
        return -self._keys

    def _unknown_root(self) -> Inode:
        """Return a root below which only the workload's directory and /proc are known."""
        slash = UnknownRoot(self._key(), self.root, ProcDirectory(self._key()), self.facts.path.strip("/"))
        self.root.covers = OpaqueInode(self._key(), BEFORE)
        self.root.covers.parent = slash
        return slash

    def _mount_all(self, mounts: tuple[MountFacts, ...]) -> Inode:
        slash: Inode | None = None
        for mount in mounts:
            root = self._mounted(mount)
            # Later kernels mount the initramfs over an empty nullfs, which is nobody's root (fs/namespace.c).
            if mount.path == "/":
                slash = root
                continue
            if slash is None:
                break
            at = self._mountpoint(slash, mount.path)
            if isinstance(at, OpaqueInode) and at.path != mount.path:
                at.file_system.mounts[mount.path] = root
            elif at is not None:
                at.mounted, root.covers = root, at
        if slash is None:
            raise UsageError("the session's facts are damaged: tree.mounts does not begin with '/'")
        return slash

    def _mounted(self, mount: MountFacts) -> Inode:
        if mount.path == self.facts.path:
            self.root.s_dev.seen = mount.s_dev
            for name, node in mount.root.entries.items():
                self._grow(self.root, name, node, "tmpfs")
            return self.root
        if mount.fstype == "proc":
            return ProcDirectory(self._key()).root_of(mount)
        if not mount.whole:
            return OpaqueInode(self._key(), mount.fstype, mount.path).root_of(mount)
        device = Stays(rule=ANON_DEV, low=0, high=UINT_MAX, seen=mount.s_dev)
        root = self._inode(mount.root, mount.fstype, bool(mount.flags & MNT_RELATIME), device)
        for name, node in mount.root.entries.items():
            self._grow(root, name, node, mount.fstype)
        return root

    def _grow(self, directory: Inode, name: str, node: NodeFacts, fstype: str) -> None:
        inode = self._inode(node, fstype, directory.relatime, directory.s_dev)
        directory.entries[name] = inode
        if node.i_mode & S_IFMT == S_IFDIR:
            inode.parent = directory
            for below, child in node.entries.items():
                self._grow(inode, below, child, fstype)
        else:
            inode.root = root_of(directory)

    def _inode(self, node: NodeFacts, fstype: str, relatime: bool, device: Stays) -> Inode:
        inode = Inode(
            self._key(),
            node.i_mode,
            node.i_uid,
            node.i_gid,
            fstype,
            node.i_fop,
            i_nlink=node.i_nlink,
            relatime=relatime,
            link=node.link,
            i_rdev=node.i_rdev,
        )
        inode.i_ino.seen = node.i_ino or None
        inode.s_dev = device
        kind, first = node.i_mode & S_IFMT, at_first(node)
        if kind in (S_IFCHR, S_IFBLK):
            inode.ops = mem_device(node.i_rdev) if kind == S_IFCHR else None
            inode.ops = inode.ops or OpaqueOperations("a device")
        elif kind == S_IFREG:
            inode.ops = OpaqueOperations(LAY_THERE, node.i_fop)
        if kind != S_IFDIR:
            inode.i_size = node.i_size
        if not isinstance(inode.ops, OpaqueOperations):
            inode.i_atime, inode.i_mtime, inode.i_ctime = map(before, node.times, node.nsec or (None, None, None))
        else:
            inode.i_atime, inode.i_mtime, inode.i_ctime = map(Touched, first or (None, None, None))
        return inode

    @staticmethod
    def _mountpoint(slash: Inode, path: str) -> Inode | None:
        """Return the directory at *path*, or the root of the file system that is not simulated and has it."""
        at = slash
        for name in path.strip("/").split("/"):
            at = at.mounted or at
            below = at.entries.get(name)
            if below is None:
                return at if isinstance(at, OpaqueInode) else None
            at = below
        return at.mounted or at

    def is_shmem(self, inode: Inode) -> bool:
        """Tell whether an inode is one of tmpfs, by whatever name (``mm/shmem.c: shmem_ops``)."""
        return inode.i_sb in self._shmem

    def links(self) -> Iterator[Inode]:
        """Yield every symbolic link whose name is known."""
        below = [self.slash]
        while below:
            for inode in below.pop().entries.values():
                if inode.i_mode & S_IFMT == S_IFLNK:
                    yield inode
                elif inode.i_mode & S_IFMT == S_IFDIR:
                    below.append(inode.mounted or inode)

    def devices_of(self, inode: Inode) -> dict[str, int]:
        """Return where the device number is kept that all inodes of the file system of *inode* share."""
        directory = inode.i_mode & S_IFMT == S_IFDIR
        root = root_of(inode) if directory else inode.root
        return root.numbers if root is not None else self._devices.setdefault(inode.i_sb, {})

    def born(self) -> FsStruct:
        """Return what the agent's children begin with: the root, and the usual umask."""
        return FsStruct(self.slash)

    def observe(self, kernel: Kernel, objects: dict[Ref, Any]) -> None:
        """Add the workload's directory and what is below it."""
        self.root.observe(kernel, objects)

    def fork(self, parent: Task, child: Task, flags: int) -> None:
        """Share or copy umask and working directory (``copy_fs()``)."""
        if flags & CLONE_FS:
            child.fs = parent.fs
            child.fs.users += 1
        else:
            child.fs = parent.fs.copy()

    def create(self, task: Task, directory: Inode, name: str, mode: int) -> Inode:
        """Add a new inode (``vfs_create()``, ``vfs_mknod()``, ``vfs_mkdir()``, ``shmem_get_inode()``).

        :param mode: with the file type, umask not yet applied
        :raises Errno: EACCES, ENOENT in a directory that was removed
        """
        if is_dead(directory):
            raise Errno("ENOENT")
        directory.permission(task, MAY_WRITE | MAY_EXEC)
        inode = self.new_inode(task, directory, mode & ~task.fs.umask if mode & S_IFMT != S_IFLNK else mode)
        directory.changed(task.kernel)
        if inode.i_mode & S_IFMT == S_IFDIR:
            inode.parent = directory
            directory.i_nlink += 1
        directory.entries[name] = inode
        return inode

    def new_inode(self, task: Task, directory: Inode, mode: int) -> Inode:
        """Return a new inode of the file system that *directory* is in (``shmem_get_inode()``, ``inode_init_owner()``).

        :raises AsObserved: that is not tmpfs
        """
        if directory.i_fop != self.facts.i_fop:
            raise AsObserved(directory.i_sb, only_errors=True)
        kind, permissions = mode & S_IFMT, mode & S_IALLUGO
        gid = task.cred.egid
        if directory.i_mode & S_ISGID:
            gid = directory.i_gid
            if kind == S_IFDIR:
                permissions |= S_ISGID
        fop = self.facts.i_fop if kind == S_IFDIR else SPECIAL_FOPS[kind]
        inode = Inode(task.kernel.serial(), kind | permissions, task.cred.euid, gid, directory.i_sb, fop)
        inode.relatime = directory.relatime
        inode.root = root_of(directory)
        inode.s_dev = directory.s_dev
        inode.i_nlink = 2 if kind == S_IFDIR else 1
        return inode.born(task.kernel)


class UnknownRoot(OpaqueInode):
    """The root of a tree of which a session of old tells nothing but the workload's directory.

    :param below: names that lead there
    """

    def __init__(self, key: int | str, workload: Inode, proc: Inode, below: str) -> None:
        super().__init__(key, BEFORE, "/", S_IFDIR | 0o755)
        self._below = below
        self._known = {below: workload, "proc": proc}

    def lookup(self, task: Task, name: str) -> Inode | None:
        """Return one of the two; of any other name nothing is known."""
        return self._known.get(name) or super().lookup(task, name)

    def name_of(self, inode: Inode) -> str:
        """Return what leads to the workload's directory."""
        return self._below


def root_of(directory: Inode) -> Inode:
    """Return the root of the file system that a directory is in."""
    while directory.parent is not None:
        directory = directory.parent
    return directory


def is_dead(directory: Inode) -> bool:
    """Tell whether a directory was removed (``IS_DEADDIR()``)."""
    return directory.i_nlink == 0
