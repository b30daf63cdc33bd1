"""Find the kernel functions that a prediction rests on, from the docstrings of the rules that made it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from types import CodeType, FrameType
from typing import Any

from ktrace.model.build import build_model
from ktrace.model.kernel import Kernel
from ktrace.model.observed import Evidence
from ktrace.state.allowed import Allowed
from ktrace.state.compare import Difference
from ktrace.state.ref import Ref
from ktrace.state.step import Step
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.deciding import Decided, room_of
from ktrace.verify.evidence import evidence_of
from ktrace.verify.step_watch import MODEL, Chain

_CITATION = re.compile(r"``?((?:[\w/-]+\.[ch]: )?\w+\(\))``?")

MOST = 8
"""Functions that are named."""

_FIELDS = 6
"""Differences whose fields are looked into."""


def of_step(
    make_model: Callable[[], Kernel],
    history: Iterable[tuple[Step, Evidence]],
    differences: Sequence[Difference],
    names: Mapping[Ref, Ref],
) -> tuple[str, ...]:
    """Return the kernel functions mirrored by the rules that decided what differs after the last step of *history*.

    The nearest comes first: a rule that the kernel's choice breaks, who wrote the field last, who called that.

    :param names: final names of the objects by the model's own numbers, as they are after the step
    """
    kernel = make_model()
    kernel.world()
    last: tuple[Step, Evidence] | None = None
    for item in history:
        if last is not None:
            kernel.act(last[0].actor, last[0].call, last[1])
            kernel.world()
        last = item
    if last is None:
        return ()
    decided = Decided(kernel, *last, differences[:_FIELDS], names)
    found: list[tuple[bool, list[str]]] = []
    chains: list[Chain] = []
    for difference in differences[:_FIELDS]:
        seen, chain = decided.by(difference)
        rules = [difference.expected.rule] if isinstance(difference.expected, Allowed) else []
        rules += decided.unanswered(chain)
        if seen:
            chains.append(chain)
        cited = [*(rule.citation for rule in rules), *mirrored(_inside((*chain, *decided.consulted(chain))))]
        found.append((not seen, cited))
    found.sort(key=lambda pair: pair[0])
    nearest = [citation for layer in zip_longest(*(cited for _, cited in found)) for citation in layer if citation]
    nearest[1:1] = mirrored(_inside(_common(chains)))[:1]
    return _once(tuple(nearest))[:MOST]


def _inside(chain: Chain) -> Chain:
    """Leave out who only led to the subsystem of the nearest function: the scheduler, system calls of any file."""
    room = next((room_of(code) for code in chain if mirrored((code,)) and room_of(code)), "")
    return tuple(code for code in chain if room_of(code) and not room.startswith(f"{room_of(code)}/")) or chain


def _common(chains: Sequence[Chain]) -> Chain:
    """Return who had everything that differs done: one of them took a wrong turn, or all below did something wrong."""
    if len({chain[0] for chain in chains}) < 2:
        return ()
    return tuple(code for code in chains[0] if all(code in chain for chain in chains[1:]))


def of_session(reader: SessionReader) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield each step's number and the functions, in the order in which their rules ran.

    It ends where the model does not know a call, or itself fails: who wants to know why checks the session.
    """
    try:
        model = build_model(reader.header.facts)
        model.world()
        for event in reader.events():
            if isinstance(event, Step):
                yield event.number, _once(mirrored(rules_of(model, event, evidence_of(event))))
    except Exception:  # a model may fail in any way
        return


def rules_of(kernel: Kernel, step: Step, evidence: Evidence) -> list[CodeType]:
    """Have *kernel* predict *step* and return the functions of the model that ran, in the order of their calls."""
    codes: dict[CodeType, None] = {}

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            codes.setdefault(frame.f_code)

    sys.setprofile(note)
    try:
        kernel.act(step.actor, step.call, evidence)
    finally:
        sys.setprofile(None)
    return [code for code in codes if code.co_filename.startswith(MODEL)]


def mirrored(rules: Iterable[CodeType]) -> tuple[str, ...]:
    """Return the kernel functions that the docstrings of *rules* cite, each once."""
    found: dict[str, None] = {}
    for code in rules:
        doc = code.co_consts[0] if code.co_consts and isinstance(code.co_consts[0], str) else ""
        for citation in _CITATION.findall(doc):
            found.setdefault(citation)
    return tuple(found)


def _once(found: tuple[str, ...]) -> tuple[str, ...]:
    """Return each function once, with its file where one of the citations has it."""
    by_name: dict[str, str] = {}
    for citation in found:
        name = citation.rpartition(" ")[2]
        if name not in by_name or " " in citation:
            by_name[name] = citation
    return tuple(by_name.values())
