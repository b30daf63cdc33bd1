"""Read semaphore arrays, their sleepers and their undo structures (``ipc/sem.c``)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import drgn

from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.inspector import Observation
from ktrace.inspect.ipc.namespace import glance, perm_members, perm_of
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.lib.list import for_each_list_node
from ktrace.inspect.members import MissingMember, offset_of, shape_of
from ktrace.inspect.memory import KernelMemory, Place
from ktrace.inspect.process.pid import Pids
from ktrace.inspect.remembered import Remembered
from ktrace.inspect.unread import UNREADABLE, absence
from ktrace.state.ipc.sem import Sem, SemArray, SemBuf, SemQueue, SemUndo, SemUndoList
from ktrace.state.ref import Ref
from ktrace.state.unread import Unread
from ktrace.uapi.ipc import IPC_NOWAIT
from ktrace.uapi.sem import SEM_UNDO

MAX_NSEMS = 1 << 20
MAX_NSOPS = 1 << 16
GLANCE = 4
"""Semaphores that are read before it is known how many a set has."""

_SHORT = 2
_SEMBUF = struct.Struct("<Hhh")
_FLAGS: dict[int, tuple[str, ...]] = {
    0: (),
    IPC_NOWAIT: ("IPC_NOWAIT",),
    SEM_UNDO: ("SEM_UNDO",),
    IPC_NOWAIT | SEM_UNDO: ("IPC_NOWAIT", "SEM_UNDO"),
}


class SemReader:
    """Read every ``struct sem_array`` of a namespace, and the undo lists of the actors."""

    def __init__(self, kernel: LiveKernel, pids: Pids) -> None:
        self.prog = prog = kernel.prog
        self.pids = pids
        self._array = layout_of(
            prog,
            "struct sem_array",
            "sem_ctime",
            "sem_nsems",
            "complex_count",
            "use_global_lock",
            alter="pending_alter.next",
            const="pending_const.next",
            undo="list_id.next",
            **perm_members("sem_perm"),
        )
        self._sems = offset_of(prog, "struct sem_array", "sems")
        self._alter, self._const = self._array.offsets["alter"], self._array.offsets["const"]
        self._list_id = self._array.offsets["undo"]
        self._sem_nsems = self._array.offsets["sem_nsems"]
        self._sem = layout_of(
            prog,
            "struct sem",
            "semval",
            "sempid",
            "sem_otime",
            alter="pending_alter.next",
            const="pending_const.next",
        )
        self._sem_alter, self._sem_const = self._sem.offsets["alter"], self._sem.offsets["const"]
        self._queue = layout_of(
            prog,
            "struct sem_queue",
            "sleeper",
            "undo",
            "pid",
            "status",
            "sops",
            "blocking",
            "nsops",
            "alter",
            "dupsop",
        )
        self._sem_lock = layout_of(prog, "struct sem", lock="?lock.rlock.raw_lock.val.counter")
        self._ulp_lock = layout_of(prog, "struct sem_undo_list", lock="?lock.rlock.raw_lock.val.counter")
        self._queue_list = offset_of(prog, "struct sem_queue", "list")
        self._undo = layout_of(prog, "struct sem_undo", "ulp", "semid")
        self._semadj = offset_of(prog, "struct sem_undo", "semadj")
        semadj = shape_of(prog, "struct sem_undo", "semadj")
        if semadj.kind not in (drgn.TypeKind.ARRAY, drgn.TypeKind.POINTER) or drgn.sizeof(semadj.type) != _SHORT:
            raise MissingMember("struct sem_undo", "semadj", f"is of type {semadj.type_name()!r}, no shorts,")
        self._semadj_is_array = semadj.kind == drgn.TypeKind.ARRAY
        self._undo_proc = offset_of(prog, "struct sem_undo", "list_proc")
        self._undo_id = offset_of(prog, "struct sem_undo", "list_id")
        self._ulp_refcnt = offset_of(prog, "struct sem_undo_list", "refcnt.refs.counter")
        self._ulp_list = offset_of(prog, "struct sem_undo_list", "list_proc")
        self._remembered: Remembered[SemArray] = Remembered()
        self._seen: Observation | None = None
        self._plain: dict[tuple[int, int, int], Sem] = {}
        """Semaphores of one observation on which nobody waits: most look alike."""

    def observe(self, observation: Observation, arrays: dict[int, Ref]) -> None:
        """Add the arrays at these addresses, and the undo structures on their lists."""
        if observation is not self._seen:
            self._seen, self._plain = observation, {}
        memory, objects, find = observation.memory, observation.objects, self._remembered.find
        for address, ref in arrays.items():
            try:
                array = find(memory, address)
                if array is None:
                    array = self._remembered.keep(address, *self._read(observation, address))
                objects[ref] = array
                for undo in array.list_id:
                    self.observe_undo(observation, int(undo.key), array.sem_nsems)
            except UNREADABLE as error:
                objects[ref] = absence(self.prog, error)

    def _bytes(self, observation: Observation, address: int) -> bytes:
        """Return all bytes of an array."""
        memory = observation.memory
        # Most sets are small: one read does for these.
        data = glance(memory, address, self._sems + GLANCE * self._sem.size, self._sems)
        nsems = int.from_bytes(data[self._sem_nsems : self._sem_nsems + 4], "little")
        if nsems > MAX_NSEMS:
            raise CorruptStructure("sem_array.sem_nsems", address, f"cannot be {nsems}")
        size = self._sems + nsems * self._sem.size
        return data[:size] if size <= len(data) else memory.read(address, size)

    def _read(self, observation: Observation, address: int) -> tuple[SemArray, Sequence[Place] | None]:
        """Decode the array at *address*; who sleeps or owes an undo makes it depend on more than its bytes."""
        data = self._bytes(observation, address)
        raw = self._array.unpack(data, 0)
        simple = True

        def queues(head: int, first: int) -> tuple[SemQueue, ...]:
            nonlocal simple
            if first == head:
                return ()
            simple = False
            return tuple(
                [
                    self._read_queue(observation, node - self._queue_list)
                    for node in for_each_list_node(observation.memory, head, "sem_queue.list")
                ]
            )

        sems = []
        plain = self._plain
        offset = self._sems
        unpack, size = self._sem.unpack, self._sem.size
        for _ in range(raw.sem_nsems):
            semval, sempid, sem_otime, first_alter, first_const = unpack(data, offset)
            at = address + offset
            alter, const = at + self._sem_alter, at + self._sem_const
            offset += size
            if first_alter == alter and first_const == const:
                key = (semval, sempid, sem_otime)
                known = plain.get(key)
                if known is None:
                    pid = self.pids.name(observation, sempid)
                    known = plain[key] = Sem(
                        semval=semval, sempid=pid, pending_alter=(), pending_const=(), sem_otime=sem_otime
                    )
                sems.append(known)
                continue
            sems.append(
                Sem(
                    semval=semval,
                    sempid=self.pids.name(observation, sempid),
                    pending_alter=queues(alter, first_alter),
                    pending_const=queues(const, first_const),
                    sem_otime=sem_otime,
                )
            )
        list_id: tuple[Ref, ...] = ()
        head = address + self._list_id
        if raw.undo != head:
            list_id = tuple(
                [
                    Ref("undo", node - self._undo_id)
                    for node in for_each_list_node(observation.memory, head, "sem_undo.list_id")
                ]
            )
            simple = False
        array = SemArray(
            sem_perm=perm_of(raw),
            sem_ctime=raw.sem_ctime,
            pending_alter=queues(address + self._alter, raw.alter),
            pending_const=queues(address + self._const, raw.const),
            list_id=list_id,
            sem_nsems=raw.sem_nsems,
            complex_count=raw.complex_count,
            use_global_lock=raw.use_global_lock,
            sems=tuple(sems),
        )
        return array, ((address, data),) if simple else None

    def _read_queue(self, observation: Observation, address: int) -> SemQueue:
        """Decode one ``struct sem_queue``, which lies on its sleeper's stack."""
        memory = observation.memory
        raw = self._queue.read(memory, address)
        count = raw.nsops if 0 <= raw.nsops <= MAX_NSOPS else 0
        sops = []
        if count:
            data = memory.read(raw.sops, count * _SEMBUF.size)
            sops = [
                SemBuf(sem_num=num, sem_op=op, sem_flg=_flag_names(flg)) for num, op, flg in _SEMBUF.iter_unpack(data)
            ]
        return SemQueue(
            sleeper=observation.process(raw.sleeper),
            undo=Ref("undo", raw.undo) if raw.undo else None,
            pid=self.pids.name(observation, raw.pid),
            status=raw.status,
            sops=tuple(sops),
            blocking=(raw.blocking - raw.sops) // _SEMBUF.size if raw.blocking else None,
            nsops=raw.nsops,
            alter=raw.alter,
            dupsop=raw.dupsop,
        )

    def locked(self, memory: KernelMemory, address: int, nsems: int) -> list[int]:
        """Return the numbers of the semaphores whose own lock is held, of the array at *address*."""
        size = self._sem_lock.size
        data = memory.read(address + self._sems, nsems * size)
        return [number for number in range(nsems) if self._sem_lock.unpack(data, number * size).lock]

    def undo_list_locked(self, memory: KernelMemory, address: int) -> bool:
        """Tell whether the lock of the ``struct sem_undo_list`` at *address* is held."""
        return bool(self._ulp_lock.read(memory, address).lock)

    # -- undo ------------------------------------------------------------------------------------

    def observe_undo(self, observation: Observation, address: int, nsems: int) -> None:
        """Add the ``struct sem_undo`` at *address*, whose array has *nsems* semaphores."""
        ref = Ref("undo", address)
        if ref in observation.objects and not nsems:
            return
        memory = observation.memory
        raw = self._undo.read(memory, address)
        if isinstance(raw.ulp, Unread):
            observation.objects[ref] = raw.ulp
            return
        semadj: tuple[int, ...] = ()
        if nsems:
            start = address + self._semadj
            if not self._semadj_is_array:
                start = memory.u64(start)
            semadj = struct.unpack(f"<{nsems}h", memory.read(start, 2 * nsems))
        ulp = Ref("undo_list", raw.ulp) if raw.ulp else None
        observation.objects[ref] = SemUndo(ulp=ulp, semid=raw.semid, semadj=semadj)

    def observe_undo_list(self, observation: Observation, address: int) -> Ref:
        """Add the ``struct sem_undo_list`` at *address* and the structures on it; return its reference."""
        ref = Ref("undo_list", address)
        if ref not in observation.objects:
            memory = observation.memory
            nodes = for_each_list_node(memory, address + self._ulp_list, "sem_undo.list_proc")
            undos = [node - self._undo_proc for node in nodes]
            refcnt = memory.u32(address + self._ulp_refcnt)
            observation.objects[ref] = SemUndoList(
                refcnt=refcnt, list_proc=tuple([Ref("undo", undo) for undo in undos])
            )
            for undo in undos:
                self.observe_undo(observation, undo, 0)
        return ref


def _flag_names(flags: int) -> tuple[str, ...]:
    found = _FLAGS.get(flags & 0xFFFF)
    if found is None:
        rest = flags & 0xFFFF & ~(IPC_NOWAIT | SEM_UNDO)
        found = (*_FLAGS[flags & (IPC_NOWAIT | SEM_UNDO)], f"{rest:#x}")
    return found
