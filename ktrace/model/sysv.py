"""The System V subsystem: what a task has of it, and what happens to that at fork, exit and unshare."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from ktrace.model import sysv_msg, sysv_msgctl, sysv_sem, sysv_semctl
from ktrace.model.kernel import Kernel, Subsystem
from ktrace.model.sysv_ipc import Namespace
from ktrace.model.sysv_sem_array import SemUndoList
from ktrace.model.sysv_sem_undo import SYSVSEM, copy_semundo, exit_sem
from ktrace.model.task import Task
from ktrace.state import sysv_sem as sem_state
from ktrace.state.ref import Ref
from ktrace.state.sysv_ipc import IpcFacts

CALLS = (sysv_sem, sysv_semctl, sysv_msg, sysv_msgctl)
"""Modules whose import registers their system calls."""

IPC_NS = "ipc_ns"
"""Where a task's ``nsproxy->ipc_ns`` is kept."""


class SysvIpc(Subsystem):
    """Keep every IPC namespace.

    :param facts: of the kernel and its initial namespace when ktrace attached
    """

    def __init__(self, facts: IpcFacts) -> None:
        self.facts = facts
        self.init_ipc_ns = Namespace("init", facts, fresh=False)

    def namespace(self, task: Task) -> Namespace:
        """Return the task's IPC namespace (``nsproxy->ipc_ns``)."""
        found: Namespace = task.sub.get(IPC_NS, self.init_ipc_ns)
        return found

    def schedule(self, kernel: Kernel, task: Task, timeout: Mapping[str, int] | None) -> Generator[None, None, bool]:
        """Sleep until woken; tell whether *timeout* ended it (``schedule_hrtimeout_range()``)."""
        yield
        return False

    def fork(self, kernel: Kernel, parent: Task, child: Task, flags: int) -> None:
        """Give *child* what it gets from *parent* (``copy_process()``)."""
        copy_semundo(kernel, parent, child, flags)
        if IPC_NS in parent.sub:
            child.sub[IPC_NS] = parent.sub[IPC_NS]

    def exit_sem(self, kernel: Kernel, task: Task) -> None:
        """Apply the undo list of *task*."""
        exit_sem(kernel, task, self.namespace(task))

    def namespaces(self, kernel: Kernel) -> list[Namespace]:
        """Return the initial namespace and those of the living actors."""
        found = {id(ns): ns for ns in [self.init_ipc_ns, *map(self.namespace, kernel.tasks.values())]}
        return list(found.values())

    def observe(self, kernel: Kernel, objects: dict[Ref, Any]) -> None:
        """Add namespaces, arrays, and what tasks owe them."""
        undo_lists: dict[int, SemUndoList] = {}
        for task in kernel.tasks.values():
            undo_list = task.sub.get(SYSVSEM)
            if undo_list is not None:
                undo_lists[undo_list.key] = undo_list
        for ns in self.namespaces(kernel):
            objects[ns.ref] = ns.observe()
            for sma in ns.sem_ids.idr.values():
                objects[sma.ref] = sma.observe()
                for undo in sma.list_id:
                    objects[undo.ref] = undo.observe()
            for msq in ns.msg_ids.idr.values():
                objects[msq.ref] = msq.observe(self.facts)
        for undo_list in undo_lists.values():
            objects[undo_list.ref] = sem_state.SemUndoList(
                undo_list.refcnt, tuple([undo.ref for undo in undo_list.list_proc])
            )

    def process_fields(self, kernel: Kernel, task: Task) -> Mapping[str, Any]:
        """Return ``ipc_ns``, ``undo_list``, ``mappings``."""
        undo_list = task.sub.get(SYSVSEM)
        return {"ipc_ns": self.namespace(task).ref, "undo_list": undo_list.ref if undo_list else None}
