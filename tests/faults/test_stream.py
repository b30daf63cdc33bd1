"""Bytes of the agent's stream changed, cut, repeated, in both directions."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from random import Random
from time import monotonic

import pytest

from ktrace.agent.client import Agent
from ktrace.agent.frames import HEADER_SIZE, FrameType, Refused, decode_error, decode_header, encode_frame
from ktrace.agent.protocol import decode_batch, decode_hello
from ktrace.errors import GuestError
from ktrace.image.image import Image
from ktrace.machine.machine import Machine
from ktrace.machine.template.template import Template
from ktrace.verify.lab import KernelCache, Lab
from ktrace.verify.run import run_script
from ktrace.workload.library import load
from tests.faults.tally import Tally
from tests.sinks import Record

DEADLINE = 0.05
"""Seconds that an answer may take here; one that was cut never comes."""
SECONDS = 2.0
"""After which an end must be known."""


class Wiretap:
    """An agent's stream that is written down.

    :ivar frames: what was sent, what came back, in turn
    """

    def __init__(self, agent: Agent) -> None:
        self.frames: list[tuple[bytes, bytes]] = []
        self._agent = agent
        self._exchange = agent._exchange
        agent._exchange = self._noted  # type: ignore[method-assign,assignment]
        stream = agent._stream
        self._read, self._write = stream.read, stream.write
        self._sent = self._came = b""
        stream.read = self._noted_read  # type: ignore[method-assign]
        stream.write = self._noted_write  # type: ignore[method-assign]

    def _noted(self, *arguments: object) -> bytes:
        self._sent = self._came = b""
        answer = self._exchange(*arguments)  # type: ignore[arg-type]
        self.frames.append((self._sent, self._came))
        return answer

    def _noted_read(self, deadline: float) -> bytes:
        data = self._read(deadline)
        self._came += data
        return data

    def _noted_write(self, data: bytes, deadline: float) -> int:
        count = self._write(data, deadline)
        self._sent += data[:count]
        return count


@pytest.fixture(scope="module")
def frames(
    template: Template, image: Image, kernels: KernelCache, tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[bytes, bytes]]:
    """Questions and answers of real runs."""
    found = []
    for name in ("pipe-basic", "unix-stream", "msg-types"):
        with Machine.clone(template, directory=tmp_path_factory.mktemp("tapped")) as machine:
            tap = Wiretap(machine.agent)
            lab = Lab(machine, image.vmlinux, kernels)
            sink = Record()
            assert run_script(load(name), lab, sink, {}).status == "agreed", sink.verdicts
            found += tap.frames
    assert all(len(came) == HEADER_SIZE + decode_header(came).length for _, came in found)
    return found


def spoil(chance: Random, data: bytes, other: bytes) -> bytes:
    """Change, cut or repeat bytes of *data*, or put some of *other* into it."""
    at = chance.randrange(len(data))
    end = min(len(data), at + chance.choice([1, 1, 2, 4, 8, 64]))
    ways: list[Callable[[], bytes]] = [
        lambda: data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :],
        lambda: data[:at] + chance.randbytes(end - at) + data[end:],
        lambda: data[:at] + b"\xff" * (end - at) + data[end:],
        lambda: data[:at] + data[end:],
        lambda: data[:at],
        lambda: data[:end] + data[at:],
        lambda: data + data,
        lambda: data[:at] + other[at:],
    ]
    while (spoilt := chance.choice(ways)()) == data:
        pass
    return spoilt


def spoil_frame(chance: Random, frame: bytes, other: bytes) -> bytes:
    """Spoil a frame as it is, or what is in it below a checksum that is right again."""
    if chance.random() < 0.5 or len(frame) == HEADER_SIZE:
        return spoil(chance, frame, other)
    header = decode_header(frame)
    return encode_frame(header.type, header.sequence, spoil(chance, frame[HEADER_SIZE:], other[HEADER_SIZE:]))


def understand(agent: Agent, question: bytes, seconds: float) -> str:
    """Send *question* as it is, and tell how that ends."""
    header = decode_header(question)
    agent._sequence = header.sequence - 1
    try:
        payload = agent._exchange(FrameType(header.type), question[HEADER_SIZE:], seconds)
        _ = decode_hello(payload) if header.type == FrameType.HELLO else decode_batch(payload)
    except GuestError as error:
        return type(error).__name__
    except Refused:
        return "Refused"
    return "understood"


@pytest.mark.timeout(1800)
def test_answers_are_spoilt(frames: list[tuple[bytes, bytes]], tally: Tally) -> None:
    """Somebody answers a real question with a spoilt real answer, and hangs up or says nothing more."""
    row = tally.row("bytes of the agent's answers changed, cut, repeated")
    chance = Random("answers")
    for _ in range(tally.times(8_000)):
        question, answer = chance.choice(frames)
        spoilt = spoil_frame(chance, answer, chance.choice(frames)[1])
        ours, theirs = socket.socketpair()
        with theirs, Agent.of_socket(ours) as agent:
            # What is sent before the question comes is what is read after it.
            theirs.sendall(spoilt)
            if chance.random() < 0.95:
                theirs.shutdown(socket.SHUT_WR)
            began = monotonic()
            end = understand(agent, question, DEADLINE)
        seconds = monotonic() - began
        assert seconds < SECONDS, end
        row.count(end, seconds)
    assert set(row.ends) <= {"understood", "Refused", "GuestGarbage", "GuestDied", "GuestHang"}


@pytest.mark.timeout(2400)
def test_questions_are_spoilt(
    frames: list[tuple[bytes, bytes]], template: Template, tally: Tally, tmp_path: Path
) -> None:
    """A guest's agent gets a spoilt question; what it says, or that it is gone, is told in time."""
    row = tally.row("bytes of what is sent to the agent changed, cut, repeated")
    chance = Random("questions")
    left = tally.times(2_000)
    while left:
        with Machine.clone(template, directory=tmp_path / str(left)) as machine:
            end = "understood"
            # The next one goes to the same guest, as long as that can still be spoken to.
            while left and end in ("understood", "Refused"):
                left -= 1
                question = spoil_frame(chance, chance.choice(frames)[0], chance.choice(frames)[0])
                began = monotonic()
                end = said(machine.agent, question)
                seconds = monotonic() - began
                assert seconds < SECONDS, end
                row.count(end, seconds)
    assert set(row.ends) <= {"understood", "Refused", "GuestGarbage", "GuestDied", "GuestHang", "GuestPanic"}


def said(agent: Agent, question: bytes) -> str:
    """Send *question*, whatever it is, and tell what the agent says next."""
    try:
        agent._send(question, monotonic() + SECONDS)
        header, payload = agent._receive(monotonic() + 0.5)
        if header.type == FrameType.ERROR:
            decode_error(payload)
            return "Refused"
        _ = decode_hello(payload) if header.type == FrameType.HELLO | FrameType.REPLY else decode_batch(payload)
    except GuestError as error:
        return type(error).__name__
    return "understood"
