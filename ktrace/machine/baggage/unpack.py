"""Bring what was gathered into a guest."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from ktrace.agent.client import Agent
from ktrace.agent.own_actor import OwnActor
from ktrace.errors import GuestFileError, UsageError
from ktrace.include.linux.time64 import NSEC_PER_SEC
from ktrace.machine.baggage.entries import Baggage, Regular, cannot_read
from ktrace.machine.baggage.window import Window
from ktrace.machine.memory import GuestMemory
from ktrace.uapi.fcntl import O_CREAT, O_TRUNC, O_WRONLY

WINDOW = 1 << 21
"""bytes that are under way at a time"""
CALLS = 2048
"""system calls in one request"""

WRITE, OPEN, CLOSE, MKDIR, CHMOD, SYMLINK, LCHOWN, UMASK, UTIMENSAT = 1, 2, 3, 83, 90, 88, 94, 95, 280
_TIME_BYTES = 8


@dataclass(frozen=True)
class _Made:
    """A system call. want: what it returns; allowed: errno that is as good"""

    path: str
    nr: int
    args: tuple[int | bytes, ...]
    want: int = 0
    allowed: int = 0


def unpack(agent: Agent, memory: GuestMemory | None, baggage: Baggage) -> None:
    """Make the directories and links of *baggage* in the guest, and copy the files.

    :param memory: the guest's RAM; ``None``: everything goes through the agent, which takes longer
    :raises HostError: a file cannot be read here
    :raises UsageError: the guest has no room for it
    :raises GuestFileError: the guest's kernel refuses
    """
    with OwnActor(agent) as actor:
        actor.raw(UMASK, 0)
        _make(actor, baggage, [*_directories(baggage), *_links(baggage)])
        if files := baggage.files:
            window = Window(agent, actor, memory, WINDOW)
            for data, calls in _pieces(files, window):
                window.put(data)
                _make(actor, baggage, calls)
        _make(actor, baggage, list(_owners(baggage)))


def _directories(baggage: Baggage) -> Iterator[_Made]:
    for entry in baggage.directories:
        yield _Made(entry.path, MKDIR, (_text(entry.path), entry.mode), allowed=errno.EEXIST)


def _links(baggage: Baggage) -> Iterator[_Made]:
    for entry in baggage.links:
        yield _Made(entry.path, SYMLINK, (_text(entry.target), _text(entry.path)), allowed=errno.EEXIST)


def _owners(baggage: Baggage) -> Iterator[_Made]:
    for path in baggage.given_away:
        yield _Made(path, LCHOWN, (_text(path), *(baggage.owner or (0, 0))))


def _pieces(files: list[Regular], window: Window) -> Iterator[tuple[bytes, list[_Made]]]:
    """Yield what is to lie in the window, and the calls that write it to files, a window at a time.

    The actor has no descriptor, so each file that it opens is number 0.
    """
    data, calls, room = [], [], window.size
    for file in files:
        calls.append(_Made(file.path, OPEN, (_text(file.path), O_WRONLY | O_CREAT | O_TRUNC, file.mode)))
        with _reading(file) as stream:
            while piece := _read(file, stream, room):
                calls.append(_Made(file.path, WRITE, (0, window.address + window.size - room, len(piece)), len(piece)))
                data.append(piece)
                room -= len(piece)
                if not room:
                    yield b"".join(data), calls
                    data, calls, room = [], [], window.size
        time = b"".join(part.to_bytes(_TIME_BYTES, "little") for part in divmod(file.mtime_ns, NSEC_PER_SEC))
        if file.source:
            calls.append(_Made(file.path, UTIMENSAT, (0, 0, time * 2, 0)))
        calls.append(_Made(file.path, CLOSE, (0,)))
        if len(calls) >= CALLS:
            yield b"".join(data), calls
            data, calls, room = [], [], window.size
    yield b"".join(data), calls


def _reading(file: Regular) -> BinaryIO:
    if not file.source:
        return BytesIO(file.data)
    try:
        return open(file.source, "rb")
    except OSError as error:
        raise cannot_read(file.source, error) from error


def _read(file: Regular, stream: BinaryIO, count: int) -> bytes:
    try:
        return stream.read(count)
    except OSError as error:
        raise cannot_read(file.source, error) from error


def _make(actor: OwnActor, baggage: Baggage, calls: list[_Made]) -> None:
    for call, returned in zip(calls, actor.batch([(call.nr, call.args) for call in calls]), strict=True):
        if returned == call.want or returned == -call.allowed != 0:
            continue
        if returned >= 0 or returned == -errno.ENOSPC:  # a write that was cut short
            raise UsageError(
                f"{baggage.memory >> 20} MiB of files do not fit into the guest's memory: {call.path!r} has no room",
                "leave --memory out, and the guest gets enough",
            )
        raise GuestFileError(call.path, -returned)


def _text(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape") + b"\0"
