"""What a step showed that should not be, and how two such findings are told to be the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ktrace.state.compare import Difference

_NUMBER = re.compile(r"\d+")
_ACTOR = re.compile(r"^[A-Z]\d*(?='s |$)|(?<=^process )[^.\s\[]+")

CONTRADICTION = "contradiction: "
"""How the kinds of what memory says against itself begin."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One step on which kernel and model disagree, or with which the guest or the model failed.

    :param kinds: what it is about, without the numbers: two findings that share one are of the same kind
    :param call: the call of that step
    :param text: for people, several lines
    """

    kinds: frozenset[str]
    call: str
    text: str

    def same_as(self, other: Finding | None) -> bool:
        """Tell whether *other* shows the same."""
        return other is not None and bool(self.kinds & other.kinds)


def of_differences(call: str, differences: Sequence[Difference]) -> Finding:
    """Make a finding of a step's differences."""
    kinds = frozenset(_kind(call, difference) for difference in differences)
    lines = [f"{item.path}: {item.observed!r}, the model says {item.expected}" for item in differences[:12]]
    if len(differences) > len(lines):
        lines.append(f"and {len(differences) - len(lines)} more")
    return Finding(kinds, call, "\n".join(_short(line) for line in lines))


def of_failure(call: str, kind: str, text: str) -> Finding:
    """Make a finding of a failure: of the guest, or of the model itself."""
    return of_failures(call, [kind], text)


def of_failures(call: str, kinds: Sequence[str], text: str) -> Finding:
    """Make a finding of several failures at once."""
    return Finding(frozenset(kinds), call, text)


def _kind(call: str, difference: Difference) -> str:
    path = _NUMBER.sub("", _ACTOR.sub("X", difference.path))
    if path == "X":
        return f"{call}: somebody {difference.observed}"
    if "result" in path or "end" in path:
        return f"{call}: {path}: {_shape(difference.observed)} for {_shape(difference.expected)}"
    return path


def _shape(value: object) -> str:
    return value if isinstance(value, str) else type(value).__name__


def _short(line: str, width: int = 400) -> str:
    return line if len(line) <= width else f"{line[:width]}..."
