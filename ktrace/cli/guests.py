"""Guests for the commands: one image, a fresh clone for every workload."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from ktrace.cli.hold import Still, announced
from ktrace.cli.hold import hold as hold_guest
from ktrace.cli.output import View
from ktrace.cli.target import Opened, open_memory
from ktrace.errors import GuestError, GuestFileError, HostError, KtraceError, UsageError
from ktrace.image.image import find_image
from ktrace.machine.accel import named_accelerator
from ktrace.machine.checkpoints import Checkpoints
from ktrace.machine.machine import Machine
from ktrace.machine.template.make import ensure_template
from ktrace.machine.template.prepared import prepared_template
from ktrace.machine.template.template import Template
from ktrace.state.step import Step
from ktrace.trace.past import Past
from ktrace.trace.session import End, Header, Verdict, new_directory
from ktrace.trace.session_reader import SessionReader
from ktrace.trace.session_writer import SessionWriter
from ktrace.verify.both_tracers import BothTracers
from ktrace.verify.events import EventTarget, EventTracer
from ktrace.verify.inlining import inlined_functions
from ktrace.verify.lab import KernelCache, Lab
from ktrace.verify.path_check import PathChecker
from ktrace.verify.path_replay import noted
from ktrace.verify.paths import read_paths, way
from ktrace.verify.probe import Target
from ktrace.verify.probed import ProbedLab
from ktrace.verify.run import perform_script, run_script
from ktrace.verify.step_tracer import StepTracer
from ktrace.verify.tracer import SETTINGS, FunctionTracer, InlinedTable, cannot_trace, function_names
from ktrace.verify.unhurried import Unhurried
from ktrace.workload.library import load
from ktrace.workload.script import Script


class Guests:
    """Make guests of one image.

    :param accel: name of the accelerator to use; ``None`` finds out by trying
    :param functions: have every step carry the kernel functions that it goes through
    :param probes: stop at these functions during every step
    :param events: have every step carry these events
    :raises UsageError: there is no such image
    :raises HostError: it is not built, or this machine cannot run it
    """

    def __init__(
        self,
        image: str,
        accel: str | None = None,
        functions: bool = False,
        probes: tuple[Target, ...] = (),
        events: tuple[EventTarget, ...] = (),
    ) -> None:
        self.image = find_image(image)
        self._accel = named_accelerator(accel) if accel else None
        self._functions = functions
        self._probes = probes
        self._events = events
        self.inlined: InlinedTable = {}
        self._kernels = KernelCache()

    def __enter__(self) -> Guests:
        self.template = ensure_template(
            self.image, accel=self._accel, booting=lambda: click.echo(f"booting {self.image.name} once", err=True)
        )
        if self._functions:
            self.template = traced_template(self.template)
            self.inlined = inlined_functions(
                self.image.vmlinux,
                self.image.build_id,
                reading=lambda: click.echo(f"looking up what is inlined in {self.image.name} once", err=True),
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        del kind, value, traceback

    @contextmanager
    def lab(self, directory: Path, checkpoint: tuple[Template, Past] | None = None) -> Iterator[tuple[Lab, Machine]]:
        """Yield a lab in a fresh clone; its console log lands in *directory*.

        :param checkpoint: what to clone instead of the image's template, and the session's past then
        """
        template, past = checkpoint or (self.template, None)
        with Machine.clone(template, directory=directory) as machine:
            try:
                if not self._probes:
                    yield Lab(machine, self.image.vmlinux, self._kernels, past), machine
                    return
                lab = ProbedLab(machine, self.image.vmlinux, self._probes, self._kernels)
                try:
                    yield lab, machine
                finally:
                    lab.close()
            except GuestError as error:
                error.console = error.console or machine.console_tail()
                raise

    @contextmanager
    def still(self, checkpoint: Template, directory: Path, vmcoreinfo: bytes, past: Past) -> Iterator[Still]:
        """Yield the guest of a checkpoint, standing still as it was saved.

        :param past: of the session then
        """
        with Machine.clone(checkpoint, directory=directory, paused=True) as machine:
            opened = open_memory(machine.memory, self.image.vmlinux, vmcoreinfo, past.pids, past.ever)
            opened.namer.adopt(past.addresses, past.world)
            yield Still(opened, machine, vmcoreinfo)

    def tracer(self, lab: Lab, machine: Machine) -> StepTracer | None:
        """Return what records the functions and events of *lab*'s steps, if they are to carry them."""
        agent = Unhurried(machine.agent)
        functions = FunctionTracer(agent, lab.kernel, self.inlined) if self._functions else None
        if not self._events:
            return functions
        events = EventTracer(agent, lab.kernel, self._events, lab.actors.by_pid)
        return events if functions is None else BothTracers(functions, events)

    def run(
        self,
        script: Script,
        view: View,
        directory: Path | None,
        hold: bool = False,
        paths: Path | None = None,
        validate: bool = False,
        checkpoint: int = 0,
    ) -> End:
        """Run *script* in a fresh guest, its session written to *directory* and printed to *view*.

        :param directory: made if it is not there; ``None`` for one of its own
        :param hold: keep the guest until Ctrl-C or the end of standard input
        :param paths: file of the function paths that its calls must go
        :param validate: check memory against itself after every step
        :param checkpoint: save the guest after every so many steps; 0: never
        """
        place = _make(directory) if directory is not None else new_directory(script.name or "workload")
        with ExitStack() as stack:
            lab, machine = stack.enter_context(self.lab(place))
            writer = stack.enter_context(SessionWriter(place))
            keeper = None
            if checkpoint:
                keeper = Checkpoints(place, machine, self.template, checkpoint, lab.vmcoreinfo)
                stack.enter_context(keeper)
            sink = _Output(writer, view, place, machine, keeper)
            try:
                tracer = self.tracer(lab, machine)
                checker = self._path_checker(lab, paths) if self._functions and paths is not None else None
                end = run_script(
                    script, lab, sink, {**self.manifest(lab), **self._way(script, paths)}, tracer=tracer, paths=checker,
                    history=lambda: SessionReader(place).steps(), validate=validate,
                    after_call=None if keeper is None else lambda number, _lab: keeper.stop(number),
                )  # fmt: skip
            except (KtraceError, KeyboardInterrupt) as error:
                # What happened so far stays; the file says why it ends here.
                blame = error.blame if isinstance(error, KtraceError) else "interrupted"
                writer.console(sink.steps + 1, machine.console.fresh())
                writer.end(End(blame, sink.steps, 0, 0, str(error)))
                raise
            if hold:
                machine.pause()
                still = Still(Opened(lab.inspector, lab.namer), machine, lab.vmcoreinfo)
                with announced(still, script.title, self.image.vmlinux):
                    hold_guest(machine)
        return end

    @contextmanager
    def taken_to(self, workload: str, step: int | None) -> Iterator[Still]:
        """Yield a guest, standing still, in which *workload* was run up to *step* (``None``: to its end).

        :raises UsageError: it has no such step
        """
        script = load(workload)
        place = new_directory(script.name or "workload")
        with self.lab(place) as (lab, machine):
            number = 0
            for done, _complaints in perform_script(script, lab):
                number = done.number
                if number == step:
                    break
            if step is not None and number != step:
                raise UsageError(f"{workload} has {number} steps, not {step}", "see: ktrace run")
            machine.pause()
            yield Still(Opened(lab.inspector, lab.namer), machine, lab.vmcoreinfo)

    def _way(self, script: Script, paths: Path | None) -> Mapping[str, Any]:
        """Return what a session notes of the functions that its script wants to be seen, and of their paths."""
        if not self._functions or paths is None:
            return {}
        return {**noted(paths), **({"way": way(read_paths(paths))} if script.functions else {})}

    def _path_checker(self, lab: Lab, paths: Path) -> PathChecker | None:
        expectations = read_paths(paths)
        if not expectations:
            return None
        known = function_names(lab.kernel) | {name for table in self.inlined.values() for name in table}
        return PathChecker(
            expectations,
            paths.name,
            lambda function: self.inlined.get(function, {}),
            known.__contains__,
        )

    def manifest(self, lab: Lab) -> Mapping[str, Any]:
        """Return what a session notes of where it ran."""
        return {
            "ktrace": version("ktrace"),
            "command": shlex.join(["ktrace", *sys.argv[1:]]),
            "image": self.image.name,
            "build_id": self.image.build_id,
            "release": lab.hello.release,
            "accelerator": self.template.spec.accel,
            "began": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "template": self.template.directory.name,
            "functions": self._functions,
            **({"events": [target.text for target in self._events]} if self._events else {}),
        }


