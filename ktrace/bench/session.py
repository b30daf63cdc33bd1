"""Benchmark of the whole: ``ktrace run pipe-basic`` as a person starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from ktrace.bench.measure import Row
from ktrace.errors import KtraceError


def run_pipe_basic(runs: int) -> list[Row]:
    """Measure wall time and peak memory of the process (QEMU's own is not in it)."""
    walls, peaks = zip(*(_run() for _ in range(runs)), strict=True)
    return [
        Row("run-pipe-basic", "s", median(walls), goal=1.5, at_most=True),
        Row("run-pipe-basic: peak memory", "MB", median(peaks), goal=300, at_most=True),
    ]


def _run() -> tuple[float, float]:
    with TemporaryDirectory(prefix="ktrace-bench-") as scratch:
        command = [sys.executable, "-m", "ktrace", "run", "pipe-basic", "-q", "--session", f"{scratch}/session"]
        start = perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        _, status, usage = os.wait4(process.pid, 0)
        wall = perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.stderr is not None
        with process.stderr as errors:
            if process.returncode:
                raise KtraceError(f"ktrace run pipe-basic failed: {errors.read().decode()[-400:]}")
    return wall, usage.ru_maxrss / 1024
