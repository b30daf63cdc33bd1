"""/proc/PID/maps of an address space as it was born is predicted, but for where in a file a mapping begins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ktrace.model.build import build_model
from ktrace.model.kernel import Kernel
from ktrace.model.mm.maps import held, owner_of
from ktrace.model.task import Task
from ktrace.state.call import Completed, Result
from ktrace.state.step import Step
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.checker import Checker

RECORDED = Path(__file__).parents[4] / "traces" / "recorded" / "file-kinds.jsonl.gz"


def steps() -> Iterator[Step]:
    yield from SessionReader(RECORDED).steps()


def the_text() -> bytes:
    """Return what was read at once of the mappings of A."""
    return max((_buf(step) for step in steps() if step.call.name == "read"), key=len)


def _buf(step: Step) -> bytes:
    found = [event.result.out.get("buf", b"") for event in step.outcome.events if isinstance(event, Completed)]
    return bytes(found[0]) if found else b""


def a_task() -> tuple[Kernel, Task]:
    reader = SessionReader(RECORDED)
    facts = reader.header.facts
    kernel = build_model(facts)
    checker = Checker(lambda: kernel)
    assert not checker.initial(reader.header.initial)
    assert not checker.check(next(iter(reader.steps())))
    return kernel, kernel.tasks["A"]


def test_it_is_right_and_nothing_else_is() -> None:
    kernel, task = a_task()
    text = the_text()
    assert text.count(b"\n") > 6
    told = Result(len(text), None, {"buf": text})
    assert held(kernel, task, 0, told) is told
    missed = 0
    for bit in range(0, 8 * len(text), 3):
        at = bit // 8
        other = text[:at] + bytes([text[at] ^ 1 << bit % 8]) + text[at + 1 :]
        missed += held(kernel, task, 0, Result(len(other), None, {"buf": other})).out["buf"] == other
    assert missed < 0.02 * 8 * len(text) / 3


def test_a_beginning_is_held_and_what_comes_later_is_not() -> None:
    kernel, task = a_task()
    begin = the_text()[:10]
    assert held(kernel, task, 0, Result(10, None, {"buf": begin})).out["buf"] == begin
    wrong = Result(10, None, {"buf": b"1" + begin[1:]})
    assert held(kernel, task, 0, wrong).out["buf"] == b""
    assert held(kernel, task, 10, wrong) is wrong and held(kernel, task, None, wrong) is wrong


def test_an_address_space_that_was_changed_is_not_held() -> None:
    kernel, task = a_task()
    task.mm.vmas.pop()
    wrong = Result(1, None, {"buf": b"?"})
    assert held(kernel, task, 0, wrong) is wrong


def test_whose_mappings_a_path_tells_of() -> None:
    _, task = a_task()
    assert owner_of(task, "/proc/self/maps") is task
    assert owner_of(task, f"/proc/{task.pid}/maps") is task
    assert owner_of(task, "/proc/self/smaps") is None and owner_of(task, "/proc/999999/maps") is None
