"""Find the kernel functions that a prediction rests on, from the docstrings of the rules that made it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import ktrace.model
from ktrace.model.build import build_model
from ktrace.model.kernel import Kernel
from ktrace.model.observed import Evidence
from ktrace.state.compare import Difference
from ktrace.state.step import Step
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.evidence import evidence_of

_CITATION = re.compile(r"``?((?:[\w/-]+\.[ch]: )?\w+\(\))``?")

_MODEL = f"{Path(ktrace.model.__file__).parent}{os.sep}"

_SUBJECTS = {
    "pipe": ("fs/pipe/",),
    "sem": ("ipc/sem",),
    "undo": ("ipc/sem",),
    "msg": ("ipc/msg",),
    "shm": ("ipc/shm",),
    "sock": ("net/",),
}
"""Where in the model the rules are that speak of a kind of object; those are named where any of them ran."""


def of_step(
    make_model: Callable[[], Kernel], history: Iterable[tuple[Step, Evidence]], differences: Sequence[Difference]
) -> tuple[str, ...]:
    """Return the kernel functions mirrored by the rules that ran in the last step of *history*."""
    kernel = make_model()
    last: tuple[Step, Evidence] | None = None
    for item in history:
        if last is not None:
            kernel.act(last[0].actor, last[0].call, last[1])
        last = item
    if last is None:
        return ()
    rules = rules_of(kernel, *last)
    subjects = _subjects_of(differences)
    fitting = [code for code in rules if _file(code).startswith(subjects)]
    return mirrored(fitting or rules)


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
    return [code for code in codes if code.co_filename.startswith(_MODEL)]


def mirrored(rules: Iterable[CodeType]) -> tuple[str, ...]:
    """Return the kernel functions that the docstrings of *rules* cite, each once."""
    found: dict[str, None] = {}
    for code in rules:
        doc = code.co_consts[0] if code.co_consts and isinstance(code.co_consts[0], str) else ""
        for citation in _CITATION.findall(doc):
            found.setdefault(citation)
    return tuple(found)


def _subjects_of(differences: Sequence[Difference]) -> tuple[str, ...]:
    for difference in differences:
        for kind, modules in _SUBJECTS.items():
            if difference.path.startswith(kind):
                return modules
    return ()


def _file(code: CodeType) -> str:
    """Return the file of a rule, below the model's directory."""
    return code.co_filename.removeprefix(_MODEL)


def _once(found: tuple[str, ...]) -> tuple[str, ...]:
    """Return each function once, with its file where one of the citations has it."""
    by_name: dict[str, str] = {}
    for citation in found:
        name = citation.rpartition(" ")[2]
        if name not in by_name or " " in citation:
            by_name[name] = citation
    return tuple(by_name.values())
