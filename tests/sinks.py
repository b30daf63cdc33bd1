"""Sinks for tests: where a run's events go that nobody prints."""

from __future__ import annotations

from ktrace.state.step import Step
from ktrace.trace.session import Choices, End, Header, Verdict


class Record:
    """Keep what a run tells.

    :ivar ends: with the place of the session's file, empty where it has none
    """

    def __init__(self) -> None:
        self.headers: list[Header] = []
        self.steps: list[Step] = []
        self.chosen: list[Choices] = []
        self.verdicts: list[Verdict] = []
        self.ends: list[tuple[End, str]] = []

    def header(self, header: Header) -> None:
        """Keep the start."""
        self.headers.append(header)

    def step(self, step: Step) -> None:
        """Keep a step."""
        self.steps.append(step)

    def choices(self, choices: Choices) -> None:
        """Keep what the kernel chose."""
        self.chosen.append(choices)

    def verdict(self, verdict: Verdict) -> None:
        """Keep a verdict."""
        self.verdicts.append(verdict)

    def end(self, end: End, place: str = "") -> None:
        """Keep the end."""
        self.ends.append((end, place))
