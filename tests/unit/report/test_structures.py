"""Live structures: a number that nobody read is not NULL, and no flags are 0."""

from __future__ import annotations

from dataclasses import dataclass

from ktrace.report.structures import describe
from ktrace.state.ref import Ref

PIPE = Ref("pipe", "pipe1")


@dataclass(frozen=True)
class Thing:
    """Members of every kind."""

    number: int | None = None
    known: int | None = 0
    truth: bool | None = None
    pointer: Ref | None = None
    there: Ref | None = PIPE
    flags: tuple[str, ...] = ()
    some: tuple[str, ...] = ("A", "B")
    text: str | None = None
    either: int | Ref | None = None


def test_what_was_not_read_is_said_to_be_so() -> None:
    lines = [line.split(maxsplit=1) for line in describe(Ref("thing", "thing1"), Thing())]
    assert lines.pop(0) == ["thing1"]
    assert dict(lines) == {  # type: ignore[arg-type]
        "number": "not read",
        "known": "0",
        "truth": "not read",
        "pointer": "NULL",
        "there": "pipe1",
        "flags": "0",
        "some": "A|B",
        "text": "NULL",
        "either": "NULL",
    }
