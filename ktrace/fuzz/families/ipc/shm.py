"""System V shared memory: segments that are attached, removed, inherited and forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.agent.syscalls import make_call
from ktrace.fuzz.chance import Chance, pattern
from ktrace.fuzz.families.ipc.ids import SysvFamily, bad_pointer
from ktrace.fuzz.family import Generator, later
from ktrace.fuzz.model_view import ModelView
from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.model.ipc.namespace import Namespace
from ktrace.model.ipc.shm_segment import ShmAttachment, ShmidKernel
from ktrace.model.mm.address_space import Vma
from ktrace.model.task import Task
from ktrace.state.call import Call
from ktrace.uapi.mman import PROT_READ, PROT_WRITE

PLACES = (0x30000000, 0x30001000, 0x30002000, 0x30010000)


class ShmFamily(SysvFamily):
    """``ipc/shm.c``."""

    name = "shm"
    ids = "shm_ids"

    def generators(self) -> Sequence[tuple[float, Generator]]:
        """Return what can be done with segments."""
        return [
            (5, self._shmget),
            (12, self._shmat),
            (7, self._shmdt),
            (5, self._store),
            (2, self._load),
            (2, self._munmap),
            (1, self._mprotect),
            (2, self._mremap),
            (3, self._stat),
            (0.7, self._info),
            (1.6, later),
            (1.5, self._set),
            (2, self._remove),
            (2, self._lock),
            (0.6, self._memlock),
        ]

    def limits(self, choose: Chance) -> Iterator[Call]:
        """Lower shmmax, shmall and shmmni; have segments removed when nobody uses them."""
        if choose.chance(0.3):
            yield make_call("sysctl", "kernel/shmmax", str(choose.one((1, PAGE_SIZE, 3 * PAGE_SIZE, 5 * PAGE_SIZE))))
        if choose.chance(0.3):
            yield make_call("sysctl", "kernel/shmall", str(choose.one((1, 4, 8))))
        if choose.chance(0.3):
            yield make_call("sysctl", "kernel/shmmni", str(choose.one((1, 2, 3))))
        if choose.chance(0.3):
            yield make_call("sysctl", "kernel/shm_rmid_forced", "1")
        if choose.chance(0.1):
            yield make_call("sysctl", "kernel/shm_next_id", str(choose.one((0, 5, 32768, 70000, 0x7FFFFFFF))))

    def make(self, choose: Chance) -> Call:
        """Make a private object."""
        return make_call("shmget", 0, PAGE_SIZE, 0o600)

    def most_objects(self, ns: Namespace) -> int:
        """Return how many objects a namespace may hold."""
        return ns.shm_ctlmni

    def remove(self, ident: int) -> Call:
        """Remove an object."""
        return make_call("shmctl", ident, C["IPC_RMID"])

    def _shmget(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if (key := self.key(state, choose, task)) is None:
            return None
        size = choose.one((1, PAGE_SIZE, PAGE_SIZE, PAGE_SIZE + 1, 3 * PAGE_SIZE, 3 * PAGE_SIZE, 5 * PAGE_SIZE))
        ns = self.namespace(state, task)
        left = ns.shm_ctlall - ns.shm_tot
        if 0 <= left <= 8 and choose.chance(0.4):
            size = left * PAGE_SIZE + choose.one((0, 1))
        elif ns.shm_ctlmax <= 5 * PAGE_SIZE and choose.chance(0.3):
            size = ns.shm_ctlmax + choose.one((0, 0, 1))
        if choose.chance(0.08):
            size = choose.one((0, 1 << 40, 1 << 63, (1 << 64) - 1))
        flags = self.get_flags(choose) | choose.flags(0.04, C["SHM_HUGETLB"]) | choose.flags(0.1, C["SHM_NORESERVE"])
        return make_call("shmget", key, size, flags)

    def _segment(self, state: ModelView, choose: Chance, task: Task) -> ShmidKernel | None:
        found: ShmidKernel | None = self.pick(state, choose, task)
        return found

    def _mappings(self, state: ModelView, task: Task) -> list[Vma]:
        mm = task.mm
        return [vma for vma in mm.vmas if isinstance(vma.backing, ShmAttachment)]

    def _mapping(self, state: ModelView, choose: Chance, task: Task) -> Vma | None:
        found = self._mappings(state, task)
        return choose.one(found) if found else None

    # -- attaching -------------------------------------------------------------------------------

    def _shmat(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        shp = self._segment(state, choose, task)
        attached = self._mappings(state, task)
        if shp is None or (len(attached) > 5 and choose.chance(0.9)):
            return None
        if shp.shm_segsz > 16 * PAGE_SIZE:
            # With SHM_REMAP a huge one would cover the agent's own memory.
            return make_call("shmat", self.id_of(choose, None), 0, 0)
        flags = choose.flags(0.2, C["SHM_RDONLY"]) | choose.flags(0.06, C["SHM_EXEC"])
        address = 0
        if choose.chance(0.5):
            address = choose.one((*PLACES, *(vma.start for vma in attached))) + choose.one((0, 0, 0, 5, PAGE_SIZE))
            flags |= choose.flags(0.35, C["SHM_RND"]) | choose.flags(0.3, C["SHM_REMAP"])
        elif choose.chance(0.03):
            flags |= C["SHM_REMAP"]
        return make_call("shmat", self.id_of(choose, shp), address, flags)

    def _shmdt(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        attached = self._mappings(state, task)
        if not attached:
            return make_call("shmdt", choose.one((0, PLACES[0]))) if choose.chance(0.05) else None
        vma = choose.one(attached)
        return make_call("shmdt", vma.start + choose.weighted([(12, 0), (1, PAGE_SIZE), (1, 5)]))

    def _store(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        found = [vma for vma in self._mappings(state, task) if vma.prot & PROT_WRITE and _left(vma) >= PAGE_SIZE]
        if not found:
            return None
        vma = choose.one(found)
        size = choose.one((1, 10, 100))
        start = vma.start + choose.integer(0, min(vma.end - vma.start, _left(vma)) - size)
        return make_call("store", start, pattern(state.number, size))

    def _load(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        found = [vma for vma in self._mappings(state, task) if vma.prot & PROT_READ and _left(vma) >= PAGE_SIZE]
        if not found:
            return None
        return make_call("load", choose.one(found).start + choose.one((0, 7, PAGE_SIZE - 20)), 20)

    def _munmap(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        vma = self._mapping(state, choose, task)
        if vma is None:
            return None
        pages = (vma.end - vma.start) // PAGE_SIZE
        first = choose.integer(0, pages - 1)
        length = choose.integer(1, pages - first + (1 if choose.chance(0.1) else 0))
        return make_call("munmap", vma.start + first * PAGE_SIZE, length * PAGE_SIZE)

    def _mprotect(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        vma = self._mapping(state, choose, task)
        if vma is None:
            return None
        return make_call("mprotect", vma.start, choose.one((PAGE_SIZE, vma.end - vma.start)), choose.one((1, 1, 3, 0)))

    def _mremap(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        vma = self._mapping(state, choose, task)
        if vma is None:
            return None
        pages = (vma.end - vma.start) // PAGE_SIZE
        first = choose.integer(0, pages - 1)
        old = choose.integer(0, pages - first)
        new = choose.one((old, old, old + 1, max(old - 1, 1), pages))
        flags = choose.one((0, 1, 1, 3, 3, 5))
        place = choose.one(PLACES) + choose.one((0, 0, 4 * PAGE_SIZE)) if flags & 2 else 0
        return make_call("mremap", vma.start + first * PAGE_SIZE, old * PAGE_SIZE, new * PAGE_SIZE, flags, place)

    # -- control ---------------------------------------------------------------------------------

    def _stat(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if not self.seen(state, task).idr and choose.chance(0.9):
            return None
        buf = {} if choose.chance(0.95) else {"buf": bad_pointer(choose)}
        if choose.chance(0.5):
            return make_call("shmctl", self.id_of(choose, self._segment(state, choose, task)), C["IPC_STAT"], **buf)
        command = C[choose.one(("SHM_STAT", "SHM_STAT_ANY"))]
        return make_call("shmctl", self.index(state, choose, task), command, **buf)

    def _info(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        return make_call("shmctl", 0, choose.one((C["IPC_INFO"], C["SHM_INFO"], 99)))

    def _set(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if (shp := self._segment(state, choose, task)) is None:
            return None
        return make_call("shmctl", self.id_of(choose, shp), C["IPC_SET"], {"shm_perm": self.perm(choose)})

    def _remove(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if (shp := self._segment(state, choose, task)) is None:
            return None
        return make_call("shmctl", self.id_of(choose, shp), C["IPC_RMID"])

    def _lock(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if (shp := self._segment(state, choose, task)) is None:
            return None
        return make_call("shmctl", self.id_of(choose, shp), C[choose.one(("SHM_LOCK", "SHM_LOCK", "SHM_UNLOCK"))])

    def _memlock(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        """Set how much a user without privilege may lock."""
        limit = choose.one((0, PAGE_SIZE, 2 * PAGE_SIZE, 3 * PAGE_SIZE, 8 << 20))
        return make_call("setrlimit", C["RLIMIT_MEMLOCK"], {"rlim_cur": limit, "rlim_max": 8 << 20})


def _left(vma: Vma) -> int:
    """Return how many bytes of the segment the mapping reaches; beyond them is SIGBUS."""
    assert isinstance(vma.backing, ShmAttachment)
    return (vma.backing.segment.numpages - vma.pgoff) * PAGE_SIZE
