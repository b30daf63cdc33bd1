"""The disk is full at any moment."""

from __future__ import annotations

from pathlib import Path
from random import Random
from time import monotonic

import pytest

from ktrace.machine.template.template import Template
from tests.faults.sandbox import Sandbox
from tests.faults.tally import Tally

WHOLE_KIB = 400
"""Kibibytes that the run below writes, about."""
SMALL = 'mount -t tmpfs -o size="$1"k none "$0" && shift && "$@"; code=$?; cp -r "$0"/. "$0.kept"; exit $code'


@pytest.mark.timeout(1800)
def test_the_disk_is_full(template: Template, sandbox: Sandbox, tally: Tally, tmp_path: Path) -> None:
    """The sessions of a run are written to a file system of random size."""
    row = tally.row("the disk full at a random moment of a run")
    chance = Random("full disk")
    for number in range(tally.times(50)):
        size = chance.randrange(4, WHOLE_KIB, 4)
        kept = sandbox.sessions.with_name(f"sessions.{number}")
        kept.mkdir()
        wrapper = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", SMALL.replace("$0.kept", str(kept))]
        began = monotonic()
        with sandbox.start(
            *("run", "pipe-basic", "unix-stream", "sem-basic", "tcp-loopback"),
            wrapper=[*wrapper, str(sandbox.sessions), str(size)],
        ) as process:
            said, _ = process.communicate(timeout=60)
        text = said.decode()
        assert "Traceback" not in text, text
        assert process.returncode in (0, 3), text
        if process.returncode == 3:
            assert "No space left on device" in text, text
        row.count("host error (3)" if process.returncode else "it fitted (0)", monotonic() - began)
        assert sandbox.leftovers() == []
        sandbox.open_sessions(kept)
    assert row.ends["host error (3)"] > row.ends["it fitted (0)"]
