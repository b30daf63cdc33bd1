"""Benchmark of recording: steps that carry their functions, or events, against steps that do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from ktrace.agent.syscalls import make_call
from ktrace.bench.measure import Row, pairs, seconds
from ktrace.bench.steps import small_world
from ktrace.image.image import Image
from ktrace.machine.machine import Machine
from ktrace.machine.template.template import Template
from ktrace.verify.guests import traced_template
from ktrace.verify.lab import Lab
from ktrace.verify.observe import observe_step
from ktrace.verify.tracing.events import EventTracer, parse_event
from ktrace.verify.tracing.functions import FunctionTracer
from ktrace.verify.tracing.protocol import StepTracer

_CHUNK = 100
_EVENTS = ("sched:sched_wakeup", "sched:sched_switch", "pipe_write from->count; iocb->ki_filp->f_flags",
           "pipe_read%return $retval", "do_semtimedop semid; task->pid")  # fmt: skip
"""About what a person asks for who follows pipes and semaphores: five events, one or more in every step."""


def functions_overhead(image: Image, template: Template, runs: int) -> list[Row]:
    """Measure steps per second, looked at but not checked, with and without the function graph tracer."""
    return _overhead(
        "functions", image, traced_template(template), template, runs,
        lambda machine, lab: FunctionTracer(machine.agent, lab.kernel),
    )  # fmt: skip


def events_overhead(image: Image, template: Template, runs: int) -> list[Row]:
    """Measure the same with and without tracepoints and kprobes."""
    targets = tuple(map(parse_event, _EVENTS))
    return _overhead(
        "events", image, template, template, runs,
        lambda machine, lab: EventTracer(machine.agent, lab.kernel, targets, lab.actors.by_pid),
    )  # fmt: skip


def _overhead(
    what: str,
    image: Image,
    traced_template: Template,
    template: Template,
    runs: int,
    make: Callable[[Machine, Lab], StepTracer],
) -> list[Row]:
    with (
        TemporaryDirectory(prefix="ktrace-bench-") as scratch,
        Machine.clone(traced_template, directory=Path(scratch, "traced")) as traced_guest,
        Machine.clone(template, directory=Path(scratch, "plain")) as plain_guest,
    ):
        traced_lab, plain_lab = Lab(traced_guest, image.vmlinux), Lab(plain_guest, image.vmlinux)
        tracer = make(traced_guest, traced_lab)
        observe_step(traced_lab, 1, None, make_call("spawn", "A"), tracer)
        observe_step(plain_lab, 1, None, make_call("spawn", "A"))
        traced_calls, plain_calls = small_world(), small_world()
        recorded = lost = 0

        def traced() -> float:
            def work() -> None:
                nonlocal recorded, lost
                for _ in range(_CHUNK):
                    step = observe_step(traced_lab, 1, *next(traced_calls), tracer)
                    if step.functions is not None:
                        recorded += sum(map(len, step.functions.spans.values()))
                        lost += step.functions.lost
                    if step.events is not None:
                        recorded += len(step.events.events)
                        lost += step.events.lost

            return _CHUNK / seconds(work)

        def plain() -> float:
            def work() -> None:
                for _ in range(_CHUNK):
                    observe_step(plain_lab, 1, *next(plain_calls))

            return _CHUNK / seconds(work)

        traced(), plain()
        recorded = lost = 0
        against, ours, ratio = pairs(plain, traced, runs)
    return [
        # The ratio is of rates here: ours to what is compared with.
        Row(f"{what}-overhead", "steps/s", ours, against, ratio),
        Row(f"{what}-overhead: {what} of a step", what, recorded / (_CHUNK * runs)),
        Row(f"{what}-overhead: lost", "events", lost, goal=0, at_most=True),
    ]
