"""Workload scripts as tests: ``pytest dir/`` runs each ``*.kt`` in it as ``ktrace run`` does."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ktrace.errors import KtraceError, UsageError
from ktrace.library.divergence import Told
from ktrace.library.guests import guests_of
from ktrace.testing.labs import images_of, require
from ktrace.trace.session import new_directory
from ktrace.verify.options import GuestOptions, RunOptions, SessionOptions
from ktrace.verify.paths import paths_file
from ktrace.verify.sessions import run_session
from ktrace.workload.library import read
from ktrace.workload.script import Script
from ktrace.workload.tokens import ScriptError


class ScriptFile(pytest.File):
    """One script."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield it as a test, for each image."""
        try:
            script = read(self.path)
        except UsageError as error:
            raise self.CollectError(error.message) from None
        images = images_of(self.config, self)
        for image in images:
            name = script.name if len(images) == 1 else f"{script.name}[{image}]"
            yield ScriptItem.from_parent(self, name=name, script=script, image=image)


class ScriptItem(pytest.Item):
    """A script in one image.

    :ivar line: of what went wrong, from 0 on
    """

    def __init__(self, *, script: Script, image: str, **more: Any) -> None:
        super().__init__(**more)
        self._script = script
        self._image = image
        self._line = 0

    @property
    def location(self) -> tuple[str, int | None, str]:
        """The script, and the line of its step that went wrong."""
        return os.path.relpath(self.path, self.config.rootpath), self._line, self.name

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return where it is."""
        return self.path, self._line, self.name

    def runtest(self) -> None:
        """Run it in a fresh guest; its session stays where that did not agree.

        :raises Divergence: kernel and model disagree, or the script's annotations say otherwise
        """
        from ktrace.verify.probing.breakpoints import parse_probe

        asked = RunOptions((str(self.path),), GuestOptions(self._image))
        asked = asked.with_recording(self._script.functions, tuple(map(parse_probe, self._script.probes)))
        require(self.config, asked.guest)
        place = new_directory(self._script.name or "script")
        told = Told()
        session = SessionOptions(place, command=shlex.join(sys.argv))
        paths = paths_file(str(self.path))
        end = run_session(guests_of(asked.guest), self._script, told, replace(session, paths=paths))
        if told.divergence is not None:
            step = told.divergence.step
            self._line = max(0, step.line - 1 if step is not None else 0)
            told.divergence.add_note(f"session {place}")
            raise told.divergence
        shutil.rmtree(place, ignore_errors=True)
        if end.exit_code:
            raise UsageError(end.message or end.status)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Say what went wrong, without where in ktrace that was found."""
        error = excinfo.value
        if not isinstance(error, KtraceError):
            return super().repr_failure(excinfo, style)
        if isinstance(error, ScriptError):
            self._line = max(0, error.place.line - 1)
        at = f"{self.location[0]}:{self._line + 1}: "
        return "\n  ".join([at + error.message, *getattr(error, "__notes__", ())])  # the hint is the first of them
