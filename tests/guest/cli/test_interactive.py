"""The commands that a person talks to, each on a pseudo terminal: console, shell, watch."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pexpect
import pytest

from ktrace.machine.template.template import Template
from ktrace.trace.live import FILE_NAME

KTRACE = [sys.executable, "-m", "ktrace"]
PROMPT = r"ktrace:/[^\r\n]*# "
SECONDS = 60
SCRIPT = """## two actors, a full pipe and a set
A: pipe([r, w])                 # 0
A: write(w, "seen from both sides")
A: semget(0x6b7472, 3, IPC_CREAT|0640) -> s
A: fork() -> B
B: read(r, 4)                   # 4 "seen"
"""


class Terminal:
    """A command on a pseudo terminal of 30 rows and 100 columns."""

    def __init__(self, *arguments: str) -> None:
        environment = {**os.environ, "TERM": "xterm", "PAGER": "cat"}
        for size in ("COLUMNS", "LINES"):  # which say more than the terminal does, where somebody sets them
            environment.pop(size, None)
        self.child = pexpect.spawn(
            KTRACE[0], [*KTRACE[1:], *arguments], dimensions=(30, 100), timeout=SECONDS, encoding="utf-8",
            env=environment,
        )  # fmt: skip
        self.before = self.modes()

    def modes(self) -> list[Any]:
        """Return the modes that the terminal has now."""
        return termios.tcgetattr(self.child.child_fd)

    def says(self, pattern: str) -> str:
        """Wait until the command has printed *pattern*; return what came before it."""
        self.child.expect(pattern)
        return str(self.child.before)

    def does(self, line: str) -> str:
        """Have the guest's shell do a line, and return what it printed."""
        self.child.sendline(line)
        self.says(re.escape(line) + r"\r\n")
        return self.says(PROMPT).replace("\r\n", "\n")

    def ends(self) -> int:
        """Wait until it has ended, and return its exit code; the terminal's modes must be as they were."""
        self.child.expect(pexpect.EOF)
        after = self.modes()  # the pseudo terminal lives as long as our end of it
        self.child.close()
        assert after == self.before
        return self.child.exitstatus if self.child.signalstatus is None else -self.child.signalstatus


