"""One field of a matrix: a workload on an image, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from ktrace.errors import GuestError, HostError, InternalError, UsageError
from ktrace.workload.script import Script

NOT_THERE = "not there"
"""The verdict where a kernel has not what a workload needs."""

_EXIT_CODES = {
    "agreed": 0,
    NOT_THERE: 0,
    "diverged": 1,
    "usage": UsageError.exit_code,
    "host": HostError.exit_code,
    "guest": GuestError.exit_code,
    "bug": InternalError.exit_code,
}
FINAL = ("agreed", "diverged", NOT_THERE, "usage")
"""What is not tried again: it says something of workload and kernel, not of the day on which it ran."""


@dataclass(frozen=True)
class Cell:
    """A workload to be run on an image.

    :param workload: as it was asked for: the name of a bundled one, or the path of a script
    :param image: name of the image
    :param place: where it goes below the matrix's directory
    """

    workload: str
    image: str
    place: str


@dataclass(frozen=True)
class CellVerdict:
    """What became of a cell.

    :param status: ``agreed``, ``diverged``, ``not there``, or who is to blame: ``usage``, ``host``, ``guest``, ``bug``
    :param message: why, if it did not agree: one line
    :param steps: that were compared, and *fields* in them
    :param release: of the kernel; empty where none came up
    :param left_out: what the kernel lacks for steps that were not made there, as conditions of the script
    """

    workload: str
    image: str
    status: str
    message: str = ""
    steps: int = 0
    fields: int = 0
    release: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """Exit code of a command whose result this is (``ktrace/errors.py``)."""
        return _EXIT_CODES[self.status]


@dataclass(frozen=True)
class CellTask:
    """What a process needs to know to fill a cell.

    :param script: the workload, read and parsed
    :param directory: where its session goes
    """

    cell: Cell
    script: Script
    directory: str
