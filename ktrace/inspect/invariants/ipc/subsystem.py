"""Check System V IPC: namespaces and their objects against each other and against all tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from drgn.helpers.linux.pid import for_each_task

from ktrace.errors import KtraceError
from ktrace.inspect.corrupt import NONSENSE, CorruptStructure
from ktrace.inspect.inspector import Observation
from ktrace.inspect.invariants.ipc.ids import check_ids
from ktrace.inspect.invariants.ipc.msg import check_queue, check_totals
from ktrace.inspect.invariants.ipc.sem import check_array, check_undo_lists
from ktrace.inspect.invariants.ipc.shm import check_segments
from ktrace.inspect.invariants.violation import Violation
from ktrace.inspect.ipc.namespace import KINDS, Ids
from ktrace.inspect.ipc.shm import Attachment
from ktrace.inspect.ipc.subsystem import SysvReader
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.lib.list import each_once
from ktrace.inspect.members import constant
from ktrace.state.ipc.namespace import IpcNamespace
from ktrace.state.ref import Ref


@dataclass
class Findings:
    """Collect violations, and what was read so far.

    :ivar undo_users: tasks by the address of their undo list
    :ivar attachments: mappings of segments in all address spaces
    :ivar proxies: IPC namespaces by the address of the ``nsproxy`` that points at them
    """

    violations: list[Violation] = field(default_factory=list)
    undo_users: Counter[int] = field(default_factory=Counter)
    attachments: list[Attachment] = field(default_factory=list)
    proxies: dict[int, int] = field(default_factory=dict)

    def add(self, where: str, what: str) -> None:
        """Note a violation."""
        self.violations.append(Violation(where, what))

    def extend(self, found: Iterator[Violation]) -> None:
        """Note violations, and that of memory which makes no sense."""
        self.read(self.violations.extend, found)

    def read(self, function: Callable[..., Any], *args: Any) -> Any:
        """Return what *function* returns; where memory makes no sense, note that and return ``None``."""
        try:
            return function(*args)
        except CorruptStructure as error:
            self.add(error.what, f"at {error.address:#x} {error.message.rpartition(': ')[2]}")
        except (KtraceError, *NONSENSE) as error:
            self.add("ipc", f"cannot be read: {error}")
        return None


def validate_ipc(kernel: LiveKernel) -> list[Violation]:
    """Return everything about System V IPC that contradicts itself.

    Checked are every IPC namespace that a task is in or has a segment of: counters against trees and
    lists, the IDR against the key table and the objects' own ids, undo structures from both ends,
    messages against their sums, attachments against all address spaces, sleepers against what they
    wait for, locks and reference counts.

    :param kernel: at rest: on a running guest what is in flight is reported, too
    """
    reader = SysvReader(kernel)
    observation = Observation(kernel, {}, {})
    findings = Findings()
    namespaces = {reader.namespaces.init_ipc_ns: "init"}
    findings.read(_scan_tasks, reader, observation, findings, namespaces)
    ids_by_namespace: dict[int, list[Ids]] = {}
    for address, name in namespaces.items():
        found = findings.read(reader.namespaces.read, kernel.memory, address)
        if found is not None:
            ids_by_namespace[address] = found[1]
            _check_namespace(reader, observation, findings, address, name, *found)
    findings.extend(check_undo_lists(reader, observation, findings.undo_users, ids_by_namespace))
    return findings.violations


def _scan_tasks(reader: SysvReader, observation: Observation, findings: Findings, namespaces: dict[int, str]) -> None:
    """Look at every task: its namespace, its undo list, its mappings."""
    memory = observation.memory
    spaces: set[int] = set()
    for task in each_once(for_each_task(reader.kernel.prog), "the list of tasks"):
        address = int(task.value_())
        name = f"pid {int(task.pid)}"
        observation.names[address] = name
        ns = reader.namespace_of(observation, address)
        if ns:
            namespaces.setdefault(ns, f"{ns:#x}")
            findings.proxies[int(task.nsproxy.value_())] = ns
        if undo_list := reader.undo_list_of(observation, address):
            findings.undo_users[undo_list] += 1
        mm = int(task.mm.value_())
        if mm and mm not in spaces:
            spaces.add(mm)
            for attachment in findings.read(reader.mappings.attachments, memory, address) or ():
                findings.attachments.append(attachment)
                namespaces.setdefault(attachment.ns, f"{attachment.ns:#x}")


def _check_namespace(
    reader: SysvReader,
    observation: Observation,
    findings: Findings,
    address: int,
    name: str,
    data: bytes,
    ids: list[Ids],
) -> None:
    """Check one namespace and every object in it."""
    memory = observation.memory
    refs = [
        {obj: Ref(kind, str(index)) for index, obj in one.objects.items()} for kind, one in zip(KINDS, ids, strict=True)
    ]
    ns = findings.read(reader.namespaces.observe, memory, data, ids, refs)
    if not isinstance(ns, IpcNamespace):
        return
    where = f"ipc_ns {name}"
    files = {item.vma.vm_file for item in findings.attachments if item.ns == address}
    users = sum(proxied == address for proxied in findings.proxies.values()) + len(files)
    # Later kernels do not count references to the initial namespaces (__ns_ref_get()).
    uncounted = name == "init" and constant(reader.kernel.prog, "NS_LAST_INIT_ID") is not None
    if not (uncounted or users <= ns.count < 1 << 30):
        findings.add(f"{where}.ns.count", f"is {ns.count}, {users} nsproxies and attachments hold it")
    objects = [
        _read_objects(reader, observation, findings, kind, of_kind) for kind, of_kind in zip(KINDS, refs, strict=True)
    ]
    shift = int(reader.kernel.variable("ipc_mni_shift"))
    for kind, one, of_kind in zip(KINDS, (ns.sem_ids, ns.msg_ids, ns.shm_ids), objects, strict=True):
        findings.extend(check_ids(f"{where}.{kind}_ids", kind, one, of_kind, shift))
    arrays, queues, segments = objects
    for index, array in arrays.items():
        findings.extend(check_array(f"sem {array.sem_perm.id}", array, ids[0].objects[index], reader, observation))
    total = sum(array.sem_nsems for array in arrays.values())
    if total != ns.used_sems:
        findings.add(f"{where}.used_sems", f"is {ns.used_sems}, the arrays have {total} semaphores")
    for queue in queues.values():
        findings.extend(check_queue(f"msg {queue.q_perm.id}", queue))
    findings.extend(check_totals(where, ns, list(queues.values())))
    by_address = {ids[2].objects[index]: segment for index, segment in segments.items()}
    findings.extend(check_segments(where, ns, address, by_address, findings.attachments, reader, observation))


def _read_objects(
    reader: SysvReader, observation: Observation, findings: Findings, kind: str, refs: dict[int, Ref]
) -> dict[int, Any]:
    """Read the objects of one kind, each on its own; return by index those that could be read."""
    found: dict[int, Any] = {}
    readers: dict[str, Callable[[dict[int, Ref]], None]] = {
        "sem": lambda one: reader.sem.observe(observation, one),
        "msg": lambda one: reader.msg.observe(observation, one),
        "shm": lambda one: reader.shm.observe(observation, one, {}, {}),
    }
    for address, ref in refs.items():
        findings.read(readers[kind], {address: ref})
        value = observation.objects.pop(ref, None)
        if value is not None:
            found[int(ref.key)] = value
    return found
