"""Read all of System V: namespaces, their objects, and what tasks have of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.sysv_ipc import NamespaceReader, Pids
from ktrace.inspect.sysv_msg import MsgReader
from ktrace.inspect.sysv_sem import SemReader
from ktrace.state.ref import Ref
from ktrace.state.sysv_ipc import IpcFacts


class SysvReader:
    """Read System V IPC; also a provider of ``ipc_ns``, ``undo_list`` and ``mappings`` of a process."""

    def __init__(self, kernel: LiveKernel) -> None:
        task = kernel.prog.type("struct task_struct")
        self.pids = Pids(kernel)
        self.namespaces = NamespaceReader(kernel)
        self.sem = SemReader(kernel, self.pids)
        self.msg = MsgReader(kernel, self.pids)
        self._nsproxy = task.member("nsproxy").bit_offset // 8
        self._undo_list = task.member("sysvsem").bit_offset // 8
        self._ipc_ns = kernel.prog.type("struct nsproxy").member("ipc_ns").bit_offset // 8

    def facts(self) -> IpcFacts:
        """Return what the model must know of this kernel."""
        return self.namespaces.facts()

    def namespace_of(self, observation: Observation, task: int) -> int:
        """Return the address of a task's IPC namespace, 0 for a dead task."""
        memory = observation.memory
        nsproxy = memory.u64(task + self._nsproxy)
        return memory.u64(nsproxy + self._ipc_ns) if nsproxy else 0

    def observe(self, observation: Observation) -> None:
        """Add the initial namespace, those of the actors, and every object in them."""
        init = self.namespaces.init_ipc_ns
        found = {init: Ref("ipc_ns", "init")}
        for task in observation.tasks.values():
            ns = self.namespace_of(observation, task)
            if ns and ns not in found:
                found[ns] = Ref("ipc_ns", ns)
        for ns, ref in found.items():
            self._observe_namespace(observation, ns, ref)
        for task in observation.tasks.values():
            undo_list = observation.memory.u64(task + self._undo_list)
            if undo_list:
                self.sem.observe_undo_list(observation, undo_list)

    def _observe_namespace(self, observation: Observation, ns: int, ref: Ref) -> None:
        memory = observation.memory
        data, ids = self.namespaces.read(memory, ns)
        refs = self.namespaces.refs(memory, ns, ids)
        observation.objects[ref] = self.namespaces.observe(memory, data, ids, refs)
        self.sem.observe(observation, refs[0])
        self.msg.observe(observation, refs[1])

    def process_fields(self, observation: Observation, task: int) -> Mapping[str, Any]:
        """Return ``ipc_ns``, ``undo_list`` and ``mappings`` of the ``task_struct`` at *task*."""
        ns = self.namespace_of(observation, task)
        undo_list = observation.memory.u64(task + self._undo_list)
        ipc_ns = None
        if ns:
            ipc_ns = Ref("ipc_ns", "init" if ns == self.namespaces.init_ipc_ns else ns)
        return {"ipc_ns": ipc_ns, "undo_list": Ref("undo_list", undo_list) if undo_list else None}
