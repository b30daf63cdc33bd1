"""Where a running session's guest can be read from outside: a small file beside the session."""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ktrace.errors import HostError, UsageError
from ktrace.trace.session import sessions_directory

FILE_NAME = "live.json"


@dataclass(frozen=True)
class Live:
    """What another process needs to read a guest.

    :param pid: the ktrace that owns it; :param ram_fd: its descriptor of the guest's RAM
    :param size: bytes of RAM
    :param vmlinux: path of the kernel's debug information
    :param vmcoreinfo: text of the guest's vmcoreinfo note
    :param living: pids of the actors that live, by name; *names_by_pid*: of all that ever lived
    :param addresses: where the objects are, by their names in the session (``pipe:pipe1``)
    :param registers: of the CPU, while it stands still
    :param console: abstract address of the socket on which shells are given
    """

    pid: int
    ram_fd: int
    size: int
    image: str
    title: str
    vmlinux: str
    vmcoreinfo: str
    living: Mapping[str, int]
    names_by_pid: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, int] = field(default_factory=dict)
    registers: Mapping[str, int] = field(default_factory=dict)
    console: str = ""

    def write(self, directory: Path) -> None:
        """Put it into a session's directory, whole or not at all."""
        scratch = directory / f".{FILE_NAME}"
        scratch.write_text(json.dumps(asdict(self)))
        scratch.replace(directory / FILE_NAME)


class LiveMemory:
    """The RAM of a guest that another process owns, read-only.

    :raises UsageError: that process is gone
    :raises HostError: it may not be read
    """

    def __init__(self, live: Live) -> None:
        try:
            descriptor = os.open(f"/proc/{live.pid}/fd/{live.ram_fd}", os.O_RDONLY | os.O_CLOEXEC)
            try:
                if os.fstat(descriptor).st_size != live.size:
                    raise UsageError("the session's guest is gone", "start one with: ktrace run --hold WORKLOAD")
                self._map = mmap.mmap(descriptor, live.size, prot=mmap.PROT_READ)
            finally:
                os.close(descriptor)
        except (FileNotFoundError, ProcessLookupError):
            raise UsageError("the session's guest is gone", "start one with: ktrace run --hold WORKLOAD") from None
        except OSError as error:
            raise HostError(
                f"cannot read the guest of process {live.pid}: {error.strerror}", "run as the same user"
            ) from error
        self.size = live.size

    def read(self, address: int, size: int) -> bytes:
        """Return *size* bytes at physical *address*."""
        return self._map[address : address + size]


def read_live(directory: Path) -> Live:
    """Return what a session says of its guest.

    :raises UsageError: the session has no running guest
    """
    try:
        fields = json.loads((directory / FILE_NAME).read_text())
        return Live(**fields)
    except (OSError, ValueError, TypeError):
        raise UsageError(
            f"{str(directory)!r} has no running guest",
            "start one with: ktrace run --hold WORKLOAD, or go back to a step: ktrace goto SESSION STEP",
        ) from None


def is_held(directory: Path) -> bool:
    """Tell whether the guest of the session in *directory* is held: whoever held it may have been killed."""
    try:
        live = read_live(directory)
    except UsageError:
        return False
    return os.path.exists(f"/proc/{live.pid}/fd/{live.ram_fd}")


def newest_live() -> Path:
    """Return the newest session whose guest still runs.

    :raises UsageError: there is none
    """
    for path in _running():
        return path
    raise UsageError("no session has a running guest", "start one with: ktrace run --hold WORKLOAD")


def is_any_live() -> bool:
    """Tell whether any session's guest still runs."""
    return any(True for _ in _running())


def _running() -> Iterator[Path]:
    """Yield the sessions whose guests still run, the newest first."""
    found = sorted(sessions_directory().glob(f"*/{FILE_NAME}"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in found:
        live = read_live(path.parent)
        if os.path.exists(f"/proc/{live.pid}/fd/{live.ram_fd}"):
            yield path.parent
