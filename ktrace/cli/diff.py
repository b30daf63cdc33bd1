"""``ktrace diff``: two sessions of one workload, side by side; where their kernels differ, what explains it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ktrace.cli.options import ImageNames, SessionName, command_line, memory_option
from ktrace.cli.output import notify
from ktrace.cli.progress import Progress, StatusLine
from ktrace.errors import UsageError
from ktrace.trace.difference import Differing, compare_sessions
from ktrace.trace.session import NullSink, counted, expected_steps, new_directory
from ktrace.trace.session_reader import SessionReader, require_whole

if TYPE_CHECKING:
    from ktrace.verify.explain.attribution import Explained
    from ktrace.verify.explain.facts import Fact
    from ktrace.verify.explain.kernels import LackedMember
    from ktrace.verify.explain.sessions import Explanation

_INDENT = " " * 12


@click.command()
@click.argument("sessions", nargs=-1, required=True, metavar="ONE OTHER | WORKLOAD")
@click.option("--images", type=ImageNames(), metavar="A,B", help="Run WORKLOAD on these two first.")
@click.option(
    "--functions/--no-functions", default=None, help="Compare the function trees, too; with --images, record them."
)
@click.option("--explain/--no-explain", default=True, help="Say what explains it where the kernels differ.")
@memory_option
@click.option("--json", "as_json", is_flag=True, help="Print data, one JSON object a line.")
def diff(
    sessions: tuple[str, ...],
    images: tuple[str, ...],
    functions: bool | None,
    explain: bool,
    memory_mib: int | None,
    as_json: bool,
) -> int:
    """Compare the sessions ONE and OTHER: calls, results, structures, functions. Times are not compared.

    Where their kernels differ, the model is asked which known difference (docs/kernels.md) explains each, and what
    none explains is said; of functions, each is told once, and what is called by one that only one of the kernels
    calls is left out (--no-explain tells all). A session is a path, such as one of ktrace matrix
    (DIR/IMAGE/WORKLOAD), or the name of one that was kept. With --images, WORKLOAD is run on both images first.

    Exit code 0 if they agree, 1 if not, as diff(1) has it.
    """
    if memory_mib is not None and not images:
        raise UsageError("--memory is for guests that --images boots", "add that, or leave it out")
    if images:
        one, other = _run_both(sessions, images, bool(functions), memory_mib, as_json)
    elif len(sessions) == 2:
        one, other = (SessionName().convert(name, None, None) for name in sessions)
    else:
        raise UsageError(f"{counted(len(sessions), 'session')}, not 2", "give two, or --images A,B and a workload")
    for place in (one, other):
        require_whole(place)
    if explain and not _of_one_kernel(one, other):
        return _explained(one, other, functions is not False, as_json)
    found = 0
    say = _Steps(as_json)
    with Progress("comparing", expected_steps(one), wanted=not as_json) as progress:
        for item in compare_sessions(SessionReader(one, progress), SessionReader(other), functions is not False):
            found += 1
            progress.clear()
            say(item)
    if not as_json:
        click.echo(counted(found, "difference") if found else "no difference")
    return 1 if found else 0


def _run_both(
    workloads: tuple[str, ...], images: tuple[str, ...], functions: bool, memory_mib: int | None, as_json: bool
) -> tuple[Path, Path]:
    """Run a workload on two images and return the sessions.

    :raises UsageError: there are not two images, or not one workload
    """
    from ktrace.verify.guests import prepare_guests
    from ktrace.verify.options import GuestOptions, SessionOptions
    from ktrace.verify.paths import paths_file
    from ktrace.verify.sessions import run_session
    from ktrace.workload.library import load

    if len(images) != 2 or len(workloads) != 1:
        raise UsageError("--images takes two images and one workload", "such as: --images lab-6.1,lab-7.3 pipe-basic")
    script = load(workloads[0])
    places = []
    for image in images:
        guests = prepare_guests(GuestOptions(image, memory_mib=memory_mib, functions=functions), notify)
        place = new_directory(f"{script.name}-{image}")
        end = run_session(
            guests, script, NullSink(), SessionOptions(place, paths_file(workloads[0]), command=command_line())
        )
        if not as_json:
            notify(f"{script.name} on {image}: {end.status}, session {place}")
        places.append(place)
    return places[0], places[1]


def _of_one_kernel(one: Path, other: Path) -> bool:
    here, there = SessionReader(one).header, SessionReader(other).header
    if here.manifest.get("build_id") == there.manifest.get("build_id") and here.facts == there.facts:
        return True
    from ktrace.verify.explain.sessions import same_kernel

    return same_kernel(here, there)


def _explained(one: Path, other: Path, functions: bool, as_json: bool) -> int:
    from ktrace.verify.explain.sessions import explain_sessions

    with Progress("comparing", expected_steps(one), wanted=not as_json) as progress:
        items = list(compare_sessions(SessionReader(one, progress), SessionReader(other), functions))
    line = StatusLine(wanted=not as_json)
    explanation = explain_sessions(one, other, items, lambda runs: line.show(f"explaining: the model's run {runs}"))
    line.clear()
    say = _Steps(as_json)
    for explained in explanation.items:
        say(explained.item, explained)
    if as_json:
        click.echo(json.dumps(_as_dict(explanation)))
    else:
        _tell(explanation)
    return 1 if items else 0


class _Steps:
    """Print differences, under a line for each step."""

    def __init__(self, as_json: bool) -> None:
        self._json = as_json
        self._step = 0

    def __call__(self, item: Differing, explained: Explained | None = None) -> None:
        if self._json:
            click.echo(json.dumps({**asdict(item), **({} if explained is None else _because(explained))}))
            return
        if item.step != self._step:
            self._step = item.step
            click.echo(f"step {item.step}")
        click.echo(f"  {item.kind:<9} {item.what}")
        click.echo(f"{_INDENT}{_short(item.one)}\n{_INDENT}{_short(item.other)}")
        if explained is not None:
            click.echo(f"{_INDENT}{_words(explained)}")


def _words(explained: Explained) -> str:
    """Say what explains a difference, in one line."""
    if explained.choice:
        return "either is allowed on both"
    causes = [" and ".join(fact.name for fact in cause) for cause in explained.causes]
    said = [f"because of {', or of '.join(causes)}"] if causes else []
    said += [explained.note] if explained.note else []
    return "; ".join(said) or "UNEXPLAINED"


def _because(explained: Explained) -> dict[str, object]:
    return {
        "because": [[fact.name for fact in cause] for cause in explained.causes],
        "choice": explained.choice,
        "note": explained.note,
        "explained": explained.known,
    }


def _as_dict(explanation: Explanation) -> dict[str, object]:
    facts = [
        {
            "name": fact.name,
            "one": fact.one,
            "other": fact.other,
            "explains": count,
            **({} if fact.change is None else {"change": asdict(fact.change)}),
        }
        for fact, count in explanation.by_fact()
    ]
    members = None if explanation.members is None else [asdict(member) for member in explanation.members]
    return {"facts": facts, "members": members, "differences": len(explanation.items),
            "unexplained": explanation.unexplained}  # fmt: skip


def _tell(explanation: Explanation) -> None:
    """Print what explains the differences, the members that one kernel lacks, and the sum."""
    for fact, count in explanation.by_fact():
        _tell_of(fact, count)
    if explanation.members is None:
        click.echo("members: an image has gone, or was made anew: nobody can tell which kernel has which")
    for text in _members(explanation.members or ()):
        click.echo(text)
    if not explanation.items:
        click.echo("no difference")
        return
    left = explanation.unexplained
    click.echo(f"{counted(len(explanation.items), 'difference')}, {left or 'none'} of them unexplained")


def _members(members: Iterable[LackedMember]) -> Iterator[str]:
    """Yield a line for each structure of which one kernel alone has members."""
    found: dict[tuple[bool, str], list[str]] = {}
    for item in members:
        found.setdefault((item.first, item.structure), []).append(item.member)
    for (first, structure), names in sorted(found.items(), key=lambda pair: not pair[0][0]):
        yield f"only in the {'first' if first else 'second'} kernel: {structure}: {', '.join(names)}"


def _tell_of(fact: Fact, count: int) -> None:
    change = fact.change
    if change is None:
        click.echo(f"{fact.name}, a fact of the kernel: explains {count}")
        one, other = fact.one, fact.other
    else:
        click.echo(f"{fact.name} ({change.citation}, since {change.since}): explains {count}")
        one, other = (change.what if value == "yes" else change.before for value in (fact.one, fact.other))
    click.echo(f"{_INDENT}{_short(one)}\n{_INDENT}{_short(other)}")


def _short(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else text[:limit] + "..."
