"""A claim of the seed, and what becomes of it.

A judge returns a verdict and its evidence. Verdicts: ``right``; ``aged``, which was so once, or is so for the case that
the seed thinks of but no more in general; ``wrong``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ktrace.seed.record import Record

Judgement = tuple[str, str]
Judge = Callable[[Record], Judgement]


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of the seed.

    :param chapter: its chapter's name
    """

    chapter: str
    text: str
    judge: Judge


def verdict(holds: bool, evidence: str, otherwise: str = "wrong") -> Judgement:
    """Return ``right`` or *otherwise*."""
    return ("right" if holds else otherwise), evidence