def traced_template(template: Template) -> Template:
    """Return *template* with the function graph tracer at work.

    :raises UsageError: its kernel cannot trace functions
    """
    try:
        return prepared_template(
            template,
            SETTINGS,
            preparing=lambda: click.echo(f"preparing {template.spec.image} for tracing once", err=True),
        )
    except GuestFileError as error:
        raise cannot_trace(error) from error


class _Output:
    """Write a session and print it."""

    def __init__(
        self, writer: SessionWriter, view: View, place: Path, machine: Machine, keeper: Checkpoints | None
    ) -> None:
        self._writer = writer
        self._view = view
        self._place = place
        self._machine = machine
        self._keeper = keeper
        self.steps = 0

    def header(self, header: Header) -> None:
        self._writer.header(header)
        self._view.header(header)

    def step(self, step: Step) -> None:
        self.steps += 1
        self._writer.step(step)
        self._view.step(step)
        if self._keeper is not None:
            self._keeper.save(step.number)

    def verdict(self, verdict: Verdict) -> None:
        self._writer.verdict(verdict)
        self._view.verdict(verdict)

    def end(self, end: End, place: str = "") -> None:
        self._writer.end(end)
        self._view.end(end, str(self._place))


def _make(directory: Path) -> Path:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise HostError(f"cannot make {str(directory)!r}: {error.strerror}") from error
    return directory
