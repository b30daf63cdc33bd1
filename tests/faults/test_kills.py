"""ktrace, or the QEMU below it, ended by SIGKILL at any moment."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from random import Random
from time import monotonic

import pytest

from ktrace.machine.template.template import Template
from tests.faults.sandbox import Sandbox
from tests.faults.tally import Tally

SEVERAL = ("run", "pipe-basic", "unix-stream", "sem-basic", "tcp-loopback")
SAVING = ("run", "--checkpoint", "2", "tcp-states")
FUZZING = ("fuzz", "--jobs", "2", "--time", "30", "--family", "pipe")


def span(sandbox: Sandbox) -> float:
    """Return in how many seconds the first is done, which depends on who else is at work on this machine."""
    began = monotonic()
    with sandbox.start(*SEVERAL) as process:
        process.communicate(timeout=120)
    assert process.returncode == 0
    return monotonic() - began


@pytest.mark.timeout(3600)
def test_ktrace_is_killed(template: Template, sandbox: Sandbox, tally: Tally) -> None:
    row = tally.row("ktrace killed by SIGKILL at a random moment (run, run --checkpoint, fuzz --jobs 2)")
    chance = Random("ktrace is killed")
    whole = span(sandbox)
    for _ in range(tally.times(100)):
        with sandbox.start(*chance.choice((SEVERAL, SAVING, FUZZING))) as process:
            select.select([], [], [], chance.uniform(0, whole))
            process.kill()
            began = monotonic()
            process.communicate(timeout=60)
            assert sandbox.leftovers() == []
        row.count("killed" if process.returncode == -signal.SIGKILL else "it was done", monotonic() - began)
    assert row.ends["killed"] > row.ends["it was done"]
    assert sandbox.open_sessions() > 4  # those of the whole run, and some that were cut off


@pytest.mark.timeout(3600)
def test_qemu_is_killed(template: Template, sandbox: Sandbox, tally: Tally) -> None:
    row = tally.row("QEMU killed by SIGKILL at a random moment of a run")
    chance = Random("QEMU is killed")
    whole = span(sandbox)
    for _ in range(tally.times(100)):
        with sandbox.start(*SEVERAL) as process:
            deadline = monotonic() + 20
            while not sandbox.processes("qemu") and process.poll() is None and monotonic() < deadline:
                select.select([], [], [], 0.01)
            select.select([], [], [], chance.uniform(0, whole / 4))
            for pid in sandbox.processes("qemu"):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            began = monotonic()
            said, _ = process.communicate(timeout=60)
        text = said.decode()
        assert "Traceback" not in text, text
        if "SIGKILL" in text:
            assert process.returncode == 4, text
            row.count("guest error (4)", monotonic() - began)
        else:
            assert process.returncode == 0, text
            row.count("between two guests (0)")
        assert sandbox.leftovers() == []
    assert row.ends["guest error (4)"] > 0
    assert sandbox.open_sessions()
