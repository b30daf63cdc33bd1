"""All benchmarks of this build."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ktrace.bench.builds import Build, this_build
from ktrace.bench.commands import whole_commands, with_goals
from ktrace.bench.enumeration import inspect_vs_drgn
from ktrace.bench.figure import alone
from ktrace.bench.functions import events_overhead, functions_overhead
from ktrace.bench.guests import agent_round_trip, boot_vs_clone
from ktrace.bench.kernels import all_workloads, boot_of_each_image, missing_kernels
from ktrace.bench.library import library
from ktrace.bench.measure import Row
from ktrace.bench.names import IN_A_GUEST, KERNELS
from ktrace.bench.programs import traced_program
from ktrace.bench.steps import checked_vs_unchecked
from ktrace.verify.guests import prepare_guests
from ktrace.verify.notify import Notify
from ktrace.verify.options import GuestOptions


def measure_this_build(
    names: Sequence[str], runs: int, guest: GuestOptions, told: Callable[[str], None], notify: Notify
) -> Iterator[list[Row]]:
    """Yield the rows of each benchmark of *names*, those in a guest first.

    :param runs: pairs per figure
    :param told: called with what is done next; *notify* with what takes long besides
    :raises UsageError, GuestError, HostError: a benchmark failed
    """
    inside = [name for name in names if name in IN_A_GUEST]
    if inside:
        yield from _in_a_guest(inside, runs, guest, told, notify)
    with this_build() as build:
        commands = whole_commands(Build.recorded, guest)
        for name in names:
            if name in IN_A_GUEST or name in KERNELS:
                continue
            told(f"measuring {name}")
            for measure in commands[name]:
                yield with_goals(alone(measure, build, runs))
    if "boot-images" in names:
        yield boot_of_each_image(runs, told)
    if "run-all-kernels" in names:
        if len(names) > len(KERNELS) and (missing := missing_kernels()):
            notify(f"run-all-kernels is left out: {', '.join(missing)} is not built (make kernels)")
        else:
            yield all_workloads(guest, told, notify)


def _in_a_guest(
    names: Sequence[str], runs: int, guest: GuestOptions, told: Callable[[str], None], notify: Notify
) -> Iterator[list[Row]]:
    guests = prepare_guests(guest, notify)
    image, template = guests.image, guests.template
    measures: dict[str, Callable[[], list[Row]]] = {
        "boot-vs-clone": lambda: boot_vs_clone(image, template, runs),
        "agent-round-trip": lambda: agent_round_trip(template, runs),
        "checked-vs-unchecked": lambda: checked_vs_unchecked(image, template, runs),
        "inspect-vs-drgn": lambda: inspect_vs_drgn(image, template, runs),
        "functions-overhead": lambda: functions_overhead(image, template, runs),
        "events-overhead": lambda: events_overhead(image, template, runs),
        "library": lambda: library(guest, runs, notify),
        "exec": lambda: traced_program(guest, runs, notify),
    }
    for name in names:
        told(f"measuring {name}")
        yield measures[name]()
