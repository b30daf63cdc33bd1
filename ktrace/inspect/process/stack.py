"""Read the kernel functions in which a task sleeps."""

from __future__ import annotations

import drgn

from ktrace.errors import KernelLacks
from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.trace.return_stack import ReturnStack

THREAD_SIZE = 16 << 10
"""Bytes of a kernel stack (``arch/x86/include/asm/page_64_types.h``)."""

_SCHEDULER = ("__schedule", "schedule", "__switch_to_asm", "io_schedule", "preempt_schedule")
_ENTRY = ("do_syscall_64", "entry_SYSCALL", "ret_from_fork", "x64_sys_call", "__x64_sys_", "__se_sys_", "__do_sys_")


class StackReader:
    """Unwind sleeping tasks.

    Kernels with frame pointers are unwound by hand, in microseconds; others through drgn.
    """

    def __init__(self, kernel: LiveKernel) -> None:
        self._kernel = kernel
        self._task = layout_of(
            kernel.prog, "struct task_struct", "stack", "thread.sp", "nvcsw", "nivcsw", state="__state"
        )
        self._frame = layout_of(kernel.prog, "struct inactive_task_frame", "bp", "ret_addr")
        self._traced = ReturnStack(kernel)

    def rest(self, task: int) -> tuple[int, int]:
        """Return where the stack of the sleeping task at *task* ends, 0 while it is runnable, and how often it slept.

        The second is another one once it ran (``kernel/sched/core.c: __schedule()``), though it may sleep there again.
        """
        found = self._task.read(self._kernel.memory, task)
        return found.thread_sp if found.state else 0, found.nvcsw + found.nivcsw

    def functions(self, task: int) -> tuple[str, ...]:
        """Return the functions on the stack of the sleeping task at *task*, innermost first.

        The scheduler's own and the system call entry's are left out.

        :param task: address of a ``struct task_struct`` that is not running
        """
        try:
            names = self._by_frame_pointer(task) or self._by_drgn(task)
        except (CorruptStructure, KernelLacks):
            return ()
        return tuple(name for name in names if not name.startswith((*_SCHEDULER, *_ENTRY)))

    def _by_frame_pointer(self, task: int) -> list[str]:
        """Follow saved frame pointers upwards; empty where they do not lead to a system call's entry."""
        found = self._task.read(self._kernel.memory, task)
        low, top = found.thread_sp, found.stack + THREAD_SIZE
        if not found.stack <= low < top:
            return []
        data = self._kernel.memory.read(low, top - low)
        frame = self._frame.unpack(data, 0)
        addresses = [frame.ret_addr]
        bp, previous = frame.bp, low
        while previous < bp <= top - 16:
            at = bp - low
            addresses.append(int.from_bytes(data[at + 8 : at + 16], "little"))
            previous, bp = bp, int.from_bytes(data[at : at + 8], "little")
        names = [self._kernel.caller(address) for address in self._traced.resolve(task, addresses)]
        return names if any(name.startswith(_ENTRY) for name in names) else []

    def _by_drgn(self, task: int) -> list[str]:
        prog = self._kernel.prog
        try:
            trace = prog.stack_trace(drgn.Object(prog, "struct task_struct *", value=task))
        except (ValueError, LookupError, drgn.FaultError):
            return []
        return [frame.name for frame in trace if frame.name]
