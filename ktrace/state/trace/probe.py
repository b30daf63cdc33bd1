"""What was seen at a kernel function in the middle of a call."""

from __future__ import annotations

from collections.abc import Mapping

from ktrace.state.quick import dataclass


@dataclass(frozen=True, slots=True)
class Hit:
    """One time that a function was entered.

    :param actor: by whom; :param arguments: as C text, by name
    :param shown: what the expressions gave, or why they could not be evaluated
    :param stack: the callers, innermost first
    """

    function: str
    actor: str
    arguments: Mapping[str, str]
    shown: Mapping[str, str]
    stack: tuple[str, ...]
