"""The options of strace that ``ktrace exec`` has, and how a program is run with them."""

from __future__ import annotations

import functools
import grp
import pwd
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from ktrace.agent.command import Command
from ktrace.cli.options import CallNames, command_line, recording_options
from ktrace.cli.output import notify, pass_on
from ktrace.errors import UsageError
from ktrace.machine.baggage.pack import Packed
from ktrace.output_file import check_output
from ktrace.suggest import did_you_mean
from ktrace.trace.session import counted
from ktrace.uapi.limits import UINT_MAX
from ktrace.uapi.signal import SIGNAL_NUMBERS
from ktrace.verify.options import GuestOptions, SessionOptions

_Function = TypeVar("_Function", bound=Callable[..., Any])
DIVERGED = 1
SIGNALLED = 128


@dataclass(frozen=True)
class TracedOptions:
    """How a program's calls are shown.

    :param given: options of these that the person gave
    :param user: user and group that it is run as; ``None``: root
    :param expressions: of ``-e``; *output*: where the lines go; *count*: a table in their place
    """

    given: tuple[str, ...] = ()
    expressions: tuple[str, ...] = ()
    output: Path | None = None
    count: bool = False
    times: bool = False
    names: bool = False
    seed: str | None = None
    hold: bool = False
    user: tuple[int, int] | None = None
    session: SessionOptions = field(default_factory=SessionOptions)


def traced_options(function: _Function) -> _Function:
    """Add the options of strace to a command; it gets ``traced``."""

    @recording_options
    @click.option("--session", "directory", type=click.Path(path_type=Path), help="Write the session there.")
    @click.option("--force", is_flag=True, help="Overwrite a session that is there already.")
    @click.option("-f", "follow", is_flag=True, help="Follow children: it always does.")
    @click.option(
        "-e",
        "expressions",
        multiple=True,
        type=CallNames(),
        metavar="[trace=]SET",
        help="Show these calls, or ipc, pipe, %network.",
    )
    @click.option("-o", "output", type=click.Path(path_type=Path), help="Write the calls to this file.")
    @click.option("-c", "count", is_flag=True, help="Show a table of the calls in their place.")
    @click.option("-T", "times", is_flag=True, help="Show how long each call took, of the host's time.")
    @click.option("-y", "names", is_flag=True, help="Show what descriptors are.")
    @click.option("--seed", help="Let the tasks of the program go on in another order; the same seed, the same order.")
    @click.option(
        "--user", metavar="USER[:GROUP]", help="Who runs it in the guest: names of this machine, or numbers; else root."
    )
    @click.option("--hold", is_flag=True, help="Keep the guest as the last call left it, for inspect and shell.")
    @functools.wraps(function)
    def wrapper(
        *args: Any,
        follow: bool,
        expressions: tuple[str, ...],
        output: Path | None,
        count: bool,
        times: bool,
        names: bool,
        seed: str | None,
        user: str | None,
        hold: bool,
        directory: Path | None,
        force: bool,
        **kwargs: Any,
    ) -> Any:
        shown = {"-e": expressions, "-o": output, "-c": count, "-T": times, "-y": names, "--seed": seed, "--hold": hold}
        shown["--user"] = user
        session = SessionOptions(directory, command=command_line(), force=force)
        given = tuple(name for name, value in shown.items() if value)
        options = TracedOptions(given, expressions, output, count, times, names, seed, hold, ids_of(user), session)
        return function(*args, traced=options, **kwargs)

    return wrapper  # type: ignore[return-value]


def ids_of(user: str | None) -> tuple[int, int] | None:
    """Return the numbers of a user and a group of this machine, or those that are written there.

    :raises UsageError: this machine has no such user or group
    """
    if user is None:
        return None
    name, _, group = user.partition(":")
    try:
        if name.isdecimal():
            uid = gid = int(name)
        else:
            entry = pwd.getpwnam(name)
            uid, gid = entry.pw_uid, entry.pw_gid
        if group:
            gid = int(group) if group.isdecimal() else grp.getgrnam(group).gr_gid
    except KeyError:
        raise UsageError(f"--user {user!r}: this machine has no such user or group", "write numbers: 1:1") from None
    if max(uid, gid) >= UINT_MAX:
        raise UsageError(f"--user {user!r}: a number is too large", "write numbers: 1:1")
    return uid, gid


