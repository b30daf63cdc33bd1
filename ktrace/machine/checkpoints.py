"""Checkpoints of a running session: the guest after every so many steps, kept beside the session's file."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from ktrace.errors import HostError
from ktrace.machine.machine import Machine
from ktrace.machine.template.memory import TemplateMemory
from ktrace.machine.template.template import DamagedTemplate, Template, open_template

DIRECTORY = "checkpoints"
VMCOREINFO = "vmcoreinfo"


class Checkpoints:
    """Save *machine* now and then; of its RAM, what is not as in its template (7 ms to look, some 1 MB).

    :param place: the session's directory
    :param every: steps from one checkpoint to the next
    :param vmcoreinfo: of the guest, kept with them
    :raises HostError: there is no room
    """

    def __init__(self, place: Path, machine: Machine, template: Template, every: int, vmcoreinfo: bytes) -> None:
        self._directory = place / DIRECTORY
        self._machine = machine
        self._every = every
        try:
            self._directory.mkdir(mode=0o700)
            (self._directory / VMCOREINFO).write_bytes(vmcoreinfo)
            self._base = TemplateMemory(template)
        except OSError as error:
            raise HostError(f"cannot keep checkpoints in {str(self._directory)!r}: {error.strerror}") from error

    def __enter__(self) -> Checkpoints:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._base.close()

    def stop(self, number: int) -> None:
        """Have the guest stand still after step *number* if it is time to: what is looked at next is what is saved."""
        if number % self._every == 0:
            self._machine.pause()

    def save(self, number: int) -> None:
        """Save the guest if it is time to, and let it go on.

        :raises HostError: no room, or QEMU refuses
        """
        if number % self._every == 0:
            self._machine.checkpoint(self._directory / str(number), self._base)
            self._machine.resume()


@dataclass(frozen=True)
class Checkpoint:
    """A guest as it was after a step.

    :param vmcoreinfo: the text of its note
    """

    step: int
    template: Template
    vmcoreinfo: bytes


def nearest_checkpoint(
    place: Path, number: int, damaged: Callable[[str], object] = lambda text: None
) -> Checkpoint | None:
    """Return the last checkpoint of the session in *place* at or before step *number*; ``None`` if there is none.

    :param damaged: told which cannot be used, and why
    """
    found: list[int] = []
    with suppress(OSError):
        found = [int(path.name) for path in (place / DIRECTORY).iterdir() if path.name.isdigit()]
    for step in sorted((step for step in found if step <= number), reverse=True):
        try:
            template = open_template(place / DIRECTORY / str(step))
            return Checkpoint(step, template, (place / DIRECTORY / VMCOREINFO).read_bytes())
        except DamagedTemplate as error:
            damaged(f"the checkpoint after step {step} cannot be used: {error.why}")
        except (HostError, OSError) as error:
            damaged(f"the checkpoint after step {step} cannot be used: {error}")
    return None
