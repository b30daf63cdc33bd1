"""All benchmarks of two builds, in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ktrace.bench.builds import Build, make_image
from ktrace.bench.commands import own_bench, whole_commands
from ktrace.bench.figure import Compared, alternate, compare
from ktrace.verify.options import GuestOptions

NEEDS_NO_GUEST = ("start-up", "check-traces")


def traces_for(ours: Build, other: Build) -> list[Path]:
    """Return the recorded traces that both builds can read: the other's, else those of this one.

    A build reads what older ones recorded; the other way round that need not be so.
    """
    return other.recorded() or ours.recorded()


def compare_builds(
    ours: Build,
    other: Build,
    names: Sequence[str],
    runs: int,
    guest: GuestOptions,
    also_unknown: bool,
    told: Callable[[str], None],
) -> Iterator[list[Compared]]:
    """Yield the rows of each benchmark of *names*.

    Whole commands are timed from here. The other benchmarks each build measures itself, a few runs at a time, by its
    own ``bench --only``; one that a build does not have is measured in the other build alone.

    :param runs: pairs per figure
    :param also_unknown: measure as well what only the other build has
    :param told: called with what is done next
    :raises UsageError, GuestError, HostError: a benchmark failed in one of the builds
    """
    commands = whole_commands(traces_for(ours, other), guest)
    theirs = other.benches()
    if also_unknown or not set(names) <= {*NEEDS_NO_GUEST}:
        for build in (ours, other):
            told(f"making sure that {guest.image} is there for {build.name}")
            make_image(build, guest.image)
    for name in names:
        told(f"measuring {name}")
        if name in commands:
            for measure in commands[name]:
                yield alternate(measure, ours, other, runs)
        elif name in theirs:
            yield alternate(own_bench(name, guest), ours, other, runs, warm_up=False)
        else:
            yield compare([own_bench(name, guest)(ours)], [])
    for name in sorted(theirs - ours.benches()) if also_unknown else ():
        told(f"measuring {name}")
        yield compare([], [own_bench(name, guest)(other)])
