"""Kernels other than the lab's own do what the model says, where the store has them: a workload of each subsystem.

``make test-kernels`` runs all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from drgn.helpers.linux.percpu import per_cpu

from ktrace.image.image import Image
from ktrace.machine.machine import Machine
from ktrace.machine.template.make import ensure_template
from ktrace.state.changes import Changes
from ktrace.state.conditions import conditions
from ktrace.trace.session import Verdict
from ktrace.trace.session_reader import SessionReader
from ktrace.trace.session_writer import SessionWriter
from ktrace.verify.fair_server import NEVER
from ktrace.verify.guests import traced_template
from ktrace.verify.lab import KernelCache, Lab
from ktrace.verify.path_check import PathChecker
from ktrace.verify.path_parser import read_paths
from ktrace.verify.paths import SUFFIX, said_of
from ktrace.verify.run import run_script
from ktrace.verify.tracing.functions import FunctionTracer
from ktrace.verify.tracing.inlined_cache import inlined_functions
from ktrace.workload.library import directory, load
from ktrace.workload.parser import parse_script
from tests.guest.kernels import LABS, STOCK, built, optional
from tests.sinks import Record

pytestmark = optional

NewLab = Callable[[Image, bool], Lab]


@pytest.fixture
def lab_of(kernels: KernelCache, tmp_path: Path) -> Iterator[NewLab]:
    """A way to get a lab in a fresh clone of an image, with its functions traced or not."""
    opened: list[Machine] = []

    def make(image: Image, traced: bool) -> Lab:
        template = ensure_template(image)
        machine = Machine.clone(traced_template(template) if traced else template, directory=tmp_path / "machine")
        opened.append(machine)
        return Lab(machine, image.vmlinux, kernels)

    yield make
    for machine in opened:
        machine.close()


@pytest.mark.parametrize("name", LABS)
def test_ordinary_tasks_are_never_given_the_time_of_actors(name: str, lab_of: NewLab) -> None:
    lab = lab_of(built(name), False)
    assert run_script(parse_script("A: getpid()\nwait(1500)\n"), lab, Record(), {}).status == "agreed"
    server = per_cpu(lab.kernel.prog["runqueues"], 0).fair_server
    # The kernel has begun a new period meanwhile, which is as long as the first one was made.
    assert server.dl_defer_running == 0
    assert server.deadline.value_() > NEVER // 2


@pytest.mark.parametrize("name", [*LABS, *STOCK])
def test_what_changed_is_told(name: str, lab_of: NewLab) -> None:
    """Each of these kernels is one of those that the changes were written from."""
    changes = lab_of(built(name), False).facts["changes"]
    assert [item.name for item in fields(Changes) if getattr(changes, item.name) is None] == []


@pytest.mark.parametrize("workload", ["pipe-waits", "shm-mremap", "unix-stream", "udp-edges"])
@pytest.mark.parametrize("name", [*LABS, *STOCK])
def test_it_does_what_the_model_says(name: str, workload: str, lab_of: NewLab, tmp_path: Path) -> None:
    lab = lab_of(built(name), False)
    with SessionWriter(tmp_path) as writer:
        end = run_script(load(workload), lab, writer, {})
    assert [event for event in SessionReader(tmp_path).events() if isinstance(event, Verdict)] == []
    assert (end.status, end.message) == ("agreed", "")


@pytest.mark.parametrize("workload", ["pipe-basic", "unix-stream"])
@pytest.mark.parametrize("name", LABS)
def test_it_goes_the_ways_that_are_expected(name: str, workload: str, lab_of: NewLab, tmp_path: Path) -> None:
    image = built(name)
    lab = lab_of(image, True)
    inlined = inlined_functions(image.vmlinux, image.build_id)
    paths = directory() / (workload + SUFFIX)
    expectations = said_of(read_paths(paths), conditions(lab.facts))
    checker = PathChecker(expectations, paths.name, lambda function: inlined.get(function, {}), lambda _name: True)
    tracer = FunctionTracer(lab.guest.agent, lab.kernel, inlined)
    with SessionWriter(tmp_path) as writer:
        end = run_script(load(workload), lab, writer, {}, tracer=tracer, paths=checker)
    assert [event for event in SessionReader(tmp_path).events() if isinstance(event, Verdict)] == []
    assert (end.status, end.message) == ("agreed", "")
    assert checker.checked >= len(expectations)
