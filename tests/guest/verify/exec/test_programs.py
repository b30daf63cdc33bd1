"""Programs of this machine, call by call: every one of them is held against the model."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ktrace.image.image import Image
from ktrace.machine.template.template import Template
from ktrace.model.calls import SYSTEM_CALLS
from ktrace.model.process.passed_over import passed_over
from ktrace.state.step import Step
from ktrace.trace.session import Choices, End, Header, Verdict
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.replay import replay
from tests.guest.kernels import LABS, built, optional


class Unheard:
    """A sink that nobody hears."""

    def header(self, header: Header) -> None: ...

    def step(self, step: Step) -> None: ...

    def choices(self, choices: Choices) -> None: ...

    def verdict(self, verdict: Verdict) -> None: ...

    def end(self, end: End, place: str = "") -> None: ...


# zcat is a script: the kernel reads it and sets a time, and then its interpreter does.
TIMES = (
    "echo hi | gzip | zcat; touch /etc/a; echo x >> /etc/a; cat /etc/a; chmod 600 /etc/a; mv /etc/a /etc/b; cat /etc/b"
)
PERL_PIPE = 'pipe(R, W); if (!fork) { print W "hi\\n"; exit 3 } close W; print <R>; wait; exit $? >> 8'
PERL_SOCKETS = """
use Socket; socketpair(A, B, AF_UNIX, SOCK_STREAM, 0); if (!($p = fork)) { close A; while (<B>) { syswrite B, uc }
exit 0 } close B; for (1 .. 5) { syswrite A, "line $_\\n"; print scalar <A> } shutdown A, 1; waitpid $p, 0
"""
PERL_SYSV = """
use IPC::SysV qw(IPC_PRIVATE IPC_CREAT IPC_RMID S_IRUSR S_IWUSR); $q = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
$s = semget(IPC_PRIVATE, 2, IPC_CREAT | 0600); if (!fork) { semop $s, pack("s!3", 0, -1, 0); msgsnd $q, pack("l! a*", 7,
"from the child"), 0; exit 0 } semop $s, pack("s!3", 0, 1, 0); msgrcv $q, $m, 100, 7, 0; wait;
print substr($m, 8), "\\n"; msgctl $q, IPC_RMID, 0; semctl $s, 0, IPC_RMID, 0
"""
PERL_SIGNALS = """
$SIG{USR1} = sub { $n++ }; $SIG{CHLD} = sub { $c++ }; $p = $$; pipe(R, W);
if (!fork) { kill USR1 => $p; kill USR1 => $p; print W "x"; exit 0 } close W; while (!eof R) { getc R }
wait; print $n > 0 ? "heard" : "deaf", " $c\\n"
"""

PYTHON_POOL = """
import multiprocessing, operator, functools
with multiprocessing.Pool(2) as pool:
    print(pool.starmap(operator.mul, [(1, 1), (2, 2), (3, 3)]))
"""
PYTHON_THREADS = """
import os, threading
r, w = os.pipe()
threads = [threading.Thread(target=os.write, args=(w, b"%d" % n)) for n in (1, 2, 3)]
for thread in threads:
    thread.start()
    thread.join()
