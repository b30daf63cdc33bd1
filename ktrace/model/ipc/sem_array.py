"""The structures of semaphores, and the two ways of locking an array (``ipc/sem.c``)."""

from __future__ import annotations

from dataclasses import dataclass, field

from ktrace.model.ipc.ids import IpcObject, Time, pid_name
from ktrace.model.task import Task
from ktrace.state.allowed import allowed
from ktrace.state.ipc import sem as state
from ktrace.state.ref import Ref, process
from ktrace.uapi.ipc import IPC_NOWAIT
from ktrace.uapi.sem import SEM_UNDO

USE_GLOBAL_LOCK_HYSTERESIS = 10
SEM_GLOBAL_LOCK = -1


@dataclass(frozen=True, slots=True)
class SemBuf:
    """Mirror one ``struct sembuf``; *sem_flg* is a number here."""

    sem_num: int
    sem_op: int
    sem_flg: int

    def observe(self) -> state.SemBuf:
        """Return the value that the World holds."""
        return state.SemBuf(sem_num=self.sem_num, sem_op=self.sem_op, sem_flg=sem_flg_names(self.sem_flg))


def sem_flg_names(flags: int) -> tuple[str, ...]:
    """Return the names of ``sembuf.sem_flg``'s bits, what has no name in hex."""
    names = [name for name, bit in (("IPC_NOWAIT", IPC_NOWAIT), ("SEM_UNDO", SEM_UNDO)) if flags & bit]
    rest = flags & 0xFFFF & ~(IPC_NOWAIT | SEM_UNDO)
    return (*names, f"{rest:#x}") if rest else tuple(names)


@dataclass(eq=False)
class SemUndoList:
    """Mirror one ``struct sem_undo_list``."""

    key: int
    refcnt: int = 1
    list_proc: list[SemUndo] = field(default_factory=list)

    @property
    def ref(self) -> Ref:
        """Return the raw reference."""
        return Ref("undo_list", self.key)


@dataclass(eq=False)
class SemUndo:
    """Mirror one ``struct sem_undo``."""

    key: int
    ulp: SemUndoList
    semid: int
    semadj: list[int]

    @property
    def ref(self) -> Ref:
        """Return the raw reference."""
        return Ref("undo", self.key)

    def observe(self) -> state.SemUndo:
        """Return the value that the World holds."""
        return state.SemUndo(ulp=self.ulp.ref, semid=self.semid, semadj=tuple(self.semadj))


@dataclass(eq=False)
class SemQueue:
    """Mirror one ``struct sem_queue``.

    :param blocking: index into *sops*
    :param status: 0 or a negative error number
    """

    sops: tuple[SemBuf, ...]
    undo: SemUndo | None
    pid: Task
    alter: bool
    dupsop: bool
    sleeper: Task | None = None
    status: int = 0
    blocking: int | None = None

    @property
    def nsops(self) -> int:
        """Return how many operations there are."""
        return len(self.sops)

    def observe(self) -> state.SemQueue:
        """Return the value that the World holds."""
        return state.SemQueue(
            sleeper=process(self.sleeper.name) if self.sleeper else None,
            undo=self.undo.ref if self.undo else None,
            pid=self.pid.name,
            status=self.status,
            sops=tuple([sop.observe() for sop in self.sops]),
            blocking=self.blocking,
            nsops=self.nsops,
            alter=self.alter,
            dupsop=self.dupsop,
        )


@dataclass(eq=False)
class Sem:
    """Mirror one ``struct sem``; *sempid* is a task, maybe a dead one."""

    semval: int = 0
    sempid: Task | None = None
    pending_alter: list[SemQueue] = field(default_factory=list)
    pending_const: list[SemQueue] = field(default_factory=list)
    sem_otime: Time = 0

    def observe(self) -> state.Sem:
        """Return the value that the World holds."""
        return state.Sem(
            semval=self.semval,
            sempid=pid_name(self.sempid),
            pending_alter=_queues(self.pending_alter),
            pending_const=_queues(self.pending_const),
            sem_otime=allowed(self.sem_otime),
        )


@dataclass(eq=False)
class SemArray(IpcObject):
    """Mirror one ``struct sem_array``."""

    sem_ctime: Time = 0
    pending_alter: list[SemQueue] = field(default_factory=list)
    pending_const: list[SemQueue] = field(default_factory=list)
    list_id: list[SemUndo] = field(default_factory=list)
    complex_count: int = 0
    use_global_lock: int = 0
    sems: list[Sem] = field(default_factory=list)

    @property
    def sem_nsems(self) -> int:
        """Return the number of semaphores."""
        return len(self.sems)

    def observe(self) -> state.SemArray:
        """Return the value that the World holds."""
        return state.SemArray(
            sem_perm=self.observe_perm(),
            sem_ctime=allowed(self.sem_ctime),
            pending_alter=_queues(self.pending_alter),
            pending_const=_queues(self.pending_const),
            list_id=tuple([undo.ref for undo in self.list_id]),
            sem_nsems=self.sem_nsems,
            complex_count=self.complex_count,
            use_global_lock=self.use_global_lock,
            sems=tuple([sem.observe() for sem in self.sems]),
        )


def _queues(queues: list[SemQueue]) -> tuple[state.SemQueue, ...]:
    return tuple([queue.observe() for queue in queues]) if queues else ()


def merge_queues(sma: SemArray) -> None:
    """Move sleeping single operations onto the array's own queue, to keep their order (``merge_queues()``)."""
    for sem in sma.sems:
        # list_splice_init() puts each at the head.
        sma.pending_alter[:0] = sem.pending_alter
        sem.pending_alter.clear()


def unmerge_queues(sma: SemArray) -> None:
    """Move sleeping operations back once no complex one sleeps (``unmerge_queues()``)."""
    if sma.complex_count:
        return
    for queue in sma.pending_alter:
        sma.sems[queue.sops[0].sem_num].pending_alter.append(queue)
    sma.pending_alter.clear()


def complexmode_enter(sma: SemArray) -> None:
    """Demand the global lock for the next calls (``complexmode_enter()``)."""
    sma.use_global_lock = USE_GLOBAL_LOCK_HYSTERESIS


def complexmode_tryleave(sma: SemArray) -> None:
    """Count down to per-semaphore locking (``complexmode_tryleave()``)."""
    if not sma.complex_count:
        sma.use_global_lock -= 1


def sem_lock(sma: SemArray, sops: tuple[SemBuf, ...] | None = None) -> int:
    """Lock and tell how: the semaphore's number, or :data:`SEM_GLOBAL_LOCK` (``sem_lock()``).

    :param sops: ``None`` where the kernel passes nsops = -1
    """
    if sops is None or len(sops) != 1:
        complexmode_enter(sma)
        return SEM_GLOBAL_LOCK
    return SEM_GLOBAL_LOCK if sma.use_global_lock else sops[0].sem_num


def sem_unlock(sma: SemArray, locknum: int = SEM_GLOBAL_LOCK) -> None:
    """Unlock what :func:`sem_lock` locked (``sem_unlock()``)."""
    if locknum == SEM_GLOBAL_LOCK:
        unmerge_queues(sma)
        complexmode_tryleave(sma)
