"""One change between kernels: what is so, what was, where it comes from, and how it is told."""

from __future__ import annotations

import re
from dataclasses import field
from typing import Any

from ktrace.state.quick import dataclass

_RELEASE = re.compile(r"(?<![\w.])([4-9])\.(\d+)")

CHANGE = "change"
"""By what a field of ``state.changes.Changes`` knows what it is of."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference of behaviour.

    :param area: ``pipe``, ``ipc``, ``socket``, ``file``; or ``structures`` or ``ways``, which no program sees
    :param what: what is so on kernels that have it
    :param before: what was so on kernels before
    :param source: file of the kernel's source, with *function* in it
    :param since: release or commit; two releases where no more is known
    :param told: what of a kernel tells that it has it
    :param shown: workload and line of a step that shows it; empty where none does
    :param facts: what else the model is told of it, such as ``pipe.kept_pages``
    """

    area: str
    what: str
    before: str
    source: str
    function: str
    since: str
    told: str
    shown: str = ""
    facts: tuple[str, ...] = ()

    @property
    def releases(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The first and the last release that it may have come with."""
        found = sorted((int(major), int(minor)) for major, minor in _RELEASE.findall(self.since))
        return found[0], found[-1]

    @property
    def citation(self) -> str:
        """The kernel's function with its file."""
        return f"{self.source}: {self.function}()"


def change(
    area: str,
    what: str,
    *,
    before: str,
    source: str,
    function: str,
    since: str,
    told: str,
    shown: str = "",
    facts: tuple[str, ...] = (),
) -> Any:
    """Return the field of a change."""
    described = Change(area, what, before, source, function, since, told, shown, facts)
    return field(default=False, metadata={CHANGE: described})
