"""Benchmark of the readers: everything there is, by our readers and by plain drgn over QMP."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from ktrace.agent.syscalls import make_call
from ktrace.bench import plain_drgn
from ktrace.bench.measure import Row, pairs, seconds
from ktrace.bench.population import ARRAYS, MESSAGES, PIPES, QUEUES, SEGMENTS, SEMAPHORES, SOCKETS, populate
from ktrace.errors import KtraceError
from ktrace.image.image import Image
from ktrace.machine.machine import Machine
from ktrace.machine.state import Template
from ktrace.state.world import World
from ktrace.verify.lab import Lab

_EXPECTED = {"pipes": PIPES, "buffers": PIPES, "sockets": SOCKETS, "arrays": ARRAYS, "semaphores": ARRAYS * SEMAPHORES,
             "queues": QUEUES, "messages": QUEUES * MESSAGES, "segments": SEGMENTS}  # fmt: skip


def inspect_vs_drgn(image: Image, template: Template, runs: int) -> list[Row]:
    """Measure one enumeration of 200 pipes, 500 semaphore arrays, 100 queues, 50 segments and 50 sockets.

    Ours is measured without what it remembers of the last look: a change anywhere must not be missed or paid for later.
    """
    with (
        TemporaryDirectory(prefix="ktrace-bench-") as scratch,
        Machine.clone(template, directory=Path(scratch), monitor=True) as guest,
    ):
        lab = Lab(guest, image.vmlinux)
        lab.perform(None, make_call("spawn", "A"))
        populate(lab, "A")
        assert guest.monitor_path is not None
        prog = plain_drgn.attach(str(guest.monitor_path), str(image.vmlinux))
        pid = lab.actors.pids["A"]
        _must_be_equal(_count(lab.inspector.observe()), plain_drgn.enumerate_all(prog, pid))

        def first_look() -> float:
            lab.forget()
            return seconds(lab.inspector.observe)

        def look_again() -> float:
            return seconds(lab.inspector.observe)

        def plain() -> float:
            return seconds(lambda: plain_drgn.enumerate_all(prog, pid))

        ours, against, ratio = pairs(first_look, plain, runs)
        again, against_again, ratio_again = pairs(look_again, plain, runs)
    return [
        Row("inspect-vs-drgn", "ms", ours * 1e3, against * 1e3, ratio, 15),
        Row("inspect-vs-drgn: unchanged since the last look", "ms", again * 1e3, against_again * 1e3, ratio_again),
    ]


def _count(world: World) -> dict[str, int]:
    """Count what our readers found, in the same words as :func:`plain_drgn.enumerate_all`."""
    pipes, arrays = world.of_kind("pipe").values(), world.of_kind("sem").values()
    queues, segments = world.of_kind("msg").values(), world.of_kind("shm")
    return {
        "pipes": len(pipes),
        "buffers": sum(pipe.head - pipe.tail for pipe in pipes),
        "sockets": len(world.of_kind("socket")),
        "arrays": len(arrays),
        "semaphores": sum(len(array.sems) for array in arrays),
        "queues": len(queues),
        "messages": sum(len(queue.q_messages) for queue in queues),
        "segments": len(segments),
    }


def _must_be_equal(ours: dict[str, int], plain: dict[str, int]) -> None:
    if ours != plain or ours != _EXPECTED:
        raise KtraceError(f"the two ways see different things: {ours} and {plain}, there are {_EXPECTED}")
