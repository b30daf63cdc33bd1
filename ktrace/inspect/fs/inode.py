"""Read inodes, and the workload's directory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ktrace.include.linux.fs import I_CTIME_QUERIED
from ktrace.inspect.fs.super_block import SuperBlocks
from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.members import first_member
from ktrace.inspect.remembered import Remembered
from ktrace.state.fs.inode import Inode, mode_name
from ktrace.state.ref import Ref
from ktrace.uapi.stat import S_IFDIR, S_IFIFO, S_IFMT

PipeObserver = Callable[[Observation, int, int], Ref]
DirectoryObserver = Callable[[Observation, int, Any], bool]
DEPTH = 64
ENTRIES = 1 << 16


ATIME = ("i_atime.tv_sec", "__i_atime.tv_sec", "i_atime_sec")
MTIME = ("i_mtime.tv_sec", "__i_mtime.tv_sec", "i_mtime_sec")
CTIME = ("i_ctime.tv_sec", "__i_ctime.tv_sec", "i_ctime_sec")
"""Where an inode may keep the seconds of its times."""


def _nanoseconds(seconds: tuple[str, ...]) -> tuple[str, ...]:
    """Return where the nanoseconds are that belong to the *seconds*."""
    return tuple(f"{name.removesuffix('sec')}nsec" for name in seconds)


class _Known(NamedTuple):
    """An inode, and what leads on from it."""

    inode: Inode
    i_pipe: int
    i_sb: int


class InodeReader:
    """Read inodes; a FIFO's pipe is read by *pipes*, a directory by *directories*, which their readers set."""

    def __init__(self, kernel: LiveKernel) -> None:
        prog = kernel.prog
        self.kernel = kernel
        self.pipes: PipeObserver | None = None
        self.directories: DirectoryObserver | None = None
        self.inode = layout_of(
            prog,
            "struct inode",
            "i_mode",
            "i_uid.val",
            "i_gid.val",
            "i_nlink",
            "i_rdev",
            "i_ino",
            "i_size",
            "i_sb",
            "i_fop",
            "i_pipe",
            i_atime=first_member(prog, "struct inode", *ATIME),
            i_mtime=first_member(prog, "struct inode", *MTIME),
            i_ctime=first_member(prog, "struct inode", *CTIME),
            i_atime_nsec=first_member(prog, "struct inode", *_nanoseconds(ATIME)),
            i_mtime_nsec=first_member(prog, "struct inode", *_nanoseconds(MTIME)),
            i_ctime_nsec=first_member(prog, "struct inode", *_nanoseconds(CTIME)),
        )
        self.super_blocks = SuperBlocks(kernel)
        self._remembered: Remembered[_Known] = Remembered()
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
        known = self._remembered.find(observation.memory, address)
        # What a super block is called depends on more than the inode, and is asked anew.
        if known is None or known.inode.i_sb != self.super_blocks.name(observation, known.i_sb):
            data = observation.memory.read(address, self.inode.size)
            raw = self.inode.unpack(data, 0)
            if int(raw.i_mode) & S_IFMT == S_IFDIR and self.directories and self.directories(observation, address, raw):
                return ref
            inode = self._decode(observation, address, raw, {})
            known = self._remembered.keep(address, _Known(inode, raw.i_pipe, raw.i_sb), ((address, data),))
        observation.objects[ref] = known.inode
        self._follow(observation, known.inode, known.i_pipe, address)
        return ref

    def add(self, observation: Observation, address: int, raw: Any, entries: dict[str, Ref]) -> None:
        """Add the inode at *address* whose members are *raw*."""
        inode = observation.objects[self.ref(address)] = self._decode(observation, address, raw, entries)
        self._follow(observation, inode, raw.i_pipe, address)

    def _decode(self, observation: Observation, address: int, raw: Any, entries: dict[str, Ref]) -> Inode:
        kind = int(raw.i_mode) & S_IFMT
        return Inode(
            i_mode=mode_name(raw.i_mode),
            i_uid=raw.i_uid_val,
            i_gid=raw.i_gid_val,
            i_nlink=raw.i_nlink,
            i_size=0 if kind == S_IFDIR else raw.i_size,
            i_sb=self.super_blocks.name(observation, raw.i_sb),
            i_fop=self.kernel.symbol(raw.i_fop),
            # A device's i_cdev lies in the same place (include/linux/fs.h: struct inode).
            i_pipe=Ref("pipe", address) if kind == S_IFIFO and raw.i_pipe else None,
            entries=entries,
            i_atime=raw.i_atime,
            i_mtime=raw.i_mtime,
            i_ctime=raw.i_ctime,
            i_ino=raw.i_ino,
            s_dev=self.super_blocks.device(raw.i_sb),
            i_atime_nsec=raw.i_atime_nsec,
            i_mtime_nsec=raw.i_mtime_nsec,
            i_ctime_nsec=raw.i_ctime_nsec & ~I_CTIME_QUERIED,
        )

    def _follow(self, observation: Observation, inode: Inode, i_pipe: int, address: int) -> None:
        """Add the pipe behind an inode that is a FIFO in use."""
        if inode.i_pipe is not None and self.pipes is not None and inode.i_pipe not in observation.objects:
            self.pipes(observation, i_pipe, address)
