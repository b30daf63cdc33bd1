"""A session as test results: KTAP, as the kernel's tests print them, and JUnit's XML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from xml.sax.saxutils import escape, quoteattr


@dataclass(frozen=True, slots=True)
class Case:
    """One step as a test.

    :param failure: lines that say what did not agree; empty where all did
    :param seconds: that its call took, on the host
    """

    number: int
    name: str
    failure: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Totals:
    """What stands in front of the cases, and who to blame for an early end (``""``: nobody)."""

    cases: int
    failures: int
    ended: str = ""
    seconds: float = 0.0


def cases(records: Iterable[Mapping[str, Any]]) -> Iterator[Case]:
    """Yield a case for each step; one that diverged carries the differences."""
    waiting: Case | None = None
    for record in records:
        if "step" in record:
            if waiting is not None:
                yield waiting
            who = record["actor"] or "ktrace"
            waiting = Case(record["step"], f"{who} {record['text']} = {record['answer']}", (), _seconds(record))
        elif "diverged" in record:
            lines = [
                f"{item['path']}: observed {item['observed']}, allowed {item['expected']}"
                for item in record["differences"]
            ]
            lines += record["complaints"]
            if record["rules"]:
                lines.append("model rule mirrors " + ", ".join(record["rules"]))
            if waiting is None:
                waiting = Case(0, "the World before the first step")
            waiting = replace(waiting, failure=tuple(lines) or ("diverged",))
    if waiting is not None:
        yield waiting


def totals(records: Iterable[Mapping[str, Any]]) -> Totals:
    """Return the totals of a session; it is read once for them."""
    steps = failures = before = 0
    ended = "the session was cut off"
    seconds = 0.0
    for record in records:
        if "step" in record:
            steps += 1
            seconds += _seconds(record)
        elif "diverged" in record:
            failures += 1
            before += not steps
        elif "end" in record:
            known = record["end"] in ("agreed", "diverged")
            ended = "" if known else f"{record['end']}: {record['message']}"
    return Totals(steps + before, failures, ended, seconds)


def ktap(title: str, found: Iterable[Case], total: Totals) -> Iterator[str]:
    """Yield KTAP, version 1 (``Documentation/dev-tools/ktap.rst``): one test, its steps as subtests."""
    yield "KTAP version 1\n1..1\n"
    yield f"  KTAP version 1\n  # Subtest: {_plain(title)}\n  1..{total.cases}\n"
    for place, case in enumerate(found, 1):
        # The lines that explain a result stand before it.
        yield from (f"    # {_plain(line)}\n" for line in case.failure)
        yield f"  {'not ok' if case.failure else 'ok'} {place} - {_plain(case.name)}\n"
    if total.ended:
        yield f"  # {_plain(total.ended)}\n"
    yield f"{'not ok' if total.failures or total.ended else 'ok'} 1 - {_plain(title)}\n"


def junit(title: str, found: Iterable[Case], total: Totals) -> Iterator[str]:
    """Yield JUnit's XML: one suite, a case for each step; an early end is an error of its own."""
    errors = 1 if total.ended else 0
    counts = f'tests="{total.cases + errors}" failures="{total.failures}" errors="{errors}"'
    time = f'time="{total.seconds:.3f}"'
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<testsuites {counts} {time}>\n<testsuite name={_attribute(title)} {counts} skipped="0" {time}>\n'
    for case in found:
        start = f"<testcase classname={_attribute(title)} name={_attribute(f'{case.number} {case.name}')}"
        start += f' time="{case.seconds:.3f}"'
        if not case.failure:
            yield start + "/>\n"
            continue
        text = escape(_xml("\n".join(case.failure)))
        yield f'{start}><failure message={_attribute(case.failure[0])} type="divergence">{text}</failure></testcase>\n'
    if total.ended:
        yield f'<testcase classname={_attribute(title)} name="the end of the session" time="0">'
        yield f'<error message={_attribute(total.ended)} type="end"></error></testcase>\n'
    yield "</testsuite>\n</testsuites>\n"


def _seconds(record: Mapping[str, Any]) -> float:
    """Return how long a step's call took on the host."""
    asked, answered = record.get("host") or (0, 0)
    return float(answered - asked) / 1e9


def _plain(text: str) -> str:
    """Return *text* on one line, without ``#``, which begins a directive."""
    return "".join("\\x23" if char == "#" else char if char.isprintable() else " " for char in text)


def _xml(text: str) -> str:
    """Return *text* with what XML 1.0 cannot hold, and what steers terminals, replaced."""
    return "".join(char if char in "\n\t" or _allowed(ord(char)) else "\ufffd" for char in text)


def _allowed(code: int) -> bool:
    return 0x20 <= code < 0x7F or 0xA0 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF


def _attribute(text: str) -> str:
    return quoteattr(_xml(text))
