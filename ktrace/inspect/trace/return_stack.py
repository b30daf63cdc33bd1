"""Read the return addresses of traced functions, which a trampoline replaced on the stack."""

from __future__ import annotations

from collections.abc import Iterator

import drgn

from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.members import bare, shape_of

TRAMPOLINE = "return_to_handler"
RETHOOK = "arch_rethook_trampoline"
_FRAME_OFFSET_MASK = (1 << 10) - 1
"""FGRAPH_FRAME_OFFSET_MASK (``kernel/trace/fgraph.c``, since commit 7aa1eaef9f42)."""
_DEEPEST = 512


class ReturnStack:
    """Read a task's shadow stacks (``kernel/trace/fgraph.c``, ``kernel/trace/rethook.c``)."""

    def __init__(self, kernel: LiveKernel) -> None:
        prog = kernel.prog
        self._memory = kernel.memory
        self._trampoline = kernel.address_of(TRAMPOLINE) if kernel.has_symbol(TRAMPOLINE) else 0
        self._rethook = kernel.address_of(RETHOOK) if kernel.has_symbol(RETHOOK) else 0
        if self._rethook:
            self._hooked = layout_of(prog, "struct task_struct", first="?rethooks.first")
            self._node = layout_of(prog, "struct rethook_node", "llist.next", "ret_addr")
        self._task = layout_of(prog, "struct task_struct", "?ret_stack", "?curr_ret_stack")
        if self._trampoline:
            self._frame = layout_of(prog, "struct ftrace_ret_stack", "ret")
            stack = shape_of(prog, "struct task_struct", "ret_stack")
            self._is_array = bare(stack.type).kind == drgn.TypeKind.STRUCT

    def resolve(self, task: int, addresses: list[int]) -> list[int]:
        """Return *addresses* of *task*'s stack, innermost first, with each trampoline replaced.

        :raises CorruptStructure: the shadow stack is not mapped
        """
        for trampoline, returns in ((self._trampoline, self._returns), (self._rethook, self._hooks)):
            if trampoline and trampoline in addresses:
                real = returns(task)
                addresses = [next(real, address) if address == trampoline else address for address in addresses]
        return addresses

    def _hooks(self, task: int) -> Iterator[int]:
        """Yield where the functions with a kretprobe return to (``__rethook_find_ret_addr()``)."""
        link = self._hooked.read(self._memory, task).first
        for _ in range(_DEEPEST):
            if not link:
                return
            node = self._node.read(self._memory, link - self._node.offsets["llist_next"])
            if node.ret_addr != self._rethook:
                yield node.ret_addr
            link = node.llist_next

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
