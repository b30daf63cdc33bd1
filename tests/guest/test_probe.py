"""Structures in the middle of a call: states that are gone before it returns."""

from __future__ import annotations

import pytest

from ktrace.errors import UsageError
from ktrace.machine.gdbstub import GdbStub
from ktrace.machine.machine import Machine
from ktrace.verify.lab import Lab
from ktrace.verify.probe import Hit
from ktrace.verify.probed import probed_steps
from ktrace.workload.library import load


def hits(machine: Machine, lab: Lab, workload: str, function: str, *expressions: str) -> list[tuple[int, Hit]]:
    stub = GdbStub(machine)
    try:
        steps = probed_steps(load(workload), lab, stub, function, expressions)
        return [(step.line, hit) for step, found in steps for hit in found]
    finally:
        stub.close()


def test_a_socket_that_is_connecting(machine: Machine, lab: Lab) -> None:
    state, sk_state = "sk->sk_socket->state", "sk->__sk_common.skc_state"
    found = hits(machine, lab, "tcp-loopback", "tcp_finish_connect", state, sk_state)
    assert [line for line, _ in found] == [11]
    hit = found[0][1]
    assert (hit.actor, hit.shown[state]) == ("B", "(socket_state)SS_CONNECTING")
    assert hit.shown[sk_state] == "(volatile unsigned char)2"  # TCP_SYN_SENT
    assert hit.arguments["sk"].startswith("(struct sock *)0x")
    assert {"tcp_rcv_state_process", "__sys_connect"} <= set(hit.stack)


def test_a_pipe_with_its_mutex_held(machine: Machine, lab: Lab) -> None:
    found = hits(machine, lab, "pipe-basic", "anon_pipe_buf_release", "pipe->mutex.owner.counter != 0")
    assert [hit.actor for _, hit in found] == ["B"] * len(found) != []
    assert {hit.shown["pipe->mutex.owner.counter != 0"] for _, hit in found} == {"True"}


def test_an_expression_that_fails_says_so_and_the_guest_goes_on(machine: Machine, lab: Lab) -> None:
    found = hits(machine, lab, "pipe-basic", "pipe_write", "nobody", "iocb->nothing")
    assert len(found) == 3
    assert found[0][1].shown["nobody"].startswith("NameError")
    assert found[0][1].shown["iocb->nothing"].startswith("AttributeError")


def test_no_such_function(machine: Machine, lab: Lab) -> None:
    with pytest.raises(UsageError, match="no function 'get_pipe_inodes'"):
        hits(machine, lab, "pipe-basic", "get_pipe_inodes")


def test_no_such_expression(machine: Machine, lab: Lab) -> None:
    with pytest.raises(UsageError, match="cannot read the expression"):
        hits(machine, lab, "pipe-basic", "pipe_write", "iocb->")
