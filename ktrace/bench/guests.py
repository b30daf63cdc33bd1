"""Benchmarks of the machine: boot against clone, and the agent's round trip."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from ktrace.agent.ops import Call, Spawn
from ktrace.agent.syscalls import SIGNATURES
from ktrace.bench.measure import Row, pairs, seconds
from ktrace.image.image import Image
from ktrace.machine.accel import named_accelerator
from ktrace.machine.machine import Machine
from ktrace.machine.template.template import Template

_ROUND_TRIPS = 500


def boot_vs_clone(image: Image, template: Template, runs: int) -> list[Row]:
    """Measure the way to the agent's first answer: from a cold boot and from the template."""
    accel = named_accelerator(template.spec.accel)
    with TemporaryDirectory(prefix="ktrace-bench-") as scratch:
        places = (Path(scratch, str(number)) for number in range(10_000))

        def boot() -> float:
            start = perf_counter()
            with Machine.boot(image, directory=next(places), accel=accel, memory_mib=template.spec.memory_mib):
                return perf_counter() - start

        def clone() -> float:
            start = perf_counter()
            with Machine.clone(template, directory=next(places)):
                return perf_counter() - start

        clone()
        ours, against, ratio = pairs(clone, boot, runs)
    return [Row("boot-vs-clone", "ms", ours * 1e3, against * 1e3, ratio, 15)]


def agent_round_trip(template: Template, runs: int) -> list[Row]:
    """Measure one system call of an actor, alone in its round trip and with 99 others."""
    with (
        TemporaryDirectory(prefix="ktrace-bench-") as scratch,
        Machine.clone(template, directory=Path(scratch)) as guest,
    ):
        guest.agent.step(Spawn(0))
        call = Call(0, SIGNATURES["getpid"].nr)

        def alone() -> float:
            return seconds(lambda: [guest.agent.step(call) for _ in range(_ROUND_TRIPS)]) / _ROUND_TRIPS

        def together() -> float:
            return seconds(lambda: [guest.agent.batch([call] * 100) for _ in range(_ROUND_TRIPS // 100)]) / _ROUND_TRIPS

        alone()
        batched, single, ratio = pairs(together, alone, runs)
    return [
        Row("agent-round-trip", "us", single * 1e6),
        Row("agent-round-trip: a hundred calls in one", "us per call", batched * 1e6, single * 1e6, ratio),
    ]
