"""A script whose steps are of interest where something was met in them."""

from __future__ import annotations

from collections.abc import Iterator

from ktrace.state.step import Step
from ktrace.trace.session import scratch_directory
from ktrace.verify.guests import Guests
from ktrace.verify.run import perform_script
from ktrace.workload.script import Script


def steps_with_hits(guests: Guests, script: Script, limit: int) -> Iterator[Step]:
    """Run *script* in a fresh guest and yield the steps in which a probe of *guests* was met.

    :param limit: hits after which nothing more is run
    """
    count = 0
    with scratch_directory(f"probe-{script.name}") as place, guests.lab(place) as (lab, _):
        for step, _ in perform_script(script, lab):
            if step.probes:
                yield step
            count += len(step.probes)
            if count >= limit:
                return
