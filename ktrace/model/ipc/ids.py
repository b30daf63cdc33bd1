"""Identifiers of System V objects: the IDR's cyclic allocation, sequence numbers, the key table (``ipc/util.c``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from ktrace.include.linux.types import s32
from ktrace.model.process.user_namespace import INIT_USER_NS, UserNamespace
from ktrace.model.task import Cred, Errno, Task
from ktrace.state.allowed import Between
from ktrace.state.ipc.namespace import IdsFacts, IpcFacts, IpcIds, KernIpcPerm
from ktrace.state.ref import Ref
from ktrace.state.rule import Rule
from ktrace.uapi.ipc import IPC_PRIVATE
from ktrace.uapi.limits import INT_MAX

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel


SET_NOW = Rule("kernel/time/timekeeping.c", "ktime_get_real_seconds", "the second in which a step did it")
LATER = Rule("ipc/sem.c", "get_semotime", "the later of two times that steps set")
NO_REF = Ref("?", "?")

Time = int | Between
"""Seconds since the epoch: 0 for never, else what the clock showed around the step."""


def ktime_get_real_seconds(kernel: Kernel) -> Time:
    """Return the time of the step that runs, known to the second or two (``kernel/time/timekeeping.c``)."""
    return Between(SET_NOW, *kernel.clock)


def later(one: Time, other: Time) -> Time:
    """Return the later of two times."""
    if isinstance(one, int) and isinstance(other, int):
        return max(one, other)
    a, b = _interval(one), _interval(other)
    low, high = max(a[0], b[0]), max(a[1], b[1])
    return Between(LATER, low, high)


def _interval(time: Time) -> tuple[int, int]:
    return (time, time) if isinstance(time, int) else (time.low, time.high)


def pid_name(task: Task | None) -> str | None:
    """Return how the World shows a ``struct pid``: by its actor's name."""
    return None if task is None else task.name


@dataclass(eq=False)
class IpcObject:
    """Mirror ``struct kern_ipc_perm``, which every System V object begins with.

    :param ref: how the World calls the object; set once it has its id
    :param user_ns: that of the namespace that it is in
    """

    kind: str
    key: int
    mode: int
    ref: Ref = NO_REF
    deleted: bool = False
    id: int = 0
    uid: int = 0
    gid: int = 0
    cuid: int = 0
    cgid: int = 0
    seq: int = 0
    refcount: int = 0
    user_ns: UserNamespace = INIT_USER_NS

    def observe_perm(self) -> KernIpcPerm:
        """Return the value that the World holds."""
        return KernIpcPerm(
            deleted=self.deleted,
            id=self.id,
            key=self.key,
            uid=self.uid,
            gid=self.gid,
            cuid=self.cuid,
            cgid=self.cgid,
            mode=self.mode,
            seq=self.seq,
            refcount=self.refcount,
        )


Object = TypeVar("Object", bound=IpcObject)


