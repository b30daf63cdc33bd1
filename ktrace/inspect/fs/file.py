"""Read open files: ``struct file`` and whom it sends signals to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import drgn

from ktrace.inspect.fs.inode import InodeReader
from ktrace.inspect.inspector import FileTargets, Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import Layout
from ktrace.state.fs.file import File, open_flags
from ktrace.state.ref import Ref

FMODES = ("", "r", "w", "rw")
"""By ``f_mode & (FMODE_READ | FMODE_WRITE)``."""


class _Known(NamedTuple):
    data: bytes
    raw: Any
    f_op: str
    decoded: File | None


class FileReader:
    """Read open files wherever they are held: descriptor tables, messages under way, blocked calls.

    :param inodes: for files that no subsystem claims
    :param targets: readers of what is behind a file, by their ``f_ops``
    """

    def __init__(self, kernel: LiveKernel, inodes: InodeReader, targets: Sequence[FileTargets] = ()) -> None:
        self.kernel = kernel
        self.inodes = inodes
        self.targets = {f_op: target for target in targets for f_op in target.f_ops}
        prog = kernel.prog
        members = ["f_count.counter", "f_flags", "f_mode", "f_op", "f_inode", "f_pos", "private_data"]
        # f_version became f_pipe in Linux 6.12 ("fs: add f_pipe").
        members += ["?f_version", "?f_pipe"]
        # f_owner became a pointer in Linux 6.12 ("file: reclaim 24 bytes from f_owner").
        owner = prog.type("struct file").member("f_owner").type
        self._owner_is_pointer = owner.kind == drgn.TypeKind.POINTER
        members += ["f_owner"] if self._owner_is_pointer else ["f_owner.pid", "f_owner.signum"]
        self.file = Layout(prog, "struct file", *members)
        self.fown = Layout(prog, "struct fown_struct", "pid", "signum")
        self._nr_offset = (
            prog.type("struct pid").member("numbers").offset + prog.type("struct upid").member("nr").offset
        )
        self._known: dict[int, _Known] = {}

    def observe(self, observation: Observation, address: int) -> Ref:
        """Add the ``struct file`` at *address* and what it opens, and return its reference."""
        ref = Ref("file", address)
        objects = observation.objects
        if ref in objects:
            return ref
        data = observation.memory.read(address, self.file.size)
        known = self._known.get(address)
        if known is not None and known.data == data:
            raw, f_op, decoded = known.raw, known.f_op, known.decoded
        else:
            raw, decoded = self.file.unpack(data, 0), None
            f_op = self.kernel.symbol(raw.f_op)
        target = self.targets.get(f_op)
        if target is not None:
            behind = target.file_target(observation, address, raw.private_data, raw.f_inode)
        else:
            behind = self.inodes.observe(observation, raw.f_inode)
        if decoded is None or decoded.target != behind:
            decoded = self._decode(observation, raw, f_op, behind)
            # Whom it signals lies elsewhere, and may change there.
            lasting = decoded if not self._owner_is_pointer and decoded.f_owner is None else None
            self._known[address] = _Known(data, raw, f_op, lasting)
        objects[ref] = decoded
        return ref

    def _decode(self, observation: Observation, raw: Any, f_op: str, behind: Ref) -> File:
        pid, signum = self._owner(observation, raw)
        if raw.f_pipe is None:
            version = raw.f_version or 0
        else:
            version = raw.f_pipe if f_op == "pipefifo_fops" else 0
        return File(
            f_op,
            FMODES[raw.f_mode & 3],
            open_flags(raw.f_flags),
            raw.f_count_counter,
            behind,
            raw.f_pos,
            self.pid_name(observation, pid),
            signum,
            version,
        )

    def _owner(self, observation: Observation, raw: Any) -> tuple[int, int]:
        if not self._owner_is_pointer:
            return raw.f_owner_pid, raw.f_owner_signum
        if not raw.f_owner:
            return 0, 0
        owner = self.fown.read(observation.memory, raw.f_owner)
        return owner.pid, owner.signum

    def pid_name(self, observation: Observation, pid: int) -> Ref | None:
        """Name the actor whose ``struct pid`` is at address *pid*; ``None`` for NULL."""
        if not pid:
            return None
        number = observation.memory.u32(pid + self._nr_offset)
        return Ref("process", observation.actors.get(number, f"pid {number}"))
