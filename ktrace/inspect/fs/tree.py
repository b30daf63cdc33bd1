"""Read directories out of the dentry cache: the workload's own, those that are open, and what is mounted where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import drgn
from drgn.helpers.linux.fs import mount_dst, mount_fstype
from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.rbtree import rbtree_inorder_for_each_entry

from ktrace.include.linux.fs import I_CTIME_QUERIED
from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.fs.inode import InodeReader
from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.lib.list import each_once, for_each_hlist_node, for_each_list_node
from ktrace.inspect.members import MissingMember, first_member, has_member, member_of, offset_of
from ktrace.inspect.memory import KernelMemory
from ktrace.state.fs.inode import MountFacts, NodeFacts, TreeFacts
from ktrace.state.ref import Ref
from ktrace.uapi.limits import NAME_MAX, PATH_MAX
from ktrace.uapi.stat import S_IFDIR, S_IFLNK, S_IFMT

DEPTH = 64
ENTRIES = 1 << 16
WHOLE = frozenset({"shmem_ops", "ramfs_ops"})
"""``super_operations`` of file systems whose names all lie in the dentry cache, as long as they exist."""


class DentryReader:
    """Read what names a directory has."""

    def __init__(self, kernel: LiveKernel) -> None:
        prog = kernel.prog
        self.kernel = kernel
        self.dentry = layout_of(prog, "struct dentry", "d_inode", "d_name.name", "d_name.len", "d_hash.pprev")
        self._hlist = has_member(prog, "struct dentry", "d_children.first")
        if self._hlist:
            self._head_offset = offset_of(prog, "struct dentry", "d_children")
            self._child_offset = offset_of(prog, "struct dentry", "d_sib")
        else:
            self._head_offset = offset_of(prog, "struct dentry", "d_subdirs")
            self._child_offset = offset_of(prog, "struct dentry", "d_child")
        self._aliases = layout_of(prog, "struct inode", "i_dentry.first", "i_link")
        self._alias_offset = offset_of(
            prog, "struct dentry", first_member(prog, "struct dentry", "d_u.d_alias", "d_alias")
        )

    def inode(self, memory: KernelMemory, address: int) -> int:
        """Return the address of the inode of the dentry at *address*."""
        return int(self.dentry.read(memory, address).d_inode)

    def of_directory(self, memory: KernelMemory, inode: int) -> int:
        """Return the address of the one dentry that a directory's *inode* has, 0 where it has none."""
        first = self._aliases.read(memory, inode).i_dentry_first
        return int(first - self._alias_offset) if first else 0

    def link(self, memory: KernelMemory, inode: int, size: int) -> bytes | None:
        """Return where a symbolic link of *size* bytes leads, ``None`` where it keeps that in a page."""
        where = self._aliases.read(memory, inode).i_link
        return memory.read(where, min(size, PATH_MAX)) if where else None

    def children(self, memory: KernelMemory, address: int) -> list[int]:
        """Return the dentries below the one at *address*, the latest first.

        :raises CorruptStructure: the list of them cannot be followed
        """
        head = address + self._head_offset
        if self._hlist:
            nodes = for_each_hlist_node(memory, head, "dentry.d_children", ENTRIES)
        else:
            nodes = for_each_list_node(memory, head, "dentry.d_subdirs", ENTRIES)
        return [node - self._child_offset for node in nodes]

    def names(self, memory: KernelMemory, address: int) -> Iterator[tuple[str, int, int]]:
        """Yield name, dentry and inode of what is in the directory whose dentry is at *address*."""
        for child in self.children(memory, address):
            below = self.dentry.read(memory, child)
            if not below.d_inode or not below.d_hash_pprev:
                continue  # a negative dentry, or an unlinked one that is still open
            name = memory.read(below.d_name_name, min(below.d_name_len, NAME_MAX))
            yield name.decode("utf-8", "backslashreplace"), child, below.d_inode


def mounts_of(kernel: LiveKernel) -> list[Any]:
    """Return every ``struct mount`` that the first process sees.

    :raises CorruptStructure: they cannot be followed
    """
    namespace = kernel.variable("init_task").nsproxy.mnt_ns
    if has_member(kernel.prog, "struct mnt_namespace", "list"):
        mounts = list_for_each_entry("struct mount", namespace.list.address_of_(), "mnt_list")
    else:
        mounts_type, *_ = member_of(kernel.prog, "struct mnt_namespace", "mounts")
        if mounts_type.kind != drgn.TypeKind.STRUCT:
            raise MissingMember("struct mnt_namespace", "list")
        mounts = rbtree_inorder_for_each_entry("struct mount", namespace.mounts.address_of_(), "mnt_node")
    # Who reads /proc/mounts has a cursor in the list, which has no file system.
    return [mount for mount in each_once(mounts, "mnt_namespace") if mount.mnt.mnt_sb]


