"""Hold the function trees of a recorded session against the paths that its calls must go."""

from __future__ import annotations

from pathlib import Path

from ktrace.errors import UsageError
from ktrace.inspect.trace.inlined import Inlined
from ktrace.state.conditions import conditions
from ktrace.state.step import Step
from ktrace.trace.session import Header
from ktrace.verify.path_check import PathChecker
from ktrace.verify.path_parser import read_paths
from ktrace.verify.paths import Expectation, said_of
from ktrace.workload.library import directory

PATHS = "paths"
"""What a session's manifest calls the file beside its bundled workload."""


def noted(paths: Path) -> dict[str, str]:
    """Return what a session notes of the file of paths that it was held against: a bundled one's name."""
    return {PATHS: paths.name} if paths.parent == directory() and paths.exists() else {}


def expectations_of(header: Header, given: Path | None = None) -> tuple[tuple[Expectation, ...], str]:
    """Return the paths that a session on its kernel must go, and the name of their file; none where it notes none.

    :param given: a file to take instead
    :raises UsageError: the file cannot be read
    """
    if given is not None:
        if not given.exists():
            raise UsageError(f"no such file: {str(given)!r}", "give a file of paths, see docs/functions.md")
        return said_of(read_paths(given), conditions(header.facts)), given.name
    name = str(header.manifest.get(PATHS, ""))
    expectations = read_paths(directory() / Path(name).name) if name else ()
    return said_of(expectations, conditions(header.facts)), name


class RecordedPaths:
    """Check step after step. What is inlined where, each step brings with it.

    :param source: the file's name, for messages
    """

    def __init__(self, expectations: tuple[Expectation, ...], source: str) -> None:
        self._inlined: dict[str, dict[str, Inlined]] = {}
        self._checker = PathChecker(expectations, source, lambda name: self._inlined.get(name, {}), lambda _name: True)
        self._traced = False

    @property
    def checked(self) -> int:
        """How many expectations were held against a step."""
        return self._checker.checked

    def check(self, step: Step) -> tuple[str, ...]:
        """Return what *step* did otherwise."""
        if step.functions is not None:
            self._traced = True
            for holder, items in step.functions.inlined.items():
                if holder not in self._inlined:
                    self._inlined[holder] = {name: Inlined(name, holder, place) for name, place in items}
        return self._checker.check(step)

    def unmet(self) -> tuple[str, ...]:
        """Return the expectations that no step has met the conditions of, if any step has functions at all."""
        return self._checker.unmet() if self._traced else ()
