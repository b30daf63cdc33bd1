"""A finding as a workload script."""

from __future__ import annotations

from ktrace.fuzz.trial import Trial
from ktrace.workload.builder import Builder
from ktrace.workload.script import Script


def script_of(trial: Trial, name: str, title: str, comments: str = "") -> Script:
    """Return the script that makes the actions of *trial*.

    :raises UsageError: a value has no expression
    """
    builder = Builder(title, name)
    if comments:
        builder.comment(comments)
    for done in trial.actions:
        builder.call(done.actor, done.call)
    return builder.script()