class TreeReader:
    """Read the directory in which workloads make their files: the tmpfs mounted at *path*.

    :param path: where it is mounted
    """

    def __init__(self, kernel: LiveKernel, inodes: InodeReader, path: str = "/tmp") -> None:
        self.kernel = kernel
        self.inodes = inodes
        self.dentries = DentryReader(kernel)
        self.path = path
        self.root = 0
        self._whole: dict[int, bool] = {}
        inodes.directories = self.observe_directory
        for mount in mounts_of(kernel):
            if mount_dst(mount) == path.encode() and mount_fstype(mount) == b"tmpfs":
                self.root = mount.mnt.mnt_root.value_()
                self.inodes.names[mount.mnt.mnt_root.d_inode.value_()] = Ref("inode", path)

    def observe(self, observation: Observation) -> None:
        """Add the directory and everything below it."""
        if self.root:
            self._directory(observation, self.root, 0)

    def observe_directory(self, observation: Observation, inode: int, raw: Any) -> bool:
        """Add the directory *inode*, and what is below it, where all its names are known; tell whether they are."""
        if not self._is_whole(raw.i_sb):
            return False
        dentry = self.dentries.of_directory(observation.memory, inode)
        if not dentry:
            return False
        self._directory(observation, dentry, 0)
        return True

    def _is_whole(self, super_block: int) -> bool:
        if super_block not in self._whole:
            self._whole[super_block] = self.inodes.super_blocks.operations(super_block) in WHOLE
        return self._whole[super_block]

    def _directory(self, observation: Observation, address: int, depth: int) -> Ref:
        memory = observation.memory
        if depth > DEPTH:
            raise CorruptStructure("dentry.d_subdirs", address, f"more than {DEPTH} directories deep")
        inode = self.dentries.inode(memory, address)
        ref = self.inodes.ref(inode)
        if ref in observation.objects:
            return ref
        raw = self.inodes.read(observation, inode)
        entries: dict[str, Ref] = {}
        if int(raw.i_mode) & S_IFMT == S_IFDIR:
            for name, child, _ in self.dentries.names(memory, address):
                entries[name] = self._directory(observation, child, depth + 1)
        self.inodes.add(observation, inode, raw, dict(sorted(entries.items())))
        return ref

    # -- facts -----------------------------------------------------------------------------------

    def facts(self) -> TreeFacts:
        """Return what the directory is now, and what else is mounted; taken before the first step."""
        mounts = tuple(self._mount_facts(mount) for mount in mounts_of(self.kernel))
        if not self.root:
            return TreeFacts(path=self.path, mounts=mounts)
        memory = self.kernel.memory
        root = self._node(self.dentries.inode(memory, self.root), 0, 0)
        # tmpfs takes O_DIRECT where its files have an open of their own, which sets FMODE_CAN_ODIRECT.
        direct = self.kernel.has_symbol("shmem_file_open")
        return TreeFacts(
            path=self.path,
            i_mode=root.i_mode,
            i_uid=root.i_uid,
            i_gid=root.i_gid,
            i_fop=root.i_fop,
            direct=direct,
            times=root.times,
            multigrain=self.kernel.has_symbol("ktime_get_coarse_real_ts64_mg"),
            mounts=mounts,
        )

    def _mount_facts(self, mount: Any) -> MountFacts:
        root = mount.mnt.mnt_root
        super_block = mount.mnt.mnt_sb
        operations = self.kernel.symbol(super_block.s_op.value_())
        whole = operations in WHOLE
        return MountFacts(
            path=mount_dst(mount).decode("utf-8", "backslashreplace"),
            fstype=mount_fstype(mount).decode("ascii", "replace"),
            s_op=operations,
            flags=int(mount.mnt.mnt_flags),
            root=self._node(root.d_inode.value_(), root.value_() if whole else 0, 0),
            whole=whole,
            s_dev=int(super_block.s_dev),
        )

    def _node(self, inode: int, dentry: int, depth: int) -> NodeFacts:
        """Return facts of *inode*, and of what is below it where *dentry* is given."""
        memory = self.kernel.memory
        if depth > DEPTH:
            raise CorruptStructure("dentry.d_subdirs", dentry, f"more than {DEPTH} directories deep")
        raw = self.inodes.inode.read(memory, inode)
        kind = int(raw.i_mode) & S_IFMT
        entries = {}
        if dentry and kind == S_IFDIR:
            for name, child, below in self.dentries.names(memory, dentry):
                entries[name] = self._node(below, child, depth + 1)
        return NodeFacts(
            i_mode=raw.i_mode,
            i_uid=raw.i_uid_val,
            i_gid=raw.i_gid_val,
            i_nlink=raw.i_nlink,
            i_size=raw.i_size,
            i_fop=self.kernel.symbol(raw.i_fop),
            times=(raw.i_atime, raw.i_mtime, raw.i_ctime),
            i_rdev=raw.i_rdev,
            link=self.dentries.link(memory, inode, raw.i_size) if kind == S_IFLNK else None,
            entries=dict(sorted(entries.items())),
            i_ino=raw.i_ino,
            nsec=(raw.i_atime_nsec, raw.i_mtime_nsec, raw.i_ctime_nsec & ~I_CTIME_QUERIED),
        )
