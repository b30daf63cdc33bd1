"""A violation: an invariant that does not hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """Name one thing in the kernel's memory that cannot be.

    :param where: such as ``sem 32769.complex_count``
    :param what: what was found, and what else in memory contradicts it
    """

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"
