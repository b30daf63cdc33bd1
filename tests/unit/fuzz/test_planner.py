"""Sequences: the same seed, the same actions; nobody who sleeps is given a call; most calls do something."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations

import pytest

from ktrace.fuzz import planner
from ktrace.fuzz.families import FAMILIES
from ktrace.fuzz.planner import Planner
from tests.unit.fuzz.bench import actions, dry_run, failures, plan, returned

KNOWN = sorted(FAMILIES)
ESSENTIAL = {
    "pipe": {"pipe2", "read", "write", "fcntl"},
    "sem": {"semget", "semop", "semctl"},
    "msg": {"msgget", "msgsnd", "msgrcv", "msgctl"},
    "shm": {"shmget", "shmat", "shmdt", "shmctl"},
    "unix": {"socket", "bind", "sendto", "recvfrom", "sendmsg", "recvmsg", "socketpair", "accept4", "shutdown"},
    "inet": {"socket", "bind", "connect", "listen", "accept4", "sendto", "recvfrom", "shutdown", "setsockopt"},
    "raw": {"socket", "sendto", "recvfrom"},
    "netlink": {"socket", "bind", "sendto"},
}


@pytest.mark.parametrize("family", ["pipe", "sem", "msg", "shm", "unix", "inet"])
def test_the_same_seed_gives_the_same_actions(family: str) -> None:
    assert actions(plan(family, 3)) == actions(plan(family, 3))
    assert actions(plan(family, 3)) != actions(plan(family, 4))


def test_hash_randomisation_changes_nothing() -> None:
    code = "from tests.unit.fuzz.bench import actions, plan; print(actions(plan('pipe', 5)))"
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "PATH": ""}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


@pytest.mark.parametrize("family", ["pipe", "sem", "msg", "shm", "unix", "inet"])
def test_most_calls_do_something_and_some_fail(family: str) -> None:
    trials = [plan(family, seed) for seed in range(6)]
    made = sum(len(trial.actions) for trial in trials)
    failed = sum(failures(trial) for trial in trials)
    assert 0.02 * made < failed < 0.5 * made
    worked = sum((returned(trial) for trial in trials), start=returned(trials[0]))
    assert ESSENTIAL[family] <= set(worked)


def test_several_families_mix() -> None:
    calls = [set(dry_run(Planner(["pipe", "sem"], 4, str(seed)), 150)[0].calls) for seed in range(8)]
    assert any({"semop", "write"} <= made for made in calls)
    assert any("semop" in made and "write" not in made for made in calls)


@pytest.mark.parametrize("pair", list(combinations(KNOWN, 2)), ids="+".join)
def test_every_two_families_can_stand_the_descriptors_of_each_other(
    pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "ALONE", 0.0)
    for seed in range(3):
        trial, _ = dry_run(Planner(pair, 5, f"pair/{seed}"), 120)
        assert trial.actions


def test_every_family_says_its_name() -> None:
    assert set(KNOWN) == set(ESSENTIAL)
    assert all(FAMILIES[name].name == name for name in KNOWN)


def test_descriptors_arrive_in_messages() -> None:
    received = 0
    for seed in range(8):
        for done in plan("unix", seed).actions:
            if done.call.name == "recvmsg" and done.result is not None and done.result.errno is None:
                control = done.result.out.get("msg_control") or ()
                received += sum(message["cmsg_type"] == 1 for message in control if isinstance(message, dict))
    assert received


def test_nobody_waits_long_for_a_second_syn() -> None:
    from ktrace.fuzz.families.net.socket import SYN_STEPS
    from ktrace.fuzz.model_view import ModelView, open_fds

    waiting: dict[int, int] = {}

    class Watched(Planner):
        def next(self, state: ModelView):  # type: ignore[no-untyped-def]
            now = {
                file.private.sk.key
                for task in state.tasks()
                for _, file in open_fds(task)
                if getattr(getattr(file.private, "sk", None), "state", "") == "TCP_SYN_SENT"
            }
            for key in now:
                waiting[key] = waiting.get(key, 0) + 1
            return super().next(state)

    for seed in range(10):
        dry_run(Watched(["inet"], 4, str(seed)), 150)
    assert waiting and max(waiting.values()) < 8 * SYN_STEPS
