"""The hooks of a subsystem: what concerns each when a process is made, ends, or is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ktrace.model.task import Task
from ktrace.state.ref import Ref

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel


class Subsystem:
    """Have hooks for what concerns every subsystem; each overrides those that it needs.

    The hooks of exit run in the order of ``do_exit()``: ``exit_mm``, ``exit_sem``, ``exit_shm``,
    ``exit_files``, ``exit_ns``, ``exit_last``.
    """

    def fork(self, parent: Task, child: Task, flags: int) -> None:
        """Copy or share what *child* gets from *parent* (``copy_process()``)."""

    def sysctl(self, kernel: Kernel, path: str, value: str) -> bool:
        """Take over the new *value* of a limit below /proc/sys; tell whether it is this subsystem's."""
        return False

    def exit_mm(self, task: Task) -> None:
        """Undo the mappings of *task*."""

    def exit_sem(self, task: Task) -> None:
        """Apply the undo list of *task*."""

    def exit_shm(self, task: Task) -> None:
        """Orphan the segments of *task*."""

    def exit_ns(self, task: Task) -> None:
        """Leave the namespaces of *task*."""

    def exit_last(self, task: Task) -> None:
        """Free what *task* kept to its very end."""

    def elapse(self, kernel: Kernel) -> None:
        """Let timers fire that did so between the last step and this one."""

    def idle(self, kernel: Kernel) -> bool:
        """Run kernel threads and timers while every actor sleeps; called until nobody is woken and nothing left to do.

        :returns: whether a kernel thread has more to do
        """
        return False

    def observe(self, kernel: Kernel, objects: dict[Ref, Any]) -> None:
        """Add this subsystem's objects, with raw references, to *objects*."""

    def process_fields(self, task: Task) -> Mapping[str, Any]:
        """Return this subsystem's members of ``state.process.Process``."""
        return {}
