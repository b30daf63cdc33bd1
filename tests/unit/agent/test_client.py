"""The host's end: deadlines, ends of stream, files, commands."""

from __future__ import annotations

import os
import select
import socket
import threading
from pathlib import Path

import pytest

from ktrace.agent.client import Agent
from ktrace.agent.command import Command, Finished, run_command
from ktrace.agent.frames import FrameType, Refusal, Refused, encode_frame
from ktrace.agent.ops import RunPoll, Spawn, Wait
from ktrace.agent.reports import Quiescence
from ktrace.errors import GuestDied, GuestError, GuestFileError, GuestGarbage, GuestHang, GuestPanic, HostError


def test_hello_tells_where_we_are(agent: Agent, agent_binary: Path) -> None:
    hello = agent.hello()
    uname = os.uname()
    assert (hello.sysname, hello.release, hello.machine) == (uname.sysname, uname.release, uname.machine)
    assert hello.uname_version == uname.version
    assert hello.exe == str(agent_binary)
    assert hello.page_size == os.sysconf("SC_PAGE_SIZE")
    assert hello.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert hello.can_exec
    assert hello.arena_size >= 256 << 10
    assert hello.arena(63) == hello.arena_base + 63 * hello.arena_stride
    assert len(hello.build_id) in (0, 16, 20)
    assert agent.hello() == hello
    with pytest.raises(ValueError, match="no such slot"):
        hello.arena(64)


def test_observed_quiescence_can_be_asked_for(agent_binary: Path) -> None:
    with Agent.local(agent_binary, "--quiesce", "observed") as agent:
        assert agent.hello().quiescence is Quiescence.OBSERVED


def test_empty_batch(agent: Agent) -> None:
    assert agent.batch([]) == ()


def test_files_are_read_in_pieces_and_written_whole(agent: Agent, tmp_path: Path) -> None:
    path = str(tmp_path / "large")
    data = os.urandom(2_500_000)
    agent.write_file(path, data, create=True, mode=0o640)
    assert Path(path).read_bytes() == data
    assert Path(path).stat().st_mode & 0o777 == 0o640
    assert agent.read_file(path) == data
    assert agent.read_file(path, 2_499_990) == data[-10:]
    assert agent.read_file(path, 5, 7) == data[5:12]
    agent.write_file(path, b"", create=True)
    assert agent.read_file(path) == b""
    assert agent.read_file("/proc/sys/kernel/ostype") == b"Linux\n"


@pytest.mark.parametrize(("path", "errno"), [("/nonexistent/file", 2), ("/proc", 21)])
def test_file_errors_carry_the_errno(agent: Agent, path: str, errno: int) -> None:
    with pytest.raises(GuestFileError) as caught:
        agent.read_file(path)
    assert caught.value.errno == errno
    with pytest.raises(GuestFileError):
        agent.write_file(path, b"x")


def test_command_runs_to_its_end(agent: Agent, tmp_path: Path) -> None:
    argv = ("/bin/sh", "-c", 'cat; echo "$A" >&2; pwd; exit 5')
    done = run_command(agent, Command(argv, ("A=b",), cwd="/tmp", stdin=b"in\n", directory=str(tmp_path)))
    assert os.waitstatus_to_exitcode(done.status) == 5
    assert (done.out, done.err) == (b"in\n/tmp\n", b"b\n")
    assert run_command(agent, Command(("/bin/true",), directory=str(tmp_path))) == Finished(0, b"", b"")


def test_command_that_cannot_start(agent: Agent, tmp_path: Path) -> None:
    with pytest.raises(GuestFileError) as caught:
        run_command(agent, Command(("/nonexistent",), directory=str(tmp_path)))
    assert caught.value.errno == 2
    with pytest.raises(GuestFileError):
        run_command(agent, Command(("/bin/true",), cwd="/nonexistent", directory=str(tmp_path)))


def test_command_that_does_not_end_is_killed_with_its_children(agent: Agent, tmp_path: Path) -> None:
    children: list[int] = []

    def watch(out: bytes, _: bytes) -> None:
        children.extend(os.pidfd_open(int(pid)) for pid in out.split())

    with pytest.raises(GuestHang):
        argv = ("/bin/sh", "-c", "sleep 1000 & echo $!; wait")
        run_command(agent, Command(argv, timeout=0.5, directory=str(tmp_path)), watch)
    (child,) = children
    ending = select.poll()
    ending.register(child, select.POLLIN)
    assert ending.poll(10_000)
    os.close(child)
    assert agent.step(RunPoll(2**64 - 1)).events


