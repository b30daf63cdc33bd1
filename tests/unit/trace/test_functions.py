"""Entries and returns become trees, whatever is missing among them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ktrace.state.call import Call, Outcome
from ktrace.state.step import Step
from ktrace.state.trace.functions import FunctionTrace, Node, Span, tree
from ktrace.state.world import World
from ktrace.trace.functions import Assembler
from ktrace.trace.functions_json import read_functions, write_functions
from ktrace.trace.session import Header
from ktrace.trace.session_reader import SessionReader
from ktrace.trace.session_writer import SessionWriter

NAMES = [
    "x64_sys_call",
    "__x64_sys_read",
    "vfs_read",
    "pipe_read",
    "schedule",
    "irq_enter_rcu",
    "handle_softirqs",
    "net_rx_action",
    "tcp_v4_rcv",
    "exit_to_user_mode_prepare",
    "switch_fpu_return",
    "task_work_run",
    "kfree",
]


@dataclass(frozen=True)
class Event:
    pid: int
    enters: bool
    function: int
    depth: int
    start: int
    duration: int = 0


class Script:
    """Write events as the tracer does: `enter("a")`, `leave()`."""

    def __init__(self, pid: int = 7) -> None:
        self.pid = pid
        self.clock = 0
        self.stack: list[tuple[int, int]] = []
        self.events: list[Event] = []

    def enter(self, *names: str) -> Script:
        for name in names:
            self.clock += 10
            self.events.append(Event(self.pid, True, NAMES.index(name), len(self.stack), self.clock))
            self.stack.append((NAMES.index(name), self.clock))
        return self

    def leave(self, count: int = 1) -> Script:
        for _ in range(count):
            self.clock += 10
            function, start = self.stack.pop()
            self.events.append(Event(self.pid, False, function, len(self.stack), start, self.clock - start))
        return self

    def take(self) -> list[Event]:
        taken, self.events = self.events, []
        return taken


def outline(trace: FunctionTrace, actor: str = "A") -> list[str]:
    return ["  " * span.depth + span.function for span in trace.spans.get(actor, ())]


def assembler(helpers: frozenset[str] = frozenset()) -> Assembler:
    return Assembler(NAMES.__getitem__, helpers)


def test_calls_nest_and_have_durations() -> None:
    script = Script().enter("__x64_sys_read", "vfs_read", "pipe_read").leave(2).enter("kfree").leave(2)
    trace = assembler().assemble(script.take(), {7: "A"})
    assert outline(trace) == ["__x64_sys_read", "  vfs_read", "    pipe_read", "  kfree"]
    assert [span.duration for span in trace.spans["A"]] == [70, 30, 10, 10]


def test_a_dispatcher_gives_way_to_what_it_calls() -> None:
    script = Script().enter("x64_sys_call", "__x64_sys_read", "vfs_read").leave(3)
    assert outline(assembler().assemble(script.take(), {7: "A"})) == ["__x64_sys_read", "  vfs_read"]


def test_who_sleeps_goes_on_in_a_later_step() -> None:
    tasks, script = assembler(), Script()
    first = tasks.assemble(script.enter("__x64_sys_read", "pipe_read", "schedule").take(), {7: "A"})
    assert [span.duration for span in first.spans["A"]] == [None] * 3
    assert tasks.assemble([], {7: "A"}).spans == {}
    last = tasks.assemble(script.leave(3).take(), {7: "A"})
    assert outline(last) == ["__x64_sys_read", "  pipe_read", "    schedule"]
    assert all(span.continued and span.duration for span in last.spans["A"])


def test_interrupts_are_left_out_but_not_what_the_task_sent() -> None:
    script = Script().enter("__x64_sys_read", "irq_enter_rcu").leave().enter("handle_softirqs", "kfree").leave(2)
    script.enter("vfs_read").leave(2)
    assert outline(assembler().assemble(script.take(), {7: "A"})) == ["__x64_sys_read", "  vfs_read"]
    script.enter("__x64_sys_read", "irq_enter_rcu").leave().enter("handle_softirqs", "net_rx_action", "tcp_v4_rcv")
    script.leave(3).enter("vfs_read").leave(2)
    assert outline(assembler().assemble(script.take(), {7: "A"})) == [
        "__x64_sys_read", "  handle_softirqs", "    net_rx_action", "      tcp_v4_rcv", "  vfs_read",
    ]  # fmt: skip


def test_a_way_back_on_which_nothing_happens_is_left_out() -> None:
    script = Script().enter("exit_to_user_mode_prepare", "switch_fpu_return").leave(2)
    script.enter("x64_sys_call", "__x64_sys_read").leave(2).enter("exit_to_user_mode_prepare", "task_work_run").leave(2)
    script.enter("exit_to_user_mode_prepare").leave()
    assert outline(assembler().assemble(script.take(), {7: "A"})) == [
        "__x64_sys_read", "exit_to_user_mode_prepare", "  task_work_run",
    ]  # fmt: skip


def test_other_tasks_are_left_out_and_of_helpers_all_but_what_they_do_for_actors() -> None:
    thread = Script(9).enter("handle_softirqs", "kfree").leave().enter("net_rx_action", "tcp_v4_rcv").leave(3)
    stranger = Script(8).enter("vfs_read").leave()
    trace = assembler(frozenset({"softirqs"})).assemble([*thread.take(), *stranger.take()], {9: "softirqs"})
    assert trace.spans.keys() == {"softirqs"}
    assert outline(trace, "softirqs") == ["net_rx_action", "  tcp_v4_rcv"]
    idle = Script(9).enter("handle_softirqs").leave()
    assert assembler(frozenset({"softirqs"})).assemble(idle.take(), {9: "softirqs"}).spans == {}


def test_lost_returns_are_made_up_for_by_the_depth() -> None:
    events = Script().enter("__x64_sys_read", "vfs_read", "pipe_read").leave(2).enter("kfree").leave(2).take()
    without = [event for event in events if event.enters or event.function != NAMES.index("pipe_read")]
    trace = assembler().assemble(without, {7: "A"}, lost=1)
    assert outline(trace) == ["__x64_sys_read", "  vfs_read", "    pipe_read", "  kfree"]
    assert trace.lost == 1


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 12), st.integers(0, 60)), max_size=40))
def test_no_sequence_of_events_breaks_it(items: list[tuple[bool, int, int]]) -> None:
    events = [Event(7, enters, function, depth, at) for at, (enters, function, depth) in enumerate(items)]
    trace = assembler().assemble(events, {7: "A"})
    spans = trace.spans.get("A", ())
    assert sum(sum(1 for _ in node.walk()) for node in tree(spans)) == len(spans)


SPANS = st.lists(
    st.builds(Span, st.integers(0, 5), st.sampled_from(NAMES), st.integers(0, 10**12),
              st.none() | st.integers(0, 10**9), st.booleans()), max_size=20,
).map(tuple)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["A", "B"]), SPANS), st.integers(0, 9))
def test_what_is_written_is_read(spans: dict[str, tuple[Span, ...]], lost: int) -> None:
    trace = FunctionTrace(spans, lost, {"vfs_read": (("SOCKET_I", "net/socket.c:635"),)})
    assert read_functions(json.loads(json.dumps(write_functions(trace)))) == trace


def test_a_session_keeps_a_steps_functions(tmp_path: Path) -> None:
    trace = FunctionTrace({"A": (Span(0, "__x64_sys_read", 5, 7), Span(1, "vfs_read", 6, None, True))}, 3)
    step = Step(
        number=1,
        actor="A",
        call=Call("read", (0, 1)),
        text="read(0, 1)",
        answer="1",
        outcome=Outcome(()),
        clock=(0, 0),
        world=World(),
        functions=trace,
    )
    plain = Step(
        number=2,
        actor="A",
        call=Call("read", (0, 1)),
        text="read(0, 1)",
        answer="1",
        outcome=Outcome(()),
        clock=(0, 0),
        world=World(),
    )
    with SessionWriter(tmp_path) as writer:
        writer.header(Header("title", {}, {}))
        writer.step(step)
        writer.step(plain)
    assert list(SessionReader(tmp_path).events()) == [step, plain]


def test_a_tree_is_what_its_depths_say() -> None:
    spans = tuple(Span(depth, name, 0, 1) for depth, name in ((0, "a"), (1, "b"), (2, "c"), (1, "d"), (0, "e")))
    a, e = tree(spans)
    assert [node.span.function for node in a.walk()] == ["a", "b", "c", "d"]
    assert [node.span.function for node in a.children] == ["b", "d"]
    assert e == Node(spans[4], ())
