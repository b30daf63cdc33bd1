"""Benchmarks of whole commands, as a person starts them: of one build, or of two in turn."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ktrace.bench.builds import DEADLINE, Answer, Build, failure, finished
from ktrace.bench.figure import Figure, Measure
from ktrace.bench.measure import Row
from ktrace.errors import FELL_SHORT, HostError, UsageError
from ktrace.verify.options import GuestOptions

Traces = Callable[[Build], Sequence[Path]]
"""Which recorded traces a build is given."""

FUZZ_STEPS = 600
FUZZ_SEED = 1
_INNER_RUNS = 3

GOALS = {"run-pipe-basic": 1.5, "run-pipe-basic: peak memory": 300.0}
"""What these may be at most, in their unit."""

_WATCH = """
import os, sys
from time import perf_counter
start = perf_counter()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, 2, 1)])
_, status, usage = os.wait4(pid, 0)
print(status, perf_counter() - start, usage.ru_maxrss)
"""
"""A small process between the benchmark and what it runs: the peak of a child includes what its parent had when it
was made, which here is several guests' worth (``fs/exec.c: exec_mmap()``)."""


def watched(build: Build, *arguments: str) -> tuple[float, float]:
    """Start *build* with *arguments*: its wall time in seconds and the peak of its memory in MB.

    QEMU's memory is not in it.

    :raises UsageError, GuestError, HostError: the command failed
    """
    what = f"{build.name}: ktrace {' '.join(arguments)}"
    watch = [sys.executable, "-c", _WATCH, *build.command(*arguments)]
    answer = finished(watch, build.environment, build.scratch, what, DEADLINE)
    if answer.code:
        raise failure(what, answer)
    status, wall, peak = answer.out.split()[-3:]
    if code := os.waitstatus_to_exitcode(int(status)):
        raise failure(what, Answer(code, "", answer.err))
    return float(wall), int(peak) / 1024


def whole_commands(traces: Traces, guest: GuestOptions) -> dict[str, list[Measure]]:
    """Return what can be measured of a build by its command line, by the name of the benchmark.

    :param traces: tells which recorded traces a build is to show and to check; may be none
    :param guest: what guests are made of, for what needs one
    """
    return {
        "start-up": [
            _start_up("--version"),
            _start_up("check", "--help"),
            lambda build: _show(build, traces(build)),
        ],
        "run-pipe-basic": [lambda build: _run_pipe_basic(build, guest)],
        "check-traces": [_Check(traces)],
        "fuzz": [
            lambda build: _fuzz(build, guest, "pipe,sem", jobs=1),
            lambda build: _fuzz(build, guest, "", jobs=2),
        ],
    }


def with_goals(rows: Sequence[Row]) -> list[Row]:
    """Return *rows* with the goals that those have which stand on their own."""
    return [replace(row, goal=GOALS.get(row.name), at_most=row.name in GOALS) for row in rows]


def own_bench(name: str, guest: GuestOptions) -> Measure:
    """Return the measure that has a build measure its own benchmark *name*, a few runs at a time."""

    def measure(build: Build) -> list[Figure]:
        arguments = ("bench", "--only", name, "--runs", str(_INNER_RUNS), *guest.command_line(), "--json")
        # A goal was missed, which is no failure here; without rows it is one. Builds of before say 1.
        answer = build.answer(*arguments, accept=(0, 1, FELL_SHORT))
        try:
            return [Figure(row["name"], row["unit"], float(row["ours"])) for row in json.loads(answer.out)]
        except (ValueError, KeyError, TypeError):
            raise failure(f"{build.name}: ktrace {' '.join(arguments)}", answer) from None

    return measure


def ends_of(printed: str) -> list[dict[str, Any]]:
    """Return the ends of the sessions that a command printed with ``--json``."""
    events = map(json.loads, printed.splitlines())
    return [event for event in events if event["event"] == "end"]


def _start_up(*arguments: str) -> Measure:
    name = f"start-up: {' '.join(arguments)}"
    return lambda build: [Figure(name, "ms", watched(build, *arguments)[0] * 1e3)]


def _show(build: Build, traces: Sequence[Path]) -> list[Figure]:
    for path in traces:
        if path.name == "pipe-basic.jsonl.gz":
            return [Figure("start-up: show pipe-basic", "ms", watched(build, "show", str(path))[0] * 1e3)]
    return []


def _run_pipe_basic(build: Build, guest: GuestOptions) -> list[Figure]:
    with TemporaryDirectory(prefix="run-", dir=build.scratch) as scratch:
        wall, peak = watched(build, "run", "pipe-basic", "-q", *guest.command_line(), "--session", f"{scratch}/session")
    return [Figure("run-pipe-basic", "s", wall), Figure("run-pipe-basic: peak memory", "MB", peak)]


class _Check:
    """Measure the replay of traces, per field that the build compares in them."""

    def __init__(self, traces: Traces) -> None:
        self._traces = traces
        self._fields: dict[Path, int] = {}

    def __call__(self, build: Build) -> list[Figure]:
        traces = [str(trace) for trace in self._traces(build)]
        if not traces:
            return []
        if build.root not in self._fields:
            ends = ends_of(build.answer("check", "--json", *traces).out)
            self._fields[build.root] = sum(end["fields"] for end in ends)
        fields = self._fields[build.root]
        if not fields:
            raise UsageError(f"{build.name}: ktrace check compares no field of {len(traces)} recorded traces")
        wall, _ = watched(build, "check", "-q", *traces)
        return [Figure("check-traces", "us per field", wall * 1e6 / fields),
                Figure("check-traces: fields", "fields", fields)]  # fmt: skip


def _fuzz(build: Build, guest: GuestOptions, families: str, jobs: int) -> list[Figure]:
    arguments = ["fuzz", *(("--family", families) if families else ()), "--seed", str(FUZZ_SEED),
                 "--steps", str(FUZZ_STEPS), "--jobs", str(jobs), *guest.command_line(), "--json"]  # fmt: skip
    out = build.answer(*arguments).out
    try:
        rate = float(json.loads(out)["steps_per_second"])
    except (ValueError, KeyError, TypeError):
        raise HostError(f"{build.name}: ktrace {' '.join(arguments)} printed no steps per second") from None
    where = "one guest at a time" if jobs == 1 else f"{jobs} guests at a time"
    return [Figure(f"fuzz: {families or 'all families'}, {where}", "steps/s", rate)]
