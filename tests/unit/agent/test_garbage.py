"""What the agent does with bytes that are not the protocol, and with a host that leaves."""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ktrace.agent.frames import HEADER_SIZE, MAGIC, FrameType, Refusal, decode_error, decode_header, encode_frame
from ktrace.agent.local import LocalAgent, start
from ktrace.agent.ops import Call, Spawn
from ktrace.agent.protocol import decode_batch, decode_hello, encode_op
from ktrace.agent.reports import Spawned

DONE, GARBAGE, CUT_OFF = 0, 3, 4


class Raw:
    """An agent spoken to in bytes."""

    def __init__(self, child: LocalAgent) -> None:
        self.child = child
        child.connection.settimeout(10)

    def receive(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self.child.connection.recv(count - len(data))
            assert more, "the agent left"
            data += more
        return data

    def frame(self) -> tuple[int, int, bytes]:
        header = decode_header(self.receive(HEADER_SIZE))
        return header.type, header.sequence, self.receive(header.length)

    def error(self, data: bytes) -> Refusal:
        self.child.connection.sendall(data)
        kind, _, payload = self.frame()
        assert kind == FrameType.ERROR
        return decode_error(payload)

    def batch_error(self, payload: bytes) -> Refusal:
        self.child.connection.sendall(encode_frame(FrameType.BATCH, 9, payload))
        kind, sequence, answer = self.frame()
        assert (kind, sequence) == (FrameType.BATCH | FrameType.REPLY, 9)
        return decode_batch(answer)[1]

    def is_well(self) -> bool:
        self.child.connection.sendall(encode_frame(FrameType.HELLO, 77))
        kind, sequence, payload = self.frame()
        return (kind, sequence, decode_hello(payload).slots) == (FrameType.HELLO | FrameType.REPLY, 77, 64)

    def exit_code(self) -> int:
        return self.child.process.wait(10)


@pytest.fixture
def raw(agent_binary: Path) -> Iterator[Raw]:
    child = start(agent_binary)
    yield Raw(child)
    child.connection.close()
    child.end()


def ended(pidfd: int) -> bool:
    poller = select.poll()
    poller.register(pidfd, select.POLLIN)
    done = bool(poller.poll(10_000))
    os.close(pidfd)
    return done


def forged(version: int = 1, kind: int = 1, length: int | None = None, payload: bytes = b"", flip: int = 0) -> bytes:
    head = struct.pack("<IHHII", MAGIC, version, kind, 5, len(payload) if length is None else length)
    return head + struct.pack("<I", zlib.crc32(payload, zlib.crc32(head)) ^ flip) + payload


def test_wrong_magic_ends_the_agent(raw: Raw) -> None:
    assert raw.error(b"GET / HTTP/1.0\r\n\r\n\r\n") is Refusal.MAGIC
    assert raw.exit_code() == GARBAGE
    assert "not a frame, magic" in raw.child.tail()


def test_oversize_ends_the_agent(raw: Raw) -> None:
    assert raw.error(forged(length=(4 << 20) + 1)) is Refusal.OVERSIZE
    assert raw.exit_code() == GARBAGE
    assert "frame too large" in raw.child.tail()


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (forged(version=2), Refusal.VERSION),
        (forged(kind=3), Refusal.TYPE),
        (forged(kind=0x8001), Refusal.TYPE),
        (forged(flip=1), Refusal.CRC),
        (forged(payload=b"x" * 1000, flip=1 << 31), Refusal.CRC),
        (forged(payload=b"x"), Refusal.PAYLOAD),
    ],
)
def test_bad_frame_is_refused_and_the_agent_goes_on(raw: Raw, data: bytes, refusal: Refusal) -> None:
    assert raw.error(data) is refusal
    assert raw.is_well()


@pytest.mark.parametrize(
    ("payload", "refusal"),
    [
        (b"\1", Refusal.PAYLOAD),
        (struct.pack("<BBHI", 1, 0, 0, 1), Refusal.PAYLOAD),
        (struct.pack("<BBHI", 1, 0, 7, 0), Refusal.PAYLOAD),
        (struct.pack("<BBHI", 1, 0, 0, 1) + b"x", Refusal.PAYLOAD),
        (struct.pack("<BBHI", 1, 0, 0, 0xFFFFFFFF), Refusal.PAYLOAD),
        (struct.pack("<BBHI", 0, 0, 0, 0), Refusal.OP),
        (struct.pack("<BBHI", 99, 0, 0, 0), Refusal.OP),
        (struct.pack("<BBHI", 1, 64, 0, 0), Refusal.SLOT),
        (struct.pack("<BBHI", 10, 0, 0, 0), Refusal.SLOT),
        (struct.pack("<BBHI", 10, 255, 0, 12) + bytes(12), Refusal.PAYLOAD),
        (struct.pack("<BBHI", 10, 255, 0, 14) + bytes(12) + b"a\0", Refusal.PAYLOAD),
        (struct.pack("<BBHI", 11, 255, 0, 19) + bytes(16) + b"\xff\xff/", Refusal.PAYLOAD),
        (struct.pack("<BBHI", 13, 255, 0, 5) + b"\1\0\0\0x", Refusal.PAYLOAD),
        (struct.pack("<BBHI", 13, 255, 0, 8) + b"\1\0\0\0a\0b\0", Refusal.PAYLOAD),
    ],
)
def test_bad_operation_is_refused(raw: Raw, payload: bytes, refusal: Refusal) -> None:
    assert raw.batch_error(payload) is refusal
    assert raw.is_well()


