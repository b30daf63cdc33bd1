"""The picture of a pipe: its ring with head and tail, what is in it, who holds it and who waits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rich.text import Text

from ktrace.report.pictures.canvas import DIM, WHO, boxes, in_rows, line, mark, right
from ktrace.report.pictures.holders import holders, listed
from ktrace.state.compare import label
from ktrace.state.fs.pipe.pipe import Pipe, PipeBuffer
from ktrace.state.ref import Ref
from ktrace.state.wait import Waiter
from ktrace.state.world import World
from ktrace.trace.value import quoted

SLOTS_PER_ROW = 16
MAX_SLOTS = 1 << 16
"""A ring said to be larger is not drawn: its size is garbage."""

ROWS_DRAWN = 4
"""Rows of a large ring that are drawn beside those with head and tail."""

BUFFERS_LISTED = 8
_CELL = 4
_LETTERS = {
    "LRU": "u", "ATOMIC": "A", "GIFT": "G", "PACKET": "P", "CAN_MERGE": "M", "WHOLE": "W", "LOSS": "L",
}  # fmt: skip


def picture(world: World, ref: Ref, before: World | None = None) -> list[Text]:
    """Draw the pipe *ref*.

    :param before: the World of the step before; what changed since stands out
    """
    pipe = world.objects[ref]
    assert isinstance(pipe, Pipe)
    old = before.objects.get(ref) if before is not None else None
    last = old if isinstance(old, Pipe) else None
    slots = occupied(pipe)
    sizes = sum(pipe.bufs[slot].len for slot in slots if slot in pipe.bufs)
    rows = [
        Text.assemble(
            (label(ref), "bold cyan"),
            f"  {len(slots)} of {pipe.ring_size} slots in use, {sizes} byte" + "s" * (sizes != 1),
            (f"   tail {pipe.tail}  head {pipe.head}", DIM),
            (f"  only {pipe.max_usage} may be used" if pipe.max_usage != pipe.ring_size else "", DIM),
            ("  a notification pipe" if pipe.watch_queue else "", DIM),
        )
    ]
    found = holders(world, ref)
    rows.append(
        line(
            *_end("writers", pipe.writers, listed(found, "w"), last is not None and last.writers != pipe.writers),
            "  ──▶  ring  ──▶  ",
            *_end("readers", pipe.readers, listed(found, "r"), last is not None and last.readers != pipe.readers),
        )
    )
    rows += _ring(pipe, last, slots)
    rows += _contents(pipe, last, slots)
    for name, queue in (("read", pipe.rd_wait), ("write", pipe.wr_wait)):
        if queue:
            rows.append(line(f"waiting to {name}: ", (", ".join(map(_sleeper, queue)), WHO)))
    for name, fasync in (("readers", pipe.fasync_readers), ("writers", pipe.fasync_writers)):
        if fasync:
            rows.append(line(f"SIGIO for {name}: {', '.join(f'{item.file} (fd {item.fd})' for item in fasync)}"))
    if pipe.locked:
        rows.append(line(("its mutex is held", "red")))
    return rows


def occupied(pipe: Pipe) -> list[int]:
    """Return the indexes of the slots in use, tail first (``include/linux/pipe_fs_i.h: pipe_occupancy()``)."""
    if not 0 < pipe.ring_size <= MAX_SLOTS:
        return []
    count = min((pipe.head - pipe.tail) & 0xFFFFFFFF, pipe.ring_size)
    return [(pipe.tail + number) % pipe.ring_size for number in range(count)]


def _end(name: str, count: int, who: str, changed: bool) -> tuple[Text | str | tuple[str, str], ...]:
    return (f"{name} ", mark(str(count), changed, "bold"), " (", (who, WHO), ")")


def _ring(pipe: Pipe, last: Pipe | None, slots: list[int]) -> Iterator[Text]:
    if not 0 < pipe.ring_size <= MAX_SLOTS:
        yield line((f"a ring of {pipe.ring_size} slots cannot be drawn", "red"))
        return
    used = set(slots)
    head, tail = pipe.head % pipe.ring_size, pipe.tail % pipe.ring_size
    rows = list(in_rows(pipe.ring_size, SLOTS_PER_ROW))
    drawn = [row for row in rows if head in row or tail in row]
    if len(rows) > 2:
        drawn += [row for row in rows if row not in drawn and any(slot in used for slot in row)][:ROWS_DRAWN]
    else:
        drawn = rows
    skipped: list[range] = []
    for row in rows:
        if row not in drawn:
            skipped.append(row)
            continue
        yield from _skipped(skipped, used)
        skipped = []
        cells = [_cell(pipe, last, slot, slot in used) for slot in row]
        names = [""] * len(row)
        for slot, name in ((head, "head"), (tail, "t=h" if head == tail else "tail")):
            if slot in row:
                names[slot - row.start] = name
        numbers = [str(slot) for slot in row]
        yield from boxes(cells, names, numbers if pipe.ring_size > SLOTS_PER_ROW else ())
    yield from _skipped(skipped, used)


def _skipped(rows: list[range], used: set[int]) -> Iterator[Text]:
    if rows:
        count = sum(slot in used for row in rows for slot in row)
        what = f"{count} of them in use" if count else "not in use"
        yield line((f"  ⋮ slots {rows[0].start}–{rows[-1].stop - 1}, {what}", DIM))


def _cell(pipe: Pipe, last: Pipe | None, slot: int, used: bool) -> list[Text]:
    buffer = pipe.bufs.get(slot)
    if not used or buffer is None:
        return [right(Text("·" if buffer is not None else "", DIM), _CELL), Text(_letters(buffer), DIM)]
    changed = last is not None and not _alike(last.bufs.get(slot), buffer)
    return [right(mark(str(buffer.len), changed, "bold green"), _CELL), Text(_letters(buffer), "green")]


def _alike(one: PipeBuffer | None, other: PipeBuffer) -> bool:
    """Tell whether a slot is as it was; names of pages hold within one World only."""
    return one is not None and (one.page is None) == (other.page is None) and replace(one, page=other.page) == other


def _letters(buffer: PipeBuffer | None) -> str:
    return "".join(_LETTERS.get(name, "?") for name in buffer.flags) if buffer else ""


def _contents(pipe: Pipe, last: Pipe | None, slots: list[int]) -> Iterator[Text]:
    shown = [slot for slot in slots if slot in pipe.bufs]
    for slot in shown[: BUFFERS_LISTED if len(shown) > BUFFERS_LISTED + 1 else len(shown)]:
        buffer = pipe.bufs[slot]
        more = merged(pipe, last, slot)
        yield line(
            (f"[{slot}] ", DIM),
            (quoted(buffer.data), "green"),
            (f"  {'|'.join(buffer.flags) or 'no flags'}  {buffer.page}+{buffer.offset}  {buffer.ops}", DIM),
            (f"  page shared by {buffer.page_count}" if (buffer.page_count or 0) > 1 else "", "yellow"),
            mark(f"  +{more} merged" if more else "", True),
        )
    if len(shown) > BUFFERS_LISTED + 1:
        yield line((f"⋮ and {len(shown) - BUFFERS_LISTED} more buffers", DIM))


def merged(pipe: Pipe, last: Pipe | None, slot: int) -> int:
    """Return how many bytes the step added to a buffer that was in use before (``fs/pipe.c: pipe_write()``)."""
    if last is None or slot not in occupied(last) or pipe.ring_size != last.ring_size:
        return 0
    old, new = last.bufs.get(slot), pipe.bufs.get(slot)
    if old is None or new is None or old.offset != new.offset or not new.data.startswith(old.data):
        return 0
    return max(0, new.len - old.len)


def _sleeper(waiter: Waiter) -> str:
    if waiter.func == "ep_poll_callback":
        return "an epoll set"
    who = str(waiter.process.key) if waiter.process is not None else waiter.func
    return f"{who} (exclusive)" if waiter.exclusive else who