class Ids(Generic[Object]):
    """Mirror one ``struct ipc_ids``.

    :param facts: of the kernel, for its limits
    :param start: where the counters stood; a fresh namespace has :data:`FRESH`
    """

    def __init__(self, facts: IpcFacts, start: IdsFacts) -> None:
        self.facts = facts
        self.in_use = 0
        self.seq = start.seq
        self.idr: dict[int, Object] = {}
        self.idr_next = start.idr_next
        self.max_idx = start.max_idx
        self.last_idx = start.last_idx
        self.next_id = start.next_id
        self.key_ht: dict[int, Object] = {}

    def index(self, id: int) -> int:
        """Return the IDR index in *id* (``ipcid_to_idx()``)."""
        return id & (1 << self.facts.ipc_mni_shift) - 1

    def seqx(self, id: int) -> int:
        """Return the sequence number in *id* (``ipcid_to_seqx()``)."""
        return id >> self.facts.ipc_mni_shift

    def findkey(self, key: int) -> Object | None:
        """Return the object that holds *key* (``ipc_findkey()``)."""
        return self.key_ht.get(key)

    def obtain_object_idr(self, id: int) -> Object:
        """Return the object at the index in *id*, whatever its sequence number (``ipc_obtain_object_idr()``).

        :raises Errno: EINVAL
        """
        found = self.idr.get(self.index(id))
        if found is None:
            raise Errno("EINVAL")
        return found

    def obtain_object_check(self, id: int) -> Object:
        """Return the object with exactly this *id* (``ipc_obtain_object_check()``, ``ipc_checkid()``).

        :raises Errno: EINVAL
        """
        found = self.obtain_object_idr(id)
        if self.seqx(id) != found.seq:
            raise Errno("EINVAL")
        return found

    def _free_index(self, start: int, end: int) -> int | None:
        """Return the lowest free index in [*start*, *end*) (``idr_alloc_u32()``, ``idr_get_free()``)."""
        return next((index for index in range(start, end) if index not in self.idr), None)

    def _idr_alloc_cyclic(self, end: int) -> int | None:
        """Allocate from where the last allocation ended, wrapping once (``lib/idr.c: idr_alloc_cyclic()``)."""
        index = self._free_index(self.idr_next, end)
        if index is None and self.idr_next > 0:
            index = self._free_index(0, end)
        if index is not None:
            self.idr_next = index + 1
        return index

    def _idr_alloc(self, new: Object) -> int | None:
        """Choose index, sequence number and id of *new* (``ipc_idr_alloc()``)."""
        next_id, facts = self.next_id, self.facts
        if next_id is not None:
            self.next_id = -1
        if next_id is None or next_id < 0:
            max_idx = min(max(self.in_use * 3 // 2, facts.ipc_min_cycle), facts.ipc_mni)
            index = self._idr_alloc_cyclic(max_idx)
            if index is not None:
                if index <= self.last_idx:
                    # The sequence number moves on only where the index went back.
                    self.seq += 1
                    if self.seq >= INT_MAX >> facts.ipc_mni_shift:
                        self.seq = 0
                self.last_idx = index
                new.seq = self.seq
        else:
            new.seq = self.seqx(next_id)
            index = self._free_index(self.index(next_id), facts.ipc_mni)
        if index is not None:
            self.idr[index] = new
            new.id = s32((new.seq << facts.ipc_mni_shift) + index)
        return index

    def addid(self, new: Object, cred: Cred, limit: int) -> None:
        """Give *new* an id, its owner and its place (``ipc_addid()``).

        :raises Errno: ENOSPC at *limit* objects, or no free index
        """
        new.refcount = 1
        limit = min(limit, self.facts.ipc_mni)
        if self.in_use >= limit:
            raise Errno("ENOSPC")
        new.cuid = new.uid = cred.euid
        new.gid = new.cgid = cred.egid
        index = self._idr_alloc(new)
        if index is None:
            raise Errno("ENOSPC")
        if new.key != IPC_PRIVATE:
            self.key_ht[new.key] = new
        self.in_use += 1
        self.max_idx = max(self.max_idx, index)

    def kht_remove(self, gone: Object) -> None:
        """Take an object off the key table (``ipc_kht_remove()``)."""
        if gone.key != IPC_PRIVATE:
            del self.key_ht[gone.key]

    def set_key_private(self, ipcp: Object) -> None:
        """Let nobody find *ipcp* by its key any more (``ipc_set_key_private()``)."""
        self.kht_remove(ipcp)
        ipcp.key = IPC_PRIVATE

    def rmid(self, gone: Object) -> None:
        """Take an object out of the namespace (``ipc_rmid()``, ``ipc_search_maxidx()``)."""
        index = self.index(gone.id)
        del self.idr[index]
        self.kht_remove(gone)
        self.in_use -= 1
        gone.deleted = True
        if index == self.max_idx:
            self.max_idx = max(self.idr, default=-1)

    def get_maxidx(self) -> int:
        """Return what the INFO calls return, the highest index or 0 (``ipc_get_maxidx()``)."""
        if self.in_use == 0:
            return 0
        if self.in_use == self.facts.ipc_mni:
            return self.facts.ipc_mni - 1
        return max(self.max_idx, 0)

    def observe(self) -> IpcIds:
        """Return the value that the World holds."""
        return IpcIds(
            in_use=self.in_use,
            seq=self.seq,
            rwsem="free",
            ipcs_idr={index: self.idr[index].ref for index in sorted(self.idr)},
            idr_next=self.idr_next,
            max_idx=self.max_idx,
            last_idx=self.last_idx,
            next_id=self.next_id,
            key_ht={key: self.key_ht[key].ref for key in sorted(self.key_ht)},
        )
