"""Benchmarks of several kernels: boot and clone of every image in the store, all workloads on two of them in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from ktrace.bench.guests import boot_vs_clone
from ktrace.bench.measure import Row
from ktrace.errors import HostError
from ktrace.image.image import find_image
from ktrace.machine.template.make import ensure_template
from ktrace.trace.session import NullSink
from ktrace.verify.guests import Guests, prepare_guests
from ktrace.verify.matrix.matrix import images_in_store
from ktrace.verify.notify import Notify
from ktrace.verify.options import GuestOptions, SessionOptions
from ktrace.verify.paths import paths_file
from ktrace.verify.sessions import run_session
from ktrace.workload.library import bundled, load

NEWER, OLDER = "lab-7.3", "lab-6.1"
AT_MOST = 1.3
"""How many times longer all workloads may take on the newer kernel."""
BOOTS = 3
"""Cold boots of each image: those of other people's kernels take many seconds without KVM."""


def boot_of_each_image(runs: int, told: Callable[[str], None]) -> list[Row]:
    """Measure a cold boot and a clone of every image in the store.

    :raises HostError: there is none
    """
    images = images_in_store()
    if not images:
        raise HostError("no image is in the store", "run: ktrace image build lab-6.1")
    rows = []
    for name in images:
        told(f"measuring boot and clone of {name}")
        image = find_image(name)
        for row in boot_vs_clone(image, ensure_template(image), min(runs, BOOTS)):
            rows.append(replace(row, name=f"image {name}: clone, against cold boot", goal=None))
    return rows


def missing_kernels() -> list[str]:
    """Return which of the two lab kernels are not in the store."""
    there = images_in_store()
    return [name for name in (NEWER, OLDER) if name not in there]


def all_workloads(guest: GuestOptions, told: Callable[[str], None], notify: Notify) -> list[Row]:
    """Run every bundled workload on the newer lab kernel and on the older, in turn, as ``ktrace run --all`` does.

    Each is measured next to itself, so the machine's drift slows both alike; once through all is enough.

    :raises HostError: one of the images is not built
    """
    newer, older = (prepare_guests(replace(guest, image=name), notify) for name in (NEWER, OLDER))
    with TemporaryDirectory(prefix="ktrace-bench-") as scratch:
        for warm in (newer, older):  # debug information is loaded, the template is summed
            _run(warm, "pipe-basic", Path(scratch) / f"warm-{warm.image.name}")
        total = {NEWER: 0.0, OLDER: 0.0}
        for number, name in enumerate(bundled()):
            told(f"measuring {name} on {NEWER} and {OLDER}")
            for guests in (newer, older) if number % 2 else (older, newer):
                total[guests.image.name] += _run(guests, name, Path(scratch) / f"{guests.image.name}-{name}")
    ratio = total[NEWER] / total[OLDER]
    name = f"all workloads on {NEWER}, against {OLDER}"
    return [Row(name, "s", total[NEWER], total[OLDER], ratio, AT_MOST, at_most=True)]


def _run(guests: Guests, name: str, place: Path) -> float:
    """Return how long a workload takes, which must agree: one that ends early is no measure.

    :raises HostError: it did not
    """
    script = load(name)
    start = perf_counter()
    end = run_session(guests, script, NullSink(), SessionOptions(place, paths_file(name)))
    took = perf_counter() - start
    if end.status != "agreed":
        raise HostError(
            f"{name} on {guests.image.name} {end.status}: nothing can be measured", f"see: ktrace run {name}"
        )
    return took
