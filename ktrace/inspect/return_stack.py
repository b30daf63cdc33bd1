"""Where traced functions really return to: the function graph tracer puts a trampoline on the stack instead."""

from __future__ import annotations

from collections.abc import Iterator

import drgn

from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import Layout

TRAMPOLINE = "return_to_handler"
_FRAME_OFFSET_MASK = (1 << 10) - 1
"""FGRAPH_FRAME_OFFSET_MASK (``kernel/trace/fgraph.c``, since commit 7aa1eaef9f42)."""
_DEEPEST = 512


class ReturnStack:
    """Read a task's shadow stack (``kernel/trace/fgraph.c``)."""

    def __init__(self, kernel: LiveKernel) -> None:
        prog = kernel.prog
        self._memory = kernel.memory
        self._trampoline = kernel.address_of(TRAMPOLINE) if kernel.has_symbol(TRAMPOLINE) else 0
        self._task = Layout(prog, "struct task_struct", "?ret_stack", "?curr_ret_stack")
        if self._trampoline:
            self._frame = Layout(prog, "struct ftrace_ret_stack", "ret")
            # An array of frames until v6.10, then long words among which frames lie.
            self._is_array = prog.type("struct task_struct").member("ret_stack").type.type.kind == drgn.TypeKind.STRUCT

    def resolve(self, task: int, addresses: list[int]) -> list[int]:
        """Return *addresses* of *task*'s stack, innermost first, with each trampoline replaced.

        :raises CorruptStructure: the shadow stack is not mapped
        """
        if self._trampoline not in addresses or not self._trampoline:
            return addresses
        real = self._returns(task)
        return [next(real, address) if address == self._trampoline else address for address in addresses]

    def _returns(self, task: int) -> Iterator[int]:
        found = self._task.read(self._memory, task)
        base, at = found.ret_stack, found.curr_ret_stack
        if not base:
            return
        for _ in range(_DEEPEST):
            if self._is_array:
                if at < 0:
                    return
                address, at = base + at * self._frame.size, at - 1
            else:
                words = self._memory.u64(base + 8 * (at - 1)) & _FRAME_OFFSET_MASK if at > 0 else 0
                if not 0 < words < at:
                    return
                at -= 1 + words
                address = base + 8 * at
            yield self._memory.u64(address + self._frame.offsets["ret"])
