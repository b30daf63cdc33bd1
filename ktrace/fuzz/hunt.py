"""A whole run of the fuzzer with what it takes: guests, processes that make sequences, a sound kernel beside."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from ktrace.errors import UsageError
from ktrace.fuzz import MOST_JOBS
from ktrace.fuzz.campaign import Campaign, Plan, Report, planned_length
from ktrace.fuzz.pool import Pool
from ktrace.fuzz.sound import SoundKernel, sound_image
from ktrace.fuzz.workers import Workers, WorkerSetup
from ktrace.image.image import find_image
from ktrace.verify.guests import Guests, prepare_guests
from ktrace.verify.notify import Notify

WORTH_STEPS = 1000
"""Steps from which on more than one process is started, where nobody said how many."""


@contextmanager
def hunt(
    plan: Plan, guests: Guests, sound: str | None, jobs: int | None, progress: Callable[[Report], None], notify: Notify
) -> Iterator[Report]:
    """Run *plan*; yields its report while what was seen of its findings is still there.

    :param sound: the image of a sound kernel; ``None``: the built recipe of an imported kernel's release, if any
    :param jobs: guests at a time; ``None``: up to :data:`MOST_JOBS`, one for each CPU, where that is worth it
    :param progress: told after each sequence
    :param notify: told what takes long
    :raises UsageError: there is no such sound image, or it is the one that is fuzzed
    :raises HostError: a guest could not be made
    """
    with (
        TemporaryDirectory(prefix="ktrace-fuzz-") as directory,
        Pool(guests.template, scratch := Path(directory)) as pool,
    ):
        with (
            _sound_kernel(plan, guests, sound, scratch, notify) as beside,
            _workers(plan, guests, scratch, jobs) as workers,
        ):
            report = Campaign(plan, guests.image, pool, progress, workers, beside).run()
        yield report


def _sound_kernel(
    plan: Plan, guests: Guests, name: str | None, scratch: Path, notify: Notify
) -> AbstractContextManager[SoundKernel | None]:
    """Return what tells faults of the model from those of the kernel: where there is a sound one beside it."""
    name = sound_image(guests.image) if name is None else name
    if name is None:
        return nullcontext()
    if find_image(name).build_id == guests.image.build_id:
        raise UsageError(f"--sound {name!r} is the kernel that is fuzzed", "name the one that it was made from")
    place = scratch / "sound"
    place.mkdir()
    options = replace(guests.options, image=name)
    return SoundKernel(lambda: prepare_guests(options, notify), place)


def _workers(plan: Plan, guests: Guests, scratch: Path, jobs: int | None) -> AbstractContextManager[Workers | None]:
    """Return what makes the sequences: processes of their own, where that is worth starting them."""
    if jobs is None:
        short = plan.steps is not None and plan.steps < WORTH_STEPS
        jobs = 1 if short else min(MOST_JOBS, len(os.sched_getaffinity(0)))
    if jobs == 1:
        return nullcontext()
    setup = WorkerSetup(plan.families, plan.actors, plan.seed, guests.image.name, guests.template)
    return Workers(setup, jobs, scratch, lambda number: planned_length(plan.seed, number))
