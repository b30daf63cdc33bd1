"""Read inodes, and the workload's directory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drgn.helpers.linux.fs import for_each_mount, mount_fstype

from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.fs.super_block import SuperBlocks
from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import Layout
from ktrace.inspect.lib.list import for_each_hlist_node, for_each_list_node
from ktrace.inspect.members import MissingMember, has_member, offset_of
from ktrace.state.fs.inode import Inode, TreeFacts, mode_name
from ktrace.state.ref import Ref
from ktrace.uapi.stat import S_IFDIR, S_IFIFO, S_IFMT

PipeObserver = Callable[[Observation, int, int], Ref]
DEPTH = 64
ENTRIES = 1 << 16


TIMES = {
    f"{letter}time_{number}": f"?{path.format(letter)}"
    for letter in "amc"
    for number, path in enumerate(("i_{}time.tv_sec", "__i_{}time.tv_sec", "i_{}time_sec"))
}
"""Where an inode may keep the seconds of its times; each is in one of three places."""


def times(raw: Any) -> tuple[int, int, int]:
    """Return seconds of ``i_atime``, ``i_mtime`` and ``i_ctime``.

    :raises MissingMember: an inode of this kernel keeps them nowhere that is known
    """
    return (
        _seconds("a", raw.atime_0, raw.atime_1, raw.atime_2),
        _seconds("m", raw.mtime_0, raw.mtime_1, raw.mtime_2),
        _seconds("c", raw.ctime_0, raw.ctime_1, raw.ctime_2),
    )


def _seconds(letter: str, *places: int | None) -> int:
    for seconds in places:
        if seconds is not None:
            return seconds
    raise MissingMember("struct inode", f"i_{letter}time")


class InodeReader:
    """Read inodes; a FIFO's pipe is read by *pipes*, which the reader of pipes sets."""

    def __init__(self, kernel: LiveKernel) -> None:
        prog = kernel.prog
        self.kernel = kernel
        self.pipes: PipeObserver | None = None
        self.inode = Layout(
            prog,
            "struct inode",
            "i_mode",
            "i_uid.val",
            "i_gid.val",
            "i_nlink",
            "i_size",
            "i_sb",
            "i_fop",
            "i_pipe",
            **TIMES,
        )
        self.super_blocks = SuperBlocks(kernel)
        self._known: dict[int, tuple[bytes, Inode, int, int]] = {}
        self.names: dict[int, Ref] = {}

    def ref(self, address: int) -> Ref:
        """Return the reference of the inode at *address*."""
        return self.names.get(address) or Ref("inode", address)

    def read(self, observation: Observation, address: int) -> Any:
        """Return the members of the ``struct inode`` at *address*."""
        return self.inode.read(observation.memory, address)

    def observe(self, observation: Observation, address: int) -> Ref:
        """Add the inode at *address*, with its pipe if it is a FIFO in use, and return its reference."""
        ref = self.ref(address)
        if ref in observation.objects:
            return ref
        data = observation.memory.read(address, self.inode.size)
        known = self._known.get(address)
        if known is not None and known[0] == data and known[1].i_sb == self.super_blocks.name(observation, known[3]):
            inode, i_pipe = known[1], known[2]
            observation.objects[ref] = inode
            if i_pipe and self.pipes is not None and inode.i_pipe not in observation.objects:
                self.pipes(observation, i_pipe, address)
            return ref
        raw = self.inode.unpack(data, 0)
        self.add(observation, address, raw, {})
        decoded = observation.objects[ref]
        # A device's i_cdev lies in the same place (include/linux/fs.h: struct inode).
        self._known[address] = (data, decoded, raw.i_pipe if decoded.i_pipe is not None else 0, raw.i_sb)
        return ref

    def add(self, observation: Observation, address: int, raw: Any, entries: dict[str, Ref]) -> None:
        """Add the inode at *address* whose members are *raw*."""
        ref = self.ref(address)
        pipe = None
        if raw.i_mode & S_IFMT == S_IFIFO and raw.i_pipe:
            pipe = Ref("pipe", address)
        size = 0 if raw.i_mode & S_IFMT == S_IFDIR else raw.i_size
        observation.objects[ref] = Inode(
            mode_name(raw.i_mode),
            raw.i_uid_val,
            raw.i_gid_val,
            raw.i_nlink,
            size,
            self.super_blocks.name(observation, raw.i_sb),
            self.kernel.symbol(raw.i_fop),
            pipe,
            entries,
            *times(raw),
        )
        if pipe is not None and self.pipes is not None and pipe not in observation.objects:
            self.pipes(observation, raw.i_pipe, address)


