"""Find the kernel functions that a prediction rests on, from the docstrings of the rules that made it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from types import CodeType, FrameType
from typing import Any

from ktrace.model.kernel import Kernel
from ktrace.model.observed import Evidence
from ktrace.state.compare import Difference
from ktrace.state.step import Step

_CITATION = re.compile(r"``?((?:[\w/-]+\.[ch]: )?\w+\(\))``?")

_SUBJECTS = {
    "pipe": ("pipe", "splice", "fifo"),
    "sem": ("sysv_sem",),
    "undo": ("sysv_sem",),
    "msg": ("sysv_msg",),
    "shm": ("sysv_shm",),
    "sock": ("sock", "unix", "inet", "tcp", "udp"),
}
"""Which modules' rules speak of which kind of object; a rule that fits is named before the others."""


def citations(
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
    fitting = [code for code in rules if any(subject in _module(code) for subject in subjects)]
    return mirrored(fitting or rules)


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
    return [code for code in codes if "model" in code.co_filename]


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


def _module(code: CodeType) -> str:
    return code.co_filename.rpartition("/")[2]
