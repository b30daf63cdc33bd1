"""Put entries and returns together to what each actor went through in a step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from ktrace.state.trace.functions import FunctionTrace, Span


class Event(Protocol):
    """An entry into a function, or a return from it."""

    @property
    def pid(self) -> int: ...
    @property
    def enters(self) -> bool: ...
    @property
    def function(self) -> int: ...
    @property
    def depth(self) -> int: ...
    @property
    def start(self) -> int: ...
    @property
    def duration(self) -> int: ...


INTERRUPTS = frozenset({"irq_enter_rcu", "irq_exit_rcu", "__irq_exit_rcu"})
"""What comes between two functions of a task for no reason of its own. The tracer leaves
hard interrupts out, not what surrounds them."""
_AFTER_INTERRUPT = INTERRUPTS | {
    "idle_cpu", "handle_softirqs", "__do_softirq", "tick_irq_exit", "tick_nohz_irq_exit", "__kthread_should_park",
}  # fmt: skip
"""What the way out of an interrupt goes through (``kernel/softirq.c: __irq_exit_rcu(), ksoftirqd_running()``)."""

_OWN_WORK = frozenset({"net_rx_action"})
"""Work that a task has caused itself, but that an interrupt may come to do before it: what it sent arrives."""
_DISPATCHERS = frozenset({"x64_sys_call", "ia32_sys_call"})
"""What stands between a system call's number and its function (``arch/x86/entry/syscall_64.c``)."""
_WAYS_BACK = frozenset({"exit_to_user_mode_prepare", "syscall_exit_to_user_mode_prepare"})
"""Where work that was put off until the return is done, if there is any (``kernel/entry/common.c``)."""
_FPU = frozenset({"switch_fpu_return"})
"""Registers that come back because another task ran in between."""


@dataclass(slots=True)
class _Open:
    function: int
    name: str
    start: int
    dropped: bool
    mutes: bool
    duration: int | None = None
    depth: int = 0
    continued: bool = False


class _Task:
    """What one actor is in the middle of, and what it went through in this step."""

    def __init__(self) -> None:
        self.stack: list[_Open] = []
        self.seen: list[_Open] = []
        self.interrupted_at = -1

    def begin(self) -> None:
        self.interrupted_at = -1
        self.seen = list(self.stack)
        for item in self.stack:
            item.continued = True

    def enter(self, event: Event, name: str) -> None:
        stack = self.stack
        while len(stack) > event.depth:
            stack.pop()  # its return was lost
        if self.interrupted_at == event.depth and name not in _AFTER_INTERRUPT:
            self.interrupted_at = -1
        if name in INTERRUPTS:
            self.interrupted_at = event.depth
        dropped = (bool(stack) and stack[-1].mutes) or self.interrupted_at == event.depth or name in _FPU
        if dropped and name in _OWN_WORK:
            dropped = False
            for item in stack:
                item.dropped = False
        item = _Open(event.function, name, event.start, dropped, dropped, depth=len(stack))
        stack.append(item)
        self.seen.append(item)

    def leave(self, event: Event) -> None:
        stack = self.stack
        depth = len(stack) - 1
        while depth >= 0 and stack[depth].function != event.function:
            depth -= 1
        if depth < 0:
            return  # its entry was lost
        item = stack[depth]
        del stack[depth:]
        item.start, item.duration = event.start, event.duration

    def spans(self) -> tuple[Span, ...]:
        """Return what is kept of it: dispatchers give way to what they call, mere ways back are left out."""
        kept: list[_Open] = []
        lift = 0
        for item in self.seen:
            if not item.depth:
                lift = item.name in _DISPATCHERS
            if item.dropped or item.name in _DISPATCHERS:
                continue
            while not item.depth - lift and kept and _leads_nowhere(kept):
                kept.pop()
            kept.append(
                _Open(
                    item.function, item.name, item.start, False, False, item.duration, item.depth - lift, item.continued
                )
            )
        while kept and _leads_nowhere(kept):
            kept.pop()
        return tuple([Span(item.depth, item.name, item.start, item.duration, item.continued) for item in kept])


def _leads_nowhere(kept: list[_Open]) -> bool:
    """Tell whether the last root is a way back to user space on which nothing happened, and nothing is below it."""
    return not kept[-1].depth and kept[-1].name in _WAYS_BACK


def _own_work(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Return the parts of a kernel thread's *spans* that a task has caused, each as a root."""
    kept: list[Span] = []
    base: int | None = None
    for span in spans:
        if base is not None and span.depth <= base:
            base = None
        if base is None and span.function in _OWN_WORK:
            base = span.depth
        if base is not None:
            kept.append(replace(span, depth=span.depth - base))
    return tuple(kept)


class Assembler:
    """Keep, from step to step, in which functions each actor is.

    :param symbol: returns a function's name by its address
    :param helpers: names of kernel threads, of which only what they do for the actors is of interest
    """

    def __init__(self, symbol: Callable[[int], str], helpers: frozenset[str] = frozenset()) -> None:
        self._symbol = symbol
        self._helpers = helpers
        self._tasks: dict[int, _Task] = {}

    def assemble(self, events: Iterable[Event], actors: Mapping[int, str], lost: int = 0) -> FunctionTrace:
        """Return what *actors* (name by pid) went through; other tasks are left out.

        :param events: of one step, in the order in which they happened
        """
        active: dict[int, _Task] = {}
        symbol = self._symbol
        for event in events:
            pid = event.pid
            task = active.get(pid)
            if task is None:
                if pid not in actors:
                    continue
                task = active[pid] = self._tasks.setdefault(pid, _Task())
                task.begin()
            if event.enters:
                task.enter(event, symbol(event.function))
            else:
                task.leave(event)
        spans = {actors[pid]: task.spans() for pid, task in active.items()}
        for name in self._helpers & spans.keys():
            spans[name] = _own_work(spans[name])
        return FunctionTrace({name: items for name, items in spans.items() if items}, lost)

    def forget(self, pid: int) -> None:
        """Forget an actor that has ended."""
        self._tasks.pop(pid, None)
