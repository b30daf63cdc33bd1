"""Ctrl-C ends every command with 130, whenever it comes: drgn, imports and finalizers lose none of it."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ktrace.machine.template.template import Template

LAUNCHER = Path(__file__).parents[3] / "scripts" / "ktrace"
RUNS = {
    "run": (20, 2.0, ("run", "--all")),
    "exec": (20, 2.0, ("exec", "--timeout", "1000", "--", "sleep", "1000")),
    "inspect": (8, 0.4, ("inspect", "sockets", "tcp-loopback:24")),
    "seed": (6, 2.0, ("seed",)),
    "fuzz": (6, 2.0, ("fuzz", "--time", "60", "--jobs", "2", "--family", "pipe")),
}
"""How often a command is interrupted, within which seconds; it would go on for longer than that. 60 times in all."""


def interrupted(command: tuple[str, ...], delay: float) -> tuple[float, int, bytes]:
    """Interrupt ktrace after *delay* seconds, as a terminal does; return that, its exit code and its last words.

    SIGINT waits from the beginning as it does from the first line of ``scripts/ktrace`` on: before that ktrace is not
    there yet, and Python or sh end as they do.
    """
    process = subprocess.Popen(
        [sys.executable, "-S", str(LAUNCHER), *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}),
    )
    select.select([], [], [], delay)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    return delay, process.returncode, errors


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", RUNS)
def test_ctrl_c_at_a_random_moment_is_130(template: Template, name: str) -> None:
    count, span, command = RUNS[name]
    chance = random.Random(name)
    delays = [chance.uniform(0, span) for _ in range(count)]
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda delay: interrupted(command, delay), delays))
    assert [item for item in done if item[1] != 130] == []
    assert [item for item in done if b"Traceback" in item[2] or b"Exception" in item[2]] == []
