"""How a person is told what takes long, or what became of it: the command line prints it, a program may not care."""

from __future__ import annotations

from typing import Protocol


class Notify(Protocol):
    """Tell a person something that is no result."""

    def __call__(self, text: str) -> None:
        """Tell them *text*, one line."""


class StepsDone(Protocol):
    """Tell a person how far something is that takes long."""

    def __call__(self, done: int, total: int | None = None) -> None:
        """Tell them that *done* steps are done, of *total* if that is known."""


def uncounted(done: int, total: int | None = None) -> None:
    """Tell nobody."""
    del done, total


def silent(text: str) -> None:
    """Tell nobody."""
    del text
