"""System V semaphores: arrays that actors wait on, undo lists that dying actors leave to be applied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.agent.syscalls import make_call
from ktrace.fuzz.chance import Chance
from ktrace.fuzz.families.fs.files import may_block
from ktrace.fuzz.families.ipc.ids import LONG, SysvFamily, bad_pointer
from ktrace.fuzz.families.ipc.sem_scenarios import MOST, SEMMSL_FAST, ScenarioAtArray, chain, crowd, extremes
from ktrace.fuzz.family import Generator, Scenario, later
from ktrace.fuzz.model_view import Action, ModelView, open_fds
from ktrace.include.linux.types import s16
from ktrace.model.ipc.namespace import Namespace
from ktrace.model.ipc.ns_file import NS_OPS
from ktrace.model.ipc.sem_array import SemArray
from ktrace.model.task import Task
from ktrace.state.call import BAD, Call
from ktrace.uapi.sem import SEMVMX

_QUERIES = ("GETVAL", "GETPID", "GETNCNT", "GETZCNT")


class SemFamily(SysvFamily):
    """``ipc/sem.c``."""

    name = "sem"
    ids = "sem_ids"

    def __init__(self, choose: Chance) -> None:
        self._undo = choose.one((0.0, 0.2, 0.5, 0.9))
        self._complex = choose.one((0.1, 0.4, 0.8))
        self._sizes: tuple[int, ...] = choose.weighted([
            (3, (1,)),
            (3, (1, 2, 3)),
            (3, (2, 3, 4)),
            (2, (3, 40)),
            (1, (2, SEMMSL_FAST + 1)),
        ])  # fmt: skip
        super().__init__(choose)

    def generators(self) -> Sequence[tuple[float, Generator]]:
        """Return what can be done with semaphores."""
        return [
            (4, self._semget),
            (24, self._semop),
            (3, self._semtimedop),
            (4, self._setval),
            (2, self._setall),
            (3, self._query),
            (1, self._getall),
            (2, self._stat),
            (0.7, self._info),
            (1.6, later),
            (1.5, self._set),
            (0.8, self._remove),
            (0.7, self._unshare),
            (0.7, self._namespace),
        ]

    def limits(self, choose: Chance) -> Iterator[Call]:
        """Lower semmsl, semmns, semopm and semmni."""
        if choose.chance(0.5):
            limits = (
                choose.one((3, 40, 32000, 32000)),
                choose.one((5, 12, 1000, 1000)),
                choose.one((2, 4, 500)),
                choose.one((2, 4)),
            )
            yield make_call("sysctl", "kernel/sem", " ".join(map(str, limits)))
        if choose.chance(0.1):
            yield make_call("sysctl", "kernel/sem_next_id", str(choose.one((0, 5, 32768, 70000, 0x7FFFFFFF))))

    def make(self, choose: Chance) -> Call:
        """Make a private object."""
        return make_call("semget", 0, choose.one((1, 2)), 0o600)

    def most_objects(self, ns: Namespace) -> int:
        """Return how many objects a namespace may hold."""
        return ns.sem_ctls[3]

    def remove(self, ident: int) -> Call:
        """Remove an object."""
        return make_call("semctl", ident, 0, C["IPC_RMID"])

    def scenarios(self) -> Sequence[tuple[float, Scenario]]:
        """Return what takes several actions."""
        together = [(5, crowd), (2, chain), (1.5, extremes)]
        return [*super().scenarios(), *((weight, self._at_an_array(scenario)) for weight, scenario in together)]

    def _at_an_array(self, scenario: ScenarioAtArray) -> Scenario:
        """Return *scenario* at any array that several can name."""

        def begin(state: ModelView, choose: Chance) -> Iterator[Action]:
            if len(state.free()) > 2 and (found := self.crowded(state, choose)) is not None:
                yield from scenario(state, choose, *found)

        return begin

    def _semget(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if (key := self.key(state, choose, task)) is None:
            return None
        found = self.seen(state, task).findkey(key)
        sizes = self._sizes if not isinstance(found, SemArray) else (0, 1, len(found.sems), len(found.sems) + 1)
        ns = self.namespace(state, task)
        left = ns.sem_ctls[1] - ns.used_sems
        if 0 <= left <= 12 and choose.chance(0.5):
            sizes = (left, left + 1)
        nsems = choose.one(sizes) if choose.chance(0.85) else choose.one((0, -1, 41, 32001, ns.sem_ctls[0] + 1))
        return make_call("semget", key, nsems, self.get_flags(choose))

    def _array(self, state: ModelView, choose: Chance, task: Task) -> SemArray | None:
        found: SemArray | None = self.pick(state, choose, task)
        return found

    # -- operations ------------------------------------------------------------------------------

    def _sops(self, state: ModelView, choose: Chance, sma: SemArray | None) -> list[dict[str, int]]:
        """Return operations that the array's values let through, mostly, or that wait, if somebody stays awake."""
        values = [sem.semval for sem in sma.sems] if sma is not None else [0]
        wait = may_block(state, choose, 0.45)
        count = choose.one((2, 2, 3, 4, 5)) if choose.chance(self._complex) else 1
        sops = []
        for _ in range(count):
            num = choose.integer(0, min(len(values), 4) - 1)
            value = values[num]
            through = [1, 1, 2, -value, -1 if value else 1, -(value // 2) if value > 3 else 1]
            if not value:
                through.append(0)
            change = choose.one((-value - 1, -value - 2, 0 if value else -1, 0)) if wait else choose.one(through)
            wait = wait and choose.chance(0.3)
            if choose.chance(0.02):
                change = choose.one((SEMVMX, SEMVMX - value, SEMVMX - value + 1, -32768, -32767))
            values[num] = max(0, min(SEMVMX, value + change))
            flags = (C["SEM_UNDO"] if choose.chance(self._undo) else 0) | choose.flags(0.12, C["IPC_NOWAIT"])
            sops.append({"sem_num": num, "sem_op": s16(change), "sem_flg": flags})
        if choose.chance(0.03):
            sops[-1]["sem_num"] = choose.one((len(values), len(values) - 1, 65, 0xFFFF))
        return sops

    def _semop(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        sma = self._array(state, choose, task)
        if sma is None and choose.chance(0.9):
            return None
        ident = self.id_of(choose, sma)
        if choose.chance(0.03):
            if choose.chance(0.5):
                return make_call("semop", ident, bad_pointer(choose), 1)
            return make_call("semop", ident, self._sops(state, choose, sma), choose.one((0, 501)))
        return make_call("semop", ident, tuple(self._sops(state, choose, sma)))

    def _semtimedop(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        sma = self._array(state, choose, task)
        if sma is None:
            return None
        odd = ({"tv_sec": -1, "tv_nsec": 0}, {"tv_sec": 0, "tv_nsec": 1_000_000_000}, None, BAD)
        timeout = LONG if choose.chance(0.8) else choose.one(odd)
        return make_call("semtimedop", self.id_of(choose, sma), tuple(self._sops(state, choose, sma)), timeout)

    # -- control ---------------------------------------------------------------------------------

    def _num(self, choose: Chance, sma: SemArray | None) -> int:
        count = len(sma.sems) if sma is not None else 1
        return choose.integer(0, min(count, 4) - 1) if choose.chance(0.95) else choose.one((-1, count, count + 1))

    def _setval(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if (sma := self._array(state, choose, task)) is None:
            return None
        value = choose.one((0, 0, 1, 2, 3)) if choose.chance(0.92) else choose.one((-1, SEMVMX, SEMVMX + 1))
        return make_call("semctl", self.id_of(choose, sma), self._num(choose, sma), C["SETVAL"], value)

    def _setall(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if (sma := self._array(state, choose, task)) is None:
            return None
        if choose.chance(0.05):
            return make_call("semctl", self.id_of(choose, sma), 0, C["SETALL"], bad_pointer(choose))
        high = SEMVMX + 1 if choose.chance(0.05) else 3
        values = tuple(choose.one((0, 0, 1, 2, high)) for _ in range(64)) + (1,) * (MOST - 64)
        return make_call("semctl", self.id_of(choose, sma), 0, C["SETALL"], values)

    def _query(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if (sma := self._array(state, choose, task)) is None:
            return None
        return make_call("semctl", self.id_of(choose, sma), self._num(choose, sma), C[choose.one(_QUERIES)])

    def _getall(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if (sma := self._array(state, choose, task)) is None:
            return None
        arg = bad_pointer(choose) if choose.chance(0.05) else len(sma.sems)
        return make_call("semctl", self.id_of(choose, sma), 0, C["GETALL"], arg)

    def _stat(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if not self.seen(state, task).idr and choose.chance(0.9):
            return None
        buf = {} if choose.chance(0.95) else {"arg": bad_pointer(choose)}
        if choose.chance(0.5):
            ident = self.id_of(choose, self._array(state, choose, task))
            return make_call("semctl", ident, 0, C["IPC_STAT"], **buf)
        command = C[choose.one(("SEM_STAT", "SEM_STAT_ANY"))]
        return make_call("semctl", self.index(state, choose, task), 0, command, **buf)

    def _info(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        return make_call("semctl", 0, 0, choose.one((C["IPC_INFO"], C["SEM_INFO"], 99)))

    def _set(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if (sma := self._array(state, choose, task)) is None:
            return None
        return make_call("semctl", self.id_of(choose, sma), 0, C["IPC_SET"], {"sem_perm": self.perm(choose)})

    def _remove(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if (sma := self._array(state, choose, task)) is None:
            return None
        return make_call("semctl", self.id_of(choose, sma), 0, C["IPC_RMID"])

    def _unshare(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        return make_call("unshare", choose.one((C["CLONE_SYSVSEM"], C["CLONE_SYSVSEM"], C["CLONE_NEWIPC"])))

    def _namespace(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        """Keep the way back to a namespace open, or go it."""
        kept = [fd for fd, file in open_fds(task) if file.ops is NS_OPS]
        if kept and choose.chance(0.6):
            return make_call("setns", choose.one(kept), choose.one((0, C["CLONE_NEWIPC"], C["CLONE_NEWNS"])))
        if len(kept) > 1:
            return make_call("close", choose.one(kept))
        return make_call("open", b"/proc/self/ns/ipc", C["O_RDONLY"])
