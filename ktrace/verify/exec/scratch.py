"""What a program needs in the directory that the model knows from its beginning on: it is made by steps.

Nothing else may be there when a session begins; elsewhere files are brought before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ktrace.agent.syscalls import make_call
from ktrace.errors import HostError
from ktrace.machine.baggage.entries import Baggage, Regular
from ktrace.state.call import Call
from ktrace.uapi.fcntl import O_CREAT, O_WRONLY

DIRECTORY = "/tmp"
PIECE = 1 << 17
"""Bytes of a file that are written at once."""


def bringing(baggage: Baggage) -> Iterator[Call]:
    """Yield the calls that make *baggage*, by an actor without descriptors.

    :raises HostError: a file of this machine cannot be read
    """
    if not (baggage.directories or baggage.links or baggage.files):
        return
    yield make_call("umask", 0)
    for directory in baggage.directories:
        yield make_call("mkdir", _bytes(directory.path), directory.mode)
    for link in baggage.links:
        yield make_call("symlink", _bytes(link.target), _bytes(link.path))
    for file in baggage.files:
        data = _read(file)
        yield make_call("open", _bytes(file.path), O_WRONLY | O_CREAT, file.mode)
        for at in range(0, len(data), PIECE):
            yield make_call("write", 0, data[at : at + PIECE])
        yield make_call("close", 0)
    for path in baggage.given_away:
        yield make_call("lchown", _bytes(path), *(baggage.owner or (0, 0)))
    yield make_call("umask", 0o22)


def _read(file: Regular) -> bytes:
    if not file.source:
        return file.data
    try:
        return Path(file.source).read_bytes()
    except OSError as error:
        raise HostError(f"cannot read {file.source!r}: {error.strerror}") from error


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
