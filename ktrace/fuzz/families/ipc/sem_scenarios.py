"""What takes several calls on a semaphore array: a crowd that sleeps on it, and adjustments at their limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.agent.syscalls import make_call
from ktrace.fuzz.chance import Chance
from ktrace.fuzz.model_view import Action, ModelView
from ktrace.include.linux.types import s16
from ktrace.model.ipc.sem_array import SemArray
from ktrace.model.task import Task
from ktrace.uapi.ipc import IPC_NOWAIT
from ktrace.uapi.sem import SEM_UNDO, SEMVMX

SEMMSL_FAST = 256
"""Values that fit onto the kernel's stack; for more it allocates memory (``ipc/sem.c``)."""
MOST = SEMMSL_FAST + 8
"""As many as the largest array has, and more: the id may be another one's."""
ScenarioAtArray = Callable[[ModelView, Chance, SemArray, list[Task]], Iterator[Action]]
"""Make actions around an array; the last argument are free tasks that can name it."""


def crowd(state: ModelView, choose: Chance, array: SemArray, holders: list[Task]) -> Iterator[Action]:
    """Have several sleep on *array*, each for something of its own, then let some of them go on, step by step.

    :param holders: free tasks that can name the array
    """
    width = min(len(array.sems), choose.one((1, 2, 2, 3)))
    if choose.chance(0.7):
        values = _values(choose, (0, 1, 1, 2))
        yield holders[0].name, make_call("semctl", array.id, 0, C["SETALL"], values)
    for task in choose.some(holders[1:], 1):
        if len(state.free()) < 2:
            break
        yield task.name, make_call("semop", array.id, tuple(_sleeping(choose, array, width)))
    for _ in range(choose.integer(1, 4)):
        awake = [task for task in holders if task.running is None]
        if not awake or array.deleted:
            return
        yield choose.one(awake).name, _change(choose, array, width)


def chain(state: ModelView, choose: Chance, array: SemArray, holders: list[Task]) -> Iterator[Action]:
    """Have each wait for one semaphore and then let the next one's waiter go on, in any order; then begin with one."""
    width = min(len(array.sems), 4)
    start = choose.one((0, 0, 1))
    yield holders[0].name, make_call("semctl", array.id, 0, C["SETALL"], (start,) * MOST)
    for task in choose.some(holders[1:], 1):
        if len(state.free()) < 2:
            break
        num = choose.integer(0, width - 1)
        after = (num + 1) % width
        undo = choose.one((0, 0, SEM_UNDO))
        first = _sop(num, 0) if start else _sop(num, -1, undo)
        then = [_sop(after, choose.one((-1, 0)) if start else choose.one((1, 1, 2)), undo)]
        if choose.chance(0.2):
            # The same one twice: it is tried with and without.
            then.append(_sop(num, choose.one((1, 0))))
        yield task.name, make_call("semop", array.id, (first, *(then if choose.chance(0.7) else ())))
    for _ in range(choose.integer(1, 3)):
        awake = [task for task in holders if task.running is None]
        if not awake or array.deleted:
            return
        num = choose.integer(0, width - 1)
        if choose.chance(0.2):
            call = make_call("semctl", array.id, num, C["SETVAL"], 1 - start)
        else:
            call = make_call("semop", array.id, (_sop(num, -1 if start else 1, IPC_NOWAIT),))
        yield choose.one(awake).name, call


def _values(choose: Chance, among: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(choose.one(among) for _ in range(64)) + (1,) * (MOST - 64)


def _sop(num: int, change: int, flags: int = 0) -> dict[str, int]:
    return {"sem_num": num, "sem_op": s16(change), "sem_flg": flags}


def _sleeping(choose: Chance, array: SemArray, width: int) -> list[dict[str, int]]:
    """Return operations that cannot go through now: one at least waits, for more or for zero."""
    undo = SEM_UNDO if choose.chance(0.3) else 0
    num = choose.integer(0, width - 1)
    value = array.sems[num].semval
    waits = _sop(num, 0) if value and choose.chance(0.5) else _sop(num, -value - choose.one((1, 1, 2)), undo)
    others = [number for number in range(width) if number != num]
    sops = [waits]
    for other in choose.some(others, 0, 2) if choose.chance(0.6) else []:
        change = choose.one((0, 0, 1, -1)) if waits["sem_op"] else choose.one((0, 0, 1))
        sops.insert(choose.integer(0, len(sops)), _sop(other, change, undo if change else 0))
    return sops


def _change(choose: Chance, array: SemArray, width: int) -> Any:
    """Return a call that changes what the sleepers wait for."""
    num = choose.integer(0, width - 1)
    value = array.sems[num].semval
    match choose.integer(0, 7):
        case 0:
            return make_call("semctl", array.id, num, C["SETVAL"], choose.one((0, 1, 2, 3)))
        case 1:
            return make_call("semctl", array.id, 0, C["SETALL"], _values(choose, (0, 0, 1, 2)))
        case 2 | 3 if value:
            return make_call("semop", array.id, (_sop(num, -value, IPC_NOWAIT),))
        case 4 if width > 1:
            sops = tuple(_sop(number, choose.one((1, 1, 2))) for number in range(width))
            return make_call("semop", array.id, sops)
    return make_call("semop", array.id, (_sop(num, choose.one((1, 1, 2, 3)), choose.one((0, 0, SEM_UNDO))),))


def extremes(state: ModelView, choose: Chance, array: SemArray, holders: list[Task]) -> Iterator[Action]:
    """Drive a value and an adjustment to their limits, from either side, and one step further."""
    task, num = holders[0].name, choose.integer(0, min(len(array.sems), 3) - 1)
    sign = choose.one((1, -1))
    yield task, make_call("semctl", array.id, num, C["SETVAL"], 0 if sign > 0 else SEMVMX)
    yield task, make_call("semop", array.id, (_sop(num, sign * SEMVMX, SEM_UNDO),))
    for _ in range(choose.integer(1, 3)):
        step = choose.one((1, 1, 2))
        yield task, make_call("semop", array.id, (_sop(num, -sign * step, IPC_NOWAIT),))
        again = _sop(num, sign * choose.one((1, 1, 2)), SEM_UNDO | IPC_NOWAIT)
        sops = (again, _sop(num, sign, SEM_UNDO | IPC_NOWAIT)) if choose.chance(0.3) else (again,)
        yield task, make_call("semop", array.id, sops)
    if choose.chance(0.4):
        yield task, make_call("semop", array.id, (_sop(num, -sign * choose.one((1, 300)), IPC_NOWAIT),))
        if len(state.free()) > 2:
            yield task, make_call("exit", 0)
