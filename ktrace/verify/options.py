"""What a person asks for when a workload is to be run; what does not go together is refused."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ktrace.errors import UsageError

if TYPE_CHECKING:
    from ktrace.verify.probing.breakpoints import ProbeTarget
    from ktrace.verify.tracing.events import EventTarget

DEFAULT_IMAGE = "lab-6.1"


@dataclass(frozen=True)
class GuestOptions:
    """What guests are to be made of, and what their steps are to carry.

    :param image: name of the image to boot
    :param accel: name of the accelerator to use; ``None`` finds out by trying
    :param memory_mib: RAM in MiB; ``None`` is what the image needs
    :param functions: every step carries the kernel functions that it goes through
    :param probes: every step stops at these functions
    :param events: every step carries these events
    """

    image: str = DEFAULT_IMAGE
    accel: str | None = None
    memory_mib: int | None = None
    functions: bool = False
    probes: tuple[ProbeTarget, ...] = ()
    events: tuple[EventTarget, ...] = ()

    def command_line(self) -> list[str]:
        """Write the options of a command that has it boot the same guests."""
        memory = [] if self.memory_mib is None else ["--memory", str(self.memory_mib)]
        return ["--image", self.image, *memory]


@dataclass(frozen=True)
class SessionOptions:
    """What one session is to do.

    :param directory: where its file lands, made if it is not there; ``None`` for one of its own
    :param paths: file of the function paths that its calls must go
    :param validate: memory is checked against itself after every step, too
    :param checkpoint: the guest is saved after every so many steps; 0: never
    :param command: the command line that asks for it, which the session notes
    :param force: a session that is in *directory* already is overwritten
    """

    directory: Path | None = None
    paths: Path | None = None
    validate: bool = False
    checkpoint: int = 0
    command: str = ""
    force: bool = False


@dataclass(frozen=True)
class RunOptions:
    """What ``ktrace run`` is asked for.

    :param workloads: bundled ones by name, scripts by path; each runs in a guest of its own
    :param plain: without the functions and probes that a script asks for
    :param hold: keep the guest at the end
    :param page: write the session there as an HTML page, too
    :raises UsageError: some of this does not go together
    """

    workloads: tuple[str, ...]
    guest: GuestOptions = field(default_factory=GuestOptions)
    session: SessionOptions = field(default_factory=SessionOptions)
    plain: bool = False
    hold: bool = False
    page: Path | None = None

    def __post_init__(self) -> None:
        if not self.workloads:
            raise UsageError("which workload?", "see: ktrace run --list")
        if len(self.workloads) > 1:
            if self.page is not None:
                raise UsageError(
                    "--report takes one workload, and no --json", "write the others with: ktrace report SESSION"
                )
            if self.session.checkpoint:
                raise UsageError("--checkpoint takes one workload", "run them one by one")
            if self.session.directory is not None:
                raise UsageError("--session takes one workload", "leave it out to have a directory made for each")
        if self.session.checkpoint and self.guest.probes:
            raise UsageError("--checkpoint and probes do not go together", "leave out --probe, or add --plain")

    def with_recording(self, functions: bool, probes: tuple[ProbeTarget, ...]) -> RunOptions:
        """Return these options with what a script that is run alone asks for itself; ``--plain`` declines.

        :raises UsageError: it does not go together with the rest
        """
        if self.plain:
            return self
        guest = replace(
            self.guest, functions=self.guest.functions or functions, probes=self.guest.probes + probes
        )  # fmt: skip
        return replace(self, guest=guest)
