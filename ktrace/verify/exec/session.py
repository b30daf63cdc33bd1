"""Run a program in a fresh guest, call by call, each held against the model; its session is written to a file."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from ktrace.agent.command import Command
from ktrace.errors import KtraceError, NotModelled, UsageError
from ktrace.inspect.census import take_census
from ktrace.inspect.invariants.all import validate
from ktrace.inspect.invariants.violation import Violation
from ktrace.inspect.trace.clocks import read_clocks
from ktrace.machine.baggage.pack import Packed
from ktrace.machine.machine import Machine
from ktrace.state.call import Exited
from ktrace.trace.session import End, Header, Sink
from ktrace.trace.session_reader import SessionReader
from ktrace.trace.session_writer import SessionWriter
from ktrace.verify.exec.perform import ProgramRun, Tell
from ktrace.verify.exec.scratch import DIRECTORY, bringing
from ktrace.verify.guests import Guests
from ktrace.verify.judge import judge
from ktrace.verify.options import SessionOptions
from ktrace.verify.paused import Inspection, PausedGuest, announced
from ktrace.verify.program import bring
from ktrace.verify.sessions import FileAndSink, Hold, session_directory


@dataclass(frozen=True)
class Traced:
    """How a program ended, call by call.

    :param end: of its session
    :param ended: how its first task ended; ``None`` where it was not seen to
    :param running: tasks that it left running
    :param violations: what contradicts itself in the kernel's memory then
    :param left: what has come since before the program, a kind at a time
    """

    end: End
    ended: Exited | None
    running: tuple[str, ...]
    violations: tuple[Violation, ...]
    left: tuple[str, ...]


def trace_program(
    guests: Guests,
    packed: Packed,
    command: Command,
    given: int | None,
    sink: Sink,
    tell: Tell,
    options: SessionOptions,
    seed: str | None = None,
    hold: Hold | None = None,
    first: Callable[[Machine], None] = lambda machine: None,
) -> Traced:
    """Run *command* in a fresh guest, its session written to a file and told *sink*.

    :param packed: what it needs of this machine
    :param given: descriptor of what it reads on standard input; ``None``: nothing
    :param tell: told its output as it comes
    :param seed: another order of its tasks
    :param hold: called with the guest as the last step left it
    :param first: called with the guest as soon as it has what it needs, before anything is looked at
    :raises UsageError: it cannot be executed, or does what the model does not know
    :raises HostError: the file cannot be written, or the guest has no room
    :raises GuestError: the guest failed; the file says so
    """
    place = session_directory(options, "exec")
    scratch, elsewhere = packed.baggage.split(DIRECTORY)

    def furnish(machine: Machine) -> None:
        bring(guests.image, machine, elsewhere)
        first(machine)

    with ExitStack() as stack:
        lab, machine = stack.enter_context(guests.program_lab(place, furnish))
        writer = stack.enter_context(SessionWriter(place))
        both = FileAndSink(writer, sink, place, None, guests.require_whole)
        run = ProgramRun(lab, command, given, bringing(scratch), tell, seed, guests.tracer(lab, machine))
        before = take_census(lab.kernel)
        title = " ".join(command.argv)
        manifest = {**guests.manifest(lab, options.command), "program": command.argv[0], "brought": dict(packed.asked)}
        header = Header(title, lab.facts, manifest, lab.look(), read_clocks(lab.kernel), lab.fresh)
        try:
            end = judge(header, run.steps(), both, history=lambda: SessionReader(place).steps(), apart=True)
        except (KtraceError, KeyboardInterrupt) as error:
            blame = error.blame if isinstance(error, KtraceError) else "interrupted"
            writer.console(both.steps + 1, machine.console.fresh())
            writer.end(End(blame, both.steps, 0, 0, str(error)))
            if isinstance(error, NotModelled) or not isinstance(error, UsageError):
                error.add_note(f"session {place}")
            raise
        violations = tuple(validate(lab.kernel)) if options.validate else ()
        if violations:
            guests.require_whole()
        left = take_census(lab.kernel).since(before)
        if hold is not None:
            machine.pause()
            guest = PausedGuest(Inspection(lab.inspector, lab.namer), machine, lab.vmcoreinfo, guests.image.vmlinux)
            with announced(guest, title):
                hold(guest)
    return Traced(end, run.status, run.running, violations, tuple(left))
