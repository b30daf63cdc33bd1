"""Check ``struct ipc_ids``: identifiers, IDR and key table against the objects (``ipc/util.c``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ktrace.inspect.invariants.violation import Violation
from ktrace.state.ipc.namespace import IpcIds, KernIpcPerm
from ktrace.uapi.ipc import IPC_PRIVATE

PERMS = {"sem": "sem_perm", "msg": "q_perm", "shm": "shm_perm"}


def check_ids(where: str, kind: str, ids: IpcIds, objects: Mapping[int, Any], shift: int) -> Iterator[Violation]:
    """Yield what contradicts itself in one ``struct ipc_ids``.

    :param objects: the objects that could be read, by index
    :param shift: ``ipc_mni_shift``
    """
    if ids.in_use != len(ids.ipcs_idr):
        yield Violation(f"{where}.in_use", f"is {ids.in_use}, the IDR has {len(ids.ipcs_idr)} entries")
    highest = max(ids.ipcs_idr, default=-1)
    if ids.max_idx != highest:
        yield Violation(f"{where}.max_idx", f"is {ids.max_idx}, the highest index of the IDR is {highest}")
    if ids.rwsem != "free":
        yield Violation(f"{where}.rwsem", f"is held: count {ids.rwsem}")
    perms: dict[int, KernIpcPerm] = {index: getattr(value, PERMS[kind]) for index, value in objects.items()}
    for index, perm in perms.items():
        yield from _check_perm(f"{kind} {perm.id}", index, perm, shift)
    yield from _check_keys(where, kind, ids, perms)


def _check_perm(where: str, index: int, perm: KernIpcPerm, shift: int) -> Iterator[Violation]:
    if perm.id & (1 << shift) - 1 != index:
        yield Violation(f"{where}.id", f"has index {perm.id & (1 << shift) - 1}, it is at {index} in the IDR")
    if perm.id >> shift != perm.seq:
        yield Violation(f"{where}.seq", f"is {perm.seq}, the id {perm.id} says {perm.id >> shift}")
    if perm.deleted:
        yield Violation(f"{where}.deleted", "is set, the object is in the IDR")
    if not 0 < perm.refcount < 1 << 30:
        yield Violation(f"{where}.refcount", f"is {perm.refcount}")
    if perm.lock != "free":
        yield Violation(f"{where}.lock", f"is held: {perm.lock}")


def _check_keys(where: str, kind: str, ids: IpcIds, perms: Mapping[int, KernIpcPerm]) -> Iterator[Violation]:
    """Check the key table against the IDR, both ways."""
    in_idr = {ref: index for index, ref in ids.ipcs_idr.items()}
    in_table = set(ids.key_ht.values())
    for key, ref in ids.key_ht.items():
        index = in_idr.get(ref)
        if index is None:
            yield Violation(f"{where}.key_ht", f"key {key:#x} finds {ref}, which is not in the IDR")
        elif key == IPC_PRIVATE:
            yield Violation(f"{where}.key_ht", f"finds {kind} at index {index}, which has no key")
    by_key: dict[int, int] = {}
    for index, perm in perms.items():
        if perm.key == IPC_PRIVATE:
            continue
        if ids.ipcs_idr[index] not in in_table:
            yield Violation(f"{kind} {perm.id}.key", f"is {perm.key:#x}, the key table does not find it")
        if perm.key in by_key:
            yield Violation(f"{kind} {perm.id}.key", f"is {perm.key:#x}, as is that of {kind} {by_key[perm.key]}")
        by_key[perm.key] = perm.id
