"""Run a workload in a lab, step by step, and hold every step against the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ktrace.agent.syscalls import format_call, format_result
from ktrace.model.build import build_model
from ktrace.state.call import Call, Completed, Exited, Outcome
from ktrace.state.step import Step
from ktrace.trace.session import End, Header, Verdict
from ktrace.verify.checker import Checker, Past
from ktrace.verify.lab import Lab
from ktrace.verify.path_check import PathChecker
from ktrace.verify.probed import ProbedLab
from ktrace.verify.sink import Sink
from ktrace.verify.tracer import FunctionTracer
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
    tracer: FunctionTracer | None = None,
    paths: PathChecker | None = None,
    past: Past | None = None,
) -> End:
    """Run *script* until its end or the first divergence.

    :param after_step: called between a step and the look at what it left; tests poke memory there
    :param checked: hold every step against the model; without it only annotations are checked
    :param tracer: have every step carry the kernel functions that it went through
    :param paths: hold them against these
    :param past: gives the steps that *sink* has taken again, where it keeps them
    :raises UsageError: a step cannot be carried out
    :raises GuestError: the guest failed
    """
    header = Header(script.title, lab.facts, manifest, lab.look())
    sink.header(header)
    checker = Checker(lambda: build_model(lab.facts), past)
    if checked and (differences := checker.initial(header.initial)):
        sink.verdict(Verdict(0, differences))
        return _ended(sink, checker, "diverged", "the World before the first step differs")
    for step, complaints in perform_script(script, lab, after_step, tracer):
        sink.step(step)
        differences = checker.check(step) if checked else ()
        if paths is not None:
            complaints += paths.check(step)
        if differences or complaints:
            rules = checker.rules(differences) if differences else ()
            sink.verdict(Verdict(step.number, differences, rules, complaints))
            return _ended(sink, checker, "diverged", "")
    if paths is not None and (unmet := paths.unmet()):
        sink.verdict(Verdict(checker.steps, (), (), unmet))
        return _ended(sink, checker, "diverged", "some expected paths were never put to the test")
    return _ended(sink, checker, "agreed", "")


def perform_script(
    script: Script, lab: Lab, after_step: AfterStep | None = None, tracer: FunctionTracer | None = None
) -> Iterator[tuple[Step, tuple[str, ...]]]:
    """Yield every step of *script* as it was observed, with what its annotation complains of."""
    environment = Environment()
    for number, scripted in enumerate(script.expanded(), 1):
        call = environment.resolve(scripted)
        performed = lab.perform(scripted.actor, call)
        functions = tracer.collect(performed) if tracer is not None else None
        if after_step is not None:
            after_step(number, lab)
        outcome = performed.outcome
        step = Step(
            number,
            scripted.actor,
            call,
            *_texts(scripted.actor, call, outcome),
            outcome,
            performed.clock,
            lab.look(),
            lab.where(outcome.blocked),
            scripted.line,
            "\n".join(scripted.comments),
            functions,
            lab.hits if isinstance(lab, ProbedLab) else (),
        )
        environment.observe(scripted, outcome)
        complaints = tuple(
            f"{script.source or script.name}:{scripted.line}: {item}"
            for item in check_annotation(scripted, outcome, environment)
        )
        yield step, complaints


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
