"""A command whose standard input, output and error are pipes: all of it comes across, and nothing waits for ever."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from time import monotonic

import pytest

from ktrace.agent.client import Agent
from ktrace.agent.command import Command
from ktrace.agent.frames import Refusal, Refused
from ktrace.agent.ops import RunStream
from ktrace.agent.piped_command import DidNotEnd, run_piped
from ktrace.errors import GuestFileError, HostError


class Output:
    """What a command has written."""

    def __init__(self) -> None:
        self.out = b""
        self.err = b""

    def __call__(self, out: bytes, err: bytes) -> None:
        self.out += out
        self.err += err


def run(agent: Agent, script: str, given: int | None = None, timeout: float = 60.0) -> tuple[int, bytes, bytes]:
    output = Output()
    wanted = Command(("/bin/sh", "-c", script), ("PATH=/usr/bin:/bin",), "/tmp", timeout=timeout)
    status = run_piped(agent, wanted, given, output)
    return os.waitstatus_to_exitcode(status), output.out, output.err


@contextmanager
def reading(data: bytes, path: Path) -> Iterator[int]:
    path.write_bytes(data)
    descriptor = os.open(path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def test_its_streams_are_pipes_and_its_own(agent: Agent) -> None:
    before = set(os.listdir(f"/proc/{agent.hello().agent_pid}/fd"))
    code, out, err = run(agent, "readlink /proc/self/fd/[0-9]; cat; echo no >&2; exit 5")
    assert (code, err) == (5, b"no\n")
    kinds = [line.partition(b":")[0] for line in out.splitlines()]
    assert kinds == [b"pipe"] * 3
    assert run(agent, "exit 0") == (0, b"", b"")
    assert run(agent, "kill -9 $$") == (-9, b"", b"")
    assert set(os.listdir(f"/proc/{agent.hello().agent_pid}/fd")) == before


@pytest.mark.parametrize("size", [0, 1, 65536, 3_000_001])
def test_all_that_is_given_comes_back(agent: Agent, tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    with reading(data, tmp_path / "data") as given:
        assert run(agent, "tee /dev/stderr", given) == (0, data, data)


def test_what_nobody_reads_is_given_up(agent: Agent, tmp_path: Path) -> None:
    data = os.urandom(1_000_000)
    with reading(data, tmp_path / "data") as given:
        assert run(agent, "head -c 10; exit 3", given) == (3, data[:10], b"")
    with reading(data, tmp_path / "data") as given:
        assert run(agent, "exec <&-; sleep 0.3; echo end", given) == (0, b"end\n", b"")
    with reading(data, tmp_path / "data") as given:
        assert run(agent, "sleep 0.3; wc -c", given) == (0, b"1000000\n", b"")


def test_input_that_comes_late_or_never(agent: Agent) -> None:
    ours, theirs = os.pipe()
    assert run(agent, "echo done", ours) == (0, b"done\n", b"")

    def later() -> None:
        select.select([], [], [], 0.3)
        os.write(theirs, b"late\n")
        os.close(theirs)

    writer = Thread(target=later)
    writer.start()
    assert run(agent, "cat", ours) == (0, b"late\n", b"")
    writer.join()
    os.close(ours)


def test_output_comes_while_it_runs(agent: Agent) -> None:
    came: list[float] = []
    wanted = Command(("/bin/sh", "-c", "echo first; sleep 0.5; echo last"), ("PATH=/usr/bin:/bin",))
    run_piped(agent, wanted, None, lambda out, err: came.append(monotonic()))
    assert came[-1] - came[0] > 0.3


def test_one_that_does_not_end_is_killed_with_its_children(agent: Agent) -> None:
    children: list[int] = []

    def watch(out: bytes, _: bytes) -> None:
        children.extend(os.pidfd_open(int(pid)) for pid in out.split())

    with pytest.raises(DidNotEnd, match=r"'/bin/sh' did not end within 0\.5 s"):
        run_piped(agent, Command(("/bin/sh", "-c", "sleep 1000 & echo $!; wait"), timeout=0.5), None, watch)
    (child,) = children
    ending = select.poll()
    ending.register(child, select.POLLIN)
    assert ending.poll(10_000)
    os.close(child)
    assert run(agent, "echo lives")[1] == b"lives\n"


def test_what_fails_here_ends_it(agent: Agent) -> None:
    def gone(out: bytes, err: bytes) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        run_piped(agent, Command(("/bin/sh", "-c", "while :; do echo; done")), None, gone)
    directory = os.open("/", os.O_RDONLY)
    with pytest.raises(HostError, match="cannot read standard input: Is a directory"):
        run(agent, "cat", directory)
    os.close(directory)
    with pytest.raises(GuestFileError, match="No such file"):
        run_piped(agent, Command(("/nonexistent",)), None, Output())
    assert run(agent, "echo lives")[1] == b"lives\n"


def test_nothing_runs_or_too_much_is_asked(agent: Agent) -> None:
    (event,) = agent.step(RunStream(0)).events
    assert event.state == 0  # type: ignore[union-attr]
    with pytest.raises(Refused) as caught:
        agent.step(RunStream(2**64 - 1))
    assert caught.value.reason is Refusal.RANGE
