"""Run workloads in guests of their own, each written to a session file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ktrace.errors import HostError, KtraceError, UsageError
from ktrace.machine.checkpoints import Checkpoints
from ktrace.state.conditions import conditions
from ktrace.state.step import Step
from ktrace.state.trace.functions import whole_function
from ktrace.trace.kept import remove_session
from ktrace.trace.session import FILE_NAME, Choices, End, Header, Sink, Verdict, new_directory, scratch_directory
from ktrace.trace.session_reader import SessionReader
from ktrace.trace.session_writer import SessionWriter
from ktrace.verify.guests import Guests
from ktrace.verify.lab import Lab
from ktrace.verify.notify import StepsDone, uncounted
from ktrace.verify.options import SessionOptions
from ktrace.verify.path_check import PathChecker
from ktrace.verify.path_parser import read_paths
from ktrace.verify.path_replay import noted
from ktrace.verify.paths import functions_by_call, said_of
from ktrace.verify.paused import Inspection, PausedGuest, announced
from ktrace.verify.run import perform_script, run_script
from ktrace.verify.tracing.functions import function_names
from ktrace.workload.library import load
from ktrace.workload.script import Script

Hold = Callable[[PausedGuest], None]
"""Called with the guest as the last step left it; other processes find it meanwhile."""


def run_session(
    guests: Guests, script: Script, sink: Sink, options: SessionOptions | None = None, hold: Hold | None = None
) -> End:
    """Run *script* in a fresh guest, its session written to a file and told *sink*.

    :raises UsageError: a step cannot be carried out
    :raises HostError: the file cannot be written
    :raises GuestError: the guest failed; the file says so
    """
    options = options or SessionOptions()
    place = session_directory(options, script.name or "workload")
    with ExitStack() as stack:
        lab, machine = stack.enter_context(guests.lab(place))
        writer = stack.enter_context(SessionWriter(place))
        checkpoints = None
        if options.checkpoint:
            checkpoints = stack.enter_context(
                Checkpoints(place, machine, guests.template, options.checkpoint, lab.vmcoreinfo)
            )
        both = FileAndSink(writer, sink, place, checkpoints, guests.require_whole)
        try:
            end = run_script(
                script,
                lab,
                both,
                {
                    **guests.manifest(lab, options.command),
                    "workload": script.name,
                    **_noted_paths(guests, lab, script, options.paths),
                },
                tracer=guests.tracer(lab, machine),
                paths=_path_checker(guests, lab, options.paths),
                history=lambda: SessionReader(place).steps(),
                validate=options.validate,
                after_call=None if checkpoints is None else lambda number, _lab: checkpoints.stop(number),
            )
        except (KtraceError, KeyboardInterrupt) as error:
            # What happened so far stays; the file says why it ends here.
            blame = error.blame if isinstance(error, KtraceError) else "interrupted"
            writer.console(both.steps + 1, machine.console.fresh())
            writer.end(End(blame, both.steps, 0, 0, str(error)))
            if not isinstance(error, UsageError):
                error.add_note(f"session {place}")
            raise
        if hold is not None:
            machine.pause()
            inspection = Inspection(lab.inspector, lab.namer)
            guest = PausedGuest(inspection, machine, lab.vmcoreinfo, guests.image.vmlinux)
            with announced(guest, script.title):
                hold(guest)
    return end


@contextmanager
def run_to_step(
    guests: Guests, workload: str, step: int | None, progress: StepsDone = uncounted
) -> Iterator[PausedGuest]:
    """Yield a guest, standing still, in which *workload* was run up to *step* (``None``: to its end).

    :param progress: told of the steps that were made
    :raises UsageError: it has no such step
    """
    script = load(workload)
    with scratch_directory(script.name or "workload") as place, guests.lab(place) as (lab, machine):
        number = 0
        length = script.length(conditions(lab.facts))
        for done, _complaints in perform_script(script, lab):
            number = done.number
            progress(number, length if step is None else step)
            if number == step:
                break
        if step is not None and number != step:
            raise UsageError(f"{workload} has {number} steps, not {step}", "see: ktrace run")
        machine.pause()
        inspection = Inspection(lab.inspector, lab.namer)
        yield PausedGuest(inspection, machine, lab.vmcoreinfo, guests.image.vmlinux)


def _noted_paths(guests: Guests, lab: Lab, script: Script, paths: Path | None) -> Mapping[str, Any]:
    """Return what a session notes of the functions that its script wants to be seen, and of their paths."""
    if not guests.options.functions or paths is None:
        return {}
    if not script.functions:
        return noted(paths)
    return {**noted(paths), "call_path": functions_by_call(said_of(read_paths(paths), conditions(lab.facts)))}


def _path_checker(guests: Guests, lab: Lab, paths: Path | None) -> PathChecker | None:
    expectations = read_paths(paths) if guests.options.functions and paths is not None else ()
    if not expectations or paths is None:
        return None
    expectations = said_of(expectations, conditions(lab.facts))
    known = {whole_function(name) for name in function_names(lab.kernel)}
    known.update(name for table in guests.inlined.values() for name in table)
    return PathChecker(
        expectations, paths.name, lambda function: guests.inlined.get(function, {}), known.__contains__
    )  # fmt: skip


class FileAndSink:
    """Write a session, tell the sink, and save the guest when it is time to.

    :ivar steps: how many came
    """

    def __init__(
        self,
        writer: SessionWriter,
        sink: Sink,
        place: Path,
        checkpoints: Checkpoints | None,
        require_whole: Callable[[], None],
    ) -> None:
        self._writer = writer
        self._sink = sink
        self._place = place
        self._checkpoints = checkpoints
        self._require_whole = require_whole
        self.steps = 0

    def header(self, header: Header) -> None:
        self._writer.header(header)
        self._sink.header(header)

    def step(self, step: Step) -> None:
        self.steps += 1
        self._writer.step(step)
        self._sink.step(step)
        if self._checkpoints is not None:
            self._checkpoints.save(step.number)

    def choices(self, choices: Choices) -> None:
        self._writer.choices(choices)
        self._sink.choices(choices)

    def verdict(self, verdict: Verdict) -> None:
        self._require_whole()
        self._writer.verdict(verdict)
        self._sink.verdict(verdict)

    def end(self, end: End, place: str = "") -> None:
        self._writer.end(end, place)
        self._sink.end(end, str(self._place))


def session_directory(options: SessionOptions, name: str) -> Path:
    """Return where a session is to be written, made if it is not there.

    :param name: what it is a session of
    :raises UsageError: it has one already, or is no directory
    :raises HostError: it cannot be made
    """
    return new_directory(name) if options.directory is None else _make(options)


def _make(options: SessionOptions) -> Path:
    directory = options.directory
    assert directory is not None
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{str(directory)!r} is no directory", "name one that is not there yet")
    if (directory / FILE_NAME).exists():
        if not options.force:
            raise UsageError(f"{str(directory)!r} has a session already", "name another directory, or add --force")
        remove_session(directory)
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise HostError(f"cannot make {str(directory)!r}: {error.strerror}") from error
    return directory
