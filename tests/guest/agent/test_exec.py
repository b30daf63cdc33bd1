"""Real programs of this machine run in the guest, and end as they would here."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ktrace.machine.template.template import Template


def ktrace_exec(*arguments: str, given: bytes = b"", cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "ktrace", "exec", "--plain", *arguments],
        input=given,
        capture_output=True,
        timeout=100,
        cwd=cwd,
    )


@pytest.mark.usefixtures("template")
class TestExec:
    def test_output_input_environment_and_exit_code_are_its_own(self) -> None:
        done = ktrace_exec(
            "--env", "WHO=me", "/bin/sh", "-c", 'read line; echo "$line $WHO"; echo no >&2; exit 7', given=b"I\n"
        )
        assert (done.returncode, done.stdout) == (7, b"I me\n")
        assert done.stderr.startswith(b"no\nktrace: checked ")
        assert b"left behind" not in done.stderr
        own = ktrace_exec("--env", "HOME=/a=b", "/bin/sh", "-c", "echo $HOME")
        assert own.stdout == b"/a=b\n"
        quiet = ktrace_exec("-q", "/bin/sh", "-c", "echo no >&2; exit 1")
        assert (quiet.returncode, quiet.stdout, quiet.stderr) == (1, b"", b"no\n")

    def test_what_was_checked_and_what_is_left_is_said(self) -> None:
        done = ktrace_exec("ipcmk", "-Q", "-S", "5")
        said = done.stderr.decode().splitlines()
        assert re.fullmatch(
            r"ktrace: checked \d+ pipes?, \d+ sockets?, 1 message queue, 1 semaphore set, 0 shared memory segments: "
            r"nothing contradicts itself",
            said[0],
        )
        assert re.fullmatch(r"ktrace: left behind: 1 message queue \(0x[0-9a-f]{8}, id 0\)", said[1])
        assert re.fullmatch(r"ktrace: left behind: 1 semaphore set \(0x[0-9a-f]{8}, id 0\)", said[2])
        script = "mkfifo /tmp/f; echo > /dev/shm/sem.x; for i in {1..11}; do ipcmk -M 100; done"
        named = ktrace_exec("bash", "-c", script).stderr.decode()
        assert "left behind: 1 FIFO (/tmp/f)\n" in named
        assert "left behind: 1 file in /dev/shm (/dev/shm/sem.x)\n" in named
        assert re.search(r"left behind: 11 shared memory segments \((0x[0-9a-f]{8}, id \d+, ){8}and 3 more\)\n", named)
        code = "import socket; socket.socket(socket.AF_UNIX).bind('/run/s')"
        bound = ktrace_exec(sys.executable, "-c", code).stderr
        assert b"left behind: 1 name of a socket (/run/s)\n" in bound
        ghost = ktrace_exec("/bin/sh", "-c", "setsid sleep 100 & echo $!")
        assert re.search(rb"left behind: 1 process \(" + ghost.stdout.strip() + rb" sleep\)", ghost.stderr)

    def test_it_runs_on_the_guests_kernel(self, template: Template) -> None:
        done = ktrace_exec("uname", "-r")
        assert done.stdout.strip().endswith(b"-lab")
        config = ktrace_exec("bash", "-c", "grep SYSVIPC= /boot/config-$(uname -r)")
        assert config.stdout == b"CONFIG_SYSVIPC=y\n"
        assert ktrace_exec("ipcmk", "-Q", "-S", "5").stdout == b"Message queue id: 0\nSemaphore id: 0\n"

    def test_a_signal_is_told_like_a_shell_does(self) -> None:
        assert ktrace_exec("/bin/sh", "-c", "kill -9 $$").returncode == 137

    @pytest.mark.parametrize(
        "script", ["sleep 1000", "while :; do :; done", "while :; do echo; done", "f() { sleep 9 & f | f & wait; }; f"]
    )
    def test_one_that_does_not_end_is_killed(self, script: str) -> None:
        done = ktrace_exec("--memory", "256", "--timeout", "2", "bash", "-c", script)
        assert done.returncode == 124
        assert re.fullmatch(rb"ktrace \(guest\): '\S*/bash' did not end within 2 s\n  .*\n", done.stderr)

    def test_much_goes_in_and_comes_out(self, tmp_path: Path) -> None:
        data = os.urandom(5_000_001)
        (tmp_path / "data").write_bytes(data)
        done = ktrace_exec("-q", "--stdin", str(tmp_path / "data"), "tee", "/dev/stderr")
        assert (done.returncode, done.stdout, done.stderr) == (0, data, data)
        part = ktrace_exec("-q", "head", "-c", "3", given=data)
        assert (part.returncode, part.stdout, part.stderr) == (0, data[:3], b"")

    def test_its_streams_are_pipes(self) -> None:
        done = ktrace_exec("-q", "bash", "-c", "readlink /proc/self/fd/[012]; test -t 0 || echo none", given=b"x")
        assert re.fullmatch(rb"(pipe:\[\d+\]\n){3}none\n", done.stdout)

    def test_who_interrupts_it_or_reads_no_more_ends_it(self) -> None:
        command = [
            sys.executable,
            "-m",
            "ktrace",
            "exec",
            "--plain",
            "bash",
            "-c",
            "echo started; while sleep 0.1; do echo; done",
        ]
        for end, code in ((signal.SIGINT, 130), (None, 128 + signal.SIGPIPE)):
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
                assert running.stdout is not None and running.stderr is not None
                assert running.stdout.readline() == b"started\n"
                if end is None:
                    running.stdout.close()
                else:
                    running.send_signal(end)
                assert running.wait(30) == code
                assert running.stderr.read().strip() == (b"" if end is None else b"ktrace: interrupted")

    def test_memory_that_is_used_up_is_told(self) -> None:
        done = ktrace_exec("bash", "-c", "x=xx; while :; do x=$x$x; done")
        assert done.returncode == 137
        told = (
            rb"ktrace: the guest's memory was used up, and its kernel killed \d+ \(bash\): --memory 128 gives it .*\n"
        )
        assert re.match(told, done.stderr)
        assert done.stderr.endswith(b"nothing contradicts itself\n")

    def test_a_setuid_program_is_root_as_any_other(self, tmp_path: Path) -> None:
        program = tmp_path / "id"
        shutil.copy("/usr/bin/id", program)
        program.chmod(0o4755)
        assert ktrace_exec("-q", str(program), "-u").stdout == b"0\n"

    def test_programs_of_a_pipeline_come_too(self) -> None:
        done = ktrace_exec("-v", "bash", "-c", "seq 1 100000 | sort -n | tail -1")
        assert (done.returncode, done.stdout) == (0, b"100000\n")
        for name in ("bash", "seq", "sort", "tail"):
            assert re.search(rf"^ktrace: brought \S*/{name}$".encode(), done.stderr, re.MULTILINE)

    def test_an_interpreter_has_its_library_and_the_guest_room_for_it(self) -> None:
        code = """if 1:
            import multiprocessing, os, pwd, socket, threading
            with multiprocessing.Pool(2) as pool:
                print(pool.map(abs, [-1, -2]))
            threading.Thread(target=print, args=["thread"], kwargs={"flush": True}).start()
            print(os.popen("echo shell").read(), pwd.getpwuid(0).pw_dir, socket.gethostbyname("localhost"))
        """
        done = ktrace_exec("-v", sys.executable, "-c", code)
        assert (done.returncode, done.stdout) == (0, b"[1, 2]\nthread\nshell\n /root 127.0.0.1\n")
        assert re.search(rb"ktrace: \d+ files, [\d.]+ MiB, so the guest has \d+ MiB\n", done.stderr)
        small = ktrace_exec("--memory", "64", sys.executable, "-c", code)
        assert small.returncode == 122
        assert re.match(rb".*: \d+ MiB of files do not fit into the guest's memory: .* has no room", small.stderr)

    def test_trees_links_and_modes_are_as_here(self, tmp_path: Path) -> None:
        tree = tmp_path / "tree"
        (tree / "deep").mkdir(parents=True)
        (tree / "deep" / "large").write_bytes(os.urandom(3_000_001))
        (tree / "deep" / "empty").touch(mode=0o4711)
        (tree / "link").symlink_to("deep/large")
        (tree / "deep").chmod(0o777)
        script = "md5sum link there/link; stat -c '%A %s %Y' deep deep/empty there/deep/empty; readlink link"
        put = ["--put", str(tree), "--put", f"{tree}:{tmp_path}/tree/there"]
        done = ktrace_exec(*put, "--cwd", str(tree), "/bin/sh", "-c", script)
        digest = hashlib.md5((tree / "link").read_bytes()).hexdigest()
        time = int((tree / "deep" / "empty").stat().st_mtime)
        lines = done.stdout.decode().splitlines()
        assert lines[:2] == [f"{digest}  link", f"{digest}  there/link"]
        assert lines[2].startswith("drwxrwxrwx ")
        assert lines[3:] == [*[f"-rws--x--x 0 {time}"] * 2, "deep/large"]

    def test_it_runs_where_one_is(self, tmp_path: Path) -> None:
        (tmp_path / "words").write_text("some\n")
        done = ktrace_exec("cat", "words", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, b"some\n")
        assert ktrace_exec("--cwd", "/usr/share", "pwd").stdout == b"/usr/share\n"
        absent = ktrace_exec("--cwd", "/srv/x", "pwd")
        assert (absent.returncode, absent.stdout) == (122, b"")
        assert b"no directory '/srv/x'" in absent.stderr

    def test_a_panic_is_255_with_the_console(self) -> None:
        done = ktrace_exec("/bin/sh", "-c", "echo 2 > /proc/sys/vm/panic_on_oom; x=xx; while :; do x=$x$x; done")
        assert done.returncode == 255
        assert b"panic" in done.stderr


def test_what_cannot_be_run_is_the_callers_mistake(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"\x7fELF\1\1" + Path("/bin/sh").read_bytes()[6:18] + b"\3\0" + bytes(100))
    other.chmod(0o755)
    text = tmp_path / "text"
    text.write_text("hello\n")
    text.chmod(0o755)
    for arguments, code, reason in (
        (["nonsense"], 127, "no program 'nonsense'"),
        (["/etc/passwd"], 126, "'/etc/passwd' is not executable"),
        (["/nowhere/x"], 127, "no program '/nowhere/x'"),
        ([str(text)], 126, "is neither an ELF program nor a script"),
        ([str(other)], 126, "is no program for the guest: 32-bit executable for i386"),
        (["--env=x", "true"], 122, "is no NAME=VALUE"),
        (["--put=/nowhere", "true"], 122, "no file '/nowhere' on this machine"),
        (["--put=/proc/cpuinfo", "true"], 122, "a guest has a /proc of its own"),
        (["--cwd=/proc/nowhere", "true"], 122, "no directory '/proc/nowhere'"),
        (["--stdin=/nowhere", "true"], 122, "cannot read '/nowhere': No such file or directory"),
    ):
        done = ktrace_exec(*arguments)
        assert done.returncode == code
        assert done.stderr.startswith(b"ktrace (usage): ")
        assert reason.encode() in done.stderr
        assert b"Traceback" not in done.stderr
