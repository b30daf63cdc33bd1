"""Expected function paths: which functions a call must go through, in which order, and which it must not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ktrace.workload.library import directory
from ktrace.workload.script import Condition

SUFFIX = ".paths"
WOKEN = "woken"


@dataclass(frozen=True, slots=True)
class Item:
    """A function, and what has to happen in it.

    :param names: any of these; :param direct: called by the one before itself, not somewhere below
    """

    names: tuple[str, ...]
    direct: bool
    inner: tuple[Item, ...] = ()

    def __str__(self) -> str:
        text = "|".join(self.names)
        if not self.inner:
            return text
        parts = ", ".join(map(str, self.inner))
        return f"{text} {'>' if self.inner[0].direct else '>>'} " + (f"({parts})" if len(self.inner) > 1 else parts)

    def leaves(self) -> Iterator[Item]:
        """Yield this item and all inside it."""
        yield self
        for item in self.inner:
            yield from item.leaves()


@dataclass(frozen=True, slots=True)
class Expectation:
    """One line of a paths file.

    :param actor: whose call, ``""`` for anybody's; :param call: its name
    :param answer: how it must have ended for this to apply: a value, an errno, ``blocked``, ``ok``, ``error``,
        ``woken`` (it had been asleep in it, and went on in this step), or ``""``
    :param script_line: only the step of that line of the script, 0 for any
    :param never: the path must not be there
    :param line: in the paths file
    :param condition: it is said of kernels of which this holds; *otherwise* of others, ``None`` for nothing
    """

    actor: str
    call: str
    answer: str
    script_line: int
    never: bool
    path: tuple[Item, ...]
    line: int
    condition: Condition | None = None
    otherwise: Expectation | None = None

    def __str__(self) -> str:
        return ("not " if self.never else "") + ", ".join(map(str, self.path))

    def chosen(self, known: Mapping[str, bool | None]) -> Expectation | None:
        """Return the alternative that is said of a kernel; ``None`` where none is, or where nobody can tell."""
        item: Expectation | None = self
        while item is not None and item.condition is not None:
            holds = item.condition.holds(known)
            if holds is not False:
                return item if holds else None
            item = item.otherwise
        return item


def said_of(expectations: Iterable[Expectation], known: Mapping[str, bool | None]) -> tuple[Expectation, ...]:
    """Return what *expectations* say of one kernel.

    :param known: what holds of it (``state.conditions.conditions()``)
    """
    chosen = [item.chosen(known) for item in expectations]
    return tuple([item for item in chosen if item is not None])


def functions_by_call(expectations: tuple[Expectation, ...]) -> dict[str, list[str]]:
    """Return the functions that paths name, by call; under ``woken`` those of calls that go on after a sleep."""
    found: dict[str, dict[str, None]] = {}
    for expectation in expectations:
        if not expectation.never:
            names = found.setdefault(WOKEN if expectation.answer == WOKEN else expectation.call, {})
            names.update(
                dict.fromkeys(name for part in expectation.path for item in part.leaves() for name in item.names)
            )
    return {call: list(names) for call, names in found.items()}


def paths_file(workload: str) -> Path:
    """Return where the paths of a workload are: a bundled one's beside it, a script's likewise."""
    path = Path(workload) if "/" in workload or workload.endswith(".kt") else directory() / workload
    return path.with_suffix(SUFFIX) if path.suffix == ".kt" else path.with_name(path.name + SUFFIX)
