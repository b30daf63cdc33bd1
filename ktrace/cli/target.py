"""What ``inspect``, ``shell`` and ``dump`` look at: a held session's guest, or a workload taken to a step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ktrace.errors import UsageError
from ktrace.inspect.build import build_inspector
from ktrace.inspect.inspector import Inspector
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.memory import PhysicalMemory
from ktrace.inspect.process.process import find_task
from ktrace.machine.vmcore import Vmcore, is_core
from ktrace.state.naming import Namer
from ktrace.state.ref import Ref
from ktrace.trace.live import LiveMemory, newest_live, read_live


@dataclass(frozen=True)
class Opened:
    """A guest that stands still, opened for looking.

    :param namer: gives its objects the names that they have in the session
    """

    inspector: Inspector
    namer: Namer


@contextmanager
def open_target(target: str | None, image: str) -> Iterator[Opened]:
    """Open what *target* names.

    :param target: a session's directory; a core file; ``WORKLOAD`` or ``WORKLOAD:STEP``, which is run up to there;
        ``None`` for the newest session that has a running guest
    :param image: to run a workload on; whose kernel a core file is of that does not say so
    :raises UsageError: there is no such thing
    """
    if target is None or Path(target).is_dir():
        yield open_live(newest_live() if target is None else Path(target))
        return
    if is_core(Path(target)):
        yield _of_core(Path(target), image)
        return
    from ktrace.cli.guests import Guests

    name, _, step = target.partition(":")
    if step and not step.isdigit():
        raise UsageError(f"no step {step!r}", "write WORKLOAD:NUMBER")
    with Guests(image) as guests, guests.taken_to(name, int(step) if step else None) as still:
        yield still.opened


def open_live(directory: Path) -> Opened:
    """Open the guest that is held in *directory*.

    :raises UsageError: none is
    """
    live = read_live(directory)
    ever = {int(pid): name for pid, name in live.ever.items()}
    opened = open_memory(LiveMemory(live), Path(live.vmlinux), live.vmcoreinfo.encode(), live.actors, ever)
    opened.namer.adopt({Ref(*name.split(":", 1)): address for name, address in live.addresses.items()})
    return opened


def _of_core(path: Path, image: str) -> Opened:
    from ktrace.image.image import find_image

    core = Vmcore(path)
    notes = core.notes
    found = find_image(notes.image or image)
    if f"BUILD-ID={found.build_id}\n".encode() not in notes.vmcoreinfo:
        raise UsageError(f"{str(path)!r} is of another kernel than {found.name!r}", "name its image with --image")
    ever = {int(pid): name for pid, name in notes.ever.items()}
    opened = open_memory(core, found.vmlinux, notes.vmcoreinfo, notes.actors, ever)
    opened.namer.adopt({Ref(*name.split(":", 1)): address for name, address in notes.addresses.items()})
    return opened


def open_memory(
    memory: PhysicalMemory, vmlinux: Path, vmcoreinfo: bytes, actors: Mapping[str, int], ever: Mapping[int, str]
) -> Opened:
    """Open the kernel in *memory*, whose objects have no names yet.

    :param actors: pid by name of those that live; *ever*: name by pid of all that ever lived
    """
    kernel = LiveKernel.attach(memory, vmlinux, vmcoreinfo)
    inspector = build_inspector(kernel)
    for name, pid in actors.items():
        inspector.add_actor(name, pid, find_task(kernel, pid))
    inspector.actors.update(ever)
    return Opened(inspector, Namer())
