"""What ``inspect``, ``shell`` and ``dump`` look at: a held session's guest, a core file, a workload taken to a step."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ktrace.errors import UsageError
from ktrace.image.image import find_image
from ktrace.inspect.memory import START_KERNEL_MAP
from ktrace.machine.vmcore import CoreNotes, Vmcore, is_core, write_vmcore
from ktrace.state.ref import Ref
from ktrace.trace.kept import find_session
from ktrace.trace.live import FILE_NAME, LiveMemory, newest_live, read_live
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.goto import guest_at_step
from ktrace.verify.guests import prepare_guests
from ktrace.verify.notify import Notify, StepsDone, silent, uncounted
from ktrace.verify.options import GuestOptions
from ktrace.verify.paused import Inspection, announced, inspect_memory
from ktrace.verify.sessions import run_to_step
from ktrace.workload.library import bundled


@contextmanager
def open_target(
    target: str | None, guest: GuestOptions, notify: Notify = silent, progress: StepsDone = uncounted
) -> Iterator[Inspection]:
    """Open what *target* names.

    :param target: a session's directory; a core file; ``WORKLOAD`` or ``WORKLOAD:STEP``, which is run up to there;
        ``None`` for the newest session that has a running guest
    :param guest: to run a workload in; whose kernel a core file is of that does not say so
    :raises UsageError: there is no such thing
    """
    target = _named(target)
    if target is None or Path(target).is_dir():
        yield open_live(newest_live() if target is None else Path(target))
        return
    if is_core(Path(target)):
        yield _of_core(Path(target), guest.image)
        return
    name, step = _workload_and_step(target)
    with run_to_step(prepare_guests(guest, notify), name, step, progress) as paused:
        yield paused.inspection


@contextmanager
def hold_target(
    target: str | None,
    step: int | None,
    guest: GuestOptions,
    notify: Notify = silent,
    progress: StepsDone = uncounted,
) -> Iterator[Path]:
    """Have other processes find the guest that *target* names; yields the directory that names it for them.

    :param step: of the session *target*, to go back to
    :raises UsageError: there is no such guest
    """
    target = _named(target)
    if target is None or (step is None and (Path(target) / FILE_NAME).exists()):
        yield newest_live() if target is None else Path(target)
        return
    if step is not None:
        title = SessionReader(Path(target)).header.title
        with (
            guest_at_step(Path(target), step, notify=notify, memory_mib=guest.memory_mib, progress=progress) as paused,
            announced(paused, title) as place,
        ):
            yield place
        return
    if Path(target).is_dir():
        raise UsageError(f"{target!r} has no running guest", f"say which step: ktrace dump {target} STEP")
    name, number = _workload_and_step(target)
    with (
        run_to_step(prepare_guests(guest, notify), name, number, progress) as paused,
        announced(paused, target) as place,
    ):
        yield place


def _named(target: str | None) -> str | None:
    """Return the path of a kept session that *target* names, *target* itself where it means something else."""
    if target is None or "/" in target or os.path.lexists(target) or target.partition(":")[0] in bundled():
        return target
    with suppress(UsageError):
        return str(find_session(target))
    return target


def _workload_and_step(target: str) -> tuple[str, int | None]:
    name, _, step = target.partition(":")
    if step and not step.isdigit():
        raise UsageError(f"no step {step!r}", "write WORKLOAD:NUMBER")
    return name, int(step) if step else None


def open_live(directory: Path) -> Inspection:
    """Open the guest that is held in *directory*.

    :raises UsageError: none is
    """
    live = read_live(directory)
    memory, vmlinux = LiveMemory(live), Path(live.vmlinux)
    inspection = inspect_memory(memory, vmlinux, live.vmcoreinfo.encode(), live.living, _by_number(live.names_by_pid))
    inspection.namer.adopt(_by_ref(live.addresses))
    return inspection


def dump_live(directory: Path, output: Path) -> None:
    """Write the memory of the guest that is held in *directory* to *output*, an ELF vmcore.

    :raises UsageError: none is held there
    :raises HostError: no room
    """
    live = read_live(directory)
    kernel = open_live(directory).inspector.kernel
    text = kernel.address_of("_text")
    segments = {kernel.memory.page_offset: 0, text: text - START_KERNEL_MAP + kernel.memory.phys_base}
    notes = CoreNotes(
        vmcoreinfo=live.vmcoreinfo.encode(),
        registers=live.registers,
        image=live.image,
        title=live.title,
        living=live.living,
        names_by_pid=live.names_by_pid,
        addresses=live.addresses,
    )
    write_vmcore(output, LiveMemory(live), segments, notes)


def _of_core(path: Path, image: str) -> Inspection:
    core = Vmcore(path)
    notes = core.notes
    found = find_image(notes.image or image)
    if f"BUILD-ID={found.build_id}\n".encode() not in notes.vmcoreinfo:
        raise UsageError(f"{str(path)!r} is of another kernel than {found.name!r}", "name its image with --image")
    inspection = inspect_memory(core, found.vmlinux, notes.vmcoreinfo, notes.living, _by_number(notes.names_by_pid))
    inspection.namer.adopt(_by_ref(notes.addresses))
    return inspection


def _by_number(names: Mapping[str, str]) -> dict[int, str]:
    return {int(pid): name for pid, name in names.items()}


def _by_ref(addresses: Mapping[str, int]) -> dict[Ref, int]:
    return {Ref(*name.split(":", 1)): address for name, address in addresses.items()}
