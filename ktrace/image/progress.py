"""How a long job tells whoever started it how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receiver of a job's progress; the command line draws it."""

    def stage(self, title: str, total: int | None = None) -> None:
        """Begin a stage.

        :param title: what is being done, for people
        :param total: about how many units it has, ``None`` if unknown
        """

    def advance(self, done: int, what: str) -> None:
        """Tell that a unit is done.

        :param done: units done since the stage began
        :param what: the unit that was just done
        """

    def note(self, text: str) -> None:
        """Say something worth a line of its own."""


class Silent:
    """A receiver that says nothing."""

    def stage(self, title: str, total: int | None = None) -> None:
        """Begin a stage."""

    def advance(self, done: int, what: str) -> None:
        """Tell that a unit is done."""

    def note(self, text: str) -> None:
        """Say something."""
