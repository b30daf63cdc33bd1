"""Semaphore arrays, who waits on them, and who owes them an undo."""

from __future__ import annotations

from dataclasses import field

from ktrace.state.ipc.namespace import KernIpcPerm
from ktrace.state.order import unordered
from ktrace.state.quick import dataclass
from ktrace.state.ref import Ref
from ktrace.state.rule import Rule

LIST_ID = Rule("ipc/sem.c", "find_alloc_undo", "undo structures of an array lie in any order: all are treated alike")
LIST_PROC = Rule("ipc/sem.c", "lookup_undo", "undo structures of a process lie in any order: each is of another array")
PENDING_CONST = Rule("ipc/sem.c", "wake_const_ops", "who waits for zero lies in any order: nobody takes it from others")


@dataclass(frozen=True, slots=True)
class SemBuf:
    """A ``struct sembuf``.

    :param sem_flg: IPC_NOWAIT and SEM_UNDO by name, other bits in hex
    """

    sem_num: int
    sem_op: int
    sem_flg: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SemQueue:
    """A ``struct sem_queue``: one sleeping semop.

    :param sleeper: the process that sleeps
    :param undo: its ``sem_undo`` for this array, or ``None``
    :param pid: the actor that asked
    :param status: completion status, -EINTR while it sleeps
    :param blocking: index into *sops* of the operation that could not proceed
    """

    sleeper: Ref | None
    undo: Ref | None
    pid: str | None
    status: int
    sops: tuple[SemBuf, ...]
    blocking: int | None
    nsops: int
    alter: bool
    dupsop: bool


@dataclass(frozen=True, slots=True)
class Sem:
    """A ``struct sem``.

    :param sempid: the actor that changed it last
    :param sem_otime: seconds since the epoch, 0 for never
    """

    semval: int
    sempid: str | None
    pending_alter: tuple[SemQueue, ...]
    pending_const: tuple[SemQueue, ...] = field(metadata=unordered(PENDING_CONST))
    sem_otime: int


@dataclass(frozen=True, slots=True)
class SemArray:
    """A ``struct sem_array``.

    :param list_id: undo structures of all processes for this array
    :param complex_count: sleeping calls with more than one operation
    :param use_global_lock: above 0 the whole array is locked for every call
    """

    sem_perm: KernIpcPerm
    sem_ctime: int
    pending_alter: tuple[SemQueue, ...]
    pending_const: tuple[SemQueue, ...] = field(metadata=unordered(PENDING_CONST))
    list_id: tuple[Ref, ...] = field(metadata=unordered(LIST_ID))
    sem_nsems: int
    complex_count: int
    use_global_lock: int
    sems: tuple[Sem, ...]


@dataclass(frozen=True, slots=True)
class SemUndo:
    """A ``struct sem_undo``: what one process (or group) gives back to one array.

    :param ulp: the list it says it is on
    :param semid: the array's id, -1 once that is gone
    :param semadj: one adjustment for each semaphore of the array
    """

    ulp: Ref | None
    semid: int
    semadj: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SemUndoList:
    """A ``struct sem_undo_list``.

    :param refcnt: processes that share it
    :param list_proc: its undo structures
    """

    refcnt: int
    list_proc: tuple[Ref, ...] = field(metadata=unordered(LIST_PROC))
