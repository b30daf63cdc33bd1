"""Hold what two builds do against each other: the actions of random search, and what is compared of recorded traces."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ktrace.bench.builds import Build, failure, make_image
from ktrace.bench.commands import ends_of
from ktrace.errors import UsageError
from ktrace.verify.options import GuestOptions

FAMILIES = ("pipe", "sem", "msg", "shm", "unix", "inet", "raw", "netlink")
_ACTIONS = ("digest", "steps", "sequences", "not_modelled")
_COUNTS = ("status", "steps", "objects", "fields")


@dataclass(frozen=True)
class Same:
    """What two builds did with the same input.

    :param what: the input
    :param ours: what this build did, *other* what the other did, in words
    """

    what: str
    ours: str
    other: str

    @property
    def equal(self) -> bool:
        """Tell whether they did the same."""
        return self.ours == self.other

    def as_dict(self) -> dict[str, Any]:
        """Return both, and whether they are equal."""
        return {**asdict(self), "equal": self.equal}


def hold_against(
    ours: Build, other: Build, seeds: Sequence[int], steps: int, guest: GuestOptions, told: Callable[[str], None]
) -> Iterator[Same]:
    """Yield what both builds do: with recorded traces, then by random search of every family.

    :param seeds: of the search, *steps* each
    :param told: called with what is done next
    :raises UsageError, HostError: one of them cannot do it
    """
    told("replaying recorded traces")
    yield from same_counts(ours, other, other.recorded() or ours.recorded())
    told("making the actions of fuzz")
    for build in (ours, other):
        make_image(build, guest.image)
    yield from same_actions(ours, other, FAMILIES, seeds, steps, guest)


def same_actions(
    ours: Build, other: Build, families: Sequence[str], seeds: Sequence[int], steps: int, guest: GuestOptions
) -> Iterator[Same]:
    """Yield what both builds' random search does, by family and seed.

    :param steps: how many calls each time
    :raises UsageError: one of them does not know a family
    """
    for family in families:
        for seed in seeds:
            arguments = ("fuzz", "--family", family, "--seed", str(seed), "--steps", str(steps), *guest.command_line())
            yield Same(f"fuzz {family}, seed {seed}", *(_actions(build, arguments) for build in (ours, other)))


def same_counts(ours: Build, other: Build, traces: Sequence[Path]) -> Iterator[Same]:
    """Yield what both builds compare in each of *traces*.

    :raises UsageError: one of them cannot read a trace
    """
    if not traces:
        raise UsageError("neither build has recorded traces beside it", "give a checkout's directory")
    for trace, one, two in zip(traces, _counts(ours, traces), _counts(other, traces), strict=True):
        yield Same(f"check {trace.parent.name}/{trace.name}", one, two)


def _actions(build: Build, arguments: Sequence[str]) -> str:
    # 1: it found a divergence, which is an action like any other.
    answer = build.answer(*arguments, "--jobs", "1", "--shrink", "0", "--json", accept=(0, 1))
    try:
        report = json.loads(answer.out)
        said = [f"{name} {report[name]}" for name in _ACTIONS if report[name]]
        return ", ".join([*said, f"{len(report['divergences'])} divergences"])
    except (ValueError, KeyError, TypeError):
        raise failure(f"{build.name}: ktrace {' '.join(arguments)}", answer) from None


def _counts(build: Build, traces: Sequence[Path]) -> list[str]:
    # 1: one diverges; the end of that trace says so.
    answer = build.answer("check", "--json", *map(str, traces), accept=(0, 1, UsageError.exit_code))
    ends = ends_of(answer.out)
    if len(ends) != len(traces):
        raise failure(f"{build.name}: ktrace check {traces[min(len(ends), len(traces) - 1)]}", answer)
    return [", ".join(f"{end[name]} {name}" if name != "status" else end[name] for name in _COUNTS) for end in ends]