def chosen_calls(expressions: tuple[str, ...]) -> frozenset[str] | None:
    """Return the names of the calls that ``-e`` asks for; ``None`` for all.

    :raises UsageError: there is no such call, and no such class
    """
    from ktrace.agent.syscalls import PROGRAM_SIGNATURES, SIGNATURES
    from ktrace.agent.syscalls.classes import CLASSES

    known = {*SIGNATURES, *PROGRAM_SIGNATURES, "fork", "exit"}
    found: set[str] | None = None
    for expression in expressions:
        text = expression.removeprefix("trace=")
        if "=" in text:
            raise UsageError(f"-e {expression!r} is not known", "write -e trace=CALL,CALL, or -e trace=%network")
        unwanted = text.startswith("!")
        names: set[str] = set()
        for word in text.removeprefix("!").split(","):
            name = word.removeprefix("%")
            if name == "all":
                names |= known
            elif name in CLASSES:
                names |= CLASSES[name]
            elif word in known:
                names.add(word)
            elif word != "none":
                raise UsageError(f"-e: no call or class {word!r}", did_you_mean(word, [*known, *CLASSES]))
        if unwanted:
            names = known - names
        found = names if found is None else found | names
    return None if found is None else frozenset(found)


def run_traced(
    guest: GuestOptions,
    packed: Packed,
    command: Command,
    given: int | None,
    options: TracedOptions,
    validate: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Run *command* call by call and return its exit code; minus :data:`DIVERGED` where something diverged.

    :param given: descriptor of what it reads on standard input; ``None``: nothing

    :raises KtraceError: something failed
    """
    from ktrace.cli.hold import hold
    from ktrace.cli.program_view import ProgramOptions, ProgramView
    from ktrace.cli.style import console
    from ktrace.verify.exec.counts import summary, table
    from ktrace.verify.exec.session import trace_program
    from ktrace.verify.guests import prepare_guests

    only = chosen_calls(options.expressions)
    if options.output is not None:
        check_output(options.output)
    guests = prepare_guests(guest, notify)
    with ExitStack() as stack:
        errors = console(sys.stderr)
        where = None if quiet or options.count else errors
        if options.output is not None and not options.count:
            where = console(stack.enter_context(options.output.open("w", encoding="utf-8")))
        shown = ProgramOptions(only, options.times, options.names, verbose)
        view = ProgramView(where, errors, shown, int(verbose))
        traced = trace_program(
            guests,
            packed,
            command,
            given,
            view,
            pass_on,
            replace(options.session, validate=validate),
            options.seed,
            hold if options.hold else None,
        )
    if options.count:
        lines = "\n".join(table(view.counts.by_name)) + "\n"
        if options.output is None:
            sys.stderr.write(lines)
        else:
            options.output.write_text(lines, "utf-8")
    for violation in traced.violations:
        notify(f"contradiction: {violation}")
    diverged = traced.end.status != "agreed" or bool(traced.violations)
    if not quiet or diverged:
        notify(f"ktrace: {traced.end.status}: {summary(view.counts.by_name, traced.end.fields)}")
        if diverged:
            notify(f"ktrace: session {view.place}")
        for kind in () if traced.end.status != "agreed" else traced.left:
            notify(f"ktrace: left behind: {kind}")
        if traced.running:
            notify(f"ktrace: left running: {counted(len(traced.running), 'process')} ({', '.join(traced.running)})")
    if diverged:
        return -DIVERGED
    ended = traced.ended
    if ended is None:
        return 0
    return ended.status if ended.status is not None else SIGNALLED + SIGNAL_NUMBERS[ended.signal or "SIGKILL"]
