"""One finding of the doctor."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    MISSING = "missing"


@dataclass(frozen=True)
class Check:
    """One finding.

    :param name: what was looked at
    :param verdict: how bad it is
    :param found: what was found
    :param remedy: what to do, ``None`` if nothing need be done
    """

    name: str
    verdict: Verdict
    found: str
    remedy: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Turn it into JSON-able data."""
        return asdict(self)


def ok(name: str, found: str) -> Check:
    """Make a finding that is all right."""
    return Check(name, Verdict.OK, found)


def warning(name: str, found: str, remedy: str) -> Check:
    """Make a finding that one can live with."""
    return Check(name, Verdict.WARNING, found, remedy)


def missing(name: str, found: str, remedy: str) -> Check:
    """Make a finding that stops something from working."""
    return Check(name, Verdict.MISSING, found, remedy)
