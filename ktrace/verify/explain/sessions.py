"""Two sessions of one workload: where they differ, and what explains it where their kernels differ."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ktrace.state.step import Step
from ktrace.trace.difference import NOT_CALLED, Differing
from ktrace.trace.session import Header
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.explain.attribution import Explained, explain
from ktrace.verify.explain.facts import Fact, facts_that_differ
from ktrace.verify.explain.kernels import LackedMember, kernel_names, lacked_members, why_functions


@dataclass(frozen=True)
class Explanation:
    """Differences of two sessions with what explains them.

    :param members: that only one of the kernels has; ``None`` where an image has gone
    """

    items: tuple[Explained, ...]
    members: tuple[LackedMember, ...] | None

    @property
    def unexplained(self) -> int:
        """How many have no explanation."""
        return sum(not item.known for item in self.items)

    def by_fact(self) -> Iterator[tuple[Fact, int]]:
        """Yield the facts that explain something, with how much, in the order of the model's rules."""
        counted: dict[str, tuple[Fact, int]] = {}
        for item in self.items:
            for fact in {fact.name: fact for cause in item.causes for fact in cause}.values():
                counted[fact.name] = (fact, counted.get(fact.name, (fact, 0))[1] + 1)
        yield from sorted(counted.values(), key=lambda pair: (pair[0].change is None, -pair[1], pair[0].name))


def functions_called(steps: Iterable[Step]) -> frozenset[str]:
    """Return the names of all functions that *steps* went through."""
    traces = [step.functions for step in steps if step.functions is not None]
    return frozenset(span.function for trace in traces for spans in trace.spans.values() for span in spans)


def telling(items: Iterable[Differing], one: Collection[str], other: Collection[str]) -> Iterator[Differing]:
    """Yield *items*; of functions those that both kernels could call from where they are called, each once.

    :param one: the functions that the one session went through anywhere, *other* likewise: what is called by one of
        which only one kernel knows tells nothing more
    """
    said: set[tuple[str, bool]] = set()
    for item in items:
        if item.kind == "functions":
            gone = item.other == NOT_CALLED
            _, _, way = item.what.partition(": ")
            caller, arrow, _ = way.partition(" > ")
            if (way, gone) in said or (arrow and caller not in (other if gone else one)):
                continue
            said.add((way, gone))
        yield item


def same_kernel(one: Header, other: Header) -> bool:
    """Tell whether two sessions are of one kernel, and of one that has the same to say of itself."""
    return one.manifest.get("build_id") == other.manifest.get("build_id") and not facts_that_differ(
        one.facts, other.facts
    )


def explain_sessions(
    one: Path, other: Path, items: Iterable[Differing], told: Callable[[int], object] = lambda runs: None
) -> Explanation:
    """Explain *items*, in which the sessions *one* and *other* differ.

    :param told: called with how often the model has run
    :raises UsageError: one of them cannot be read
    """
    first, second = SessionReader(one), SessionReader(other)
    here, there = first.header, second.header
    items, steps = list(items), list(second.steps())
    if any(item.kind == "functions" for item in items):
        items = list(telling(items, functions_called(first.steps()), functions_called(steps)))
    explained = explain(here.facts, there.facts, steps, items, told)
    names = (kernel_names(here), kernel_names(there))
    facts = facts_that_differ(here.facts, there.facts)
    done: list[Explained] = []
    for item in explained:
        if item.item.kind == "functions":
            cited, note = why_functions(item.item, facts, names)
            item = replace(item, causes=tuple((fact,) for fact in cited), note=note)
        done.append(item)
    known = None if names[0] is None or names[1] is None else tuple(lacked_members(names[0], names[1]))
    return Explanation(tuple(done), known)
