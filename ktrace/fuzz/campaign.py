"""A whole run of the fuzzer: sequence after sequence, each in a fresh guest, until something is found."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from ktrace.fuzz.chance import Chance
from ktrace.fuzz.judgement import Judgement
from ktrace.fuzz.planner import Planner
from ktrace.fuzz.pool import Pool
from ktrace.fuzz.shrink import Shrinker
from ktrace.fuzz.sound import SoundKernel
from ktrace.fuzz.steadiness import is_steady, shows_again
from ktrace.fuzz.trial import Source, Trial, attempt
from ktrace.fuzz.workers import SequenceJob, Workers
from ktrace.image.image import Image
from ktrace.verify.lab import KernelCache

LENGTHS = (40, 80, 80, 160, 320)
"""Steps of a sequence, one of these."""


@dataclass(frozen=True)
class Plan:
    """What a run is asked for.

    :param steps: how many in all; *seconds* how long, ``None`` for no such bound
    :param shrink_seconds: how long making a finding shorter may take
    """

    families: tuple[str, ...]
    seed: int
    actors: int
    steps: int | None
    seconds: float | None
    shrink_seconds: float = 60.0
    keep_going: bool = False


@dataclass
class Report:
    """What a run did.

    :ivar ends: steps that were made, and checked, besides: those that ended sequences
    :ivar unmodelled: what ended sequences because the model does not know it
    :ivar repeated: findings of a kind that was found before, by what they were found to be
    """

    steps: int = 0
    ends: int = 0
    sequences: int = 0
    seconds: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    errnos: dict[str, Counter[str]] = field(default_factory=dict)
    unmodelled: Counter[str] = field(default_factory=Counter)
    found: list[Found] = field(default_factory=list)
    repeated: Counter[Judgement] = field(default_factory=Counter)
    _digest: Any = field(default_factory=hashlib.sha256)

    @property
    def digest(self) -> str:
        """What tells one run from another: all actions, in order."""
        return str(self._digest.hexdigest()[:16])

    @property
    def rate(self) -> float:
        """Steps per second, all that were checked."""
        return (self.steps + self.ends) / self.seconds if self.seconds else 0.0

    def of(self, judgement: Judgement) -> list[Found]:
        """Return the findings that were found to be so."""
        return [found for found in self.found if found.judgement is judgement]

    def add(self, trial: Trial) -> None:
        """Count a sequence."""
        self.sequences += 1
        self.steps += len(trial.actions)
        self.ends += trial.ends
        self.calls.update(trial.calls)
        for done in trial.actions:
            self._digest.update(repr((done.actor, done.call)).encode())
        if trial.unmodelled is not None:
            self.unmodelled[trial.unmodelled] += 1
        for name, errnos in trial.errnos.items():
            self.errnos.setdefault(name, Counter()).update(errnos)


@dataclass(frozen=True)
class Found:
    """A finding, what it is, and the shortest way to it.

    :param sequence: the number of the sequence; with the run's seed it gives the whole of it again
    :param step: the step at which the sequence showed it; *steps* of the run so far
    :param tries: guests it took to make it shorter
    """

    judgement: Judgement
    sequence: int
    step: int
    steps: int
    seconds: float
    trial: Trial
    tries: int


class Campaign:
    """Run *plan* on guests of *pool*.

    :param progress: called after each sequence
    :param workers: make the sequences; without them they are made here, one after the other
    :param sound: what it does, too, is told apart and ends nothing
    """

    def __init__(
        self,
        plan: Plan,
        image: Image,
        pool: Pool,
        progress: Callable[[Report], None],
        workers: Workers | None = None,
        sound: SoundKernel | None = None,
    ) -> None:
        self._plan = plan
        self._workers = workers
        self._image = image
        self._pool = pool
        self._progress = progress
        self._sound = sound
        self._judged: dict[str, Judgement] = {}
        self._kernels = KernelCache()

    def run(self) -> Report:
        """Run until the plan's bounds, or the first divergence.

        :raises HostError: a guest could not be made
        """
        plan, report = self._plan, Report()
        start = monotonic()
        while True:
            report.seconds = monotonic() - start
            limit = self._length(report)
            over = plan.seconds is not None and report.seconds >= plan.seconds
            if limit <= 0 or (over and not (self._workers is not None and self._workers.holds(report.sequences))):
                return report
            deadline = None if plan.seconds is None else start + plan.seconds
            report.add(trial := self._sequence(report.sequences, limit, deadline))
            report.seconds = monotonic() - start
            if trial.finding is not None and (found := self._look_into(trial, report)) is not None:
                report.found.append(found)
                if found.judgement is Judgement.DIVERGENCE and not plan.keep_going:
                    return report
            self._progress(report)

    def _look_into(self, trial: Trial, report: Report) -> Found | None:
        """Find out what a finding is, and make it shorter; ``None`` if the like of it is known already.

        What is known of one kind of finding is not taken for granted of the next: only a divergence hides those
        of its kind, for that the model is wrong somewhere does not say that the kernel is right there.
        """
        assert trial.finding is not None
        kinds = trial.finding.kinds
        known = {self._judged[kind] for kind in kinds if kind in self._judged}
        if Judgement.DIVERGENCE in known:
            report.repeated[Judgement.DIVERGENCE] += 1
            return None
        if Judgement.SOUND in known and self._is_sound(trial):
            report.repeated[Judgement.SOUND] += 1
            return None
        if not is_steady(self.attempt, trial):
            return self._found(Judgement.UNSTEADY, trial, trial, report)
        shrinker = Shrinker(self.attempt, self._plan.shrink_seconds)
        short = shrinker.shrink(trial) if trial.actions else trial
        if short is not trial and not is_steady(self.attempt, short):
            short = trial
        judgement = Judgement.SOUND if self._is_sound(short) else Judgement.DIVERGENCE
        return self._found(judgement, trial, short, report, shrinker.tries)

    def _is_sound(self, trial: Trial) -> bool:
        """Tell whether the sound kernel shows the finding of *trial*, too."""
        return self._sound is not None and shows_again(self._sound.attempt, trial)

    def _found(self, judgement: Judgement, trial: Trial, short: Trial, report: Report, tries: int = 0) -> Found:
        assert trial.finding is not None
        for kind in trial.finding.kinds:
            self._judged[kind] = judgement
        return Found(judgement, report.sequences - 1, len(trial.actions), report.steps, report.seconds, short, tries)

    def _sequence(self, number: int, limit: int, deadline: float | None) -> Trial:
        if self._workers is not None:
            return self._workers.get(SequenceJob(number, limit, deadline))
        planner = Planner(self._plan.families, self._plan.actors, f"{self._plan.seed}/{number}")
        return attempt(self._pool, self._image, self._kernels, planner, limit, deadline, keep=True)

    def attempt(self, source: Source, limit: int) -> Trial:
        """Make one trial in a fresh guest."""
        return attempt(self._pool, self._image, self._kernels, source, limit)

    def _length(self, report: Report) -> int:
        length = planned_length(self._plan.seed, report.sequences)
        return length if self._plan.steps is None else min(length, self._plan.steps - report.steps)


def planned_length(seed: int, number: int) -> int:
    """Return how many steps a sequence has, where nothing ends it before."""
    return Chance(f"{seed}/{number}/length").one(LENGTHS)
