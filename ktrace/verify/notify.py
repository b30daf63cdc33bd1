"""How a person is told what takes long, or what became of it: the command line prints it, a program may not care."""

from __future__ import annotations

from typing import Protocol


class Notify(Protocol):
    """Tell a person something that is no result."""

    def __call__(self, text: str) -> None:
        """Tell them *text*, one line."""


def silent(text: str) -> None:
    """Tell nobody."""
    del text
