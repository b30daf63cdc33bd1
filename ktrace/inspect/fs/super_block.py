"""Name file systems by their ``super_block``, with what contradicts that name."""

from __future__ import annotations

from typing import Any

import drgn

from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.members import first_member, offset_of
from ktrace.inspect.memory import KernelMemory

MAGIC = {"pipefs": 0x50495045, "tmpfs": 0x01021994}
"""``include/uapi/linux/magic.h``."""

FILE_SYSTEMS = 256
"""No kernel has more types of file systems."""


class SuperBlocks:
    """Name super blocks; at each observation a pipefs is checked anew: magic, mount, registration of its type."""

    def __init__(self, kernel: LiveKernel) -> None:
        prog = kernel.prog
        self.kernel = kernel
        self.super_block = layout_of(prog, "struct super_block", "s_magic", "s_type", "s_op", "s_dev")
        link = first_member(prog, "struct file_system_type", "next", "list.next")
        self._next = offset_of(prog, "struct file_system_type", link)
        # A list of nodes leads to the members, not to the structures that they are in.
        self._node = self._next if link == "list.next" else 0
        self._mnt_sb = offset_of(prog, "struct vfsmount", "mnt_sb")
        self._file_systems = int(kernel.variable("file_systems").address_)
        self._pipe_mnt = int(kernel.variable("pipe_mnt").address_)
        self._names: dict[int, str] = {}
        self._look: Any = None
        self._seen: dict[int, str] = {}

    def name(self, look: object, address: int) -> str:
        """Return the name of the file system whose ``super_block`` is at *address*.

        A contradiction follows the name: another magic than the type's, a pipefs that is not the one
        mounted at ``pipe_mnt`` or whose type is not in the list of file systems (``fs/pipe.c: init_pipe_fs()``).

        :param look: the observation, during which each super block is read once
        """
        if self._look is not look:
            self._look, self._seen = look, {}
        name = self._seen.get(address)
        if name is None:
            self._seen[address] = name = self._read(self.kernel.memory, address)
        return name

    def operations(self, address: int) -> str:
        """Return the symbol of the ``super_operations`` of the ``super_block`` at *address*."""
        return self.kernel.symbol(self.super_block.read(self.kernel.memory, address).s_op)

    def device(self, address: int) -> int:
        """Return the ``dev_t`` of the ``super_block`` at *address*."""
        return int(self.super_block.read(self.kernel.memory, address).s_dev)

    def _read(self, memory: KernelMemory, address: int) -> str:
        raw = self.super_block.read(memory, address)
        name = self._names.get(raw.s_type)
        if name is None:
            prog = self.kernel.prog
            try:
                kind = drgn.Object(prog, "struct file_system_type *", raw.s_type)
                name = kind.name.string_().decode("ascii", "replace")
            except drgn.FaultError as error:
                raise CorruptStructure("super_block.s_type", address, "points at nothing mapped") from error
            self._names[raw.s_type] = name
        wrong = []
        if raw.s_magic != MAGIC.get(name, raw.s_magic):
            wrong.append(f"s_magic {raw.s_magic:#x}")
        if name == "pipefs":
            if memory.u64(memory.u64(self._pipe_mnt) + self._mnt_sb) != address:
                wrong.append("not at pipe_mnt")
            if not self._is_registered(memory, raw.s_type):
                wrong.append("not among file_systems")
        return f"{name} ({', '.join(wrong)})" if wrong else name

    def _is_registered(self, memory: KernelMemory, kind: int) -> bool:
        node = memory.u64(self._file_systems)
        kind += self._node
        try:
            for _ in range(FILE_SYSTEMS):
                if node in (0, kind):
                    break
                node = memory.u64(node + self._next - self._node)
        except CorruptStructure:
            return False
        return node == kind
