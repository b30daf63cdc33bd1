"""Tell, for every step of a session, which kernel functions the model's rules for it mirror."""

from __future__ import annotations

from collections.abc import Iterator

from ktrace.model.build import build_model
from ktrace.state.step import Step
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.checker import evidence_of
from ktrace.verify.citations import mirrored, rules_of


def cited(reader: SessionReader) -> Iterator[tuple[int, tuple[str, ...]]]:
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


def _once(found: tuple[str, ...]) -> tuple[str, ...]:
    """Return each function once, with its file where one of the citations has it."""
    by_name: dict[str, str] = {}
    for citation in found:
        name = citation.rpartition(" ")[2]
        if name not in by_name or " " in citation:
            by_name[name] = citation
    return tuple(by_name.values())
