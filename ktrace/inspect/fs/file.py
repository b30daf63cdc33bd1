"""Read open files: ``struct file``, and the receiver of its signals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ktrace.inspect.fs.inode import InodeReader
from ktrace.inspect.inspector import FileTargets, Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.members import first_member, has_member, offset_of
from ktrace.inspect.memory import Place
from ktrace.inspect.process.pid import Pids
from ktrace.inspect.remembered import Remembered
from ktrace.inspect.unread import UNREADABLE, absence
from ktrace.state.fs.file import File, open_flags
from ktrace.state.ref import Ref

FMODES = ("", "r", "w", "rw")
"""By ``f_mode & (FMODE_READ | FMODE_WRITE)``."""


_Opened = tuple[File, int, int]
"""A file, and what leads to the object behind it: ``private_data``, ``f_inode``."""


PIPE_FOPS = frozenset({"pipefifo_fops", "pipeanon_fops"})
"""Of FIFOs and pipes; anonymous pipes have the second where a kernel has it (``fs/pipe.c``)."""


class FileReader:
    """Read open files wherever they are held: descriptor tables, messages under way, blocked calls.

    :param inodes: for files that no subsystem claims
    """

    def __init__(self, kernel: LiveKernel, inodes: InodeReader) -> None:
        self.kernel = kernel
        self.inodes = inodes
        self.targets: dict[str, FileTargets] = {}
        prog = kernel.prog
        self.file = layout_of(
            prog, "struct file", "f_flags", "f_mode", "f_op", "f_inode", "f_pos", "private_data",
            version=first_member(prog, "struct file", "f_version", "f_pipe"),
            count=first_member(prog, "struct file", "f_count.counter", "f_ref.refcnt.counter"),
        )  # fmt: skip
        # A file_ref_t is 0 where there is one reference (FILE_REF_ONEREF).
        self._one = 0 if has_member(prog, "struct file", "f_count.counter") else 1
        self._has_version = has_member(prog, "struct file", "f_version")
        self._fown = layout_of(prog, "struct fown_struct", "pid", "signum")
        has_owner = has_member(prog, "struct file", "f_owner.pid")
        self._owner = None if has_owner else layout_of(prog, "struct file", "f_owner")
        self._f_owner = offset_of(prog, "struct file", "f_owner")
        self._pids = Pids(kernel)
        self._remembered: Remembered[_Opened] = Remembered()

    def add_targets(self, *targets: FileTargets) -> None:
        """Have *targets* read what is behind the files that have their ``f_ops``."""
        self.targets.update({f_op: target for target in targets for f_op in target.f_ops})

    def observe(self, observation: Observation, address: int) -> Ref:
        """Add the ``struct file`` at *address* and what it opens, and return its reference."""
        ref = Ref("file", address)
        objects = observation.objects
        if ref in objects:
            return ref
        memory = observation.memory
        known = self._remembered.find(memory, address)
        if known is not None:
            file, private_data, f_inode = known
            behind = self._behind(observation, address, file.f_op, private_data, f_inode)
            objects[ref] = file if file.target == behind else replace(file, target=behind)
            return ref
        data = memory.read(address, self.file.size)
        raw = self.file.unpack(data, 0)
        f_op = self.kernel.symbol(raw.f_op)
        behind = self._behind(observation, address, f_op, raw.private_data, raw.f_inode)
        file, places = self._decode(observation, address, data, raw, f_op, behind)
        self._remembered.keep(address, (file, raw.private_data, raw.f_inode), places)
        objects[ref] = file
        return ref

    def _behind(self, observation: Observation, address: int, f_op: str, private_data: int, f_inode: int) -> Ref:
        """Add what the file at *address* opens and return its reference."""
        target = self.targets.get(f_op)
        if target is None:
            return self.inodes.observe(observation, f_inode)
        try:
            return target.file_target(observation, address, private_data, f_inode)
        except UNREADABLE as error:
            ref = Ref(target.kind, f_inode if target.by_inode else private_data)
            observation.objects[ref] = absence(self.kernel.prog, error)
            return ref

    def _decode(
        self, observation: Observation, address: int, data: bytes, raw: Any, f_op: str, behind: Ref
    ) -> tuple[File, Sequence[Place] | None]:
        places: tuple[Place, ...] = ((address, data),)
        pid, signum = 0, 0
        if self._owner is None:
            pid, signum = self._fown.unpack(data, self._f_owner)
        elif owner := self._owner.unpack(data, 0).f_owner:
            places = (*places, (owner, observation.memory.read(owner, self._fown.size)))
            pid, signum = self._fown.unpack(places[1][1], 0)
        file = File(
            f_op=f_op,
            f_mode=FMODES[raw.f_mode & 3],
            f_flags=open_flags(raw.f_flags),
            f_count=raw.count + self._one,
            target=behind,
            f_pos=raw.f_pos,
            f_owner=self._pids.process(observation, pid),
            f_signum=signum,
            # Another file's f_pipe is something else (include/linux/fs.h: struct file).
            f_version=raw.version if self._has_version or f_op in PIPE_FOPS else 0,
        )
        # The name of an actor is not in the kernel's memory.
        return file, None if pid else places