@contextmanager
def holding(place: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Hold a guest; its session is *place*."""
    command = [*KTRACE, *arguments, "-q", "--hold", "--session", str(place)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stderr is not None and process.stdin is not None
        try:
            deadline = monotonic() + SECONDS
            while not (place / FILE_NAME).exists():
                assert process.poll() is None, process.stderr.read()
                assert monotonic() < deadline
                select.select([process.stderr], [], [], 0.1)
            yield process
        finally:
            process.kill()


@pytest.fixture
def held(template: Template, tmp_path: Path) -> Iterator[Path]:
    """A session whose guest is held."""
    script = tmp_path / "script.kt"
    script.write_text(SCRIPT)
    with holding(tmp_path / "session", "run", str(script)):
        yield tmp_path / "session"


def ktrace(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command without a terminal."""
    return subprocess.run(
        [*KTRACE, *arguments], input=given, capture_output=True, text=True, timeout=SECONDS, check=False
    )


def console(held: Path) -> Terminal:
    """Have a console, at its first prompt."""
    terminal = Terminal("console", str(held))
    terminal.says(re.escape("Ctrl-] leaves it"))
    terminal.says(PROMPT)
    return terminal


def test_a_shell_of_the_guest_answers(held: Path) -> None:
    terminal = console(held)
    assert terminal.does("echo $((6 * 7)) $(uname -n)") == "42 ktrace\n"
    assert terminal.does("tty") == "/dev/hvc0\n"
    assert terminal.does("cd /proc/sysvipc && pwd") == "/proc/sysvipc\n"
    assert f" {0x6B7472} " in terminal.does("cat sem")
    assert "no job control" not in terminal.does("set -o | grep monitor")
    terminal.child.sendline("exit 3")
    assert terminal.ends() == 3


def test_what_a_shell_did_is_seen_when_the_guest_stands_still_again(held: Path) -> None:
    before = json.loads((held / FILE_NAME).read_text())
    assert set(before["living"]) == {"A", "B"} and before["registers"]
    terminal = console(held)
    assert json.loads((held / FILE_NAME).read_text())["registers"] == {}
    terminal.does(f"kill -9 {before['living']['B']}")
    terminal.child.send("\x1d")
    terminal.says("stands still again")
    assert terminal.ends() == 0
    after = json.loads((held / FILE_NAME).read_text())
    assert set(after["living"]) == {"A"} and after["registers"] != before["registers"]
    processes = ktrace("inspect", "processes", str(held))
    assert processes.returncode == 0 and "process A" in processes.stdout and "process B" not in processes.stdout
    assert "readers 1" in ktrace("inspect", "pipes", str(held)).stdout  # B's end is gone with it


def test_ctrl_c_ends_what_runs_and_not_the_console(held: Path) -> None:
    terminal = console(held)
    terminal.child.sendline("echo begun; sleep 1000")
    terminal.says(r"\r\nbegun\r\n")
    terminal.child.send("\x03")
    terminal.says(PROMPT)
    assert terminal.does("echo $?") == "130\n"
    terminal.child.sendline("sleep 1000")
    terminal.says(r"1000\r\n")
    terminal.child.send("\x1a")
    terminal.says("Stopped")
    terminal.says(PROMPT)
    assert "sleep 1000" in terminal.does("jobs")
    terminal.child.send("\x1d")
    assert terminal.ends() == 0
    assert "sleep" not in ktrace("console", str(held), given="ps | grep slee[p]; true").stdout


def test_the_guests_terminal_is_as_large_as_ours(held: Path) -> None:
    terminal = console(held)
    assert terminal.does("stty size") == "30 100\n"
    terminal.child.sendline("sh -c 'trap \"stty size\" WINCH; echo waiting; while true; do sleep 0.1; done'")
    terminal.says(r"\r\nwaiting\r\n")
    terminal.child.setwinsize(50, 132)
    terminal.says("50 132\r\n")
    terminal.child.send("\x03")
    terminal.says(PROMPT)
    assert terminal.does("stty size") == "50 132\n"
    terminal.child.send("\x04")
    assert terminal.ends() == 0


def test_much_output_is_whole(held: Path) -> None:
    terminal = console(held)
    assert terminal.does("seq 1 20000") == "".join(f"{number}\n" for number in range(1, 20001))
    terminal.child.send("\x1d")
    assert terminal.ends() == 0


def test_what_is_pasted_is_taken_whole(held: Path) -> None:
    terminal = console(held)
    terminal.child.sendline("stty -echo; cat > /tmp/pasted; stty echo")
    terminal.says(r"echo\r\n")
    terminal.child.send("".join(f"{number:3} {'x' * 60}\n" for number in range(400)))
    terminal.child.send("\x04")
    terminal.says(PROMPT)
    assert terminal.does("wc /tmp/pasted").split() == ["400", "800", "26000", "/tmp/pasted"]
    terminal.child.send("\x1d")
    assert terminal.ends() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_gives_the_terminal_back(held: Path, number: signal.Signals) -> None:
    terminal = console(held)
    assert terminal.modes() != terminal.before
    terminal.child.kill(number)
    assert terminal.ends() == (130 if number == signal.SIGINT else 128 + number)
    assert ktrace("console", str(held), given="echo again").stdout == "again\n"


def test_the_console_is_free_when_its_user_was_killed(held: Path) -> None:
    terminal = console(held)
    terminal.child.kill(signal.SIGKILL)
    terminal.child.expect(pexpect.EOF)
    assert ktrace("console", str(held), given="echo again").stdout == "again\n"


def test_one_at_a_time(held: Path) -> None:
    terminal = console(held)
    done = ktrace("console", str(held), given="echo never")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"the console is in use by process {terminal.child.pid}" in done.stderr
    assert terminal.does("echo still here") == "still here\n"
    terminal.child.send("\x1d")
    assert terminal.ends() == 0


def test_a_guest_that_ends_gives_the_terminal_back(template: Template, tmp_path: Path) -> None:
    with holding(tmp_path / "session", "run", "pipe-basic") as holder:
        terminal = console(tmp_path / "session")
        terminal.child.sendline("reboot -f")
        terminal.says("the guest switched itself off or restarted")
        assert terminal.ends() == 4
        assert holder.wait(SECONDS) == 4


def test_a_holder_that_ends_gives_the_terminal_back(
    template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    with holding(tmp_path / "session", "run", "pipe-basic") as holder:
        terminal = console(tmp_path / "session")
        assert holder.stdin is not None
        holder.stdin.write("\n")
        holder.stdin.flush()
        terminal.says("the guest is held no longer")
        assert terminal.ends() == 4
        assert holder.wait(SECONDS) == 0
    with holding(tmp_path / "other", "run", "pipe-basic") as holder:
        terminal = console(tmp_path / "other")
        holder.kill()
        terminal.says("the ktrace that held the guest is gone")
        assert terminal.ends() == 4
    assert list(scratch.iterdir()) == []  # though it was killed


def test_commands_are_read_without_a_terminal(held: Path) -> None:
    done = ktrace("console", str(held), given="echo out\necho err >&2\nif tty; then echo a terminal; fi\nexit 5\n")
    assert (done.returncode, done.stdout, done.stderr) == (5, "out\nnot a tty\n", "err\n")
    slow = ktrace("console", "--timeout", "1", str(held), given="sleep 1000")
    assert slow.returncode == 4 and "did not end within 1" in slow.stderr
    assert ktrace("console", str(held), given="ps | grep slee[p]; echo none").stdout == "none\n"


def test_targets_that_have_no_guest(tmp_path: Path) -> None:
    for target, text in ((str(tmp_path), "no running guest"), ("pipe-basik", "pipe-basic"), (__file__, "no guest")):
        done = ktrace("console", target, given="echo never")
        assert (done.returncode, done.stdout) == (2, ""), target
        assert text in done.stderr


def test_a_workload_is_taken_to_a_step(template: Template) -> None:
    done = ktrace("console", "sem-basic:5", given="tail -n +2 /proc/sysvipc/sem | wc -l")
    assert (done.returncode, done.stdout) == (0, "1\n")


def test_a_session_is_taken_back_to_a_step(template: Template, tmp_path: Path) -> None:
    place = str(tmp_path / "session")
    assert ktrace("run", "sem-basic", "-q", "--session", place).returncode == 0
    terminal = Terminal("goto", place, "5", "console")
    terminal.says(PROMPT)
    assert terminal.does("tail -n +2 /proc/sysvipc/sem | wc -l") == "1\n"
    terminal.child.send("\x1d")
    assert terminal.ends() == 0


def test_drgns_shell(held: Path) -> None:
    terminal = Terminal("shell", str(held))
    terminal.says(">>> ")
    terminal.child.sendline("task('A').comm.string_()")
    terminal.says(r"b'actor-0'\r\n")
    terminal.says(">>> ")
    terminal.child.sendline("while True: pass")
    terminal.says(r"\.\.\. ")
    terminal.child.sendline("")
    terminal.child.send("\x03")
    terminal.says("KeyboardInterrupt")
    terminal.says(">>> ")
    terminal.child.sendline("sorted(ref.kind for ref in look() if ref.kind == 'pipe')")
    terminal.says(r"\['pipe'\]")
    terminal.says(">>> ")
    terminal.child.send("\x04")
    assert terminal.ends() == 0


def test_watch_waits_for_keys_and_follows_the_size(template: Template) -> None:
    terminal = Terminal("watch", "pipe-basic")
    terminal.says(r"spawn\(A\) = ")
    terminal.says("─{100}\x1b")
    assert terminal.modes() != terminal.before
    terminal.child.send(" ")
    terminal.says(r"0 of 16 slots")
    terminal.child.setwinsize(20, 60)
    terminal.child.send("\x1b[D")
    terminal.says("[^─]─{60}\x1b")
    terminal.child.send("q")
    assert terminal.ends() == 0


def test_ctrl_c_leaves_watch(template: Template) -> None:
    terminal = Terminal("watch", "pipe-basic")
    terminal.says("q quit")
    terminal.child.send("\x03")
    terminal.says("interrupted")
    assert terminal.ends() == 130


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_watch_gives_the_terminal_back(template: Template, number: signal.Signals) -> None:
    terminal = Terminal("watch", "pipe-basic")
    terminal.says("q quit")
    terminal.child.kill(number)
    assert terminal.ends() == 128 + number
    assert "\x1b[?1049l" in terminal.child.before  # the screen that was there before


def test_nonsense_on_the_socket_disturbs_nothing(held: Path) -> None:
    address = json.loads((held / FILE_NAME).read_text())["console"]
    for said in (b"", b"nonsense\n", b"[]\n", b'{"rows": "many"}\n', b'{"script": 7, "timeout": "x"}\n', b"{" * 100):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(f"\0{address}")
            connection.sendall(said)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(SECONDS)
            assert connection.recv(100) == b""
    assert ktrace("console", str(held), given="echo sane").stdout == "sane\n"


def test_a_machine_without_busybox_says_so(template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("qemu-system-x86_64", "setpriv"):
        (programs / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(programs))
    with holding(tmp_path / "session", "run", "pipe-basic"):
        done = ktrace("console", str(tmp_path / "session"), given="echo never")
    assert (done.returncode, done.stdout) == (3, "")
    assert "no program 'busybox'" in done.stderr and "busybox-static" in done.stderr


def test_what_takes_long_tells_how_far_it_is(template: Template, tmp_path: Path) -> None:
    script = tmp_path / "long.kt"
    script.write_text(
        '## long: many steps\nA: pipe2([r, w], 0)\nrepeat 2000 {\n    A: write(w, "x")\n    A: read(r, 1)\n}\n'
    )
    terminal = Terminal("run", str(script), "-q", "--session", str(tmp_path / "session"))
    terminal.says(r"running: step \d+ of 4002, \d+ %")
    terminal.child.sendintr()
    terminal.says("interrupted")
    terminal.says(re.escape(f"session {tmp_path / 'session'}"))
    terminal.says(r"running: step \d+ of 4002")
    assert terminal.ends() == 130
    assert ktrace("run", str(script), "-q", "--session", str(tmp_path / "whole")).returncode == 0
    terminal = Terminal("goto", str(tmp_path / "whole"), "4002")
    terminal.says(r"going there: step \d+ of 4002")
    terminal.child.sendintr()
    assert terminal.ends() == 130
