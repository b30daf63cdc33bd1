"""Run a workload in a lab, step by step, and hold every step against the model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ktrace.agent.syscalls import format_call, format_result
from ktrace.errors import KtraceError
from ktrace.inspect.invariants.all import validate as validate_all
from ktrace.inspect.trace.clocks import read_clocks
from ktrace.model.build import build_model
from ktrace.state.call import Call, Completed, Exited, Outcome
from ktrace.state.step import Step
from ktrace.trace.session import End, Header, Sink, Verdict
from ktrace.verify.ahead import Ahead
from ktrace.verify.checker import Checker, Past
from ktrace.verify.lab import Lab
from ktrace.verify.path_check import PathChecker
from ktrace.verify.probed import ProbedLab
from ktrace.verify.step_tracer import Recorded, StepTracer
from ktrace.workload.environment import Environment
from ktrace.workload.expect import check_annotation
from ktrace.workload.script import Script

AfterStep = Callable[[int, Lab], None]


def run_script(
    script: Script,
    lab: Lab,
    sink: Sink,
    manifest: Mapping[str, Any],
    *,
    after_step: AfterStep | None = None,
    checked: bool = True,
    tracer: StepTracer | None = None,
    paths: PathChecker | None = None,
    past: Past | None = None,
    validate: bool = False,
) -> End:
    """Run *script* until its end or the first divergence.

    :param after_step: called between a step and the look at what it left; tests poke memory there
    :param checked: hold every step against the model; without it only annotations are checked
    :param tracer: have every step carry what the guest's tracers recorded
    :param paths: hold them against these
    :param validate: check memory against itself after every step, without a model
    :param past: gives the steps that *sink* has taken again, where it keeps them
    :raises UsageError: a step cannot be carried out
    :raises GuestError: the guest failed
    """
    header = Header(script.title, lab.facts, manifest, lab.look(), read_clocks(lab.kernel), lab.fresh)
    sink.header(header)
    checker = Checker(lambda: build_model(lab.facts), past)
    if checked and (differences := checker.initial(header.initial)):
        sink.verdict(Verdict(0, differences))
        return _ended(sink, checker, "diverged", "the World before the first step differs")
    verdict = _check_all(
        perform_script(script, lab, after_step, tracer, validate), sink, checker if checked else None, paths
    )
    if verdict is not None:
        sink.verdict(verdict)
        return _ended(sink, checker, "diverged", "")
    if paths is not None and (unmet := paths.unmet()):
        sink.verdict(Verdict(checker.steps, (), (), unmet))
        return _ended(sink, checker, "diverged", "some expected paths were never put to the test")
    return _ended(sink, checker, "agreed", "")


def _check_all(
    steps: Iterator[tuple[Step, tuple[str, ...]]], sink: Sink, checker: Checker | None, paths: PathChecker | None
) -> Verdict | None:
    """Take every step and return the first verdict; a step is checked while the guest makes the next."""
    last: tuple[Step, tuple[str, ...]] | None = None
    if checker is None:
        for step, complaints in steps:
            sink.step(step)
            if complaints:
                return Verdict(step.number, (), (), complaints)
        return None
    with Ahead(checker) as ahead:

        def verdict() -> Verdict | None:
            differences = ahead.settle()
            if last is None or not (differences or last[1]):
                return None
            return Verdict(last[0].number, differences, checker.rules(differences) if differences else (), last[1])

        while True:
            try:
                current = next(steps, None)
            except KtraceError:
                # What went wrong may be but a consequence of the step before.
                if (found := verdict()) is not None:
                    return found
                raise
            if (found := verdict()) is not None or current is None:
                return found
            step, complaints = current
            sink.step(step)
            if paths is not None:
                complaints += paths.check(step)
            last = (step, complaints)
            ahead.submit(step)


def perform_script(
    script: Script,
    lab: Lab,
    after_step: AfterStep | None = None,
    tracer: StepTracer | None = None,
    validate: bool = False,
) -> Iterator[tuple[Step, tuple[str, ...]]]:
    """Yield every step of *script* as it was observed, with what its annotation complains of."""
    environment = Environment()
    began = time.monotonic_ns()
    for number, scripted in enumerate(script.expanded(), 1):
        step = observe_step(
            lab,
            number,
            scripted.actor,
            environment.resolve(scripted),
            tracer,
            began=began,
            line=scripted.line,
            comment="\n".join(scripted.comments),
            after_step=after_step,
        )
        environment.observe(scripted, step.outcome)
        complaints = tuple(
            f"{script.source or script.name}:{scripted.line}: {item}"
            for item in check_annotation(scripted, step.outcome, environment)
        )
        if validate:
            complaints += tuple(f"contradiction: {violation}" for violation in validate_all(lab.kernel))
        yield step, complaints


def observe_step(
    lab: Lab,
    number: int,
    actor: str | None,
    call: Call,
    tracer: StepTracer | None = None,
    *,
    began: int = 0,
    line: int = 0,
    comment: str = "",
    after_step: AfterStep | None = None,
) -> Step:
    """Have *actor* make *call*, and look at what it left.

    :param began: ns of the host's CLOCK_MONOTONIC at the beginning of the session
    :param after_step: called between the two
    """
    asked = time.monotonic_ns()
    performed = lab.perform(actor, call)
    host = (asked - began, time.monotonic_ns() - began)
    recorded = tracer.take(performed) if tracer is not None else Recorded()
    if after_step is not None:
        after_step(number, lab)
    outcome = performed.outcome
    sleeps, world = lab.see(outcome.blocked)
    return Step(
        number,
        actor,
        call,
        *_texts(actor, call, outcome),
        outcome,
        performed.clock,
        world,
        sleeps,
        line,
        comment,
        recorded.functions,
        lab.hits if isinstance(lab, ProbedLab) else (),
        lab.guest.console.fresh(),
        host,
        performed.times,
        lab.fresh,
        recorded.events,
    )


def _texts(actor: str | None, call: Call, outcome: Outcome) -> tuple[str, str]:
    """Return the call and its answer as text, decoded like strace does."""
    for event in outcome.events:
        if isinstance(event, Completed) and event.actor == actor:
            return format_call(call, result=event.result), format_result(call, event.result, outs=False)
    if actor is not None and actor in outcome.blocked:
        return format_call(call), "blocked"
    ended = any(isinstance(event, Exited) and event.actor == actor for event in outcome.events)
    return format_call(call), "?" if ended else "0"


def _ended(sink: Sink, checker: Checker, status: str, message: str) -> End:
    end = End(status, checker.steps, checker.objects, checker.fields, message)
    sink.end(end)
    return end