print(os.read(r, 3).decode())
"""

PROGRAMS = {
    "ipcmk": (["ipcmk", "-Q", "-S", "3"], 0, r"Message queue id: 0\nSemaphore id: 0\n"),
    "ipcmk-m": (["ipcmk", "-M", "5000"], 0, r"Shared memory id: 0\n"),
    "ipcs": (["ipcs"], 0, r"(?s).*Semaphore Arrays.*"),
    "lsipc": (["lsipc"], 0, r"(?s).*SHMMAX.*"),
    "pipeline": (["bash", "-c", "seq 1 300 | sort -n | tail -1"], 0, r"300\n"),
    "shell": (["sh", "-c", "mkfifo /tmp/f; (echo one > /tmp/f)& cat /tmp/f; rm /tmp/f; exit 4"], 4, r"one\n"),
    "script": (["sh", "-c", TIMES], 0, r"hi\nx\nx\n"),
    "perl-pipe": (["perl", "-e", PERL_PIPE], 3, r"hi\n"),
    "perl-sockets": (["perl", "-e", PERL_SOCKETS], 0, r"(LINE \d\n){5}"),
    "perl-sysv": (["perl", "-e", PERL_SYSV], 0, r"from the child\n"),
    "perl-signals": (["perl", "-e", PERL_SIGNALS], 0, r"heard 1\n"),
    "python-pool": (["python3", "-c", PYTHON_POOL], 0, r"\[1, 4, 9\]\n"),
    "python-threads": (["python3", "-c", PYTHON_THREADS], 0, r"123\n"),
    "killed": (["perl", "-e", "kill 11, $$"], 139, r""),
}


def ktrace_exec(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ktrace", "exec", *arguments], input=given, capture_output=True, text=True, timeout=300
    )


@pytest.mark.usefixtures("template")
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_call_agrees(name: str, tmp_path: Path) -> None:
    command, code, said = PROGRAMS[name]
    done = ktrace_exec("--session", str(tmp_path / "s"), "-q", "--", *command)
    assert (done.returncode, done.stderr) == (code, "")
    assert re.fullmatch(said, done.stdout)
    reader = SessionReader(tmp_path / "s")
    names = [step.call.name for step in reader.steps()]
    assert names.count("execve") >= 1 and len(names) > 50
    assert replay(SessionReader(tmp_path / "s"), Unheard()).status == "agreed"


@pytest.mark.usefixtures("template")
@optional
@pytest.mark.parametrize("lab", LABS)
def test_every_call_agrees_on_later_kernels(lab: str) -> None:
    built(lab)
    for name in ("ipcmk", "perl-sysv", "pipeline"):
        command, code, said = PROGRAMS[name]
        done = ktrace_exec("--image", lab, "-q", "--", *command)
        said_by_us = re.sub(r"(?m)^booting .* once\n", "", done.stderr)
        assert (name, done.returncode, said_by_us) == (name, code, "")
        assert re.fullmatch(said, done.stdout)


OF_OURS = {
    "sysv": (r"shared\nfrom the child, 0, 0\n-1 EINTR\n", 0),
    "spawn": (r"hello\nthrough a fifo\nPOPEN\n", 0),
    "threads": (r"3\n", 0),
    "leaders": (r"ok\n", 5),
    "owners": (r"ok\n", 0),
    "copies": (r"ok\n", 0),
    "stops": (r"ok\n", 0),
    "jobs": (r"(?s)child 0\n.*leads 1 EPERM\n", 0),
    "mapped": (r"0 0\n8 [08] 0\n8\n0 0\n", 0),
    "timed": (r"[45]\n", 0),
    "targets": (r"3 0\n", 0),
    "signals": (r"SIGSEGV\n1 1\n-1\n", 0),
    "buffers": (r"ok\n", 0),
    "pipes": (r"2\nok\n", 0),
    "queues": (r"ok\n", 0),
    "segments": (r"2\nok\n", 0),
    "semaphores": (r"ok\n", 0),
    "sockets": (r"ok\n", 0),
    "mapped_file": (r"ok\n", 0),
    "orphans": (r"ok\n", 0),
    "room": (r"ok\n", 0),
    "splices": (r"ok\n", 0),
    "timers": (r"ok\n", 0),
    "waits": (r"ok\n", 0),
}


@pytest.mark.usefixtures("template")
@pytest.mark.parametrize("name", OF_OURS)
def test_c_programs_below_tmp(name: str, tmp_path: Path) -> None:
    source = Path(__file__).parent / "programs" / f"{name}.c"
    compiler = ["gcc", "-std=gnu11", "-O1", "-w", "-o", str(tmp_path / name), str(source), "-lpthread", "-lrt"]
    subprocess.run(compiler, check=True, timeout=60)
    programs = ("--put", "/usr/bin/cat", "--put", "/usr/bin/tr")
    done = ktrace_exec(*programs, "-q", "--cwd", "/", str(tmp_path / name))
    said, code = OF_OURS[name]
    assert (done.returncode, done.stderr) == (code, "")
    assert re.fullmatch(said, done.stdout)


@pytest.mark.usefixtures("template")
class TestWhatIsSaid:
    def test_lines_like_strace_and_what_each_changed(self) -> None:
        done = ktrace_exec("-y", "-T", "ipcmk", "-Q")
        lines = done.stderr.splitlines()
        at = next(number for number, line in enumerate(lines) if " msgget(" in line)
        assert re.search(r"ipcmk msgget\(-?\d+, IPC_CREAT\|0644\) = 0 <\d+\.\d{6}>", lines[at])
        assert any(line.startswith("        msg 0      new {q_perm {key ") for line in lines[at + 1 : at + 3])
        assert re.search(r'write\(1<pipe\d+>, "Message queue id: 0\\n", 20\) = 20', done.stderr)
        assert re.search(r"ktrace: agreed: \d+ calls checked, .*; passed over: \d+ \(brk 3, ", lines[-2])
        assert re.fullmatch(r"ktrace: left behind: 1 message queue \(0x[0-9a-f]{8}, id 0\)", lines[-1])
        assert "stdio" not in done.stderr

    def test_only_some_calls_into_a_file(self, tmp_path: Path) -> None:
        done = ktrace_exec("-e", "trace=ipc", "-o", str(tmp_path / "out"), "ipcmk", "-S", "2")
        assert done.returncode == 0
        calls = re.findall(r"ipcmk (\w+)\(", (tmp_path / "out").read_text())
        assert calls == ["semget"]
        assert done.stderr.startswith("ktrace: agreed: ")

    def test_a_table(self) -> None:
        done = ktrace_exec("-c", "ipcmk", "-S", "2")
        row = next(line.split() for line in done.stderr.splitlines() if line.endswith(" semget"))
        assert row[2:4] == ["1", "1"]
        assert done.stderr.splitlines()[-3].endswith(" total")

    def test_input_is_read_as_it_comes(self) -> None:
        done = ktrace_exec("-q", "perl", "-ne", "print uc", given="a\n" * 50_000)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "A\n" * 50_000


def calls_of(session: Path) -> list[tuple[str | None, str]]:
    return [(step.actor, step.call.name) for step in SessionReader(session).steps()]


@pytest.mark.usefixtures("template")
def test_a_seed_is_an_order_that_comes_again(tmp_path: Path) -> None:
    command = ("perl", "-e", "for (1 .. 3) { if (!fork) { getppid for 1 .. 5; exit } } 1 while wait > 0")
    orders = []
    for number, seed in enumerate(("7", "7", "8", "9")):
        done = ktrace_exec("-q", "--seed", seed, "--session", str(tmp_path / str(number)), "--", *command)
        assert (done.returncode, done.stderr) == (0, "")
        orders.append(calls_of(tmp_path / str(number)))
    assert orders[0] == orders[1]
    assert len({json.dumps(order) for order in orders}) > 1


@pytest.mark.usefixtures("template")
def test_another_user(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    shutil.copy("/usr/bin/id", tmp_path / "data" / "suid")
    (tmp_path / "data" / "suid").chmod(0o4755)
    places = (
        "--put",
        f"{tmp_path / 'data'}:/srv/data",
        "--put",
        f"{tmp_path / 'data'}:/tmp/data",
        "--put",
        "/usr/bin/id",
    )
    script = "cd /srv/data && touch mine && ls -n mine && cd /tmp/data && ls suid && ./suid -u"
    done = ktrace_exec("-q", "--user", "1000:7", *places, "--put", "/usr/bin/touch", "--", "sh", "-c", script)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"-rw\S+ 1 1000 7 .* mine\nsuid\n1000\n", done.stdout)
    assert "has no such user or group" in ktrace_exec("--user", "no-such-user", "ls").stderr


@pytest.mark.usefixtures("template")
def test_going_to_a_step_of_a_program(tmp_path: Path) -> None:
    session = tmp_path / "s"
    assert ktrace_exec("-q", "--session", str(session), "--", *PROGRAMS["perl-pipe"][0]).returncode == 3
    steps = list(SessionReader(session).steps())
    step = next(step for step in steps if step.call.name == "write" and step.call.args[1:] == (b"hi\n", 3))
    pipes = sum(ref.kind == "pipe" for ref in step.world.objects)
    command = [sys.executable, "-m", "ktrace", "goto", str(session), str(step.number), "inspect", "pipes"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout.count("watch_queue")) == (0, pipes) and pipes > 3
    elsewhere = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert elsewhere.returncode == 2 and "go to that directory first" in elsewhere.stderr


@pytest.fixture
def dup_passed_over() -> Iterator[None]:
    """The list of what changes nothing is wrong in one entry."""
    known = SYSTEM_CALLS["dup"]
    SYSTEM_CALLS["dup"] = passed_over
    yield
    SYSTEM_CALLS["dup"] = known


@pytest.mark.usefixtures("template", "dup_passed_over")
def test_what_is_passed_over_by_mistake_is_found(tmp_path: Path) -> None:
    session = tmp_path / "s"
    assert ktrace_exec("-q", "--session", str(session), "ipcmk", "-Q").returncode == 0
    end = replay(SessionReader(session), Unheard())
    assert end.status == "diverged"
    last = list(SessionReader(session).steps())[end.steps - 1]
    assert last.call.name == "dup"


@pytest.mark.usefixtures("template")
class TestMistakes:
    def test_one_that_never_ends(self, image: Image, template: Template) -> None:
        done = ktrace_exec("-q", "--timeout", "5", "perl", "-e", "sleep 1000")
        assert done.returncode == 124
        assert "perl has not ended in 5 s" in done.stderr and "Traceback" not in done.stderr

    def test_one_that_spins(self) -> None:
        done = ktrace_exec("-q", "--timeout", "5", "perl", "-e", "1 while 1")
        assert done.returncode == 124
        assert "Traceback" not in done.stderr

    def test_no_such_program_in_the_guest(self) -> None:
        done = ktrace_exec("-q", "perl", "-e", 'exec "/no/such" or exit 9')
        assert (done.returncode, "Traceback" in done.stderr) == (9, False)

    def test_nowhere_to_write_what_is_shown(self) -> None:
        full = ktrace_exec("-o", "/dev/full", "ipcmk", "-Q")
        assert full.returncode == 123
        assert full.stderr.startswith("ktrace (host): No space left on device")

    def test_who_reads_the_calls_has_gone(self) -> None:
        command = [sys.executable, "-m", "ktrace", "exec", "ipcmk", "-Q"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stderr is not None and process.stdout is not None
        process.stderr.readline()
        process.stderr.close()
        assert process.wait(timeout=100) == 141
        process.stdout.close()
