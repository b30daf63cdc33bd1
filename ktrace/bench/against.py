"""All benchmarks of two builds, in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ktrace.bench.builds import Build, make_image
from ktrace.bench.commands import own_bench, whole_commands
from ktrace.bench.figure import Compared, alternate, compare
from ktrace.verify.options import GuestOptions

NEEDS_NO_GUEST = ("start-up", "check-traces")


def shared_traces(build: Build, other: Build) -> list[Path]:
    """Return what *build* has recorded of the workloads that both have recorded; where one has none, the other's.

    A build that reads more of a kernel, or that has its agent fill buffers otherwise, records the same workload anew.
    """
    ours = {path.name: path for path in build.recorded()}
    theirs = {path.name: path for path in other.recorded()}
    if not ours or not theirs:
        return sorted((ours or theirs).values())
    return sorted(path for name, path in ours.items() if name in theirs)


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
    commands = whole_commands(lambda build: shared_traces(build, other if build is ours else ours), guest)
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
