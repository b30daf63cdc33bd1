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
from ktrace.inspect.process import find_task
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

    :param target: a session's directory; ``WORKLOAD`` or ``WORKLOAD:STEP``, which is run up to there;
        ``None`` for the newest session that has a running guest
    :raises UsageError: there is no such thing
    """
    if target is None or Path(target).is_dir():
        yield _of_session(newest_live() if target is None else Path(target))
        return
    from ktrace.cli.guests import Guests

    name, _, step = target.partition(":")
    if step and not step.isdigit():
        raise UsageError(f"no step {step!r}", "write WORKLOAD:NUMBER")
    with Guests(image) as guests, guests.taken_to(name, int(step) if step else None) as lab:
        yield Opened(lab.inspector, lab.namer)


def _of_session(directory: Path) -> Opened:
    live = read_live(directory)
    ever = {int(pid): name for pid, name in live.ever.items()}
    opened = open_memory(LiveMemory(live), Path(live.vmlinux), live.vmcoreinfo.encode(), live.actors, ever)
    opened.namer.adopt({Ref(*name.split(":", 1)): address for name, address in live.addresses.items()})
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
