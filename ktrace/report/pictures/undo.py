"""The picture of an undo list: who shares it, and what it gives back to which set."""

from __future__ import annotations

from rich.text import Text

from ktrace.report.pictures.canvas import DIM, WHO, boxes, line, mark
from ktrace.state.compare import label
from ktrace.state.ipc.sem import SemArray, SemUndo, SemUndoList
from ktrace.state.process.process import Process
from ktrace.state.ref import Ref
from ktrace.state.world import World

MOST = 8
"""Adjustments of one set that are drawn."""


def picture(world: World, ref: Ref, before: World | None = None) -> list[Text]:
    """Draw the undo list *ref*, its structures in list order.

    :param before: the World of the step before; what changed since stands out
    """
    undo_list = world.objects[ref]
    assert isinstance(undo_list, SemUndoList)
    processes = [value for value in world.of_kind("process").values() if isinstance(value, Process)]
    names = sorted(process.name for process in processes if process.undo_list == ref)
    rows = [
        Text.assemble(
            (label(ref), "bold cyan"),
            "  of ",
            (" and ".join(names) or "nobody", WHO),
            f"   {undo_list.refcnt} share it: the last to leave pays" if undo_list.refcnt > 1 else "   paid at exit",
        )
    ]
    cells = []
    for undo_ref in undo_list.list_proc:
        undo = world.objects.get(undo_ref)
        if isinstance(undo, SemUndo):
            cells.append(_adjustments(undo, undo_ref, before))
    if not cells:
        return [*rows, line(("owes nothing to anybody", DIM))]
    return rows + boxes(cells, [f" {_set_of(world, undo_ref)}" for undo_ref in undo_list.list_proc])


def _adjustments(undo: SemUndo, ref: Ref, before: World | None) -> list[Text]:
    last = before.objects.get(ref) if before is not None else None
    old = last.semadj if isinstance(last, SemUndo) else (0,) * len(undo.semadj)
    owed = [number for number, semadj in enumerate(undo.semadj) if semadj]
    rows = [
        mark(
            f" [{number}]{undo.semadj[number]:+d} ",
            before is not None and old[number : number + 1] != undo.semadj[number : number + 1],
            "bold",
        )
        for number in owed[:MOST]
    ]
    if len(owed) > MOST:
        rows.append(Text(f" {len(owed) - MOST} more ", DIM))
    return rows or [Text(" nothing ", DIM)]


def _set_of(world: World, ref: Ref) -> str:
    """Return the name of the set on whose ``list_id`` an undo structure is."""
    arrays = world.of_kind("sem").items()
    return next(
        (label(name) for name, array in arrays if isinstance(array, SemArray) and ref in array.list_id), "no set"
    )