def _call_with(tail: bytes, stores: int = 0, loads: int = 0) -> bytes:
    body = struct.pack("<IHH6Q", 39, stores, loads, *[0] * 6) + tail
    return encode_op(Spawn(0)) + struct.pack("<BBHI", 3, 0, 0, len(body)) + body


@pytest.mark.parametrize(
    ("payload", "refusal"),
    [
        (_call_with(b"x"), Refusal.PAYLOAD),
        (_call_with(b"", stores=1), Refusal.PAYLOAD),
        (_call_with(b"", stores=65), Refusal.RANGE),
        (_call_with(struct.pack("<QI", 0x10000140000, 0xFFFFFFFF), stores=1), Refusal.PAYLOAD),
        (_call_with(struct.pack("<QI", 0x10000140000, 5) + b"four", stores=1), Refusal.PAYLOAD),
        (_call_with(b"", loads=1), Refusal.PAYLOAD),
        (_call_with(struct.pack("<QIBBHI", 0x10000140000, 1, 3, 0, 0, 0), loads=1), Refusal.PAYLOAD),
        (_call_with(struct.pack("<QIBBHI", 0x10000140000, 0xFFFFFFFF, 0, 0, 0, 0), loads=1), Refusal.RANGE),
        (_call_with(struct.pack("<QIBBHI", 0x10000140000, 700_000, 0, 0, 0, 0) * 2, loads=2), Refusal.RANGE),
    ],
)
def test_bad_call_is_refused(raw: Raw, payload: bytes, refusal: Refusal) -> None:
    assert raw.batch_error(payload) is refusal
    assert raw.is_well()


def test_frames_may_come_in_any_pieces(raw: Raw) -> None:
    data = encode_frame(FrameType.HELLO, 1) + encode_frame(FrameType.BATCH, 2) + encode_frame(FrameType.HELLO, 3)
    for byte in data[:30]:
        raw.child.connection.sendall(bytes([byte]))
    raw.child.connection.sendall(data[30:])
    assert [raw.frame()[1] for _ in range(3)] == [1, 2, 3]


def test_the_largest_frame_is_taken(raw: Raw) -> None:
    assert raw.batch_error(bytes(4 << 20)) is Refusal.OP
    assert raw.is_well()


def _spawn_two(raw: Raw) -> list[int]:
    payload = encode_op(Spawn(0)) + encode_op(Spawn(1)) + encode_op(Call(1, 34))
    raw.child.connection.sendall(encode_frame(FrameType.BATCH, 1, payload))
    reports, refusal, _ = decode_batch(raw.frame()[2])
    assert refusal is Refusal.NONE
    pids = [event.pid for report in reports for event in report.events if isinstance(event, Spawned)]
    assert all(os.path.exists(f"/proc/{pid}") for pid in pids)
    return pids


@pytest.mark.parametrize(("rest", "code"), [(b"", DONE), (forged(length=100)[:25], CUT_OFF), (b"K", CUT_OFF)])
def test_end_of_input_ends_agent_and_actors(raw: Raw, rest: bytes, code: int) -> None:
    pids = _spawn_two(raw)
    raw.child.connection.sendall(rest)
    raw.child.connection.shutdown(socket.SHUT_WR)
    assert raw.exit_code() == code
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)


def test_killed_agent_takes_its_actors_along(raw: Raw) -> None:
    pids = _spawn_two(raw)
    watched = [os.pidfd_open(pid) for pid in pids]
    raw.child.process.kill()
    assert raw.exit_code() == -signal.SIGKILL
    assert all(ended(fd) for fd in watched), "an actor outlived the agent"


def test_actor_that_changed_its_user_dies_with_the_agent_too(raw: Raw) -> None:
    pids = _spawn_two(raw)
    raw.child.connection.sendall(encode_frame(FrameType.BATCH, 2, encode_op(Call(0, 117, (1000, 1000, 1000)))))
    assert decode_batch(raw.frame()[2])[1] is Refusal.NONE
    fd = os.pidfd_open(pids[0])
    raw.child.process.kill()
    raw.exit_code()
    assert ended(fd)


def test_agent_ends_when_its_host_is_killed(agent_binary: Path) -> None:
    program = (
        "import sys, signal, os\n"
        "from pathlib import Path\n"
        "from ktrace.agent.client import Agent\n"
        "from ktrace.agent.ops import Spawn\n"
        "agent = Agent.local(Path(sys.argv[1]))\n"
        "agent.step(Spawn(0))\n"
        "hello = agent.hello()\n"
        "print(hello.agent_pid, hello.pids[0], flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(agent_binary)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as host:
        assert host.stdout is not None
        watched = [os.pidfd_open(int(pid)) for pid in host.stdout.readline().split()]
        host.kill()
    assert all(ended(fd) for fd in watched), "the agent or its actor outlived the host"


@pytest.mark.parametrize("options", [["--nonsense"], ["--stdio", "--quiesce"]])
def test_bad_options_are_named(agent_binary: Path, options: list[str]) -> None:
    done = subprocess.run([agent_binary, *options], capture_output=True, stdin=subprocess.DEVNULL, timeout=10)
    assert done.returncode == 5
    assert b"unknown option" in done.stderr
