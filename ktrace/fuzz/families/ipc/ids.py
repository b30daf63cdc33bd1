"""What the three System V families share: keys, ids, owners, namespaces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.agent.syscalls import make_call
from ktrace.fuzz.background import USERS
from ktrace.fuzz.chance import Chance
from ktrace.fuzz.family import Family, Scenario
from ktrace.fuzz.model_view import Action, ModelView
from ktrace.model.ipc.ids import Ids
from ktrace.model.ipc.namespace import Namespace
from ktrace.model.task import Task
from ktrace.state.call import BAD, NULL, Call, Pointer

KEYS = (0x11, 0x12, 0x13)
MODES = (0o600, 0o666, 0o666, 0o666, 0o644, 0o660, 0o622, 0)
OPEN = (0o666, 0o666, 0o666, 0o666, 0o666, 0o777, 0o660, 0o600, 0o644)
LONG = {"tv_sec": 1_000_000, "tv_nsec": 0}
"""A timeout that no run is long enough for: of a short one only the guest knows whether it is over when one looks."""
LOW = 4
"""Limits up to here are worth reaching."""


class SysvFamily(Family):
    """One kind of System V objects.

    :cvar ids: the member of the namespace that holds them
    """

    ids = "?"

    def __init__(self, choose: Chance) -> None:
        self._modes = choose.one((MODES, OPEN, OPEN))
        self._most = choose.one((1, 2, 2, 3, 6))
        self._gone: list[int] = []
        super().__init__(choose)

    def prepare(self, state: ModelView, choose: Chance, task: Task) -> Iterator[Call]:
        """Put some actors into namespaces of their own, as whoever they then are."""
        if choose.chance(0.2) and task.cred.capable("CAP_SYS_ADMIN"):
            yield make_call("unshare", C["CLONE_NEWIPC"])
            if choose.chance(0.3):
                uid = choose.one(USERS)
                yield make_call("setresuid", uid, uid, uid)

    def scenarios(self) -> Sequence[tuple[float, Scenario]]:
        """Return what takes several actions."""
        return [(0.6, self._churn), (0.5, self._new_limits)]

    def _new_limits(self, state: ModelView, choose: Chance) -> Iterator[Action]:
        """Change limits while objects are in use."""
        for call in self.limits(choose):
            yield None, call

    def crowded(self, state: ModelView, choose: Chance) -> tuple[Any, list[Task]] | None:
        """Return an object and the free tasks that can name it, two at least; ``None`` if there is none."""
        found: dict[int, tuple[Any, list[Task]]] = {}
        for task in state.free():
            for entry in self.seen(state, task).idr.values():
                found.setdefault(id(entry), (entry, []))[1].append(task)
        crowds = [(entry, tasks) for entry, tasks in found.values() if len(tasks) > 1]
        if not crowds:
            return None
        entry, tasks = choose.one(crowds)
        # Whoever may do most comes first: it is the one that starts.
        return entry, sorted(choose.some(tasks, len(tasks)), key=lambda task: not task.cred.capable("CAP_IPC_OWNER"))

    def _churn(self, state: ModelView, choose: Chance) -> Iterator[Action]:
        """Make and remove objects until the indices wrap and the sequence number moves on."""
        task = choose.one(state.free())
        for _ in range(choose.weighted([(9, 4), (1, 66)])):
            before = set(self.seen(state, task).idr)
            yield task.name, self.make(choose)
            for index in sorted(set(self.seen(state, task).idr) - before):
                yield task.name, self.remove(self.seen(state, task).idr[index].id)

    def make(self, choose: Chance) -> Call:
        """Make a private object."""
        raise NotImplementedError

    def remove(self, ident: int) -> Call:
        """Remove an object."""
        raise NotImplementedError

    def most_objects(self, ns: Namespace) -> int:
        """Return how many objects a namespace may hold."""
        raise NotImplementedError

    # -- ids -------------------------------------------------------------------------------------

    def namespace(self, state: ModelView, task: Task) -> Namespace:
        """Return the namespace of *task*."""
        return state.kernel.ipc.namespace(task)

    def seen(self, state: ModelView, task: Task) -> Ids[Any]:
        """Return the identifiers that *task* sees."""
        found: Ids[Any] = getattr(self.namespace(state, task), self.ids)
        return found

    def pick(self, state: ModelView, choose: Chance, task: Task) -> Any | None:
        """Return an object that *task* can name, or ``None``."""
        idr = self.seen(state, task).idr
        return idr[choose.one(sorted(idr))] if idr else None

    def id_of(self, choose: Chance, found: Any | None) -> int:
        """Return the id of *found*; now and then a wrong one."""
        if found is not None and not choose.chance(0.04):
            if found.id not in self._gone:
                self._gone.append(found.id)
            return int(found.id)
        wrong = [-1, 0, 1, 32000, 1 << 31]
        if found is not None:
            wrong += [found.id + 32768, found.id - 32768, found.id + 1]
        return choose.one([*wrong, *self._gone[-3:]])

    def get_flags(self, choose: Chance) -> int:
        """Return mode and flags for a get call."""
        return (
            choose.one(self._modes) | (C["IPC_CREAT"] if choose.chance(0.8) else 0) | choose.flags(0.15, C["IPC_EXCL"])
        )

    def key(self, state: ModelView, choose: Chance, task: Task) -> int | None:
        """Return a key: private, in use, or free; where there are enough objects, mostly none."""
        seen = self.seen(state, task)
        limit = self.most_objects(self.namespace(state, task))
        # A limit that can be reached is to be reached.
        if len(seen.idr) >= self._most and not (limit <= LOW and choose.chance(0.5)):
            return choose.one(sorted(seen.key_ht) or KEYS) if choose.chance(0.2) else None
        return choose.one((0, *KEYS))

    def index(self, state: ModelView, choose: Chance, task: Task) -> int:
        """Return an index for the STAT calls: of an object mostly."""
        idr = self.seen(state, task).idr
        return choose.one(sorted(idr)) if idr and choose.chance(0.8) else choose.one((-1, 0, 1, 5, 32768))

    def perm(self, choose: Chance) -> dict[str, int]:
        """Return what IPC_SET may set."""
        uid = choose.one((0, *USERS, 0xFFFFFFFF) if choose.chance(0.1) else (0, *USERS))
        return {"uid": uid, "gid": choose.one((0, 50, 1000)), "mode": choose.one(self._modes)}


def bad_pointer(choose: Chance) -> Pointer:
    """Return an address that nothing is mapped at."""
    return choose.one((BAD, NULL))