class TreeReader:
    """Read the directory in which workloads make their files: the tmpfs mounted at *path*.

    Its entries lie in the dentry cache, all of them, as long as they exist (``fs/libfs.c``).

    :param path: where it is mounted
    """

    def __init__(self, kernel: LiveKernel, inodes: InodeReader, path: str = "/tmp") -> None:
        prog = kernel.prog
        self.inodes = inodes
        self.path = path
        self.dentry = Layout(
            prog, "struct dentry", "d_inode", "d_name.name", "d_name.len", "d_hash.pprev", "?d_children.first"
        )
        self._hlist = has_member(prog, "struct dentry", "d_children.first")
        if self._hlist:
            self._child_offset = offset_of(prog, "struct dentry", "d_sib")
        else:
            self._subdirs_offset = offset_of(prog, "struct dentry", "d_subdirs")
            self._child_offset = offset_of(prog, "struct dentry", "d_child")
        self.root = 0
        for mount in for_each_mount(kernel.variable("init_task").nsproxy.mnt_ns, dst=path):
            if mount_fstype(mount) == b"tmpfs":
                self.root = mount.mnt.mnt_root.value_()
                self.inodes.names[mount.mnt.mnt_root.d_inode.value_()] = Ref("inode", path)

    def observe(self, observation: Observation) -> None:
        """Add the directory and everything below it."""
        if self.root:
            self._directory(observation, self.root, 0)

    def _directory(self, observation: Observation, address: int, depth: int) -> Ref:
        memory = observation.memory
        if depth > DEPTH:
            raise CorruptStructure("dentry.d_subdirs", address, f"more than {DEPTH} directories deep")
        dentry = self.dentry.read(memory, address)
        ref = self.inodes.ref(dentry.d_inode)
        if ref in observation.objects:
            return ref
        raw = self.inodes.read(observation, dentry.d_inode)
        entries: dict[str, Ref] = {}
        if raw.i_mode & S_IFMT == S_IFDIR:
            for child in self._children(memory, address, dentry):
                below = self.dentry.read(memory, child)
                if not below.d_inode or not below.d_hash_pprev:
                    continue  # a negative dentry, or an unlinked one that is still open
                name = memory.read(below.d_name_name, min(below.d_name_len, 255)).decode("utf-8", "backslashreplace")
                entries[name] = self._directory(observation, child, depth + 1)
        self.inodes.add(observation, dentry.d_inode, raw, dict(sorted(entries.items())))
        return ref

    def _children(self, memory: Any, address: int, dentry: Any) -> list[int]:
        if self._hlist:
            nodes = for_each_hlist_node(memory, dentry.d_children_first, "dentry.d_children", ENTRIES)
        else:
            nodes = for_each_list_node(memory, address + self._subdirs_offset, "dentry.d_subdirs", ENTRIES)
        return [node - self._child_offset for node in nodes]

    def facts(self) -> TreeFacts:
        """Return what the directory is now; taken before the first step."""
        if not self.root:
            return TreeFacts(self.path)
        memory = self.inodes.kernel.memory
        raw = self.inodes.inode.read(memory, self.dentry.read(memory, self.root).d_inode)
        symbol = self.inodes.kernel.symbol
        # tmpfs takes O_DIRECT where its files have an open of their own, which sets FMODE_CAN_ODIRECT.
        direct = self.inodes.kernel.has_symbol("shmem_file_open")
        return TreeFacts(self.path, raw.i_mode, raw.i_uid_val, raw.i_gid_val, symbol(raw.i_fop), direct, times(raw))
