"""The sessions that were kept where sessions land by default: list them, find one by its name, remove them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ktrace.errors import HostError, KtraceError, UsageError
from ktrace.suggest import did_you_mean
from ktrace.trace.live import is_held
from ktrace.trace.session import FILE_NAME, sessions_directory
from ktrace.trace.session_reader import SessionReader

LAST = "last"
_SHOWN = 5


@dataclass(frozen=True)
class Kept:
    """A session that was kept.

    :param size: bytes of its directory; *live*: its guest is held
    :param changed: when it was written to last, in seconds
    """

    path: Path
    changed: float
    size: int
    live: bool

    @property
    def name(self) -> str:
        """The name of its directory."""
        return self.path.name

    def title(self) -> str:
        """Return the session's title, or say that it is none."""
        try:
            return SessionReader(self.path).header.title
        except KtraceError:
            return "(no session)"


def kept_sessions() -> list[Kept]:
    """Return all of them, the newest first; one that another process removes meanwhile is left out.

    :raises HostError: they cannot be looked at
    """
    found = []
    try:
        places = [place for place in sessions_directory().iterdir() if place.is_dir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise HostError(f"cannot read {str(sessions_directory())!r}: {error.strerror}") from error
    for place in places:
        try:
            changed = max(item.stat().st_mtime for item in (place, *place.glob(FILE_NAME)))
            size = sum(item.lstat().st_blocks * 512 for item in place.rglob("*"))
        except OSError:
            continue
        found.append(Kept(place, changed, size, is_held(place)))
    return sorted(found, key=lambda kept: (kept.changed, kept.name), reverse=True)


def find_session(name: str) -> Path:
    """Return the session that *name* stands for.

    :param name: a path; ``last``; or the beginning of the name of one that was kept, with or without its date
    :raises UsageError: there is none, or more than one
    """
    if "/" in name or os.path.lexists(name):
        return Path(name)
    kept = [item for item in kept_sessions() if (item.path / FILE_NAME).exists()]
    if name == LAST and kept:
        return kept[0].path
    found = [item for item in kept if item.name == name] or [item for item in kept if item.name.startswith(name)]
    if len(found) == 1:
        return found[0].path
    if found:
        shown = ", ".join(item.name for item in found[:_SHOWN])
        raise UsageError(f"{name!r} may be any of {len(found)} sessions: {shown}", "give more of its name")
    hint = did_you_mean(name, [item.name for item in kept], "see: ktrace sessions; a path needs a slash")
    raise UsageError(f"no session {name!r}", hint)


def named_sessions(names: Sequence[str]) -> list[Kept]:
    """Return those of the kept sessions that *names* stand for.

    :raises UsageError: there is no such session, or it is not among those that were kept
    """
    kept = kept_sessions()
    places = {find_session(name).resolve() for name in names}
    if strange := places - {item.path.resolve() for item in kept}:
        raise UsageError(f"{str(min(strange))!r} is not among the kept sessions", "remove it with rm -r")
    return [item for item in kept if item.path.resolve() in places]


def remove_session(directory: Path) -> None:
    """Remove what belongs to the session in *directory*, and leave the directory and whatever else is in it.

    :raises UsageError: its guest is held
    :raises HostError: something cannot be removed
    """
    if is_held(directory):
        raise UsageError(f"the guest of {str(directory)!r} is held", "end that first, or name another directory")
    try:
        for name in (FILE_NAME, "console.log", "qemu.log"):
            (directory / name).unlink(missing_ok=True)
        if (directory / "checkpoints").is_dir():
            shutil.rmtree(directory / "checkpoints")
    except OSError as error:
        raise HostError(f"cannot remove the session in {str(directory)!r}: {error.strerror}") from error


def remove_sessions(sessions: Sequence[Kept]) -> int:
    """Remove *sessions* but those whose guest is held; return how many bytes that freed.

    :raises HostError: one cannot be removed
    """
    freed = 0
    for kept in sessions:
        if kept.live:
            continue
        try:
            shutil.rmtree(kept.path)
        except OSError as error:
            raise HostError(f"cannot remove {str(kept.path)!r}: {error.strerror}") from error
        freed += kept.size
    return freed
