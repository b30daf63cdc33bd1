"""The guest of a session as it was after a step: from a checkpoint, or by making the session's calls again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from ktrace.errors import UsageError
from ktrace.machine.baggage.pack import pack_again
from ktrace.machine.checkpoints import Checkpoint, nearest_checkpoint
from ktrace.machine.machine import Machine
from ktrace.machine.template.template import template_identity
from ktrace.trace.session import scratch_directory
from ktrace.trace.session_reader import SessionReader
from ktrace.trace.session_state import SessionState
from ktrace.verify.exec.scratch import DIRECTORY
from ktrace.verify.guests import Guests, prepare_guests
from ktrace.verify.lab import Lab
from ktrace.verify.notify import Notify, StepsDone, silent, uncounted
from ktrace.verify.options import GuestOptions
from ktrace.verify.paused import Inspection, PausedGuest
from ktrace.verify.program import bring
from ktrace.verify.rerun import RanOtherwise, arrive, rerun
from ktrace.verify.tracing.events import parse_event

ATTEMPTS = 3
"""Second runs until one does what the session says: a kernel thread may come in between and take a pid."""

ATTEMPTS_OF_PROGRAMS = 6
"""Bringing files gives kernel threads more occasions to do that."""


@contextmanager
def guest_at_step(
    session: Path,
    number: int,
    anew: bool = False,
    moved: bool = False,
    notify: Notify = silent,
    memory_mib: int | None = None,
    progress: StepsDone = uncounted,
) -> Iterator[PausedGuest]:
    """Yield a guest that stands still as *session* had it after step *number*.

    :param anew: make the calls again even where a checkpoint is
    :param moved: let objects lie elsewhere than the session says
    :param memory_mib: RAM in MiB of a guest that makes the calls again; default what the session says
    :param progress: told of the steps that were found or made again
    :raises UsageError: there is no such step, the image is another one, or the guest did not do the same again
    """
    reader = SessionReader(session)
    manifest = reader.header.manifest
    if "program" in manifest and "brought" not in manifest:
        raise UsageError(f"{str(session)!r} does not say what its program needs", "run it again with ktrace exec")
    moved = moved or "program" in manifest  # objects lie where bringing its files has left room
    found = None if anew else nearest_checkpoint(reader.path.parent, number, notify)
    accel = manifest.get("accelerator")
    options = GuestOptions(
        image=str(manifest.get("image")),
        accel=str(accel) if accel else None,
        memory_mib=manifest.get("memory_mib") if memory_mib is None else memory_mib,
        functions=bool(manifest.get("functions")),
        events=tuple(map(parse_event, manifest.get("events", ()))),
    )
    guests = prepare_guests(options, notify)
    image = guests.image
    if image.build_id != manifest.get("build_id"):
        raise UsageError(
            f"{str(session)!r} ran on another build of {image.name!r}: {manifest.get('build_id')!r}",
            "run the workload again",
        )
    attempts = ATTEMPTS if "program" not in manifest else ATTEMPTS_OF_PROGRAMS
    if found is None and manifest.get("template") != template_identity(guests.template):
        notify(f"{image.name} was booted anew since, or its guest programs or QEMU have changed")
        attempts = 1
    for left in reversed(range(attempts)):
        with ExitStack() as stack:
            try:
                paused = _restored(stack, guests, session, number, found, moved, notify, progress)
            except RanOtherwise as error:
                if not left:
                    raise
                notify(f"{error.message}; once more")
                continue
            yield paused
            return


def _restored(
    stack: ExitStack,
    guests: Guests,
    session: Path,
    number: int,
    found: Checkpoint | None,
    moved: bool,
    notify: Notify,
    progress: StepsDone,
) -> PausedGuest:
    """Return the guest after step *number*; it ends with *stack*.

    :raises RanOtherwise: the guest did not do the same again
    """
    reader = SessionReader(session, progress)
    steps = reader.steps()
    state = SessionState(reader.header.initial, dict(reader.header.addresses))
    place = stack.enter_context(scratch_directory(f"goto-{number}"))
    for recorded in islice(steps, 0 if found is None else found.step):
        state.follow(recorded)
    if found is not None and found.step == number:
        paused = stack.enter_context(guests.paused(found.template, place, found.vmcoreinfo, state))
        arrive(state, paused.inspection, exact=True)
        notify(f"after step {number}: its checkpoint")
        return paused
    lab, machine = _lab(stack, guests, place, reader.header.manifest, found, state)
    tracer = guests.tracer(lab, machine)
    inspection = Inspection(lab.inspector, lab.namer)
    if found is None:
        arrive(state, inspection, exact=False, moved=moved)
    rerun(state, steps, number, lab, tracer, machine.pause, moved)
    notify(_where(number if found is None else number - found.step, found))
    return PausedGuest(inspection, machine, lab.vmcoreinfo, guests.image.vmlinux)


def _lab(
    stack: ExitStack,
    guests: Guests,
    place: Path,
    manifest: Mapping[str, Any],
    found: Checkpoint | None,
    state: SessionState,
) -> tuple[Lab, Machine]:
    """Return a lab where the session's calls can go on; that of a program has what the program needs."""
    if "program" not in manifest:
        return stack.enter_context(guests.lab(place, None if found is None else (found.template, state)))
    _, elsewhere = pack_again(manifest["brought"]).split(DIRECTORY)
    return stack.enter_context(guests.program_lab(place, lambda machine: bring(guests.image, machine, elsewhere)))


def _where(again: int, found: Checkpoint | None) -> str:
    begin = "the template" if found is None else f"the checkpoint after step {found.step}"
    return f"from {begin}, {again} calls made again, each as recorded"
