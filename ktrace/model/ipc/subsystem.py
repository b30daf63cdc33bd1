"""The System V subsystem: what a task has of it, and what happens to that at fork, exit and unshare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ktrace.model.fs.inode import Inode
from ktrace.model.ipc.namespace import Namespace
from ktrace.model.ipc.nsproxy import copy_namespaces, put_ipc_ns, switch_task_namespaces
from ktrace.model.ipc.sem_array import SemUndoList
from ktrace.model.ipc.sem_undo import copy_semundo, exit_sem
from ktrace.model.ipc.shm import attached_segments, shm_fields
from ktrace.model.ipc.shm_segment import Account, exit_shm
from ktrace.model.ipc.sysctl import sysctl
from ktrace.model.kernel import Kernel
from ktrace.model.subsystem import Subsystem
from ktrace.model.task import Errno, Task
from ktrace.state.ipc import sem as sem_state
from ktrace.state.ipc.namespace import IpcFacts
from ktrace.state.ref import Ref


class SysvIpc(Subsystem):
    """Keep every IPC namespace.

    :param facts: of the kernel and its initial namespace when ktrace attached
    :ivar locked_shm: pages of segments that are locked into memory, by the account that pays
    :ivar proc_inodes: inodes of the files in /proc/sysvipc
    """

    def __init__(self, facts: IpcFacts) -> None:
        self.facts = facts
        self.init_ipc_ns = Namespace("init", facts, fresh=False)
        self.locked_shm: dict[Account, int] = {}
        self.proc_inodes: dict[str, Inode] = {}

    def namespace(self, task: Task) -> Namespace:
        """Return the task's IPC namespace (``nsproxy->ipc_ns``)."""
        return self.init_ipc_ns if task.nsproxy is None else task.nsproxy.ipc_ns

    def fork(self, parent: Task, child: Task, flags: int) -> None:
        """Give *child* what it gets from *parent* (``copy_process()``)."""
        copy_semundo(parent, child, flags)
        try:
            copy_namespaces(parent, child, flags)
        except Errno:
            # What was copied so far is undone, in the parent's name (copy_process(): bad_fork_cleanup_mm).
            child.mm.put(parent)
            exit_sem(child, self.namespace(parent))
            raise

    def exit_sem(self, task: Task) -> None:
        """Apply the undo list of *task*."""
        exit_sem(task, self.namespace(task))

    def exit_shm(self, task: Task) -> None:
        """Orphan the segments of *task*."""
        exit_shm(task)

    def exit_ns(self, task: Task) -> None:
        """Leave the namespace (``exit_task_namespaces()``)."""
        switch_task_namespaces(task, None)

    def put_ipc_ns(self, kernel: Kernel, ns: Namespace) -> None:
        """Drop a reference to a namespace."""
        put_ipc_ns(kernel, ns)

    def sysctl(self, kernel: Kernel, path: str, value: str) -> bool:
        """Change a limit of the initial namespace (``ipc/ipc_sysctl.c: ipc_sysctls``)."""
        return sysctl(kernel, self.init_ipc_ns, path, value)

    def namespaces(self, kernel: Kernel) -> list[Namespace]:
        """Return the initial namespace, those of the living actors, and those they have segments of or made them in."""
        found = {id(self.init_ipc_ns): self.init_ipc_ns}
        for task in kernel.tasks.values():
            ns = self.namespace(task)
            found[id(ns)] = ns
        for task in kernel.tasks.values():
            for segment in [*attached_segments(task.mm), *task.shm_clist]:
                found[id(segment.ns)] = segment.ns
        return list(found.values())

    def observe(self, kernel: Kernel, objects: dict[Ref, Any]) -> None:
        """Add namespaces, their objects, and what tasks owe arrays."""
        undo_lists: dict[int, SemUndoList] = {}
        for task in kernel.tasks.values():
            if task.undo_list is not None:
                undo_lists[task.undo_list.key] = task.undo_list
        for ns in self.namespaces(kernel):
            objects[ns.ref] = ns.observe(kernel)
            for sma in ns.sem_ids.idr.values():
                objects[sma.ref] = sma.observe()
                for undo in sma.list_id:
                    objects[undo.ref] = undo.observe()
            for msq in ns.msg_ids.idr.values():
                objects[msq.ref] = msq.observe(self.facts)
            for shp in ns.shm_ids.idr.values():
                if shp.in_program:
                    shp.take_pages(kernel)
                objects[shp.ref] = shp.observe(self.locked_shm)
        for undo_list in undo_lists.values():
            undos = tuple([undo.ref for undo in undo_list.list_proc])
            objects[undo_list.ref] = sem_state.SemUndoList(undo_list.refcnt, undos)

    def process_fields(self, task: Task) -> Mapping[str, Any]:
        """Return what the World shows of a process: namespace, undo list, segments."""
        undo_list = task.undo_list
        return {
            "ipc_ns": None if task.exiting else self.namespace(task).ref,
            "undo_list": undo_list.ref if undo_list else None,
            **shm_fields(task, task.mm),
        }
