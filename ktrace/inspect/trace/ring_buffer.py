"""Read ftrace's ring buffer out of the guest's memory, without a call in the guest."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from ktrace.errors import GuestGarbage
from ktrace.inspect.corrupt import explained
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.members import first_member, offset_of, type_of

_PADDING, _TIME_EXTEND, _TIME_STAMP = 29, 30, 31
"""``enum ring_buffer_type`` (``include/linux/ring_buffer.h``)."""
_DELTA_BITS = 27
_LIST_FLAGS = 3
"""RB_PAGE_HEAD and RB_PAGE_UPDATE, kept in the low bits of ``list.next``."""
_COMMIT_MASK = (1 << 20) - 1
"""Without RB_MISSED_EVENTS and RB_MISSED_STORED."""


class Record(NamedTuple):
    """One event of the buffer: when it was written, and its bytes."""

    time: int
    data: bytes


class _End(NamedTuple):
    """Where the buffer ended at one moment: its last page with its bytes, and how much was written by then."""

    page: int
    data: bytes
    stamp: int
    time: int
    entries: int
    pages_touched: int
    nr_pages: int
    refused: int


class RingBuffer:
    """The trace buffer of CPU 0 (``kernel/trace/ring_buffer.c: struct ring_buffer_per_cpu``).

    It may be read while nothing writes, which is the case when every actor rests.

    :ivar lost: events that were written and overwritten between two calls of :meth:`read`, or for which there was no
        room (``commit_overrun``, ``dropped_events``)
    """

    def __init__(self, kernel: LiveKernel) -> None:
        prog = kernel.prog
        self._memory = kernel.memory
        self._cpu = layout_of(
            prog,
            "struct ring_buffer_per_cpu",
            "commit_page",
            "nr_pages",
            entries="entries.a.counter",
            pages_touched="pages_touched.a.counter",
            commit_overrun="commit_overrun.a.counter",
            dropped_events="dropped_events.a.counter",
        )
        self._page = layout_of(prog, "struct buffer_page", "list.next", "page")
        self._data = layout_of(prog, "struct buffer_data_page", "time_stamp", commit="commit.a.counter")
        self._header = offset_of(prog, "struct buffer_data_page", "data")
        with explained("the trace buffer"):
            buffer = kernel.variable("global_trace").array_buffer.buffer
            self._address = int(buffer.buffers[0].value_())
        self.lost = 0
        self.skip()

    def skip(self) -> None:
        """Go to the end: what was written so far is of no interest."""
        self._last = self._end()

    def read(self) -> list[Record]:
        """Return what was written since the last call.

        :raises GuestGarbage: the buffer's pages do not hang together
        """
        end = self._end()
        written = end.entries - self._last.entries
        refused = end.refused - self._last.refused
        self.lost = refused
        if not written:
            self._last = end
            return []
        page, offset, time = self._last.page, len(self._last.data), self._last.time
        if end.pages_touched - self._last.pages_touched >= end.nr_pages:
            # The writer came round to where we stood: begin with the oldest page that is left.
            page, offset, time = self._next(end.page), 0, 0
        records: list[Record] = []
        for _ in range(end.nr_pages + 1):
            last = page == end.page
            data, stamp = (end.data, end.stamp) if last else self._bytes_of(page)
            records += decode_page(data, offset, time if offset else stamp)
            if last:
                break
            page, offset = self._next(page), 0
        else:
            raise GuestGarbage("the pages of the trace buffer do not lead to the last one written")
        self.lost = max(0, written - len(records)) + refused
        self._last = end
        return records

    def _end(self) -> _End:
        """Return where the buffer ends.

        ksoftirqd is traced, too, and may still be at work: counters and the last page are read until they are of one
        moment, else what was written in between would be counted, and taken for lost (``8 events lost``).
        """
        while True:
            cpu = self._cpu.read(self._memory, self._address)
            data, stamp = self._bytes_of(cpu.commit_page)
            again = self._cpu.read(self._memory, self._address)
            if (cpu.entries, cpu.commit_page, cpu.pages_touched) == (
                again.entries, again.commit_page, again.pages_touched
            ):  # fmt: skip
                break
        time = stamp
        for record in decode_page(data, 0, stamp):
            time = record.time
        refused = cpu.commit_overrun + cpu.dropped_events
        return _End(
            cpu.commit_page, data, stamp, time, cpu.entries, cpu.pages_touched, cpu.nr_pages, refused
        )  # fmt: skip

    def _next(self, page: int) -> int:
        return int(self._page.read(self._memory, page).list_next) & ~_LIST_FLAGS

    def _bytes_of(self, page: int) -> tuple[bytes, int]:
        address = self._page.read(self._memory, page).page
        head = self._data.read(self._memory, address)
        return self._memory.read(address + self._header, head.commit & _COMMIT_MASK), head.time_stamp


def decode_page(data: bytes, offset: int, time: int) -> Iterator[Record]:
    """Yield the records in a page's *data* from *offset* on (``rb_event_length()``, ``rb_update_read_stamp()``)."""
    word = struct.Struct("<I").unpack_from
    end = len(data)
    while offset + 4 <= end:
        (head,) = word(data, offset)
        kind, delta = head & 31, head >> 5
        offset += 4
        if kind < _PADDING:
            if kind:
                length = kind * 4
            else:
                # array[0] counts itself.
                length = word(data, offset)[0] - 4
                offset += 4
            time += delta
            yield Record(time, data[offset : offset + length])
            offset += length + 3 & ~3
        elif kind == _TIME_EXTEND:
            time += delta + (word(data, offset)[0] << _DELTA_BITS)
            offset += 4
        elif kind == _TIME_STAMP:
            time = delta + (word(data, offset)[0] << _DELTA_BITS)
            offset += 4
        elif delta:
            # A discarded event.
            time += delta
            offset += word(data, offset)[0]
        else:
            return