def test_run_leaves_actors_alone(agent: Agent, tmp_path: Path) -> None:
    agent.step(Spawn(0))
    assert run_command(agent, Command(("/bin/true",), directory=str(tmp_path))).status == 0
    assert agent.hello().live == 1


def test_agent_that_dies_is_told(agent_binary: Path) -> None:
    with Agent.local(agent_binary) as agent:
        os.kill(agent.hello().agent_pid, 9)
        with pytest.raises(GuestDied):
            agent.hello()
        with pytest.raises(GuestDied):
            agent.step(Spawn(0))


def test_program_that_cannot_run() -> None:
    with pytest.raises(HostError):
        Agent.local(Path("/nonexistent/agent"))


class Puppet:
    """A false agent: answers what a test wants."""

    def __init__(self, check_alive: object = None, timeout: float = 0.2) -> None:
        ours, self.theirs = socket.socketpair()
        self.agent = Agent.of_socket(ours, timeout, check_alive)  # type: ignore[arg-type]

    def __enter__(self) -> Puppet:
        return self

    def __exit__(self, *_: object) -> None:
        self.agent.close()
        self.theirs.close()


def test_silence_is_a_hang_and_stays_one() -> None:
    with Puppet() as puppet:
        for _ in range(2):
            with pytest.raises(GuestHang):
                puppet.agent.hello()


def test_time_that_an_operation_asks_for_is_added() -> None:
    with Puppet(timeout=0.1) as puppet, pytest.raises(GuestHang):
        puppet.agent.step(Wait(1))
    with Puppet(timeout=0.1) as puppet:
        answer = encode_frame(FrameType.BATCH | FrameType.REPLY, 1, bytes(12) + b"")
        timer = threading.Timer(0.4, puppet.theirs.sendall, [answer])
        timer.start()
        with pytest.raises(GuestGarbage, match="0 reports for one"):
            puppet.agent.step(Wait(2_000_000_000))
        timer.join()


def test_a_write_may_be_given_more_time() -> None:
    with Puppet(timeout=0.1) as puppet, pytest.raises(GuestHang):
        puppet.agent.write_file("/sys/kernel/tracing/current_tracer", b"function_graph\n")
    with Puppet(timeout=0.1) as puppet:
        answer = encode_frame(FrameType.BATCH | FrameType.REPLY, 1, bytes(12) + b"")
        timer = threading.Timer(0.4, puppet.theirs.sendall, [answer])
        timer.start()
        with pytest.raises(GuestGarbage, match="0 reports for one"):
            puppet.agent.write_file("/sys/kernel/tracing/current_tracer", b"function_graph\n", timeout=5)
        timer.join()


def test_what_the_machine_knows_comes_first() -> None:
    def panicked() -> None:
        raise GuestPanic("kernel panic", console="Oops")

    with Puppet(panicked) as puppet:
        with pytest.raises(GuestPanic) as caught:
            puppet.agent.hello()
        assert caught.value.console == "Oops"
    with Puppet(panicked) as puppet:
        puppet.theirs.close()
        with pytest.raises(GuestPanic):
            puppet.agent.hello()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", GuestDied),
        (encode_frame(0x8001, 1)[:9], GuestDied),
        (b"x" * 20, GuestGarbage),
        (encode_frame(0x8001, 2, bytes(500)), GuestGarbage),
        (encode_frame(0x8002, 1), GuestGarbage),
        (encode_frame(0x8001, 1, b"short"), GuestGarbage),
        (encode_frame(0xFFFF, 1, b"\xff\0\0\0"), GuestGarbage),
    ],
)
def test_bad_answers(answer: bytes, error: type[GuestError]) -> None:
    with Puppet() as puppet:
        puppet.theirs.sendall(answer)
        puppet.theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(error):
            puppet.agent.hello()


def test_refused_frame_does_not_end_the_conversation() -> None:
    with Puppet() as puppet:
        puppet.theirs.sendall(encode_frame(FrameType.ERROR, 1, b"\4\0\0\0") + encode_frame(0x8002, 2, bytes(12)))
        with pytest.raises(Refused) as caught:
            puppet.agent.hello()
        assert caught.value.reason is Refusal.CRC
        assert puppet.agent.batch([]) == ()
