"""Have the guest record tracepoints and kprobes, and read what it recorded out of its memory, step by step."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import drgn
from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.pid import find_task

from ktrace.agent.actors import Performed
from ktrace.errors import GuestFileError, UsageError
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.memory import START_KERNEL_MAP
from ktrace.inspect.trace.ring_buffer import Record, RingBuffer
from ktrace.inspect.trace.trace_events import HARDIRQ, SOFTIRQ, Field, parse_format, read_field, read_head
from ktrace.state.trace.tracepoint import EventTrace, TraceEvent
from ktrace.verify.tracing.fetch import Fetch, compile_fetch
from ktrace.verify.tracing.functions import BUFFER_KIB, TRACEFS
from ktrace.verify.tracing.guest_files import GuestFiles
from ktrace.verify.tracing.protocol import Recorded

GROUP = "ktrace"
RETURN = "%return"
_INIT = 1
_MOST_AT_ONCE = 64
"""Functions of one kind that may have been entered and not returned: as many as there are actors."""


@dataclass(frozen=True)
class EventTarget:
    """What to record.

    :param name: ``SYSTEM:TRACEPOINT``; ``FUNCTION``, at its entry; or ``FUNCTION%return``
    :param expressions: of a tracepoint, the fields to show (default: all); else C expressions over the parameters
    """

    name: str
    expressions: tuple[str, ...] = ()

    @property
    def is_tracepoint(self) -> bool:
        """Tell whether it is a place that the kernel itself marks."""
        return ":" in self.name

    @property
    def text(self) -> str:
        """Return it as it is written."""
        return f"{self.name} {'; '.join(self.expressions)}".rstrip()


def parse_event(text: str) -> EventTarget:
    """Return the target in ``pipe_write iocb->ki_filp->f_flags; from->count`` or ``sched:sched_wakeup comm; prio``.

    :raises UsageError: it names nothing
    """
    name, _, rest = text.strip().partition(" ")
    if not re.fullmatch(rf"\w+:\w+|\w+({RETURN})?", name):
        raise UsageError(
            f"{text!r} names no event", f"write SYSTEM:TRACEPOINT, FUNCTION EXPR; EXPR or FUNCTION{RETURN} $retval"
        )
    return EventTarget(name, tuple(part.strip() for part in rest.split(";") if part.strip()))


@dataclass(frozen=True)
class _Source:
    """An event as this kernel has it: how to write its fields, by the names under which they are shown."""

    name: str
    fields: Mapping[str, tuple[Field, Callable[[Any], str]]]


class EventTracer:
    """Record *targets* in the trace buffer, and take them out after each step.

    Of what happens in the guest, the actors' events are taken, those of kernel threads, and those of interrupts;
    what the agent does, or what is done for it, is left out.

    :param actors: name by pid; may grow meanwhile
    :raises UsageError: this kernel has no such event, or an expression is nothing that it can record
    """

    def __init__(
        self, agent: GuestFiles, kernel: LiveKernel, targets: tuple[EventTarget, ...], actors: Mapping[int, str]
    ) -> None:
        self._agent = agent
        self._kernel = kernel
        self._actors = actors
        self._ours = {agent.hello().agent_pid, _INIT}
        self._threads: dict[int, str | None] = {}
        self._sources: dict[int, _Source] = {}
        agent.write_file(TRACEFS + "buffer_size_kb", b"%d\n" % BUFFER_KIB)
        for index, target in enumerate(targets):
            self._add(index, target)
        agent.write_file(TRACEFS + "tracing_on", b"1\n")
        self._missed = _missed_counters(kernel)
        self._missed_before = self._sum_missed()
        self.buffer = RingBuffer(kernel)

    def take(self, performed: Performed) -> Recorded:
        """Return what was recorded of a step, which was *performed* just now."""
        del performed
        records = self.buffer.read()
        return Recorded(events=self.decode(records, self.buffer.lost))

    def decode(self, records: list[Record], lost: int) -> EventTrace:
        """Return the events among the buffer's *records* of a step."""
        events = tuple([event for record in records if (event := self._event(record)) is not None])
        before, self._missed_before = self._missed_before, self._sum_missed()
        return EventTrace(events, lost + self._missed_before - before)

    def _event(self, record: Record) -> TraceEvent | None:
        head = read_head(record.data)
        source = self._sources.get(head.number)
        if source is None:
            return None
        actor = self._actors.get(head.pid)
        interrupt = bool(head.flags & (HARDIRQ | SOFTIRQ))
        if actor is None:
            if not interrupt and (head.pid in self._ours or not head.pid):
                return None
            actor = self._thread(head.pid)
            if actor is None:
                return None
        values = {name: read_field(field, record.data) for name, (field, _) in source.fields.items()}
        if interrupt and values.get("pid") in self._ours:
            return None
        written = {name: source.fields[name][1](value) for name, value in values.items()}
        return TraceEvent(source.name, actor, record.time, written)

    def _thread(self, pid: int) -> str | None:
        """Return the name of a task that is no actor."""
        if pid not in self._threads:
            task = find_task(self._kernel.prog, pid) if pid else None
            name = "swapper/0" if task is None and not pid else None
            self._threads[pid] = task.comm.string_().decode("ascii", "replace") if task else name
        return self._threads[pid]

    # -- setting up ----------------------------------------------------------------------------------

    def _add(self, index: int, target: EventTarget) -> None:
        if target.is_tracepoint:
            system, _, event = target.name.partition(":")
            number, fields = self._format(system, event, target)
            shown: dict[str, tuple[Field, Callable[[Any], str]]] = {
                field.name: (field, self._named_by(field)) for field in fields
            }
            if unknown := [name for name in target.expressions if name not in shown]:
                raise UsageError(f"{target.name} has no field {unknown[0]!r}", f"it has {', '.join(shown)}")
            shown = {name: shown[name] for name in target.expressions or shown}
        else:
            system, event = GROUP, f"e{index}"
            fetches = self._define(event, target)
            number, fields = self._format(system, event, target)
            by_name = {field.name: field for field in fields}
            shown = {
                text: (by_name[f"a{place}"], self._written_by(fetch))
                for place, (text, fetch) in enumerate(zip(target.expressions, fetches, strict=True))
            }
        self._sources[number] = _Source(target.name, shown)
        self._agent.write_file(f"{TRACEFS}events/{system}/{event}/enable", b"1\n")

    def _format(self, system: str, event: str, target: EventTarget) -> tuple[int, tuple[Field, ...]]:
        try:
            return parse_format(self._agent.read_file(f"{TRACEFS}events/{system}/{event}/format").decode())
        except GuestFileError as error:
            raise UsageError(
                f"this kernel has no tracepoint {target.name!r}", "a function is written without a colon"
            ) from error

    def _define(self, event: str, target: EventTarget) -> list[Fetch]:
        """Make a kprobe event; return what it fetches."""
        function = target.name.removesuffix(RETURN)
        returning = target.name != function
        prog = self._kernel.prog
        try:
            prog.symbol(function)
            prog.function(function)
        except LookupError:
            raise UsageError(
                f"this kernel has no function {function!r} to stop at",
                "if gcc inlined it, the image lab-6.1-functions may have it",
            ) from None
        fetches = [compile_fetch(prog, function, text, returning) for text in target.expressions]
        kind = f"r{_MOST_AT_ONCE}" if returning else "p"
        arguments = "".join(f" a{place}={fetch.text}" for place, fetch in enumerate(fetches))
        definition = f"{kind}:{GROUP}/{event} {function}{arguments}"
        try:
            self._agent.write_file(TRACEFS + "kprobe_events", definition.encode() + b"\n")
        except GuestFileError as error:
            said = self._agent.read_file(TRACEFS + "error_log").decode("ascii", "replace")
            reasons = re.findall(r"error: (.*)", said)
            reason = reasons[-1] if reasons else error.message
            raise UsageError(f"the kernel does not take {target.text!r} ({definition}): {reason}") from error
        return fetches

    # -- values --------------------------------------------------------------------------------------

    def _plain(self, value: Any) -> str:
        """Write a value of a tracepoint; an address in the kernel's image by its symbol."""
        if isinstance(value, tuple):
            return f"{{{', '.join(map(self._plain, value))}}}"
        if isinstance(value, str):
            return f'"{value}"'
        if value < 0 or value < 1 << 47:
            return str(value)
        return self._kernel.symbol(value) if value >= START_KERNEL_MAP else f"{value:#x}"

    def _named_by(self, field: Field) -> Callable[[Any], str]:
        """Return how to write a field of a tracepoint: by the kernel's own names for its values, if it has any."""
        names = field.names
        return (lambda value: names.get(value) or self._plain(value)) if names else self._plain

    def _written_by(self, fetch: Fetch) -> Callable[[Any], str]:
        """Return how to write what a kprobe fetched: as C does, by its type."""
        type_, prog = fetch.type, self._kernel.prog
        if type_ is None:
            return self._plain

        def write(value: Any) -> str:
            if isinstance(value, tuple):
                return self._plain(value)
            return str(
                drgn.Object(prog, type_, value=value).format_(
                    dereference=False, type_name=False, symbolize=True, string=False
                )
            )

        return write

    def _sum_missed(self) -> int:
        memory = self._kernel.memory
        return sum(int.from_bytes(memory.read(address, size), "little") for address, size in self._missed)


def _missed_counters(kernel: LiveKernel) -> list[tuple[int, int]]:
    """Return where kprobes count what they missed (``kernel/trace/trace_kprobe.c: probes_profile_seq_show()``)."""
    prog = kernel.prog
    try:
        head = prog["dyn_event_list"].address_of_()
    except KeyError:
        return []
    found = []
    for probe in list_for_each_entry("struct trace_kprobe", head, "devent.list"):
        for counter in (probe.rp.kp.nmissed, probe.rp.nmissed):
            assert counter.address_ is not None
            found.append((counter.address_, drgn.sizeof(counter)))
    return found
