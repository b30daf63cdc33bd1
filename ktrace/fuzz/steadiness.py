"""Tell whether a finding comes again: what does not is no divergence, for nobody can look into it."""

from __future__ import annotations

from ktrace.fuzz.shrink import Attempt, Replay
from ktrace.fuzz.trial import Trial

REPLAYS = 3
"""How often the actions are made again; the finding must show each time."""


def shows_again(attempt: Attempt, trial: Trial) -> bool:
    """Tell whether *attempt* shows the finding of *trial* when it makes its actions once more."""
    assert trial.finding is not None
    return trial.finding.same_as(attempt(Replay(trial.actions), len(trial.actions)).finding)


def is_steady(attempt: Attempt, trial: Trial) -> bool:
    """Tell whether the finding of *trial* shows each time that its actions are made again, of :data:`REPLAYS` times."""
    return all(shows_again(attempt, trial) for _ in range(REPLAYS))
