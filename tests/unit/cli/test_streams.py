"""What a command prints on: full, closed, of another encoding, a terminal that others would like to steer."""

from __future__ import annotations

import gzip
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from rich.text import Text

from ktrace.report.untrusted import one_line, printable
from ktrace.report.untrusted_text import printable_text

TRACES = Path(__file__).parents[3] / "traces" / "recorded"
SESSION = TRACES / "pipe-basic.jsonl.gz"
EVIL = "evil\x1b[31m\x1b]0;pwn\x07\x9b1m\u202eback\rover"
PRINTING = (
    ("show",), ("show", "-q"), ("show", "-v"), ("show", "--json"), ("check",), ("check", "-v"), ("watch",),
    ("export", "--format", "ktap"), ("export", "--format", "junit"), ("export", "--format", "ftrace"),
    ("export", "--format", "chrome"), ("export", "--format", "csv"), ("report", "-o", "/dev/null"),
)  # fmt: skip
"""Every way to print what somebody else's session says."""


def run(*command: str, shell: str = "", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run ktrace, its output redirected as *shell* says."""
    line = ["sh", "-c", f'exec "$@" {shell}', "sh", sys.executable, "-m", "ktrace", *command]
    return subprocess.run(line, capture_output=True, timeout=120, check=False, env={**os.environ, **environment})


def on_terminal(*command: str) -> bytes:
    """Run ktrace with a terminal for standard output and error; return what it got."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "ktrace", *command], stdin=subprocess.DEVNULL, stdout=its, stderr=its
    )
    os.close(its)
    got = b""
    try:
        while data := os.read(ours, 1 << 16):
            got += data
    except OSError:
        pass  # all of them have closed it
    finally:
        os.close(ours)
    process.wait(60)
    return got


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    """A session from somebody else, with what steers a terminal in every text that is free."""
    lines = [json.loads(line) for line in gzip.decompress(SESSION.read_bytes()).splitlines()]
    lines[0]["title"] = EVIL
    lines[0]["manifest"] = dict.fromkeys(("image", "release", "accelerator", "command"), EVIL)
    for line in lines:
        if "step" in line:
            line |= {"text": EVIL, "answer": EVIL, "comment": EVIL, "sleeps": {line["actor"] or "A": [EVIL]}}
        if "end" in line:
            line["message"] = EVIL
    last = lines.pop()
    rules, complaints = [EVIL], [EVIL]
    differences = [{"path": EVIL, "observed": EVIL, "expected": EVIL}]
    verdict = {"diverged": last["steps"], "differences": differences, "rules": rules, "complaints": complaints}
    path = tmp_path / "session.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in [*lines, verdict, {**last, "end": EVIL}]))
    return path


@pytest.mark.parametrize("command", PRINTING)
def test_no_session_steers_a_terminal(evil: Path, command: tuple[str, ...]) -> None:
    shown = on_terminal(command[0], str(evil), *command[1:])
    ours = shown.replace(b"\r\n", b"\n")
    assert b"evil" in ours or command[0] == "report"
    for found in (b"\x1b[31mevil", b"evil\x1b", b"\x1b]0;", b"\x07", b"\r", "\x9b".encode(), "\u202e".encode()):
        assert found not in ours
    if command[0] != "export":  # data is handed on as it is, but to a terminal
        piped = run(command[0], str(evil), *command[1:])
        for steering in (b"\x1b", b"\x07", b"\r", "\x9b".encode(), "\u202e".encode()):
            assert steering not in piped.stdout + piped.stderr


def test_a_title_cannot_look_like_a_line_of_ours(evil: Path) -> None:
    evil.write_text(evil.read_text().replace("evil", "evil\\nagreed: 16 steps", 1))
    assert b"\nagreed" not in run("show", str(evil)).stdout


def test_what_is_escaped() -> None:
    styled = printable_text(Text.assemble(("a\x1bb", "red"), "c\x1b", ("d", "bold")))
    assert styled.plain == "a\\x1bbc\\x1bd"
    assert [(styled.plain[span.start : span.end], span.style) for span in styled.spans] == [
        ("a\\x1bb", "red"),
        ("d", "bold"),
    ]
    assert printable("a\tb\n\x1b\x7f\x9b\u202e\ud800→") == "a\tb\n\\x1b\\x7f\\x9b\\u202e\\ud800→"
    assert one_line("a\tb\n\x1b") == "a\\tb\\n\\x1b"


def test_of_all_characters_those_that_steer_are_escaped() -> None:
    steering = {*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A),
                *range(0xD800, 0xE000)} - {ord("\t"), ord("\n")}  # fmt: skip
    assert {code for code in range(sys.maxunicode + 1) if printable(f"a{chr(code)}") != f"a{chr(code)}"} == steering


@pytest.mark.parametrize(
    "command",
    [("show", str(SESSION)), ("check", str(SESSION)), ("show", "--json", str(SESSION)), ("run", "--list"),
     ("export", str(SESSION), "--format", "csv"), ("--help",), ("run", "--help"), ("--version",)],
)  # fmt: skip
@pytest.mark.parametrize(
    ("shell", "message"), [(">/dev/full", b"No space left on device"), (">&-", b"Bad file descriptor")]
)
def test_output_that_cannot_be_written_is_the_hosts_fault(command: tuple[str, ...], shell: str, message: bytes) -> None:
    done = run(*command, shell=shell)
    assert done.returncode == 3
    assert b"ktrace (host): cannot write to standard output: " + message in done.stderr
    assert b"Traceback" not in done.stderr and b"Exception" not in done.stderr


def test_a_closed_standard_error_is_survived() -> None:
    assert run("show", "/nowhere", shell="2>&-").returncode == 2
    done = run("check", str(SESSION), shell="2>&-")
    assert done.returncode == 0
    assert b"agreed" in done.stdout


def test_what_an_encoding_lacks_is_escaped() -> None:
    done = run("show", str(SESSION), PYTHONIOENCODING="latin-1")
    assert done.returncode == 0, done.stderr
    assert b"head 0\\u21921" in done.stdout


@pytest.mark.parametrize(
    ("options", "environment", "colours"),
    [
        ((), {}, False),
        ((), {"CLICOLOR_FORCE": "1"}, True),
        ((), {"FORCE_COLOR": "1"}, True),
        ((), {"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        (("--color", "never"), {"CLICOLOR_FORCE": "1"}, False),
    ],
)
def test_who_says_whether_there_are_colours(
    options: tuple[str, ...], environment: dict[str, str], colours: bool
) -> None:
    assert (b"\x1b[" in run(*options, "show", str(SESSION), **environment).stdout) == colours
