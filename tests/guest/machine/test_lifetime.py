"""Nothing outlives its owner, whatever ends it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ktrace.image.image import Image
from ktrace.machine.template.template import Template

DEADLINE_MS = 20_000

OWNER = """
import sys
from pathlib import Path
from ktrace.machine.machine import Machine
from ktrace.machine.template.template import open_template
with Machine.clone(open_template(Path(sys.argv[1])), directory=Path(sys.argv[2])) as machine:
    print(machine.pid, flush=True)
    sys.stdin.read()
"""

#: Says who QEMU is as soon as there is one, long before the guest is up.
BOOTING_OWNER = """
import sys
from pathlib import Path
from ktrace.image.image import find_image
from ktrace.machine import machine
class Telling(machine.QemuProcess):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        print(self.pid, flush=True)
machine.QemuProcess = Telling
machine.Machine.boot(find_image("lab-6.1", check_inputs=False), directory=Path(sys.argv[2]))
"""


def start_owner(script: str, template: Template, directory: Path) -> tuple[subprocess.Popen[str], int]:
    """Start a process that owns a guest: it, and a pidfd of its QEMU."""
    owner = subprocess.Popen(
        [sys.executable, "-c", script, str(template.directory), str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    return owner, os.pidfd_open(int(owner.stdout.readline()))


def wait_end(pidfd: int) -> bool:
    """Tell whether the process ends before the deadline."""
    try:
        return bool(select.select([pidfd], [], [], DEADLINE_MS / 1000)[0])
    finally:
        os.close(pidfd)


@pytest.mark.parametrize("script", [OWNER, BOOTING_OWNER], ids=["running", "booting"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_qemu_ends_with_its_owner(
    script: str, number: signal.Signals, image: Image, template: Template, tmp_path: Path
) -> None:
    owner, qemu = start_owner(script, template, tmp_path / "machine")
    with owner:
        owner.send_signal(number)
        assert wait_end(qemu)
        _, errors = owner.communicate(timeout=DEADLINE_MS / 1000)
    assert owner.returncode == -number
    if number == signal.SIGINT:
        assert errors.rstrip().endswith("KeyboardInterrupt")


def test_an_owner_that_just_exits(template: Template, tmp_path: Path) -> None:
    script = OWNER.replace("sys.stdin.read()", "__import__('os')._exit(0)")
    owner, qemu = start_owner(script, template, tmp_path / "machine")
    with owner:
        assert wait_end(qemu)
        assert owner.wait(DEADLINE_MS / 1000) == 0


def test_an_owner_that_is_gone_before_qemu_starts(tmp_path: Path) -> None:
    """The shell between setpriv and QEMU sees that its parent is not who started it."""
    from ktrace.machine.process import LIFELINE

    argv = ["setpriv", *LIFELINE, "1", "touch", str(tmp_path / "started")]
    assert subprocess.run(argv, timeout=20, check=False).returncode == 1
    assert not (tmp_path / "started").exists()


def test_ctrl_c_at_the_terminal_does_not_reach_qemu_first(template: Template, tmp_path: Path) -> None:
    from ktrace.machine.machine import Machine

    with Machine.clone(template, directory=tmp_path / "machine") as machine:
        assert os.getsid(machine.pid) != os.getsid(0)
