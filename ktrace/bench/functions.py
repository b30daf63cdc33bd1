"""Benchmark of function recording: steps that carry their functions against steps that do not."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from ktrace.agent.syscalls import make_call
from ktrace.bench.measure import Row, pairs, seconds
from ktrace.bench.steps import small_world
from ktrace.cli.guests import traced_template
from ktrace.image.image import Image
from ktrace.machine.machine import Machine
from ktrace.machine.state import Template
from ktrace.verify.lab import Lab
from ktrace.verify.tracer import FunctionTracer

_CHUNK = 100


def functions_overhead(image: Image, template: Template, runs: int) -> list[Row]:
    """Measure steps per second, looked at but not checked, with and without the function graph tracer."""
    with (
        TemporaryDirectory(prefix="ktrace-bench-") as scratch,
        Machine.clone(traced_template(template), directory=Path(scratch, "traced")) as traced_guest,
        Machine.clone(template, directory=Path(scratch, "plain")) as plain_guest,
    ):
        traced_lab, plain_lab = Lab(traced_guest, image.vmlinux), Lab(plain_guest, image.vmlinux)
        tracer = FunctionTracer(traced_guest.agent, traced_lab.kernel)
        tracer.collect(traced_lab.perform(None, make_call("spawn", "A")))
        plain_lab.perform(None, make_call("spawn", "A"))
        traced_calls, plain_calls = small_world(), small_world()
        spans = lost = 0

        def traced() -> float:
            def work() -> None:
                nonlocal spans, lost
                for _ in range(_CHUNK):
                    trace = tracer.collect(traced_lab.perform(*next(traced_calls)))
                    spans += sum(map(len, trace.spans.values()))
                    lost += trace.lost
                    traced_lab.look()

            return _CHUNK / seconds(work)

        def plain() -> float:
            def work() -> None:
                for _ in range(_CHUNK):
                    plain_lab.perform(*next(plain_calls))
                    plain_lab.look()

            return _CHUNK / seconds(work)

        traced(), plain()
        spans = lost = 0
        against, ours, ratio = pairs(plain, traced, runs)
    return [
        # The ratio is of rates here: ours to what is compared with.
        Row("functions-overhead", "steps/s", ours, against, ratio),
        Row("functions-overhead: functions of a step", "functions", spans / (_CHUNK * runs)),
        Row("functions-overhead: events lost", "events", lost, goal=0, at_most=True),
    ]
