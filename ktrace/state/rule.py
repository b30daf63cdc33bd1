"""Rules that leave the kernel a choice, and the uses that are made of them."""

from __future__ import annotations

from typing import Any

from ktrace.state.quick import dataclass

KNOWN_BUG = "known bug "
"""Begins what a rule says that is a bug of the kernel (``ktrace/state/known_bugs.py``)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Name a place where the kernel may do one thing or another.

    :param source: the file of the kernel's source that leaves the choice open
    :param function: its function there
    :param what: what is open, or why a model cannot know it
    """

    source: str
    function: str
    what: str

    def __str__(self) -> str:
        return f"{self.function}(): {self.what}"

    @property
    def known_bug(self) -> str:
        """The name of the kernel's bug that the rule is, empty where it is none."""
        return self.what.removeprefix(KNOWN_BUG).partition(":")[0] if self.what.startswith(KNOWN_BUG) else ""

    @property
    def citation(self) -> str:
        """The kernel's function with its file, as docstrings of rules cite it."""
        return f"{self.source}: {self.function}()"


@dataclass(frozen=True, slots=True)
class Choice:
    """One use of a rule: the kernel did what the model could not predict.

    :param taken: what it did
    :param allowed: whether the rule admits that
    :param path: the field that was only held to the rule; empty where the model went on from what was *taken*
    """

    rule: Rule
    taken: Any
    allowed: bool
    path: str = ""
