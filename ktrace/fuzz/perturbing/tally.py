"""What came of changed steps, by the kind of what was changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

NO_RULE = "no rule"


@dataclass(frozen=True)
class Answer:
    """What the check said of one change.

    :param kind: of the leaf that was changed; *text* says the whole change
    :param noticed: a difference was found; *after* how many further steps
    :param rules: what admitted it where it was not noticed
    :param failed: what the model fell over, empty where it did not
    """

    kind: str
    text: str
    noticed: bool
    after: int = 0
    rules: tuple[str, ...] = ()
    failed: str = ""


@dataclass
class Kind:
    """What came of the changes of one kind of leaf.

    :ivar changed: how many; *noticed* of these, *later* of the noticed: not at the step itself
    :ivar rules: what admitted the others, by the rule's text; :data:`NO_RULE` where no rule did
    """

    changed: int = 0
    noticed: int = 0
    later: int = 0
    rules: Counter[str] = field(default_factory=Counter)


@dataclass
class Tally:
    """What came of all changes.

    :ivar failures: changes that the model fell over
    :ivar missed: each change that was not noticed, with what admitted it
    """

    kinds: dict[str, Kind] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    missed: list[tuple[str, str]] = field(default_factory=list)

    @property
    def changed(self) -> int:
        """Return how many leaves were changed."""
        return sum(kind.changed for kind in self.kinds.values())

    @property
    def noticed(self) -> int:
        """Return how many of them the check noticed."""
        return sum(kind.noticed for kind in self.kinds.values())

    @property
    def faults(self) -> int:
        """Return how many were missed for no reason, or were too much for the model."""
        return len(self.failures) + sum(kind.rules[NO_RULE] for kind in self.kinds.values())

    def unnoticed(self) -> list[tuple[str, Kind]]:
        """Return the kinds of which some were not noticed, those with most first."""
        found = [(name, kind) for name, kind in self.kinds.items() if kind.noticed < kind.changed]
        return sorted(found, key=lambda item: (item[1].noticed - item[1].changed, item[0]))

    def as_dict(self) -> dict[str, Any]:
        """Return it as data."""
        return {
            "changed": self.changed,
            "noticed": self.noticed,
            "kinds": {
                name: {"changed": kind.changed, "noticed": kind.noticed, "later": kind.later, "rules": dict(kind.rules)}
                for name, kind in sorted(self.kinds.items())
            },
            "missed": [{"change": change, "rule": rule} for change, rule in self.missed],
            "failures": self.failures,
        }

    def add(self, answer: Answer) -> None:
        """Count one change."""
        kind = self.kinds.setdefault(answer.kind, Kind())
        kind.changed += 1
        kind.noticed += answer.noticed
        kind.later += answer.noticed and answer.after > 0
        if answer.failed:
            self.failures.append(f"{answer.text}: {answer.failed}")
        if not answer.noticed:
            rule = " and ".join(sorted(answer.rules)) or NO_RULE
            kind.rules[rule] += 1
            self.missed.append((answer.text, rule))
