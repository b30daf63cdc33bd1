"""Run a workload in a lab, step by step, and hold every step against the model."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from ktrace.errors import NotModelled, UsageError
from ktrace.inspect.invariants.all import validate as validate_all
from ktrace.inspect.trace.clocks import read_clocks
from ktrace.state.conditions import conditions
from ktrace.trace.session import End, Header, Sink
from ktrace.verify.checker import StepHistory
from ktrace.verify.judge import Observed, Paths, judge
from ktrace.verify.lab import Lab
from ktrace.verify.observe import AfterCall, observe_step
from ktrace.verify.tracing.protocol import StepTracer
from ktrace.workload.environment import Environment
from ktrace.workload.expect import check_annotation
from ktrace.workload.script import Script
from ktrace.workload.tokens import ScriptError


def run_script(
    script: Script,
    lab: Lab,
    sink: Sink,
    manifest: Mapping[str, Any],
    *,
    after_call: AfterCall | None = None,
    tracer: StepTracer | None = None,
    paths: Paths | None = None,
    history: StepHistory | None = None,
    validate: bool = False,
) -> End:
    """Run *script* until its end or the first divergence.

    :param after_call: called between a step's call and the look at what it left; tests poke memory there
    :param tracer: have every step carry what the guest's tracers recorded
    :param paths: hold them against these
    :param validate: check memory against itself after every step, without a model
    :param history: gives the steps that *sink* has taken again, where it keeps them
    :raises UsageError: a step cannot be carried out
    :raises GuestError: the guest failed
    """
    header = Header(script.title, lab.facts, manifest, lab.look(), read_clocks(lab.kernel), lab.fresh)
    steps = perform_script(script, lab, after_call, tracer, validate)
    try:
        return judge(header, steps, sink, history=history, paths=paths, ahead=True)
    except NotModelled as error:
        scripted = next(islice(script.expanded(conditions(lab.facts)), error.step - 1, None))
        raise script.wrong(error.what, scripted.place, error.hint) from error


def perform_script(
    script: Script,
    lab: Lab,
    after_call: AfterCall | None = None,
    tracer: StepTracer | None = None,
    validate: bool = False,
) -> Iterator[Observed]:
    """Yield every step of *script* as it was observed, with what its annotation complains of."""
    environment = Environment()
    known = conditions(lab.facts)
    began = time.monotonic_ns()
    for number, scripted in enumerate(script.expanded(known), 1):
        try:
            call = environment.resolve(scripted)
            step = observe_step(
                lab,
                number,
                scripted.actor,
                call,
                tracer,
                began=began,
                line=scripted.line,
                comment="\n".join(scripted.comments),
                after_call=after_call,
            )
        except ScriptError as error:
            raise script.wrong(error.text, error.place, error.hint) from error
        except UsageError as error:
            raise script.wrong(error.message, scripted.place, error.hint) from error
        try:
            environment.observe(scripted, step.outcome)
            mismatches = check_annotation(scripted, step.outcome, environment, known)
        except ScriptError as error:
            raise script.wrong(error.text, error.place, error.hint) from error
        complaints = tuple(f"{script.source or script.name}:{scripted.line}: {item}" for item in mismatches)
        if validate:
            complaints += tuple(f"contradiction: {violation}" for violation in validate_all(lab.kernel))
        yield step, complaints
