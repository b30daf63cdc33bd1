"""How often, over a number of sessions, the kernel did what a rule allows and no model could predict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ktrace.state.rule import Rule
from ktrace.state.step import Step
from ktrace.trace.session import Choices, End, Header, Sink, Verdict


@dataclass
class RuleCount:
    """What was counted of one rule.

    :param used: how often the kernel chose by it; of a set of values, how many fields were held to it when they changed
    :param steps: in how many steps
    :param refused: how often it did what the rule does not allow
    """

    rule: Rule
    used: int = 0
    steps: int = 0
    refused: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return it as data."""
        counts = {"used": self.used, "steps": self.steps, "refused": self.refused}
        return {"rule": str(self.rule), "source": self.rule.source, **counts}


class ChoiceCounts:
    """Count by rule."""

    def __init__(self) -> None:
        self._rows: dict[Rule, RuleCount] = {}

    def note(self, choices: Choices) -> None:
        """Count the choices of one step."""
        for rule, used in choices.by_rule().items():
            row = self._rows.setdefault(rule, RuleCount(rule))
            row.used += sum(choice.allowed for choice in used)
            row.refused += sum(not choice.allowed for choice in used)
            row.steps += 1

    def rows(self) -> list[RuleCount]:
        """Return the rules, the one used most first."""
        return sorted(self._rows.values(), key=lambda row: (-row.used, row.rule.citation, row.rule.what))


class Counting:
    """Pass a session's events on, and count what the kernel chose."""

    def __init__(self, counts: ChoiceCounts, sink: Sink) -> None:
        self._counts = counts
        self._sink = sink

    def header(self, header: Header) -> None:
        """Pass it on."""
        self._sink.header(header)

    def step(self, step: Step) -> None:
        """Pass it on."""
        self._sink.step(step)

    def choices(self, choices: Choices) -> None:
        """Count them."""
        self._counts.note(choices)
        self._sink.choices(choices)

    def verdict(self, verdict: Verdict) -> None:
        """Pass it on."""
        self._sink.verdict(verdict)

    def end(self, end: End, place: str = "") -> None:
        """Pass it on."""
        self._sink.end(end, place)
