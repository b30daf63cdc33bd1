"""A look at what a step left is taken again where somebody who slept has run meanwhile."""

from __future__ import annotations

from signal import SIGCONT, SIGSTOP
from typing import Any

import pytest

from ktrace.agent.syscalls import make_call
from ktrace.state.net.sock import Sock
from ktrace.uapi.socket import AF_INET, SOCK_DGRAM
from ktrace.verify.lab import Lab


def blocked_reader(lab: Lab) -> None:
    lab.perform(None, make_call("spawn", "A"))
    lab.perform("A", make_call("pipe2", 0))
    assert lab.perform("A", make_call("read", 0, 10)).outcome.blocked == {"A"}


def test_who_ran_and_sleeps_in_the_same_place_again_was_at_it(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked_reader(lab)
    looks: list[Any] = []
    observe = lab.inspector.observe

    def meddled() -> Any:
        looks.append(observe())
        if len(looks) == 1:
            # read() starts again after SIGCONT, and sleeps where it slept.
            lab.perform(None, make_call("kill", "A", SIGSTOP))
            lab.perform(None, make_call("kill", "A", SIGCONT))
        return looks[-1]

    monkeypatch.setattr(lab.inspector, "observe", meddled)
    before = lab.where({"A"})
    sleeps, _ = lab.see({"A"})
    assert sleeps == before == {"A": ("pipe_read", "vfs_read", "ksys_read")}
    assert len(looks) == 2


def test_one_look_is_enough_where_everybody_sleeps_on(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked_reader(lab)
    looks: list[Any] = []
    observe = lab.inspector.observe

    def counted() -> Any:
        looks.append(observe())
        return looks[-1]

    monkeypatch.setattr(lab.inspector, "observe", counted)
    lab.see({"A"})
    assert len(looks) == 1


def test_what_a_timer_of_the_kernel_changed_meanwhile_is_looked_at_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A packet on the loopback is received by a softirq; nobody sleeps who could tell of it."""
    lab.perform(None, make_call("spawn", "A"))
    lab.perform("A", make_call("socket", AF_INET, SOCK_DGRAM, 0))
    lab.perform("A", make_call("bind", 0, {"sa_family": AF_INET, "sin_port": 5000, "sin_addr": "127.0.0.1"}, 16))
    looks: list[Any] = []
    observe = lab.inspector.observe

    def meddled() -> Any:
        looks.append(observe())
        if len(looks) == 1:
            address = {"sa_family": AF_INET, "sin_port": 5000, "sin_addr": "127.0.0.1"}
            lab.perform("A", make_call("sendto", 0, b"x", 1, 0, address, 16))
        return looks[-1]

    monkeypatch.setattr(lab.inspector, "observe", meddled)
    _, world = lab.see(())
    assert len(looks) == 2
    [queue] = [sock.sk_receive_queue for sock in world.objects.values() if isinstance(sock, Sock)]
    assert [packet.data for packet in queue] == [b"x"]
