"""Structures in the middle of a call: states that are gone before it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ktrace.errors import UsageError
from ktrace.image.image import Image
from ktrace.machine.machine import Machine
from ktrace.state.trace.probe import Hit
from ktrace.verify.lab import KernelCache
from ktrace.verify.probing.breakpoints import ProbeTarget, parse_probe
from ktrace.verify.probing.lab import ProbingLab
from ktrace.verify.run import perform_script
from ktrace.workload.library import load

Hits = Callable[..., list[tuple[int, Hit]]]


@pytest.fixture
def hits(machine: Machine, image: Image, kernels: KernelCache) -> Hits:
    def run(workload: str, function: str, *expressions: str) -> list[tuple[int, Hit]]:
        target = parse_probe(function) if ":" in function else ProbeTarget(function)
        lab = ProbingLab(machine, image.vmlinux, (replace(target, expressions=expressions),), kernels)
        try:
            return [(step.line, hit) for step, _ in perform_script(load(workload), lab) for hit in step.probes]
        finally:
            lab.close()

    return run


def test_a_socket_that_is_connecting(hits: Hits) -> None:
    state, sk_state = "sk->sk_socket->state", "sk->__sk_common.skc_state"
    found = hits("tcp-loopback", "tcp_finish_connect", state, sk_state)
    assert [line for line, _ in found] == [11]
    hit = found[0][1]
    assert (hit.actor, hit.shown[state]) == ("B", "(socket_state)SS_CONNECTING")
    assert hit.shown[sk_state] == "(volatile unsigned char)2"  # TCP_SYN_SENT
    assert hit.arguments["sk"].startswith("(struct sock *)0x")
    assert {"tcp_rcv_state_process", "__sys_connect"} <= set(hit.stack)


def test_a_pipe_with_its_mutex_held(hits: Hits) -> None:
    found = hits("pipe-basic", "anon_pipe_buf_release", "pipe->mutex.owner.counter != 0")
    assert [hit.actor for _, hit in found] == ["B"] * len(found) != []
    assert {hit.shown["pipe->mutex.owner.counter != 0"] for _, hit in found} == {"True"}


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("nobody", "name 'nobody' is not defined"),
        ("iocb->nothing", "'struct kiocb' has no member 'nothing'"),
    ],
)
def test_an_expression_that_no_hit_can_show_is_refused(hits: Hits, expression: str, why: str) -> None:
    with pytest.raises(UsageError, match=f"cannot show '{expression}' at pipe_write\\(\\): {why}"):
        hits("pipe-basic", "pipe_write", expression)


def test_an_expression_that_fails_says_so_and_the_guest_goes_on(hits: Hits) -> None:
    found = hits("pipe-basic", "pipe_write", "1 / 0", "Object(prog, 'int', address=1)")
    assert len(found) == 3
    assert found[0][1].shown["1 / 0"].startswith("ZeroDivisionError")
    assert found[0][1].shown["Object(prog, 'int', address=1)"].startswith("cannot be read")


def test_no_such_function(hits: Hits) -> None:
    with pytest.raises(UsageError, match="no function 'get_pipe_inodes'"):
        hits("pipe-basic", "get_pipe_inodes")


def test_no_such_expression(hits: Hits) -> None:
    with pytest.raises(UsageError, match="cannot read the expression"):
        hits("pipe-basic", "pipe_write", "iocb->")


def test_a_semaphores_queue_before_its_sleeper_sleeps(hits: Hits) -> None:
    line, hit = hits("sem-order", "schedule_hrtimeout_range", "world", "task->__state")[0]
    assert (line, hit.actor, hit.shown["task->__state"]) == (6, "B", "(unsigned int)1")
    assert "sems[0].pending_alter[0] absent → {sleeper B" in hit.shown["world"]


def test_the_world_in_the_middle_of_a_call(hits: Hits) -> None:
    found = hits("pipe-basic", "anon_pipe_buf_release", "world")
    assert "pipe1.locked false → true" in found[0][1].shown["world"]


def test_in_one_system_call_alone(hits: Hits) -> None:
    """The packet is still on the sender's write queue when it is on the receiver's queue already."""
    found = hits("tcp-loopback", "sendto: tcp_data_ready", "world")
    assert {line for line, _ in found} == {15, 19, 22, 28}
    first = found[0][1].shown["world"]
    assert 'sock2.sk_write_queue[0] absent → {len 7 data "request"}' in first
    assert 'sock3.sk_receive_queue[0] absent → {len 7 data "request"}' in first
