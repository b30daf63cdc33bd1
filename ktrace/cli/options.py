"""Options that commands share; each decorator hands the command one value made of them."""

from __future__ import annotations

import functools
import math
import shlex
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from ktrace.cli.mistakes import Choice
from ktrace.errors import UsageError
from ktrace.verify.options import DEFAULT_IMAGE, GuestOptions, SessionOptions

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Decorator = Callable[[_Function], _Function]


def command_line() -> str:
    """Return the command line of this process, as sessions note it."""
    return shlex.join(["ktrace", *sys.argv[1:]])


class Seconds(click.FloatRange):
    """A time that is over some day."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return it; what has no end is none."""
        seconds = float(super().convert(value, param, ctx))
        if not math.isfinite(seconds):
            self.fail(f"{value!r} is not so many seconds", param, ctx)
        return seconds


class SessionName(click.ParamType[Path]):
    """A session: its path, or the name of one that was kept, or the beginning of that, or ``last``."""

    name = "session"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return its path.

        :raises UsageError: there is no such session
        """
        from ktrace.trace.kept import find_session

        return value if isinstance(value, Path) else find_session(str(value))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the names of sessions that *incomplete* may become, or have the shell look for files."""
        from ktrace.trace.kept import LAST
        from ktrace.trace.session import FILE_NAME, sessions_directory

        if "/" in incomplete:
            return [CompletionItem(incomplete, type="file")]
        kept = sorted(path.parent.name for path in sessions_directory().glob(f"*/{FILE_NAME}"))
        return _completing(incomplete, [LAST, *reversed(kept)])


class _Completed(click.ParamType[str]):
    """A word that a shell can complete."""

    name = "text"

    def words(self) -> Iterable[str]:
        """Return what it may be."""
        raise NotImplementedError

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return what *incomplete* may become; behind a comma the next word begins."""
        done, comma, rest = incomplete.rpartition(",")
        return [CompletionItem(done + comma + item.value) for item in _completing(rest, self.words())]


class WorkloadName(_Completed):
    """A bundled workload, the path of a script, or ``WORKLOAD:STEP`` where that is asked for."""

    def words(self) -> Iterable[str]:
        """Return the names of the bundled workloads."""
        from ktrace.workload.library import bundled

        return bundled()

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the names that *incomplete* may become, or have the shell look for files."""
        if "/" in incomplete or incomplete.startswith("."):
            return [CompletionItem(incomplete, type="file")]
        return _completing(incomplete, self.words())


class TargetName(WorkloadName):
    """What ``inspect``, ``shell``, ``console`` and ``dump`` look at: a workload, or a session."""

    def words(self) -> Iterable[str]:
        """Return the names of workloads and of kept sessions."""
        from ktrace.trace.session import sessions_directory

        return [*super().words(), *sorted(path.name for path in sessions_directory().glob("*/"))]


class ImageName(_Completed):
    """The name of an image."""

    def words(self) -> Iterable[str]:
        """Return the names of all recipes and of everything that was built or imported."""
        from ktrace.image.image import known_names
        from ktrace.image.store import open_store

        return known_names(open_store())


class ImageNames(click.ParamType[tuple[str, ...]]):
    """Names of images, with commas between."""

    name = "images"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return them.

        :raises UsageError: there is none, or one twice
        """
        if isinstance(value, tuple):
            return value
        names = tuple(name.strip() for name in str(value).split(","))
        if not all(names) or len(set(names)) < len(names):
            raise UsageError(f"{value!r} names an image {'twice' if all(names) else 'without a name'}", "such as: A,B")
        return names

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return what the last of them may become."""
        return ImageName().shell_complete(ctx, param, incomplete)


