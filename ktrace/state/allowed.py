"""Sets of allowed values: tolerance is a named rule of the model, never a shrug of the comparer."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from ktrace.state.quick import dataclass
from ktrace.state.rule import Rule


@dataclass(frozen=True, slots=True)
class Between:
    """Allow an int from *low* to *high*, both included.

    :param rule: what leaves it open
    """

    rule: Rule
    low: int
    high: int

    def admits(self, value: Any) -> bool:
        """Tell whether *value* is allowed."""
        return isinstance(value, int) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low}..{self.high} ({self.rule})"


@dataclass(frozen=True, slots=True)
class OneOf:
    """Allow any of *values*.

    :param rule: what leaves it open
    """

    rule: Rule
    values: tuple[Any, ...]

    def admits(self, value: Any) -> bool:
        """Tell whether *value* is allowed."""
        return value in self.values

    def __str__(self) -> str:
        return f"one of {', '.join(map(str, self.values))} ({self.rule})"


@dataclass(frozen=True, slots=True)
class Answers:
    """Allow what a call returns: an int from *low* to *high*, both included, or the name of one of *errnos*.

    :param rule: what leaves it open
    """

    rule: Rule
    low: int
    high: int
    errnos: frozenset[str]

    def admits(self, value: Any) -> bool:
        """Tell whether *value* is allowed."""
        return value in self.errnos if isinstance(value, str) else self.low <= value <= self.high

    def __str__(self) -> str:
        some = f"{self.low}..{self.high}" if self.low != self.high else str(self.low)
        return f"{some}, {', '.join(sorted(self.errnos))} ({self.rule})"


@dataclass(frozen=True, slots=True)
class EndOf:
    """Allow any end of *data*, also the whole of it or nothing.

    :param rule: what leaves it open
    :param more: bytes that may stand before *data*, and are not known any more
    """

    rule: Rule
    data: bytes
    more: int = 0

    def admits(self, value: Any) -> bool:
        """Tell whether *value* is allowed."""
        if not isinstance(value, bytes) or len(value) > len(self.data) + self.more:
            return False
        return value.endswith(self.data) if len(value) > len(self.data) else self.data.endswith(value)

    def __str__(self) -> str:
        return f"an end of {self.more + len(self.data)} bytes ({self.rule})"


@dataclass(frozen=True, slots=True)
class Anything:
    """Allow whatever was observed: it is of a kind that the model does not simulate.

    :param rule: which kind that is
    """

    rule: Rule

    def admits(self, value: Any) -> bool:
        """Tell whether *value* is allowed."""
        return True

    def __str__(self) -> str:
        return f"anything ({self.rule})"


@dataclass(eq=False, slots=True)
class Stays:
    """Allow an int from *low* to *high*, both included; once one was seen, that one alone.

    What a kernel may choose freely it chooses once: a number that names something, the moment at which something was.
    ``None``, for what a reader did not read, is allowed as long as nothing was seen.

    :param rule: what leaves it open at first
    :param low: ``None``, as *high*: it may be anything, of any type
    :param only: the values between them that it may be; empty for all
    :param also: a value besides that it may be
    :ivar seen: what was seen, which is predicted from then on
    """

    rule: Rule
    low: int | None = None
    high: int | None = None
    seen: Any = None
    only: tuple[int, ...] = ()
    also: int | None = None

    def admits(self, value: Any) -> bool:
        """Tell whether *value* is allowed, and hold to it from now on if it is."""
        if self.seen is not None or value is None:
            return bool(value == self.seen)
        inside = self.low is None or self.high is None or _is_in(value, (self.low, self.high))
        if not inside and (self.also is None or value != self.also):
            return False
        if self.only and value not in self.only:
            return False
        self.seen = value
        return True

    def settled(self) -> Any:
        """Return what was seen, this set as long as nothing was."""
        return self if self.seen is None else self.seen

    def __str__(self) -> str:
        if self.seen is not None:
            return str(self.seen)
        if self.only:
            return f"one of {', '.join(map(str, self.only))} ({self.rule})"
        return f"anything at first ({self.rule})" if self.low is None else f"{self.low}..{self.high} ({self.rule})"


@dataclass(eq=False, slots=True)
class Moves:
    """Allow what was seen before, or one of *steps* (values, or pairs of the lowest and highest one).

    :param rule: what leaves it open whether it moves; it does so once
    :ivar seen: what was seen last; ``None``: anything is allowed yet
    """

    rule: Rule
    seen: int | str | None = None
    steps: tuple[int | str | tuple[int, int], ...] = ()

    def admits(self, value: Any) -> bool:
        """Tell whether *value* is allowed, and take it for what it is from now on if it is."""
        if self.seen is not None and value != self.seen and not any(_is_in(value, step) for step in self.steps):
            return False
        self.seen, self.steps = value, ()
        return True

    def __str__(self) -> str:
        if self.seen is None:
            return f"anything at first ({self.rule})"
        steps = (f"{step[0]}..{step[1]}" if isinstance(step, tuple) else str(step) for step in self.steps)
        return f"one of {', '.join([str(self.seen), *steps])} ({self.rule})"


def _is_in(value: Any, step: int | str | tuple[int, int]) -> bool:
    return isinstance(value, int) and step[0] <= value <= step[1] if isinstance(step, tuple) else value == step


Allowed = Between | OneOf | Answers | EndOf | Anything | Stays | Moves
T = TypeVar("T")


def allowed(value: T | Allowed) -> T:
    """Return *value* as a member of the World, where a set of allowed values may stand in the place of one.

    The model makes such Worlds; only ``state.compare`` and what shows values look into the sets.
    """
    return cast(T, value)
