"""Making a series of actions shorter, with the model in the guest's place."""

from __future__ import annotations

from ktrace.agent.syscalls import make_call
from ktrace.fuzz.finding import Finding, of_differences
from ktrace.fuzz.renumbering import Renumbering
from ktrace.fuzz.script import script_of
from ktrace.fuzz.shrink import Shrinker
from ktrace.fuzz.trial import Source, Trial
from ktrace.state.call import Result
from ktrace.state.compare import Difference
from ktrace.workload.format import format_script
from ktrace.workload.parser import parse_script
from tests.unit.fuzz.bench import dry_run, plan

WRONG = Finding(frozenset({"pipe.head"}), "read", "wrong")


def attempt(source: Source, limit: int) -> Trial:
    """Stand for a kernel that is wrong as soon as a read has returned more than 99 bytes."""
    trial, _ = dry_run(source, limit)
    _finds(trial)
    return trial


def _finds(trial: Trial) -> bool:
    for number, done in enumerate(trial.actions, 1):
        if done.call.name == "read" and done.result is not None and done.result.value > 99:
            del trial.actions[number:]
            trial.finding = WRONG
            return True
    return False


def found() -> Trial:
    """Return a sequence that shows the finding."""
    for seed in range(100):
        trial = plan("pipe", seed)
        if _finds(trial) and len(trial.actions) > 30:
            return trial
    raise AssertionError("no seed reads 100 bytes")


def test_what_is_left_is_what_it_takes() -> None:
    long = found()
    short = Shrinker(attempt, 60).shrink(long)
    assert short.finding is WRONG
    assert len(short.actions) <= 8 < len(long.actions)
    assert short.actions[-1].call.name == "read"


def test_without_time_the_trial_stays() -> None:
    long = found()
    assert len(Shrinker(attempt, 0).shrink(long).actions) <= len(long.actions)


def test_a_finding_that_does_not_come_again_is_kept_as_it_was() -> None:
    long = found()
    assert Shrinker(lambda source, limit: Trial(), 60).shrink(long) is long


def test_a_short_trial_is_a_script_that_parses_again() -> None:
    script = script_of(found(), "fuzz-1", "what went wrong", "found by: ktrace fuzz")
    assert parse_script(format_script(script)) == script


def test_descriptors_and_ids_are_followed() -> None:
    renumbering = Renumbering()
    pipe2 = make_call("pipe2", 0)
    renumbering.learn("A", pipe2, Result(0, None, {"pipefd": (5, 6)}), Result(0, None, {"pipefd": (3, 4)}))
    assert renumbering.renumber("A", make_call("read", 5, 10)) == make_call("read", 3, 10)
    assert renumbering.renumber("B", make_call("read", 5, 10)) == make_call("read", 5, 10)
    renumbering.learn("A", make_call("fork", "B"), Result(10), Result(20))
    assert renumbering.renumber("B", make_call("close", 6)) == make_call("close", 4)
    renumbering.learn("A", make_call("msgget", 1), Result(32769), Result(0))
    assert renumbering.renumber("A", make_call("msgctl", 32769, 2)) == make_call("msgctl", 0, 2)
    assert renumbering.renumber("A", make_call("semctl", 32769, 0, 2)).args[0] == 32769
    polled = renumbering.renumber("A", make_call("poll", ({"fd": 6, "events": 1},), 0))
    assert polled.args[0][0]["fd"] == 4


def test_findings_are_the_same_whatever_the_numbers() -> None:
    one = of_differences("read", [Difference("pipe1.bufs[3].len", 1, 2), Difference("A's result[value]", 1, 2)])
    other = of_differences("read", [Difference("pipe2.bufs[0].len", 7, 9)])
    assert one.same_as(other)
    assert not one.same_as(of_differences("read", [Difference("pipe1.head", 1, 2)]))
    assert not one.same_as(None)
    failed = of_differences("read", [Difference("C's result[value]", "EAGAIN", 5)])
    assert failed.kinds == {"read: X's result[value]: EAGAIN for int"}
    assert of_differences("exit", [Difference("process B.uid", 1, 2)]).kinds == {"process X.uid"}


def test_who_sleeps_is_a_kind_of_its_own() -> None:
    slept = of_differences("read", [Difference("B", "blocked", "not blocked")])
    assert slept.kinds == {"read: somebody blocked"}
