"""Check semaphore arrays, their sleepers, and undo structures from both ends (``ipc/sem.c``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ktrace.inspect.inspector import Observation
from ktrace.inspect.invariants.violation import Violation
from ktrace.inspect.ipc.namespace import Ids
from ktrace.inspect.ipc.subsystem import SysvReader
from ktrace.state.ipc.sem import Sem, SemArray, SemQueue, SemUndo, SemUndoList
from ktrace.state.ref import Ref
from ktrace.uapi.errno import EINTR
from ktrace.uapi.sem import SEMVMX


def check_array(
    where: str, array: SemArray, address: int, reader: SysvReader, observation: Observation
) -> Iterator[Violation]:
    """Yield what contradicts itself in one array.

    :param address: of its ``struct sem_array``
    """
    sleepers = [*array.pending_alter, *array.pending_const]
    for number, sem in enumerate(array.sems):
        sleepers += [*sem.pending_alter, *sem.pending_const]
        yield from _check_sem(f"{where}.sems[{number}]", number, sem, array)
    if array.sem_perm.refcount != 1:
        yield Violation(f"{where}.refcount", f"is {array.sem_perm.refcount}, nobody sleeps with a reference")
    for number in reader.sem.locked(observation.memory, address, array.sem_nsems):
        yield Violation(f"{where}.sems[{number}].lock", "is held")
    complex_count = sum(queue.nsops > 1 for queue in sleepers)
    if complex_count != array.complex_count:
        yield Violation(
            f"{where}.complex_count", f"is {array.complex_count}, {complex_count} sleepers have several operations"
        )
    if array.complex_count > 0 and not array.use_global_lock:
        yield Violation(f"{where}.use_global_lock", "is 0 while complex operations sleep")
    if array.use_global_lock > 10:
        yield Violation(f"{where}.use_global_lock", f"is {array.use_global_lock}, above its hysteresis of 10")
    for queue in sleepers:
        yield from _check_sleeper(where, queue, array)
    seen: set[str | None] = set()
    for queue in sleepers:
        name = str(queue.sleeper)
        if name in seen:
            yield Violation(where, f"{name} sleeps twice")
        seen.add(name)
    for undo in array.list_id:
        yield from _check_undo_of_array(where, undo, array, reader, observation)


def _check_sem(where: str, number: int, sem: Sem, array: SemArray) -> Iterator[Violation]:
    if not 0 <= sem.semval <= SEMVMX:
        yield Violation(f"{where}.semval", f"is {sem.semval}, outside 0 to {SEMVMX}")
    if sem.pending_alter and array.complex_count > 0:
        yield Violation(f"{where}.pending_alter", "is not empty while complex operations sleep")
    for name, queues, alter in (("alter", sem.pending_alter, True), ("const", sem.pending_const, False)):
        for queue in queues:
            if queue.nsops != 1 or queue.sops[0].sem_num != number or queue.alter is not alter:
                yield Violation(f"{where}.pending_{name}", f"holds a call of {queue.pid} that does not belong there")


def _check_sleeper(where: str, queue: SemQueue, array: SemArray) -> Iterator[Violation]:
    who = f"{where}, sleeper {queue.pid}"
    if queue.status != -EINTR:
        yield Violation(who, f"is queued with status {queue.status}")
    if queue.blocking is None or not 0 <= queue.blocking < queue.nsops:
        yield Violation(who, f"waits for operation {queue.blocking} of {queue.nsops}")
        return
    if any(sop.sem_num >= array.sem_nsems for sop in queue.sops):
        yield Violation(who, f"names a semaphore beyond {array.sem_nsems}")
        return
    if queue.alter is not any(sop.sem_op for sop in queue.sops):
        yield Violation(who, f"has alter {queue.alter}, its operations say otherwise")
    if not _would_block(queue, array):
        yield Violation(who, "sleeps although its operations could be done")


def _would_block(queue: SemQueue, array: SemArray) -> bool:
    """Tell whether the operations still cannot be done (``perform_atomic_semop_slow()``)."""
    values: dict[int, int] = {}
    for sop in queue.sops:
        value = values.get(sop.sem_num, array.sems[sop.sem_num].semval)
        if (sop.sem_op == 0 and value) or value + sop.sem_op < 0:
            return True
        values[sop.sem_num] = value + sop.sem_op
    return False


def _check_undo_of_array(
    where: str, ref: Ref, array: SemArray, reader: SysvReader, observation: Observation
) -> Iterator[Violation]:
    """Check one undo structure on the array's ``list_id``: is it on the list of its process, too?"""
    undo = observation.objects.get(ref)
    if not isinstance(undo, SemUndo):
        return
    if undo.semid != array.sem_perm.id:
        yield Violation(f"{where}.list_id", f"holds an undo structure for semid {undo.semid}")
    if undo.ulp is None:
        yield Violation(f"{where}.list_id", "holds an undo structure of nobody")
        return
    reader.sem.observe_undo_list(observation, int(undo.ulp.key))
    undo_list: Any = observation.objects.get(undo.ulp)
    if isinstance(undo_list, SemUndoList) and ref not in undo_list.list_proc:
        yield Violation(f"{where}.list_id", "holds an undo structure that is not on its process's list_proc")


def check_undo_lists(
    reader: SysvReader, observation: Observation, users: Mapping[int, int], namespaces: Mapping[int, list[Ids]]
) -> Iterator[Violation]:
    """Check every process's undo list: its users, and that each structure is on its array's ``list_id``.

    :param users: tasks by the address of their list
    :param namespaces: the objects of each namespace
    """
    on_arrays: set[Ref] = set()
    ids: set[int] = set()
    for kinds in namespaces.values():
        refs = {address: Ref("sem", address) for address in kinds[0].objects.values()}
        reader.sem.observe(observation, refs)
        for ref in refs.values():
            array = observation.objects.pop(ref)
            on_arrays.update(array.list_id)
            ids.add(array.sem_perm.id)
    for address, count in users.items():
        where = f"undo list of {count} tasks" if count > 1 else "undo list"
        ref = reader.sem.observe_undo_list(observation, address)
        undo_list: SemUndoList = observation.objects[ref]
        if reader.sem.undo_list_locked(observation.memory, address):
            yield Violation(f"{where}.lock", "is held")
        if undo_list.refcnt != count:
            yield Violation(f"{where}.refcnt", f"is {undo_list.refcnt}, {count} tasks have the list")
        for undo_ref in undo_list.list_proc:
            undo: SemUndo = observation.objects[undo_ref]
            if undo.ulp != ref:
                yield Violation(f"{where}.list_proc", f"holds an undo structure of another list, semid {undo.semid}")
            if undo.semid not in ids:
                yield Violation(f"{where}.list_proc", f"holds an undo structure for no array: semid {undo.semid}")
            if undo_ref not in on_arrays:
                yield Violation(
                    f"{where}.list_proc", f"holds an undo structure that is on no array's list_id: semid {undo.semid}"
                )
