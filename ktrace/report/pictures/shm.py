"""The picture of a shared memory segment: its pages, and every mapping of it."""

from __future__ import annotations

from rich.text import Text

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.report.pictures.canvas import DIM, WHO, boxes, in_rows, line, mark
from ktrace.report.pictures.perm import heading
from ktrace.state.ipc.shm import ShmidKernel
from ktrace.state.process.process import Process
from ktrace.state.ref import Ref
from ktrace.state.world import World
from ktrace.trace.value import quoted
from ktrace.uapi.shm import SHM_DEST, SHM_LOCKED

PER_ROW = 6
_TEXT = 10


def picture(world: World, ref: Ref, before: World | None = None) -> list[Text]:
    """Draw the segment *ref*.

    :param before: the World of the step before; what changed since stands out
    """
    segment = world.objects[ref]
    assert isinstance(segment, ShmidKernel)
    old = before.objects.get(ref) if before is not None else None
    last = old if isinstance(old, ShmidKernel) else None
    mode = segment.shm_perm.mode
    states = [text for bit, text in ((SHM_DEST, "goes with its last user"), (SHM_LOCKED, "locked")) if mode & bit]
    rows = [heading(ref, segment.shm_perm, f"{segment.shm_segsz} bytes", *states)]
    rows += _pages(segment, last)
    rows.append(
        line(
            "attached ",
            mark(str(segment.shm_nattch), last is not None and last.shm_nattch != segment.shm_nattch, "bold"),
            ("   made by ", DIM),
            (segment.shm_cprid or "nobody", WHO),
            (", last user ", DIM),
            (segment.shm_lprid or "nobody", WHO),
        )
    )
    for process in _attached(world, ref):
        known = before.objects.get(Ref("process", process.name)) if before is not None else None
        for mapping in process.mappings:
            if mapping.segment != ref:
                continue
            new = before is not None and not (isinstance(known, Process) and mapping in known.mappings)
            first, count = mapping.pgoff, max(1, -(-mapping.size // PAGE_SIZE))
            pages = f"page {first}" if count == 1 else f"pages {first}–{first + count - 1}"
            rows.append(
                line(
                    "▐ ",
                    (process.name, WHO),
                    " ",
                    mark(f"{mapping.start:#x}–{mapping.start + mapping.size:#x}", new),
                    f" {mapping.protection}  {pages}",
                )
            )
    return rows


def _pages(segment: ShmidKernel, last: ShmidKernel | None) -> list[Text]:
    file = segment.shm_file
    if file is None:
        return [line(("no file behind it", "red"))]
    old = last.shm_file.pages if last is not None and last.shm_file is not None else None
    present = sorted(file.pages)[: 3 * PER_ROW]
    rows: list[Text] = []
    for row in in_rows(len(present), PER_ROW):
        cells = []
        for number in row:
            data = file.pages[present[number]]
            changed = old is not None and old.get(present[number]) != data
            cells.append([mark(f" {quoted(data, _TEXT) if data else 'zeros'} ", changed, "green")])
        rows += boxes(cells, [f"page {present[number]}" for number in row])
    total = max(0, -(-file.i_size // PAGE_SIZE))
    absent = total - len(file.pages)
    more = len(file.pages) - len(present)
    note = f"{total} pages, {absent} of them never touched" if absent > 0 else f"{total} pages, all present"
    rows.append(line((note + (f"; {more} more not drawn" if more else ""), DIM)))
    return rows


def _attached(world: World, ref: Ref) -> list[Process]:
    found = [
        value
        for value in world.objects.values()
        if isinstance(value, Process) and any(mapping.segment == ref for mapping in value.mappings)
    ]
    return sorted(found, key=lambda process: process.name)
