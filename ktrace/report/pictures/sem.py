"""The picture of a semaphore set: values, who waits for what in which order, who owes which undo."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from ktrace.report.pictures.canvas import DIM, WHO, boxes, in_rows, line, mark, right
from ktrace.report.pictures.perm import heading
from ktrace.state.ipc.sem import SemArray, SemQueue, SemUndo
from ktrace.state.process.process import Process
from ktrace.state.ref import Ref
from ktrace.state.world import World

PER_ROW = 12
_CELL = 5


def picture(world: World, ref: Ref, before: World | None = None) -> list[Text]:
    """Draw the semaphore set *ref*.

    :param before: the World of the step before; what changed since stands out
    """
    array = world.objects[ref]
    assert isinstance(array, SemArray)
    old = before.objects.get(ref) if before is not None else None
    last = old if isinstance(old, SemArray) else None
    lock = "one lock for all" if array.use_global_lock > 0 else "a lock for each"
    rows = [heading(ref, array.sem_perm, f"{array.sem_nsems} semaphores", lock)]
    rows += _values(array, last)
    rows += _waiters(array, last)
    for undo_ref in array.list_id:
        undo = world.objects.get(undo_ref)
        if isinstance(undo, SemUndo):
            rows.append(_owed(world, undo_ref, undo, before))
    return rows


def _values(array: SemArray, last: SemArray | None) -> Iterator[Text]:
    elided: list[int] = []
    many = len(array.sems) > 4 * PER_ROW
    for row in in_rows(len(array.sems), PER_ROW):
        sems = [array.sems[number] for number in row]
        if many and not any(sem.semval or sem.pending_alter or sem.pending_const for sem in sems):
            elided += [row.start, row.stop - 1]
            continue
        yield from _elided(elided)
        elided = []
        cells = []
        for number in row:
            sem = array.sems[number]
            old = last.sems[number] if last is not None and number < len(last.sems) else None
            cells.append(
                [
                    right(mark(str(sem.semval), old is not None and old.semval != sem.semval, "bold green"), _CELL),
                    right(
                        mark(sem.sempid or "", old is not None and old.sempid != sem.sempid, WHO),
                        _CELL,
                    ),
                ]
            )
        yield from boxes(cells, [f"[{number}]" for number in row])
    yield from _elided(elided)


def _elided(numbers: list[int]) -> Iterator[Text]:
    if numbers:
        yield line((f"  ⋮ semaphores {numbers[0]}–{numbers[-1]} are 0", DIM))


def _waiters(array: SemArray, last: SemArray | None) -> Iterator[Text]:
    queues = [("the set", array.pending_alter, array.pending_const)]
    queues += [(f"[{number}]", sem.pending_alter, sem.pending_const) for number, sem in enumerate(array.sems)]
    known = set() if last is None else set(_all(last))
    for name, alter, const in queues:
        for what, queue in (("to change", alter), ("for zero", const)):
            for place, item in enumerate(queue, 1):
                new = last is not None and item not in known
                yield line(
                    f"waits on {name} {what}, {_nth(place)}: ",
                    mark(item.pid or "?", new, WHO),
                    "  ",
                    *_operations(array, item),
                )


def _all(array: SemArray) -> Iterator[SemQueue]:
    yield from array.pending_alter
    yield from array.pending_const
    for sem in array.sems:
        yield from sem.pending_alter
        yield from sem.pending_const


def _operations(array: SemArray, item: SemQueue) -> Iterator[Text | str]:
    for index, sop in enumerate(item.sops):
        stuck = index == item.blocking
        wanted = f"[{sop.sem_num}]" + (f"{sop.sem_op:+d}" if sop.sem_op else "=0")
        flags = "".join(f" {name}" for name in sop.sem_flg)
        yield ("; " if index else "") + ""
        yield Text(wanted, "bold red" if stuck else "") + Text(flags, DIM)
        if stuck and 0 <= sop.sem_num < len(array.sems):
            yield Text(f" ← is {array.sems[sop.sem_num].semval}", "red")


def _owed(world: World, ref: Ref, undo: SemUndo, before: World | None) -> Text:
    who = [
        str(value.name)
        for value in world.objects.values()
        if isinstance(value, Process) and value.undo_list is not None and value.undo_list == undo.ulp
    ]
    last = before.objects.get(ref) if before is not None else None
    parts: list[Text | str] = ["at exit ", Text(" and ".join(sorted(who)) or "nobody", WHO)]
    parts.append(" gives back" if len(who) < 2 else ", the last of them, gives back")
    owed = [(number, adjustment) for number, adjustment in enumerate(undo.semadj) if adjustment]
    for number, adjustment in owed[:PER_ROW]:
        old = last.semadj[number] if isinstance(last, SemUndo) and number < len(last.semadj) else 0
        parts += [" ", mark(f"[{number}]{adjustment:+d}", before is not None and old != adjustment, "bold")]
    if len(owed) > PER_ROW:
        parts.append(f" and {len(owed) - PER_ROW} more")
    if not owed:
        parts.append(" nothing")
    return line(*parts, (f"   {ref}, {undo.ulp}", DIM))


def _nth(place: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(place, f"{place}th")
