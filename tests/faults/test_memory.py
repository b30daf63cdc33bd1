"""Random changes of what the readers read: each ends in a World, or in CorruptStructure."""

from __future__ import annotations

import io
import os
import signal
import struct
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from time import process_time
from types import FrameType
from typing import TypeVar

import pytest
from rich.console import Console

from ktrace.errors import GuestGarbage
from ktrace.image.image import Image
from ktrace.inspect.build import read_facts
from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.invariants.all import validate
from ktrace.inspect.kernel import PAGE_OFFSET_4LEVEL
from ktrace.machine.machine import Machine
from ktrace.machine.template.template import Template
from ktrace.report.page import write_page
from ktrace.report.terminal import TerminalView
from ktrace.state.compare import compare
from ktrace.state.step import Step
from ktrace.state.world import World
from ktrace.trace.session import FILE_NAME, End, Header
from ktrace.trace.session_reader import SessionReader
from ktrace.trace.session_writer import SessionWriter
from ktrace.verify.lab import KernelCache, Lab
from ktrace.verify.run import run_script
from ktrace.workload.parser import parse_script
from tests.faults.tally import Row, Tally
from tests.sinks import Record

T = TypeVar("T")

SECONDS = 2.0
"""What one question may take of the processor, whatever the memory holds; a busy machine takes longer."""

SCRIPTS = {
    "pipes": """
A: pipe2([r, w], 0)
A: write(w, "x" * 6000)
A: pipe2([r2, w2], 0)
A: tee(r, w2, 4096, 0)
A: fork() -> B
B: fcntl(w, F_SETPIPE_SZ, 8192)
A: epoll_create1(0) -> e
A: epoll_ctl(e, EPOLL_CTL_ADD, r, {EPOLLIN, 7})
A: pipe2([r3, w3], 0)
A: fork() -> C
C: read(r3, 10)
A: open("/tmp/file", O_RDWR|O_CREAT, 0600) -> f
A: write(f, "file")
""",
    "System V IPC": """
A: semget(0x51, 3, IPC_CREAT|0640) -> s
A: semop(s, [{0, 5, SEM_UNDO}, {2, 1, 0}])
A: fork() -> B
A: fork() -> C
B: semop(s, [{1, -1, SEM_UNDO}])
C: semop(s, [{0, 0, 0}, {1, -2, 0}])
A: msgget(0x52, IPC_CREAT|0600) -> q
A: msgsnd(q, {3, "three"})
A: msgsnd(q, {1, "x" * 6000})
A: fork() -> D
D: msgrcv(q, 100, 9)
A: shmget(0x53, 10000, IPC_CREAT|0600) -> m
A: shmat(m, 0x20000000)
A: store(0x20001000, "hello")
""",
    "sockets": """
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])
A: pipe2([r, w], 0)
A: sendmsg(a, {msg_iov=["fds"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [r, w]}]}, 0)
A: socket(AF_INET, SOCK_STREAM, 0) -> l
A: bind(l, inet("127.0.0.1", 5000))
A: listen(l, 4)
A: socket(AF_INET, SOCK_STREAM, 0) -> c
A: connect(c, inet("127.0.0.1", 5000))
A: accept(l) -> p
A: write(c, "hello")
A: socket(AF_INET, SOCK_DGRAM, 0) -> u
A: bind(u, inet("127.0.0.1", 5001))
A: sendto(u, "datagram", 0, inet("127.0.0.1", 5001))
A: fork() -> B
B: read(b, 100)
B: read(b, 100)
""",
}


class Recorder:
    """Guest memory that remembers where it was read.

    :ivar places: physical address and size of each read
    """

    def __init__(self, machine: Machine) -> None:
        self.memory = machine.memory
        self.size = machine.memory.size
        self.places: dict[tuple[int, int], None] = {}

    def read(self, address: int, size: int) -> bytes:
        """Read as the machine's own memory does."""
        self.places[address, size] = None
        return self.memory.read(address, size)

    def write(self, address: int, data: bytes) -> None:
        """Write likewise."""
        self.memory.write(address, data)


