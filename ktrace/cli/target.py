"""What ``inspect`` and ``shell`` look at: a held session's guest, or a workload taken to a step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ktrace.errors import UsageError
from ktrace.inspect.build import build_inspector
from ktrace.inspect.inspector import Inspector
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.process import find_task
from ktrace.trace.live import LiveMemory, newest_live, read_live


@contextmanager
def open_target(target: str | None, image: str) -> Iterator[Inspector]:
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
        yield lab.inspector


def _of_session(directory: Path) -> Inspector:
    live = read_live(directory)
    kernel = LiveKernel.attach(LiveMemory(live), Path(live.vmlinux), live.vmcoreinfo.encode())
    inspector = build_inspector(kernel)
    for name, pid in live.actors.items():
        inspector.add_actor(name, pid, find_task(kernel, pid))
    return inspector
