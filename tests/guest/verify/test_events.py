"""Tracepoints and kprobes with typed arguments, against what the steps themselves tell."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from ktrace.agent.syscalls import make_call
from ktrace.errors import UsageError
from ktrace.machine.machine import Machine
from ktrace.state.step import Step
from ktrace.state.trace.tracepoint import TraceEvent
from ktrace.verify.lab import Lab
from ktrace.verify.run import perform_script
from ktrace.verify.tracing.events import EventTracer, parse_event
from ktrace.verify.tracing.functions import TRACEFS
from ktrace.workload.library import load

Run = Callable[..., list[tuple[Step, TraceEvent]]]


@pytest.fixture
def run(lab: Lab, machine: Machine) -> Run:
    def perform(workload: str, *events: str) -> list[tuple[Step, TraceEvent]]:
        targets = tuple(map(parse_event, events))
        tracer = EventTracer(machine.agent, lab.kernel, targets, lab.actors.by_pid)
        found = []
        for step, _ in perform_script(load(workload), lab, tracer=tracer):
            assert step.events is not None
            assert step.events.lost == 0
            found += [(step, event) for event in step.events.events]
        return found

    return perform


def test_arguments_are_what_the_calls_say(run: Run) -> None:
    write = "pipe_write from->count; iocb->ki_filp->f_flags; task->pid; iocb->ki_filp->f_op; file_name"
    write = write.replace("file_name", "iocb->ki_filp->f_path.dentry->d_sb->s_type->name")
    found = run("pipe-basic", write, "pipe_read%return $retval", "anon_pipe_buf_release pipe->mutex.owner.counter")
    writes = [(step, event) for step, event in found if event.name == "pipe_write"]
    assert [step.call.name for step, _ in writes] == ["write"] * 3
    for step, event in writes:
        size, flags, pid, ops, name = event.fields.values()
        assert (size, flags) == (step.answer, "1")  # O_WRONLY
        process = next(value for ref, value in step.world.objects.items() if str(ref) == event.actor)
        assert pid == str(process.pid)
        assert ops.startswith("pipefifo_fops")
        assert name == '"pipefs"'
    # A read that slept returns in the step that woke it.
    reads = [(event.actor, event.fields["$retval"]) for _, event in found if event.name == "pipe_read%return"]
    assert {actor for actor, _ in reads} == {"B"}
    assert [value for _, value in reads][:3] == ["100", "1", "4"]
    held = [event.fields["pipe->mutex.owner.counter"] for _, event in found if event.name == "anon_pipe_buf_release"]
    assert held
    assert "0" not in held


def test_where_an_actor_sleeps_is_known_below_a_return_probe(run: Run) -> None:
    found = run("pipe-basic", "pipe_read%return")
    (slept,) = {step.sleeps.get("B", ()) for step, _ in found if step.sleeps} or {("pipe_read", "vfs_read")}
    assert slept[:2] == ("pipe_read", "vfs_read")


def test_tracepoints_tell_who_is_woken(run: Run) -> None:
    found = run("sem-order", "sched:sched_wakeup comm; pid")
    own = [(step, event) for step, event in found if event.actor == step.actor]
    assert own
    for step, event in own:
        assert list(event.fields) == ["comm", "pid"]
        if not event.fields["comm"].startswith('"actor'):
            continue  # by an interrupt meanwhile
        woken = {e.actor for e in step.outcome.events} | set(step.outcome.blocked)
        pids = {
            str(value.pid) for ref, value in step.world.objects.items() if str(ref) in woken and ref.kind == "process"
        }
        ended = {e.actor for e in step.outcome.events} - {str(ref) for ref in step.world.objects}
        assert event.fields["pid"] in pids or ended


def test_values_have_the_kernels_own_names(run: Run) -> None:
    found = run("tcp-loopback", "sock:inet_sock_set_state oldstate; newstate")
    ways = [tuple(event.fields.values()) for _, event in found]
    assert ("TCP_CLOSE", "TCP_LISTEN") in ways
    assert ("TCP_SYN_SENT", "TCP_ESTABLISHED") in ways


def test_what_is_lost_is_counted(lab: Lab, machine: Machine) -> None:
    names = ("kmem:kmem_cache_alloc", "kmem:kmem_cache_free", "kmem:mm_page_free", "kmem:rss_stat", "handle_mm_fault")
    tracer = EventTracer(machine.agent, lab.kernel, tuple(map(parse_event, names)), lab.actors.by_pid)
    machine.agent.write_file(TRACEFS + "buffer_size_kb", b"8\n")

    def switch(on: bytes) -> int:
        """Switch recording on or off; while it is off, count what was written so far, by the guest's own numbers."""
        machine.agent.write_file(TRACEFS + "tracing_on", on)
        text = machine.agent.read_file(TRACEFS + "per_cpu/cpu0/stats").decode()
        return sum(int(number) for number in re.findall(r"^(?:entries|overrun): (\d+)", text, re.MULTILINE))

    before = switch(b"0\n")
    tracer.buffer.skip()
    switch(b"1\n")
    lab.perform(None, make_call("spawn", "A"))
    for number in range(6):
        lab.perform("A", make_call("fork", f"B{number}"))
    after = switch(b"0\n")
    records = tracer.buffer.read()
    assert tracer.buffer.lost > 0
    assert len(records) + tracer.buffer.lost == after - before


@pytest.mark.parametrize(
    ("event", "complaint"),
    [
        ("pipe_writes", "no function 'pipe_writes'"),
        ("sched:nothing", "no tracepoint 'sched:nothing'"),
        ("sched:sched_wakeup who", "has no field 'who'"),
        ("pipe_write iocb->nothing", "has no member 'nothing'"),
        ("pipe_write nobody", "has no parameter 'nobody', it has iocb, from"),
        ("pipe_write iocb->", "no member behind '->'"),
        ("pipe_write from->count + 1", "cannot read ' \\+ 1'"),
        ("pipe_write *iocb", "is no single value"),
        ("pipe_write iocb.ki_flags", "has no members|is no single value"),
        ("pipe_write $retval", "at the return only"),
        ("pipe_write%return iocb", "no 'iocb' at the return"),
    ],
)
def test_what_no_event_can_be(event: str, complaint: str, run: Run) -> None:
    with pytest.raises(UsageError, match=complaint):
        run("pipe-basic", event)