class CallNames(_Completed):
    """Calls as ``-e`` takes them: ``trace=`` in front, classes such as ``%network``, commas between."""

    def words(self) -> Iterable[str]:
        """Return the names of all calls, and of their classes."""
        from ktrace.agent.syscalls import PROGRAM_SIGNATURES, SIGNATURES
        from ktrace.agent.syscalls.classes import CLASSES

        return sorted({*SIGNATURES, *PROGRAM_SIGNATURES, *(f"%{name}" for name in CLASSES)})

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return what the last word may become, behind what stands in front."""
        front, equals, rest = incomplete.rpartition("=")
        return [CompletionItem(front + equals + item.value) for item in super().shell_complete(ctx, param, rest)]


class FamilyNames(_Completed):
    """Families of calls, with commas between."""

    def words(self) -> Iterable[str]:
        """Return the names of all families."""
        from ktrace.fuzz.families import FAMILIES

        return FAMILIES


def _completing(incomplete: str, words: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]


memory_option = click.option(
    "--memory",
    "memory_mib",
    type=click.IntRange(1),
    metavar="MIB",
    help="Memory of the guest; by default what its kernel needs.",
)


def guest_options(purpose: str = "The image to boot.", accel: bool = False) -> _Decorator[Any]:
    """Add ``--image`` and ``--memory``; the command gets ``guest``.

    :param purpose: what the help says of the image
    :param accel: add ``--accel``, too
    """

    def decorate(function: _Function) -> _Function:
        @functools.wraps(function)
        def wrapper(
            *args: Any, image_name: str, memory_mib: int | None, accel: str | None = None, **kwargs: Any
        ) -> Any:
            return function(*args, guest=GuestOptions(image_name, accel, memory_mib), **kwargs)

        command = memory_option(wrapper)
        command = click.option(
            "--image", "image_name", type=ImageName(), default=DEFAULT_IMAGE, show_default=True, help=purpose
        )(command)
        if accel:
            choice = Choice(["kvm", "tcg"])
            command = click.option("--accel", type=choice, help="Use this accelerator, without trying.")(command)
        return command  # type: ignore[return-value]

    return decorate


def recording_options(function: _Function) -> _Function:
    """Add what steps are to carry to ``guest``: ``--functions``, ``--probe``, ``--event``."""

    @click.option("--functions", is_flag=True, help="Record the kernel functions that each step goes through.")
    @click.option(
        "--probe",
        "probes",
        multiple=True,
        metavar="'FUNCTION EXPR; EXPR'",
        help="Show this whenever an actor enters FUNCTION.",
    )
    @click.option(
        "--event",
        "events",
        multiple=True,
        metavar="'SYSTEM:TRACEPOINT' or 'FUNCTION[%return] EXPR; EXPR'",
        help="Record this tracepoint or kprobe with each step.",
    )
    @functools.wraps(function)
    def wrapper(*args: Any, functions: bool, probes: tuple[str, ...], events: tuple[str, ...], **kwargs: Any) -> Any:
        guest = replace(kwargs.pop("guest"), functions=functions)
        if probes:
            from ktrace.verify.probing.breakpoints import parse_probe

            guest = replace(guest, probes=tuple(map(parse_probe, probes)))
        if events:
            from ktrace.verify.tracing.events import parse_event

            guest = replace(guest, events=tuple(map(parse_event, events)))
        return function(*args, guest=guest, **kwargs)

    return wrapper  # type: ignore[return-value]


def session_options(function: _Function) -> _Function:
    """Add what a session is to do: ``--session``, ``--checkpoint``, ``--validate``; the command gets ``session``."""

    @click.option("--session", "directory", type=click.Path(path_type=Path), help="Write the session there.")
    @click.option("--force", is_flag=True, help="Overwrite a session that is there already.")
    @click.option(
        "--checkpoint",
        type=click.IntRange(1),
        is_flag=False,
        flag_value=1,
        default=None,
        metavar="[EVERY]",
        help="Save the guest after each step, or each EVERY steps, for ktrace goto.",
    )
    @click.option("--validate", is_flag=True, help="Check memory against itself after every step, too.")
    @functools.wraps(function)
    def wrapper(
        *args: Any, directory: Path | None, checkpoint: int | None, validate: bool, force: bool, **kwargs: Any
    ) -> Any:
        session = SessionOptions(directory, None, validate, checkpoint or 0, command_line(), force)
        return function(*args, session=session, **kwargs)

    return wrapper  # type: ignore[return-value]
