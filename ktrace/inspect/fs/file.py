"""Read open files: ``struct file`` and whom it sends signals to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ktrace.inspect.fs.inode import InodeReader
from ktrace.inspect.inspector import FileTargets, Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import Layout
from ktrace.inspect.members import has_member, offset_of
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
        self.file = Layout(
            prog, "struct file", "f_count.counter", "f_flags", "f_mode", "f_op", "f_inode", "f_pos", "private_data",
            "?f_version", "?f_pipe", "?f_owner.pid", "?f_owner.signum",
        )  # fmt: skip
        self._owner_is_pointer = not has_member(prog, "struct file", "f_owner.pid")
        self._owner = Layout(prog, "struct file", "f_owner") if self._owner_is_pointer else None
        self.fown = Layout(prog, "struct fown_struct", "pid", "signum")
        self._nr_offset = offset_of(prog, "struct pid", "numbers") + offset_of(prog, "struct upid", "nr")
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
            decoded = self._decode(observation, raw, f_op, behind, data)
            # Whom it signals lies elsewhere, and may change there.
            lasting = decoded if not self._owner_is_pointer and decoded.f_owner is None else None
            self._known[address] = _Known(data, raw, f_op, lasting)
        objects[ref] = decoded
        return ref

    def _decode(self, observation: Observation, raw: Any, f_op: str, behind: Ref, data: bytes) -> File:
        pid, signum = self._signalled(observation, raw, data)
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

    def _signalled(self, observation: Observation, raw: Any, data: bytes) -> tuple[int, int]:
        """Return the ``struct pid`` that gets a file's SIGIO, and the signal instead of it."""
        if self._owner is None:
            return raw.f_owner_pid, raw.f_owner_signum
        address = self._owner.unpack(data, 0).f_owner
        if not address:
            return 0, 0
        owner = self.fown.read(observation.memory, address)
        return owner.pid, owner.signum

    def pid_name(self, observation: Observation, pid: int) -> Ref | None:
        """Name the actor whose ``struct pid`` is at address *pid*; ``None`` for NULL."""
        if not pid:
            return None
        number = observation.memory.u32(pid + self._nr_offset)
        return Ref("process", observation.actors.get(number, f"pid {number}"))
