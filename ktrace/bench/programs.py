"""Benchmark of ``ktrace exec``: a program whose every call is checked, against strace in the same guest."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from ktrace.agent.command import Command
from ktrace.agent.piped_command import run_piped
from ktrace.bench.measure import Row, seconds
from ktrace.errors import GuestError, KtraceError
from ktrace.machine.baggage.pack import pack
from ktrace.machine.machine import Machine
from ktrace.machine.process import find_program
from ktrace.state.step import Step
from ktrace.trace.session import Choices, End, Header, Verdict
from ktrace.verify.exec.counts import CallCounts
from ktrace.verify.exec.scratch import DIRECTORY
from ktrace.verify.exec.session import trace_program
from ktrace.verify.guests import Guests, prepare_guests
from ktrace.verify.notify import Notify
from ktrace.verify.options import GuestOptions, SessionOptions
from ktrace.verify.program import with_room

PROGRAM = ("hackbench", "-p", "-g", "1", "-f", "8", "-l", "200")
"""8 processes that send 8 others 200 messages each, through pipes: 25,600 calls, and 200 to begin and end."""
AGAIN = f"run: ktrace exec -- {' '.join(PROGRAM)}"
RUNS = 3
"""So many pairs are enough: one takes minutes."""
PATIENCE = 1200.0
"""Seconds that one run may take on a busy machine."""
CALLS_PER_SECOND, TIMES_STRACE, MEMORY_MB = 400.0, 12.0, 200.0
EVERY = 1.0
"""Seconds between two looks at the memory of a process."""
ENVIRONMENT = ("PATH=/usr/bin:/bin",)


class _Clock:
    """Count the program's calls and take the time from its execve to its end.

    :ivar calls: so many; *seconds* that they took, from the first to the end of the session
    """

    def __init__(self) -> None:
        self._counts = CallCounts()
        self._began = 0.0
        self.calls = 0
        self.seconds = 0.0

    def header(self, header: Header) -> None: ...

    def step(self, step: Step) -> None:
        if self._counts.is_own(step):
            self._began = self._began or perf_counter()
            self.calls += 1

    def choices(self, choices: Choices) -> None: ...

    def verdict(self, verdict: Verdict) -> None: ...

    def end(self, end: End, place: str = "") -> None:
        self.seconds = perf_counter() - self._began


def traced_program(guest: GuestOptions, runs: int, notify: Notify) -> list[Row]:
    """Measure calls per second, the time that strace takes for the same command in the same guest, and memory.

    :raises HostError: hackbench or strace is not installed
    """
    program, strace = find_program(PROGRAM[0], "rt-tests"), find_program("strace", "strace")
    roomy = with_room(guest, pack((program, *PROGRAM[1:]), (strace,), DIRECTORY).baggage)
    guests = prepare_guests(roomy, notify)
    pairs = [_pair(guests, program, strace) for _ in range(min(runs, RUNS))]
    rate = statistics.median(clock.calls / clock.seconds for clock, _ in pairs)
    checked = statistics.median(clock.seconds for clock, _ in pairs)
    plain = statistics.median(time for _, time in pairs)
    ratio = statistics.median(clock.seconds / time for clock, time in pairs)
    calls = pairs[0][0].calls
    return [
        Row("exec: hackbench, every call checked", "calls/s", rate, goal=CALLS_PER_SECOND),
        Row("exec: times strace -f -o /dev/null", "s", checked, plain, ratio, TIMES_STRACE, at_most=True),
        Row(f"exec: memory after {calls} calls", "MB", _memory(guest), goal=MEMORY_MB, at_most=True),
    ]


def _pair(guests: Guests, program: str, strace: str) -> tuple[_Clock, float]:
    """Run the program under strace and then call by call, in one guest.

    :raises KtraceError: it did not come through
    """
    clock = _Clock()
    plain: list[float] = []
    packed = pack((program, *PROGRAM[1:]), (strace,), DIRECTORY)

    def first(machine: Machine) -> None:
        command = Command((strace, "-f", "-o", "/dev/null", program, *PROGRAM[1:]), ENVIRONMENT, "/", timeout=PATIENCE)
        plain.append(seconds(lambda: _must_succeed(run_piped(machine.agent, command, None, _drop))))

    with TemporaryDirectory(prefix="ktrace-bench-") as scratch:
        command = Command((packed.path, *PROGRAM[1:]), ENVIRONMENT, "/", timeout=PATIENCE)
        options = SessionOptions(Path(scratch, "session"))
        done = trace_program(guests, packed, command, None, clock, _drop, options, first=first)
    if done.end.status != "agreed" or done.ended is None or done.ended.status != 0:
        raise KtraceError(f"the program of the benchmark {done.end.status}", AGAIN)
    return clock, plain[0]


def _drop(out: bytes, err: bytes) -> None:
    del out, err


def _must_succeed(status: int) -> None:
    if status:
        raise GuestError(f"strace has ended with the status {status:#x} in the guest")


def _memory(guest: GuestOptions) -> float:
    """Return how many MB the processes of ``ktrace exec`` have at most at once, what they share once; without QEMU."""
    words = [sys.executable, "-m", "ktrace", "exec", "-o", "/dev/null", "--timeout", f"{PATIENCE:g}", "--cwd", "/"]
    with TemporaryDirectory(prefix="ktrace-bench-") as scratch:
        words += ["--session", f"{scratch}/session", *guest.command_line(), "--", *PROGRAM]
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            most = _watched(process.pid, lambda: process.communicate(timeout=PATIENCE))
        finally:
            process.kill()
            process.communicate()
    if process.returncode:
        raise KtraceError(
            f"ktrace exec has ended with {process.returncode}", f"run: ktrace exec -- {' '.join(PROGRAM)}"
        )
    return most


def _watched(pid: int, wait: Callable[[], object]) -> float:
    """Return the most memory that *pid* and its Python children had, in MB, until *wait* is done."""
    most = 0.0
    over = threading.Event()

    def look() -> None:
        nonlocal most
        while not over.wait(EVERY):
            most = max(most, sum(_resident(each) for each in (pid, *_children(pid))))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        wait()
    finally:
        over.set()
        watcher.join()
    return most


def _children(pid: int) -> list[int]:
    """Return the children of *pid* that run Python."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in found if "python" in os.readlink(f"/proc/{child}/exe")]
    except OSError:
        return []


def _resident(pid: int) -> float:
    try:
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found is not None else 0.0
