"""What a run of the fuzzer did, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ktrace.fuzz.campaign import Plan, Report
from ktrace.fuzz.judgement import Judgement


def report_data(plan: Plan, image: str, report: Report, saved: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a run did.

    :param image: what it was run on
    :param saved: where each finding was kept, in order
    """
    by_judgement: dict[Judgement, list[dict[str, Any]]] = {judgement: [] for judgement in Judgement}
    for found, where in zip(report.found, saved, strict=True):
        finding = found.trial.finding
        assert finding is not None
        by_judgement[found.judgement].append({
            "sequence": found.sequence,
            "step": found.step,
            "steps": found.steps,
            "seconds": round(found.seconds, 3),
            "shortened_to": len(found.trial.actions),
            "tries": found.tries,
            "call": finding.call,
            "kinds": sorted(finding.kinds),
            "text": finding.text,
            **where,
        })  # fmt: skip
    return {
        "image": image,
        "families": plan.families,
        "seed": plan.seed,
        "actors": plan.actors,
        "steps": report.steps,
        "sequences": report.sequences,
        "digest": report.digest,
        "seconds": round(report.seconds, 3),
        "ending_steps": report.ends,
        "steps_per_second": round(report.rate, 1),
        "calls": dict(sorted(report.calls.items())),
        "errnos": {name: dict(sorted(counts.items())) for name, counts in sorted(report.errnos.items())},
        "not_modelled": dict(sorted(report.unmodelled.items())),
        "divergences": by_judgement[Judgement.DIVERGENCE],
        "unsteady": by_judgement[Judgement.UNSTEADY],
        "sound": by_judgement[Judgement.SOUND],
        "repeated": {str(judgement): count for judgement, count in sorted(report.repeated.items())},
    }
