"""Benchmark of the readers: everything there is, by our readers and by plain drgn over QMP."""

from __future__ import annotations

import itertools
from pathlib import Path
from tempfile import TemporaryDirectory

from ktrace.agent.syscalls import make_call
from ktrace.bench import plain_drgn
from ktrace.bench.measure import Row, pairs, seconds
from ktrace.bench.population import ARRAYS, MESSAGES, PIPES, QUEUES, SEGMENTS, SEMAPHORES, SOCKETS, perform, populate
from ktrace.errors import KtraceError
from ktrace.image.image import Image
from ktrace.machine.machine import Machine
from ktrace.machine.template.template import Template
from ktrace.state.world import World
from ktrace.verify.lab import Lab

_EXPECTED = {"pipes": PIPES, "buffers": PIPES, "sockets": SOCKETS, "arrays": ARRAYS, "semaphores": ARRAYS * SEMAPHORES,
             "queues": QUEUES, "messages": QUEUES * MESSAGES, "segments": SEGMENTS}  # fmt: skip


def inspect_vs_drgn(image: Image, template: Template, runs: int) -> list[Row]:
    """Measure one enumeration of 200 pipes, 500 semaphore arrays, 100 queues, 50 segments and 50 sockets.

    Both ways read the same members of the same guest. In the first row our readers look for the first time; in the
    second they look again and again, as at every step, with objects of each kind changed in between: then they read
    every structure's bytes and decode those that changed.
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

        turn = itertools.count()

        def look_again() -> float:
            _change(lab, next(turn))
            return seconds(lab.inspector.observe)

        def first_look() -> float:
            lab.forget()
            return seconds(lab.inspector.observe)

        def plain() -> float:
            return seconds(lambda: plain_drgn.enumerate_all(prog, pid))

        first, against_first, ratio_first = pairs(first_look, plain, runs)
        again, against_again, ratio_again = pairs(look_again, plain, runs)
    return [
        Row("inspect-vs-drgn", "ms", first * 1e3, against_first * 1e3, ratio_first, 15),
        Row("inspect-vs-drgn: at every step", "ms", again * 1e3, against_again * 1e3, ratio_again),
    ]


def _change(lab: Lab, turn: int) -> None:
    """Change ten pipes, ten semaphore arrays and ten sockets, without changing how many of anything there are."""
    calls = []
    for number in range(10):
        pipe, pair = (10 * turn + number) % PIPES, (10 * turn + number) % (SOCKETS // 2)
        write, array, socket = 2 * pipe + 1, 10 * turn + number, 2 * PIPES + 2 * pair
        calls.append(make_call("write", write, b"more"))
        calls.append(make_call("semop", array % ARRAYS, [{"sem_num": 1, "sem_op": 1, "sem_flg": 0}]))
        calls.append(make_call("sendto", socket, b"more", 0))
    perform(lab, "A", calls)


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