@contextmanager
def alarmed() -> Iterator[None]:
    """Have whatever goes on for ever end in TimeoutError."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise TimeoutError("still at it: " + "".join(traceback.format_stack(frame)[-6:]))

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, 3 * SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


class Questions:
    """What is asked of damaged memory, and what came that must not come.

    :ivar failures: how often, by the exception and where it was raised
    """

    def __init__(self, row: Row) -> None:
        self.row = row
        self.failures: Counter[str] = Counter()

    def ask(self, what: str, answer: Callable[[], T], fine: type[GuestGarbage] = CorruptStructure) -> T | None:
        """Answer a question in time, in a value or in an error that is *fine*."""
        began = process_time()
        value: T | None = None
        end = what
        try:
            with alarmed():
                value = answer()
        except fine as error:
            end = type(error).__name__
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            name = os.path.basename(place.filename)
            self.failures[f"{what}: {type(error).__name__}: {str(error)[:900]} ({name}:{place.lineno})"] += 1
        seconds = process_time() - began
        if seconds > SECONDS:
            self.failures[f"{what} took {seconds:.1f} s"] += 1
        self.row.count(end, seconds)
        return value

    def demand_no_failures(self) -> None:
        """Fail the test with all that must not have come."""
        if self.failures:
            pytest.fail("\n".join(f"{n} times {text}" for text, n in self.failures.most_common()), pytrace=False)


def damage(chance: Random, recorder: Recorder, places: list[tuple[int, int]]) -> tuple[int, bytes]:
    """Change a few bytes of what was read; return where, and what was there."""
    while True:
        address, size = chance.choice(places)
        width = chance.choice([1, 2, 4, 8])
        if size >= width:
            where = address + chance.randrange(0, size - width + 1, width)
            before = recorder.memory.read(where, width)
            after = nonsense(chance, recorder, where, before, chance.choice(places))
            if after != before:
                recorder.memory.write(where, after)
                return where, before


def nonsense(chance: Random, recorder: Recorder, where: int, before: bytes, other: tuple[int, int]) -> bytes:
    """Return what to put in place of *before*: noise, limits, or what makes sense at the *other* place."""
    width = len(before)
    kind = chance.randrange(7)
    if kind == 0:
        return chance.randbytes(width)
    if kind == 1:
        return bytes(width)
    if kind == 2:
        return b"\xff" * width
    if kind == 3:
        return bytes([before[0] ^ 1 << chance.randrange(8)]) + before[1:]
    if kind == 4 and other[1] >= width:
        return recorder.memory.read(other[0], width)
    # A pointer to itself, or to somewhere else.
    target = where if kind == 5 else other[0]
    return struct.pack("<Q", PAGE_OFFSET_4LEVEL + (target & ~7))[:width]


def report(initial: Header, step: Step, world: World, place: Path) -> None:
    """Write a session whose last step left *world*, compare it with what it was, print it, and make its page."""
    damaged = replace(step, number=1, world=world)
    (place / FILE_NAME).unlink(missing_ok=True)
    with SessionWriter(place) as writer:
        writer.header(initial)
        writer.step(damaged)
        writer.end(End("agreed", 1, 0, 0, ""))
    view = TerminalView(Console(file=io.StringIO(), width=120), 2)
    view.header(initial)
    view.step(damaged)
    compare(world, step.world)
    write_page(SessionReader(place), io.StringIO())


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", SCRIPTS)
def test_memory_is_damaged(
    name: str, template: Template, image: Image, kernels: KernelCache, tally: Tally, tmp_path: Path
) -> None:
    row = tally.row(f"a random change of guest memory that readers read ({name})")
    questions = Questions(row)
    chance = Random(name)
    with Machine.clone(template, directory=tmp_path / "machine") as machine:
        lab = Lab(machine, image.vmlinux, kernels)
        sink = Record()
        assert run_script(parse_script(SCRIPTS[name]), lab, sink, {}).status == "agreed", sink.verdicts
        machine.pause()
        recorder = Recorder(machine)
        lab.kernel.use(recorder)
        lab.forget()
        sound = lab.inspector.observe()
        validate(lab.kernel)
        places = list(recorder.places)
        place = tmp_path / "session"
        place.mkdir()
        for _ in range(tally.times(10_000) // len(SCRIPTS)):
            where, before = damage(chance, recorder, places)
            world = questions.ask("a World", partial(look, lab))
            questions.ask("validated", partial(validate, lab.kernel))
            if world is not None:
                questions.ask("reported", partial(report, sink.headers[0], sink.steps[-1], world, place))
            recorder.memory.write(where, before)
        lab.forget()
        assert lab.inspector.observe() == sound
    questions.demand_no_failures()


@pytest.mark.timeout(1800)
def test_what_a_session_begins_with_is_damaged(
    template: Template, image: Image, kernels: KernelCache, tally: Tally, tmp_path: Path
) -> None:
    questions = Questions(tally.row("a random change of what the facts of a kernel are read from"))
    chance = Random("facts")
    with Machine.clone(template, directory=tmp_path / "machine") as machine:
        lab = Lab(machine, image.vmlinux, kernels)
        machine.pause()
        recorder = Recorder(machine)
        lab.kernel.use(recorder)
        sound = read_facts(lab.kernel)
        places = list(recorder.places)
        for _ in range(tally.times(1_000)):
            where, before = damage(chance, recorder, places)
            questions.ask("facts", partial(read_facts, lab.kernel), GuestGarbage)
            recorder.memory.write(where, before)
        assert read_facts(lab.kernel) == sound
    questions.demand_no_failures()


def look(lab: Lab) -> World:
    """Look as if for the first time."""
    lab.forget()
    return lab.look()
