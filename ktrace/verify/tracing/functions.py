"""Have the guest record which functions the actors' calls go through, step by step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from drgn.helpers.linux.pid import find_task, for_each_task

from ktrace.agent.actors import Performed
from ktrace.errors import GuestFileError, KernelLacks
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.trace.inlined import Inlined
from ktrace.inspect.trace.ring_buffer import GraphEvents, Record, RingBuffer
from ktrace.state.call import Exited
from ktrace.state.trace.functions import SOFTIRQ_THREAD, FunctionTrace
from ktrace.trace.functions import Assembler
from ktrace.verify.tracing.guest_files import GuestFiles
from ktrace.verify.tracing.protocol import Recorded

InlinedTable = Mapping[str, Mapping[str, Inlined]]

TRACEFS = "/sys/kernel/tracing/"
BUFFER_KIB = 4096

TRACER = "function_graph"
SETTINGS = tuple((TRACEFS + name, f"{value}\n") for name, value in (
    ("tracing_on", "0"),
    ("current_tracer", "nop"),
    ("buffer_size_kb", str(BUFFER_KIB)),
    # Children of the traced are traced from their first function on.
    ("options/function-fork", "1"),
    # Without a pid every task would be traced; init sleeps until the agent ends.
    ("set_ftrace_pid", "1"),
    # How an actor waits for its orders is no part of the workload.
    ("set_graph_notrace", "__x64_sys_futex"),
    ("current_tracer", TRACER),
    ("trace_options", "nofuncgraph-irqs"),
    ("tracing_on", "1"),
))  # fmt: skip
"""What has to be written in the guest. It patches 20,000 places in the kernel, which takes seconds under TCG: best done
in a template (``ktrace/machine/template/prepared.py``)."""

_CLONED = re.compile(r"\.(isra|constprop)\.[0-9]+")
"""What gcc appends to a function whose parameters it changed."""


class FunctionTracer:
    """Drive ``function_graph`` through tracefs, and read its buffer out of the guest's memory.

    What a prepared template has set up already is left as it is.

    :param inlined: what is inlined in each function, to be told with the steps that go through it
    :raises KernelLacks: this kernel cannot trace functions
    """

    def __init__(self, agent: GuestFiles, kernel: LiveKernel, inlined: InlinedTable | None = None) -> None:
        self._agent = agent
        self._inlined = inlined or {}
        self._kernel = kernel
        self._names: dict[int, str] = {}
        self._assembler = Assembler(self._name, frozenset({SOFTIRQ_THREAD}))
        self._actors: dict[int, str] = {}
        self._deep: dict[int, tuple[int, int]] = {}
        try:
            if agent.read_file(TRACEFS + "current_tracer").strip() != TRACER.encode():
                for path, text in SETTINGS:
                    agent.write_file(path, text.encode())
        except GuestFileError as error:
            raise cannot_trace(error) from error
        self._add_softirqs()
        self._buffer = RingBuffer(kernel)
        self._events = GraphEvents(kernel)

    def take(self, performed: Performed) -> Recorded:
        """Return what was recorded of a step, which was *performed* just now."""
        return Recorded(self.collect(performed))

    def collect(self, performed: Performed) -> FunctionTrace:
        """Return what the actors went through in a step, which was *performed* just now."""
        self.admit(performed)
        records = self._buffer.read()
        return self.assemble(performed, records, self._buffer.lost)

    def admit(self, performed: Performed) -> None:
        """Have the kernel trace the actors that are new."""
        for pid, name in self._newcomers(performed):
            self._actors[pid] = name

    def assemble(self, performed: Performed, records: list[Record], lost: int) -> FunctionTrace:
        """Return what the actors went through, from the buffer's *records* of the step."""
        trace = self._assembler.assemble(self._events.decode(records), self._actors, lost + self._too_deep())
        ended = {event.actor for event in performed.outcome.events if isinstance(event, Exited)}
        for pid in [pid for pid, name in self._actors.items() if name in ended]:
            self._assembler.forget(pid)
            del self._actors[pid]
            self._deep.pop(pid, None)
        return replace(trace, inlined=self._inlined_in(trace)) if self._inlined else trace

    def _inlined_in(self, trace: FunctionTrace) -> dict[str, tuple[tuple[str, str], ...]]:
        passed = {span.function for spans in trace.spans.values() for span in spans}
        return {
            function: tuple((item.function, item.place) for item in self._inlined[function].values())
            for function in sorted(passed & self._inlined.keys())
        }

    def _too_deep(self) -> int:
        """Return how many calls of the step were too deep for the tracer (``trace_overrun``)."""
        count = 0
        for pid in self._actors:
            if pid not in self._deep:
                task = find_task(self._kernel.prog, pid)
                counter = getattr(task, "trace_overrun", None) if task else None
                address = 0 if counter is None else int(counter.address_)
                self._deep[pid] = address, self._kernel.memory.u32(address) if address else 0
            address, before = self._deep[pid]
            if address:
                now = self._kernel.memory.u32(address)
                self._deep[pid] = address, now
                count += now - before & 0xFFFFFFFF
        return count

    def _add_softirqs(self) -> None:
        """Trace the thread that goes on with softirqs where a task has spent too long in them already."""
        for task in for_each_task(self._kernel.prog):
            if task.comm.string_() == SOFTIRQ_THREAD.encode():
                pid = task.pid.value_()
                self._agent.write_file(TRACEFS + "set_ftrace_pid", b"%d\n" % pid)
                self._actors[pid] = SOFTIRQ_THREAD

    def _newcomers(self, performed: Performed) -> list[tuple[int, str]]:
        """Return the new actors; have the kernel trace those that were not forked by one it traces."""
        found = [(pid, name) for name, pid in performed.spawned.items()]
        if found:
            known = set(self._agent.read_file(TRACEFS + "set_ftrace_pid").split())
            for pid, _ in found:
                if b"%d" % pid not in known:
                    self._agent.write_file(TRACEFS + "set_ftrace_pid", b"%d\n" % pid)
        return found

    def _name(self, address: int) -> str:
        name = self._names.get(address)
        if name is None:
            try:
                name = _CLONED.sub("", self._kernel.prog.symbol(address).name)
            except LookupError:
                name = f"{address:#x}"
            self._names[address] = name
        return name


def function_names(kernel: LiveKernel) -> frozenset[str]:
    """Return the names of the kernel's symbols, without what gcc appends to them."""
    return frozenset([_CLONED.sub("", symbol.name) for symbol in kernel.prog.symbols()])


def cannot_trace(error: GuestFileError) -> KernelLacks:
    """Return what to say when the guest refused one of :data:`SETTINGS`."""
    return KernelLacks(
        f"this kernel cannot trace functions: {error.message}",
        "it needs CONFIG_FUNCTION_GRAPH_TRACER and CONFIG_DYNAMIC_FTRACE, see guest/trace.config",
    )