class GraphEvent(NamedTuple):
    """An entry into a function or a return from it.

    :param pid: of the task; :param depth: 0 for the outermost
    :param enters: whether it is an entry
    :param start: ns; for a return, when the function was entered
    :param duration: ns; 0 for an entry
    """

    pid: int
    enters: bool
    function: int
    depth: int
    start: int
    duration: int


class GraphEvents:
    """Decode the function graph tracer's events (``kernel/trace/trace_entries.h: funcgraph_entry, funcgraph_exit``)."""

    def __init__(self, kernel: LiveKernel) -> None:
        prog = kernel.prog
        types = {item.name: item.value for item in type_of(prog, "enum trace_type").enumerators}
        self._enter_type, self._return_type = types["TRACE_GRAPH_ENT"], types["TRACE_GRAPH_RET"]
        self._head = struct.Struct("<HBBi").unpack_from
        self._enter = layout_of(prog, "struct ftrace_graph_ent_entry", "graph_ent.func", "graph_ent.depth").unpack
        called = first_member(prog, "struct ftrace_graph_ret_entry", "ret.calltime", "calltime")
        returned = first_member(prog, "struct ftrace_graph_ret_entry", "ret.rettime", "rettime")
        self._return = layout_of(
            prog, "struct ftrace_graph_ret_entry", "ret.func", "ret.depth", called=called, returned=returned
        ).unpack
        self._sizes = {
            self._enter_type: type_of(prog, "struct ftrace_graph_ent_entry").size,
            self._return_type: type_of(prog, "struct ftrace_graph_ret_entry").size,
        }

    def decode(self, records: list[Record]) -> Iterator[GraphEvent]:
        """Yield the graph events among *records*; others are passed over."""
        head, enter, leave, sizes = self._head, self._enter, self._return, self._sizes
        for time, data in records:
            kind, _, _, pid = head(data)
            size = sizes.get(kind)
            if size is None or len(data) < size:
                continue
            if kind == self._enter_type:
                function, depth = enter(data, 0)
                yield GraphEvent(pid, True, function, depth, time, 0)
            else:
                function, depth, called, returned = leave(data, 0)
                yield GraphEvent(pid, False, function, depth, called, returned - called)
