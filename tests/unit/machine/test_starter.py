"""What dies with its parent thread lives on when the thread that asked for it has ended."""

from __future__ import annotations

import os
import subprocess
import threading

import pytest

from ktrace.machine.process import LIFELINE
from ktrace.machine.starter import start

SLEEPER = ["setpriv", *LIFELINE, str(os.getpid()), "sleep", "60"]


def test_it_outlives_the_thread_that_asked() -> None:
    started: list[subprocess.Popen[bytes]] = []
    thread = threading.Thread(target=lambda: started.append(start(SLEEPER)))
    thread.start()
    thread.join()
    (child,) = started
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.5)
    child.kill()
    child.wait()


def test_what_cannot_be_started_is_told_to_who_asked() -> None:
    with pytest.raises(FileNotFoundError):
        start(["/no/such/program"])


def test_a_forked_process_has_a_starter_of_its_own() -> None:
    child = os.fork()
    if not child:
        code = start(["true"]).wait()
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
