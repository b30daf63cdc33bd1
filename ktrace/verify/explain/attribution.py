"""Find what explains the differences of two sessions: the model is asked, with one fact after the other exchanged.

The calls of the *other* session are made in a model that is told the facts of the *one*: it contradicts what was
observed there wherever the kernels differ. Facts are then exchanged for the other's: those with which a contradiction
goes away explain it. That is found by halves, as most explain nothing; where only several together do, the smallest set
is looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ktrace.model.build import build_model
from ktrace.state.compare import compare
from ktrace.state.naming import Namer
from ktrace.state.step import Step
from ktrace.trace.difference import Differing
from ktrace.verify.checker import compare_outcomes
from ktrace.verify.evidence import evidence_of
from ktrace.verify.explain.facts import Fact, Facts, facts_that_differ, facts_with

MOST_RUNS = 600
"""Of the model: what is not explained by then is said to be explained by all that is left together."""

Key = tuple[int, str, str]


@dataclass(frozen=True)
class Explained:
    """Why two sessions differ in one thing.

    :param causes: each suffices by itself, and all facts of one are needed together; empty where nothing explains it
    :param choice: either is allowed on either kernel
    :param note: what else explains it
    """

    item: Differing
    causes: tuple[tuple[Fact, ...], ...] = ()
    choice: bool = False
    note: str = ""

    @property
    def known(self) -> bool:
        """Tell whether something explains it."""
        return self.choice or bool(self.causes or self.note)


def explain(
    one: Facts,
    other: Facts,
    steps: Sequence[Step],
    items: Iterable[Differing],
    told: Callable[[int], object] = lambda runs: None,
) -> list[Explained]:
    """Return *items* with what explains them.

    :param one: facts of the kernel of the one session
    :param other: those of the other; *steps* are that session's
    :param items: results and structures in which they differ; others are left unexplained
    :param told: called with how often the model has run
    """
    items = list(items)
    facts = facts_that_differ(one, other)
    asked = {_key(item): item for item in items if item.kind in ("result", "structure")}
    keys = frozenset(asked)
    judge = _Judge(one, other, steps, told)
    base = keys - judge.resolved((), keys)
    causes = judge.causes(facts, judge.resolved(facts, base))
    return [
        Explained(item, tuple(causes.get(_key(item), ())), _key(item) in asked and _key(item) not in base)
        for item in items
    ]


def _key(item: Differing) -> Key:
    return item.step, item.kind, item.what if item.kind == "structure" else ""


@dataclass
class _Judge:
    """Run the model again and again over the same steps.

    :ivar runs: how often it ran
    """

    one: Facts
    other: Facts
    steps: Sequence[Step]
    told: Callable[[int], object]
    runs: int = 0
    _known: dict[frozenset[str], tuple[frozenset[Key], frozenset[Key]]] = field(default_factory=dict)

    def resolved(self, flipped: Iterable[Fact], keys: frozenset[Key]) -> frozenset[Key]:
        """Return those of *keys* that the model does not contradict, with *flipped* as on the other kernel."""
        if not keys:
            return keys
        flipped = tuple(flipped)
        names = frozenset(fact.name for fact in flipped)
        asked, contradicted = self._known.get(names, (frozenset(), frozenset()))
        if not keys <= asked:
            self.runs += 1
            self.told(self.runs)
            asked = asked | keys
            contradicted = self._run(facts_with(self.one, self.other, flipped), asked)
            self._known[names] = asked, contradicted
        return keys - contradicted

    def causes(self, facts: Sequence[Fact], keys: frozenset[Key]) -> Mapping[Key, list[tuple[Fact, ...]]]:
        """Return what resolves each of *keys*, all of which *facts* together do."""
        found: dict[Key, list[tuple[Fact, ...]]] = {}
        self._alone(facts, keys, found)
        smallest: list[tuple[Fact, ...]] = []
        for key in sorted(keys - found.keys()):
            begin = next((known for known in smallest if self._resolves(known, key)), tuple(facts))
            needed = self._smallest(begin, key)
            smallest.append(needed)
            found[key] = [needed]
        return found

    def _alone(self, facts: Sequence[Fact], keys: frozenset[Key], found: dict[Key, list[tuple[Fact, ...]]]) -> None:
        """Look for single facts that resolve some of *keys*, by halves."""
        if not keys or not facts:
            return
        if len(facts) == 1:
            for key in keys:
                found.setdefault(key, []).append((facts[0],))
            return
        middle = len(facts) // 2
        for half in (facts[:middle], facts[middle:]):
            self._alone(half, self.resolved(half, keys), found)

    def _resolves(self, facts: Sequence[Fact], key: Key) -> bool:
        return bool(self.resolved(facts, frozenset((key,))))

    def _smallest(self, facts: tuple[Fact, ...], key: Key) -> tuple[Fact, ...]:
        """Return facts of which none can be left out if *key* is to be resolved."""
        size = max(1, len(facts) // 2)
        while self.runs < MOST_RUNS:
            at = 0
            while at < len(facts) and self.runs < MOST_RUNS:
                fewer = facts[:at] + facts[at + size :]
                if fewer and self._resolves(fewer, key):
                    facts = fewer
                else:
                    at += size
            if size == 1:
                break
            size = max(1, min(size, len(facts)) // 2)
        return facts

    def _run(self, facts: Facts, keys: frozenset[Key]) -> frozenset[Key]:
        """Return which of *keys* a model that is told *facts* contradicts, or cannot come to."""
        last = max(number for number, _, _ in keys)
        by_step: dict[int, list[Key]] = {}
        for key in keys:
            by_step.setdefault(key[0], []).append(key)
        found: set[Key] = set()
        at = 0
        try:
            model, namer = build_model(facts), Namer()
            namer.name(model.world())
            for step in self.steps:
                at = step.number
                if at > last:
                    break
                outcome = model.act(step.actor, step.call, evidence_of(step))
                world = namer.name(model.world())
                if at not in by_step:
                    continue
                paths = [item.path for item in compare(step.world, world)]
                result = bool(compare_outcomes(step.outcome, outcome))
                found.update(key for key in by_step[at] if (result if key[1] == "result" else _touched(key[2], paths)))
        except Exception:
            # What such a mixture of facts leads to need not be possible: nothing behind that is explained by it.
            found.update(key for key in keys if key[0] >= at)
        return frozenset(found)


def _touched(what: str, paths: Iterable[str]) -> bool:
    """Tell whether one of *paths* is *what*, or in it, or around it."""
    return any(
        path == what or path.startswith((f"{what}.", f"{what}[")) or what.startswith((f"{path}.", f"{path}["))
        for path in paths
    )
