"""What the kernel chose is told step by step, and a choice that no rule allows is named with the rule."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ktrace.cli.check import check
from ktrace.model.fs.inode import SET_NOW
from ktrace.model.fs.opaque import IDENTITY
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.reuseport import SELECT
from ktrace.model.net.core.sockfs import NEXT_INO
from ktrace.model.net.inet.tcp.inet_hashtables import HASH_CONNECT
from ktrace.model.net.inet.tcp.sock import RCVBUF
from ktrace.model.net.inet.tcp.tcp_output import WRITE_XMIT
from ktrace.model.net.inet.udp.udp import GET_PORT
from ktrace.model.net.netlink.ops import ROVER
from ktrace.model.net.unix.name import AUTOBIND
from ktrace.model.process.process import ALLOC_PID
from ktrace.model.process.timer import HRTIMER
from ktrace.state import codec
from ktrace.state.allowed import Between, Stays
from ktrace.state.rule import Choice, Rule
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.replay import replay
from tests.sinks import Record

RECORDED = Path(__file__).parents[3] / "traces" / "recorded"


def played(name: str) -> Record:
    """Return what a replay of a recorded trace tells."""
    record = Record()
    replay(SessionReader(RECORDED / f"{name}.jsonl.gz"), record)
    return record


def chosen(record: Record) -> list[Choice]:
    """Return all choices."""
    return [choice for choices in record.chosen for choice in choices.choices]


def test_a_step_tells_what_no_model_could_predict() -> None:
    record = played("unix-messages")
    names = [choice for choice in chosen(record) if choice.rule == AUTOBIND]
    assert names
    assert all(choice.allowed and choice.path == "" and len(choice.taken) == 6 for choice in names)
    assert {choices.number for choices in record.chosen} < {step.number for step in record.steps}
    # The agent looked at the clock that times are made of just before and just after.
    assert not any(choice.rule == SET_NOW for choice in chosen(record))
    (end, _), *_ = record.ends
    assert 0 < end.held < end.fields


@pytest.mark.parametrize("path", sorted(RECORDED.glob("*.gz")), ids=lambda path: path.name.partition(".")[0])
def test_what_agrees_was_allowed(path: Path) -> None:
    choices = chosen(played(path.name.partition(".")[0]))
    assert all(choice.allowed for choice in choices)
    for choice in choices:
        codec.encode(choice.taken)  # it goes into sessions: a value, no object of the model's own


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("unix-messages", AUTOBIND),
        ("pipe-basic", ALLOC_PID),
        ("socketpair", NEXT_INO),
        ("tcp-loopback", HASH_CONNECT),
        ("udp-loopback", GET_PORT),
        ("netlink", ROVER),
        ("reuseport", SELECT),
        ("pipe-timeout", HRTIMER),
        ("tcp-linger", WRITE_XMIT),
    ],
    ids=lambda value: value.function if isinstance(value, Rule) else value,
)
def test_a_choice_that_is_not_allowed_is_named_with_its_rule(
    name: str, rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = Kernel.choose

    def strict(kernel: Kernel, asked: Rule, find: Any, allowed: Callable[[Any], bool], otherwise: Any) -> Any:
        return choose(kernel, asked, find, (lambda seen: False) if asked is rule else allowed, otherwise)

    assert rule in {choice.rule for choice in chosen(played(name))}
    monkeypatch.setattr(Kernel, "choose", strict)
    record = played(name)
    (verdict,) = record.verdicts
    assert verdict.differences
    last = record.chosen[-1]
    assert last.number == verdict.number
    assert rule in {choice.rule for choice in last.choices if not choice.allowed}


@pytest.mark.parametrize(("name", "rule"), [("file-kinds", IDENTITY), ("tcp-loopback", RCVBUF)])
def test_a_value_outside_of_its_set_is_named_with_its_rule(
    name: str, rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = Stays if rule is IDENTITY else Between
    admits = kind.admits
    monkeypatch.setattr(kind, "admits", lambda self, value: self.rule is not rule and admits(self, value))
    record = played(name)
    (verdict,) = record.verdicts
    refused = {choice.path for choice in record.chosen[-1].choices if choice.rule == rule and not choice.allowed}
    assert refused >= {item.path for item in verdict.differences if str(rule) in str(item.expected)} > set()


def test_check_counts_them() -> None:
    traces = [str(RECORDED / f"{name}.jsonl.gz") for name in ("unix-messages", "pipe-basic")]
    answer = CliRunner().invoke(check, ["--choices", *traces], catch_exceptions=False)
    lines = answer.output.splitlines()
    assert lines[2].split() == ["used", "steps", "rule", "kernel", "source"]
    (line,) = [line for line in lines if AUTOBIND.function in line]
    assert str(AUTOBIND) in line
    assert line.endswith(AUTOBIND.source)
    answer = CliRunner().invoke(check, ["--choices", "--json", *traces], catch_exceptions=False)
    events = [json.loads(line) for line in answer.output.splitlines()]
    assert events[-1]["event"] == "rules"
    used = {row["rule"]: row["used"] for row in events[-1]["rules"]}
    told = [item for event in events if event["event"] == "choices" for item in event["rules"]]
    assert used[str(AUTOBIND)] == sum(len(item["used"]) for item in told if item["rule"] == str(AUTOBIND)) > 0
