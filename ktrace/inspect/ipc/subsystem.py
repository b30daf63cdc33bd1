"""Read System V IPC: namespaces, their objects, and the members of ``task_struct`` for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ktrace.inspect.inspector import Observation
from ktrace.inspect.ipc.msg import MsgReader
from ktrace.inspect.ipc.namespace import NamespaceReader
from ktrace.inspect.ipc.sem import SemReader
from ktrace.inspect.ipc.shm import Attachment, MappingReader, ShmReader
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.members import offset_of
from ktrace.inspect.memory import KernelMemory, Place
from ktrace.inspect.process.pid import Pids
from ktrace.inspect.unread import UNREADABLE, absence
from ktrace.state.ipc.namespace import IpcFacts
from ktrace.state.ref import Ref
from ktrace.state.unread import Unread


class SysvReader:
    """Read System V IPC; also a provider of ``ipc_ns``, ``undo_list`` and ``mappings`` of a process."""

    def __init__(self, kernel: LiveKernel) -> None:
        prog = kernel.prog
        self.kernel = kernel
        self.pids = Pids(kernel)
        self.namespaces = NamespaceReader(kernel)
        self.sem = SemReader(kernel, self.pids)
        self.msg = MsgReader(kernel, self.pids)
        self.shm = ShmReader(kernel, self.pids)
        self.mappings = MappingReader(kernel)
        self._seen: Observation | None = None
        self._segments: dict[int, Ref] = {}
        self._files: dict[int, Ref] = {}
        self._attachments: dict[int, list[Attachment]] = {}
        self._unmapped: dict[int, Unread] = {}
        """Of the tasks whose mappings cannot be read: what is missing."""
        self._lost: Unread | None = None
        """What is missing, where not every segment could be read: which of them are mapped is not known then."""
        self._foreign = False
        self._nsproxy = offset_of(prog, "struct task_struct", "nsproxy")
        self._undo_list = offset_of(prog, "struct task_struct", "sysvsem.undo_list")
        self._clist = offset_of(prog, "struct task_struct", "sysvshm.shm_clist")
        self._ipc_ns = offset_of(prog, "struct nsproxy", "ipc_ns")

    def facts(self) -> IpcFacts:
        """Return what the model must know of this kernel."""
        return self.namespaces.facts(self.mappings.facts(self.kernel))

    def init_objects(self) -> dict[int, Ref]:
        """Return the objects of the initial namespace by their addresses."""
        memory, address = self.kernel.memory, self.namespaces.init_ipc_ns
        _, ids = self.namespaces.read(memory, address)
        return {obj: ref for kind in self.namespaces.refs(memory, address, ids) for obj, ref in kind.items()}

    def namespace_of(self, observation: Observation, task: int) -> int:
        """Return the address of a task's IPC namespace, 0 for a dead task."""
        memory = observation.memory
        nsproxy = memory.u64(task + self._nsproxy)
        return memory.u64(nsproxy + self._ipc_ns) if nsproxy else 0

    def undo_list_of(self, observation: Observation, task: int) -> int:
        """Return the address of a task's ``sysvsem.undo_list``, 0 for none."""
        return observation.memory.u64(task + self._undo_list)

    def observe(self, observation: Observation) -> None:
        """Add the initial namespace, those of the actors, and every object in them."""
        if observation is self._seen:
            return
        self._seen = observation
        memory = observation.memory
        found = {self.namespaces.init_ipc_ns: Ref("ipc_ns", "init")}
        for task in observation.tasks.values():
            if ns := self.namespace_of(observation, task):
                found.setdefault(ns, Ref("ipc_ns", ns))
        self._files, self._segments, self._attachments, self._unmapped, self._lost = {}, {}, {}, {}, None
        self._foreign = self._foreign or len(found) > 1
        seen: set[int] = set()
        self._observe_namespaces(observation, found, seen)
        if self._files or self._foreign:
            for task in observation.tasks.values():
                attachments = self._attached(memory, task)
                # A namespace lives on for as long as anybody has a segment of it mapped; and who leaves
                # one by setns keeps the segments that it created there on its list.
                created = self.shm.clist(memory, task + self._clist) if self._foreign else []
                for other in [*(attachment.ns for attachment in attachments), *map(self.shm.ns_of(memory), created)]:
                    found.setdefault(other, Ref("ipc_ns", other))
            self._observe_namespaces(observation, found, seen)
        for task in observation.tasks.values():
            undo_list = memory.u64(task + self._undo_list)
            if undo_list:
                try:
                    self.sem.observe_undo_list(observation, undo_list)
                except UNREADABLE as error:
                    observation.objects[Ref("undo_list", undo_list)] = absence(self.kernel.prog, error)

    def _attached(self, memory: KernelMemory, task: int) -> list[Attachment]:
        """Return the mappings of segments that the process at *task* has, and keep them."""
        try:
            found = self._attachments[task] = self.mappings.attachments(memory, task)
        except UNREADABLE as error:
            self._unmapped[task] = absence(self.kernel.prog, error)
            return []
        return found

    def _observe_namespaces(self, observation: Observation, found: dict[int, Ref], seen: set[int]) -> None:
        memory = observation.memory
        for ns, ref in found.items():
            if ns in seen:
                continue
            seen.add(ns)
            try:
                data, ids = self.namespaces.read(memory, ns)
                arrays, queues, segments = refs = self.namespaces.refs(memory, ns, ids)
                observation.objects[ref] = self.namespaces.observe(memory, data, ids, refs)
            except UNREADABLE as error:
                observation.objects[ref] = self._lost = absence(self.kernel.prog, error)
                continue
            self.sem.observe(observation, arrays)
            self.msg.observe(observation, queues)
            self.shm.observe(observation, segments, found, self._files)
            self._segments.update(segments)
            unread = (observation.objects[ref] for ref in segments.values())
            self._lost = next((found for found in unread if isinstance(found, Unread)), self._lost)

    def begin(self, observation: Observation) -> bool:
        """Read what the processes point at, so that it has its names; which segments they map, no place tells."""
        self.observe(observation)
        return not (self._segments or self._files or self._foreign or self._lost is not None)

    def process_fields(self, observation: Observation, task: int) -> tuple[Mapping[str, Any], Sequence[Place]]:
        """Return what the World shows of the ``task_struct`` at *task*: namespace, undo list, segments.

        With it, the places on which it depends where there are no segments.
        """
        memory = observation.memory
        places = [memory.place(task + self._nsproxy, 8), memory.place(task + self._undo_list, 8)]
        nsproxy, undo_list = (int.from_bytes(data, "little") for _, data in places)
        ns = 0
        if nsproxy:
            places.append(memory.place(nsproxy + self._ipc_ns, 8))
            ns = int.from_bytes(places[-1][1], "little")
        mappings: Any = self._lost if self._lost is not None else self._unmapped.get(task)
        if mappings is None:
            mappings = self.mappings.mappings(self._attachments.get(task, []), self._files)
        clist = self.shm.clist(memory, task + self._clist) if self._segments else []
        created: Any = self._lost
        if created is None:
            created = tuple([self._segments.get(shp) or Ref("stranger", f"shmid@{shp:#x}") for shp in clist])
        members = {
            "ipc_ns": Ref("ipc_ns", "init" if ns == self.namespaces.init_ipc_ns else ns) if ns else None,
            "undo_list": Ref("undo_list", undo_list) if undo_list else None,
            "mappings": mappings,
            "shm_clist": created,
        }
        return members, places
