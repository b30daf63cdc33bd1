"""Where a run's events go: the session file, the terminal, a test."""

from __future__ import annotations

from typing import Protocol

from ktrace.state.step import Step
from ktrace.trace.session import End, Header, Verdict


class Sink(Protocol):
    """Take a run's events as they happen."""

    def header(self, header: Header) -> None:
        """Take the start."""

    def step(self, step: Step) -> None:
        """Take one step."""

    def verdict(self, verdict: Verdict) -> None:
        """Take the verdict on a step that did not agree."""

    def end(self, end: End) -> None:
        """Take the end."""


class Sinks:
    """Hand every event to several sinks, in order."""

    def __init__(self, *sinks: Sink) -> None:
        self._sinks = sinks

    def header(self, header: Header) -> None:
        """Hand on the start."""
        for sink in self._sinks:
            sink.header(header)

    def step(self, step: Step) -> None:
        """Hand on one step."""
        for sink in self._sinks:
            sink.step(step)

    def verdict(self, verdict: Verdict) -> None:
        """Hand on a verdict."""
        for sink in self._sinks:
            sink.verdict(verdict)

    def end(self, end: End) -> None:
        """Hand on the end."""
        for sink in self._sinks:
            sink.end(end)
