"""Benchmark of the verify loop: steps that are looked at and checked against steps that are only made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from ktrace.agent.syscalls import make_call
from ktrace.bench.measure import Row, pairs, seconds
from ktrace.errors import KtraceError
from ktrace.image.image import Image
from ktrace.machine.machine import Machine
from ktrace.machine.template.template import Template
from ktrace.model.build import build_model
from ktrace.state.call import Call
from ktrace.verify.background_checker import BackgroundChecker
from ktrace.verify.checker import Checker
from ktrace.verify.lab import Lab
from ktrace.verify.observe import observe_step

_CHUNK = 200

Calls = Iterator[tuple[str, Call]]


def small_world() -> Calls:
    """Yield calls for ever: two actors, a pipe, a semaphore array."""
    yield "A", make_call("pipe2", 0)
    yield "A", make_call("fork", "B")
    yield "A", make_call("semget", 0, 2, 0o1600)
    while True:
        yield "A", make_call("write", 1, b"0123456789")
        yield "B", make_call("read", 0, 10)
        yield "A", make_call("semop", 0, [{"sem_num": 0, "sem_op": 1, "sem_flg": 0}])
        yield "B", make_call("semop", 0, [{"sem_num": 0, "sem_op": -1, "sem_flg": 0}])


def checked_vs_unchecked(image: Image, template: Template, runs: int) -> list[Row]:
    """Measure steps per second, one step per round trip, checked and unchecked."""
    with (
        ExitStack() as stack,
        TemporaryDirectory(prefix="ktrace-bench-") as scratch,
        Machine.clone(template, directory=Path(scratch, "checked")) as checked_guest,
        Machine.clone(template, directory=Path(scratch, "unchecked")) as unchecked_guest,
    ):
        checked_lab, unchecked_lab = Lab(checked_guest, image.vmlinux), Lab(unchecked_guest, image.vmlinux)
        checker = Checker(lambda: build_model(checked_lab.facts))
        checker.initial(checked_lab.look())
        background = stack.enter_context(BackgroundChecker(checker))
        _checked_step(checked_lab, background, 1, None, make_call("spawn", "A"))
        unchecked_lab.perform(None, make_call("spawn", "A"))
        checked_calls, unchecked_calls = small_world(), small_world()

        def checked() -> float:
            def work() -> None:
                for number in range(_CHUNK):
                    actor, call = next(checked_calls)
                    _checked_step(checked_lab, background, number, actor, call)
                _settle(background)

            return _CHUNK / seconds(work)

        def unchecked() -> float:
            def work() -> None:
                for _ in range(_CHUNK):
                    unchecked_lab.perform(*next(unchecked_calls))

            return _CHUNK / seconds(work)

        checked(), unchecked()
        # The ratio is of rates here: ours to what is compared with.
        against, ours, ratio = pairs(unchecked, checked, runs)
    return [Row("checked-vs-unchecked", "steps/s", ours, against, ratio, 0.4)]


def _checked_step(lab: Lab, background: BackgroundChecker, number: int, actor: str | None, call: Call) -> None:
    """Do what ``ktrace run`` does: make the call, look, and have it checked while the next one is made."""
    step = observe_step(lab, number, actor, call)
    _settle(background)
    background.submit(step)


def _settle(background: BackgroundChecker) -> None:
    if differences := background.settle():
        raise KtraceError(f"a step of the benchmark diverged: {differences[0].path}", "run: ktrace run --all")
