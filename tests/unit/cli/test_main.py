"""Exit codes and the one style of errors: 1 is a divergence and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import click
import pytest

from ktrace.cli import main as command_line
from ktrace.errors import InternalError, ModelError
from ktrace.interrupt import held_back

SESSION = Path(__file__).parents[3] / "traces" / "recorded" / "pipe-basic.jsonl.gz"


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run ktrace."""
    return subprocess.run(
        [sys.executable, "-m", "ktrace", *command], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ZeroDivisionError("division by zero"), 5, "ktrace (bug): ZeroDivisionError: division by zero, test_main.py:"),
        (RecursionError("too deep"), 5, "ktrace (bug): RecursionError"),
        (AssertionError(), 5, "ktrace (bug): AssertionError"),
        (PermissionError(13, "", "/secret"), 3, "ktrace (host): '/secret': Permission denied"),
        (OSError(28, ""), 3, "ktrace (host): No space left on device\n  free some space there"),
        (MemoryError(), 3, "ktrace (host): out of memory"),
        (ModelError("the model fails"), 5, "ktrace (model): the model fails"),
        (KeyboardInterrupt(), 130, "ktrace: interrupted"),
        (click.exceptions.Abort(), 130, "ktrace: interrupted"),
        (BrokenPipeError(), 141, ""),
    ],
)
def test_what_nobody_caught_has_a_code_of_its_own(
    error: BaseException, code: int, message: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(command_line.cli, "main", fail)
    monkeypatch.setattr(command_line, "give_up_output", lambda: None)
    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(SystemExit) as caught:
            command_line.main([])
    finally:
        signal.signal(signal.SIGINT, before)
    assert caught.value.code == code
    assert message in capfd.readouterr().err


def test_a_bug_says_where() -> None:
    try:
        raise KeyError("x")
    except KeyError as error:
        assert InternalError.of(error).message.startswith("KeyError: 'x', test_main.py:")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("rnu",), "no command 'rnu'\n  did you mean run"),
        (("run", "--nonsens"), "no option '--nonsens'"),
        (("run", "--al"), "no option '--al'\n  did you mean all"),
        (("inspect", "pipe"), "WHAT: 'pipe' is not known\n  did you mean pipes"),
        (("export", "s", "--format", "perfeto"), "--format: 'perfeto' is not known\n  did you mean perfetto"),
        (("goto", "./s", "x"), "STEP: 'x' is no number\n  see: ktrace goto --help"),
        (("goto", "./s"), "STEP is missing\n  see: ktrace goto --help"),
        (("dump", "s"), "--output is missing\n  see: ktrace dump --help"),
        (("image", "lst"), "no command 'image lst'\n  did you mean list"),
        (("sessions", "rn"), "no command 'sessions rn'\n  there are rm"),
        (("fuzz", "--family", "pip"), "unknown family 'pip'\n  did you mean pipe"),
        (("run", "pipe-full", "--image", "lab6.1"), "no image 'lab6.1'\n  did you mean lab-6.1"),
        (("image", "rm", "lab6.1"), "no image 'lab6.1'\n  did you mean lab-6.1"),
        (("run", "pipe-ful"), "unknown workload 'pipe-ful'\n  did you mean pipe-full"),
        (("show", str(Path(__file__).parent)), f"{str(Path(__file__).parent)!r} is not a ktrace session"),
        (("watch", str(Path(__file__).parent)), f"{str(Path(__file__).parent)!r} is not a ktrace session"),
        (("show", "./a", "./b"), "got unexpected extra argument (./b)"),
        (("run", "--list", "pipe-basic"), "--list lists them all"),
        (("matrix", "pipe-basic", "--again"), "--again is for what was done in a directory"),
        (("matrix", "pipe-basic", "--images", "a,a"), "'a,a' names an image twice"),
        (("matrix", "pipe-basic", "--images", "lab6.1"), "no image 'lab6.1'\n  did you mean lab-6.1"),
        (("matrix", "pipe-basic", "--images", ""), "'' names an image without a name"),
        (("matrix", "pipe-basic", "-o", __file__), f"{__file__!r} is no directory"),
        (("diff", "a", "b", "--memory", "64"), "--memory is for guests that --images boots"),
        (("check", __file__, "--jobs", "2"), "--jobs is for --perturb"),
        (("fuzz", "--steps", "0"), "--steps: 0 is not in the range x>=1"),
    ],
)
def test_one_style_of_errors(command: tuple[str, ...], message: str) -> None:
    done = run(*command)
    assert done.returncode == 2
    assert done.stderr.startswith(f"ktrace (usage): {message}")
    assert len(done.stderr.splitlines()) <= 2


@pytest.mark.parametrize(
    "options", [(), ("--nope", "--", "true"), ("--timeout", "-5", "true"), ("--timeout", "nan", "true")]
)
def test_what_is_wrong_with_exec_is_told_from_the_program(options: tuple[str, ...]) -> None:
    done = run("exec", *options)
    assert done.returncode == 122
    assert done.stderr.startswith("ktrace (usage): ")


def test_helps_are_whole() -> None:
    for command in command_line._COMMANDS:
        done = run(command, "--help")
        assert done.returncode == 0
        usage = done.stdout.partition("\n\n")[0]
        assert all(len(word) > 2 or word in ("-h", "|") for word in usage.split()[2:]), usage
    assert "..." not in run("--help").stdout.replace("COMMAND [ARGS]...", "")


def test_an_interruption_that_is_held_back_comes_afterwards() -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt), held_back():
        os.kill(os.getpid(), signal.SIGINT)
        reached.append("the end")
    assert reached == ["the end"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_nothing_is_held_back_where_nothing_comes() -> None:
    def other() -> None:
        with held_back():
            done.append(True)

    done: list[bool] = []
    thread = threading.Thread(target=other)
    thread.start()
    thread.join(10)
    with held_back():
        pass
    assert done == [True]


def test_an_interruption_that_python_throws_away_is_sent_again() -> None:
    code = """
import os, signal, time
from ktrace.interrupt import interrupts
interrupts.take_over()
class Lost:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000): pass
try:
    Lost()
    signal.pause()
except KeyboardInterrupt:
    print("heard", interrupts.seen)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("heard True\n", "")
