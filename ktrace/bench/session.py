"""Benchmark of the whole: ``ktrace run pipe-basic`` as a person starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median
from tempfile import TemporaryDirectory

from ktrace.bench.measure import Row
from ktrace.errors import KtraceError


def run_pipe_basic(runs: int) -> list[Row]:
    """Measure wall time and peak memory of the process (QEMU's own is not in it)."""
    walls, peaks = zip(*(_run() for _ in range(runs)), strict=True)
    return [
        Row("run-pipe-basic", "s", median(walls), goal=1.5, at_most=True),
        Row("run-pipe-basic: peak memory", "MB", median(peaks), goal=300, at_most=True),
    ]


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


def _run() -> tuple[float, float]:
    with TemporaryDirectory(prefix="ktrace-bench-") as scratch:
        command = [sys.executable, "-m", "ktrace", "run", "pipe-basic", "-q", "--session", f"{scratch}/session"]
        watched = subprocess.run([sys.executable, "-c", _WATCH, *command], capture_output=True, text=True)
    status, wall, peak = watched.stdout.split()[-3:]
    if os.waitstatus_to_exitcode(int(status)):
        raise KtraceError(f"ktrace run pipe-basic failed: {watched.stderr[-400:]}")
    return float(wall), int(peak) / 1024
