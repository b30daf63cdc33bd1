"""A divergence names the rule that decided the field: each is broken in turn, and what a sound kernel did replayed."""

from __future__ import annotations
import __future__

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from ktrace.model.fs import fasync, fcntl, namei
from ktrace.model.fs.pipe import pipe, pipe_size
from ktrace.model.ipc import msg, msg_queue, namespace, sem_queue, sem_undo, shm_segment
from ktrace.model.net.inet.tcp import segment
from ktrace.model.net.inet.udp import udp
from ktrace.model.net.netlink import ops as netlink
from ktrace.model.net.unix import base_ops
from ktrace.model.process import credentials
from ktrace.state.call import Completed, Outcome, Result
from ktrace.state.step import Step
from ktrace.trace.session import Verdict
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.citations import MOST
from ktrace.verify.judge import judge
from ktrace.verify.replay import replay
from tests.sinks import Record

RECORDED = Path(__file__).parents[3] / "traces" / "recorded"
SOCKETS = ("tcp_", "udp_", "inet", "unix_", "sock_", "netlink_", "skb_")


def broken(function: Callable[..., Any], right: str, wrong: str) -> CodeType:
    """Return the code of *function* with one piece of its source replaced."""
    assert isinstance(function, FunctionType)
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(right) == 1, source
    tree = ast.parse(source.replace(right, wrong))
    assert isinstance(tree.body[0], ast.FunctionDef)
    tree.body[0].decorator_list = []
    flags = __future__.annotations.compiler_flag
    module = compile(tree, function.__code__.co_filename, "exec", flags, dont_inherit=True)
    (code,) = (item for item in module.co_consts if isinstance(item, CodeType))
    return code


def names(verdict: Verdict) -> list[str]:
    """Return the functions that are named, without their files."""
    return [rule.rpartition(" ")[2] for rule in verdict.rules]


BROKEN: list[tuple[str, Callable[..., Any], str, str, str]] = [
    ("pipe-basic", pipe.PipeInode.push, "self.head + 1", "self.head + 2", "pipe_write()"),
    ("pipe-resize", pipe_size.pipe_resize_ring, "pipe.ring_size = slots", "pipe.ring_size = 1", "pipe_resize_ring()"),
    ("pipe-sigio", fasync._send_sigio_to_task, "code=SI_KERNEL", "code=0", "send_sigio_to_task()"),
    ("pipe-owners", fcntl.setfl, "arg & SETFL_MASK |", "", "setfl()"),
    ("fifo", namei._unlink, "inode.i_nlink -= 1", "inode.i_nlink -= 2", "do_unlinkat()"),
    ("sem-basic", sem_queue.perform_atomic_semop, "+= sop.sem_op", "+= 2 * sop.sem_op", "perform_atomic_semop()"),
    ("sem-undo", sem_undo.exit_sem, "sem.sempid = task.process", "sem.sempid = None", "exit_sem()"),
    ("sem-undo-users", credentials.setresuid, "(cred, *new)", "(cred, *old)", "__sys_setresuid()"),
    ("msg-types", msg._msgsnd, "msq.q_cbytes += msg.m_ts", "msq.q_cbytes += 1", "do_msgsnd()"),
    ("msg-qbytes", msg_queue.msg_fits_inqueue, "q_cbytes <=", "q_cbytes <", "msg_fits_inqueue()"),
    ("shm-attach", shm_segment.ShmAttachment.open, "shm_nattch += 1", "shm_nattch += 2", "__shm_open()"),
    ("msg-ctl", namespace.ipcctl_obtain_check, '"EPERM"', '"EACCES"', "ipcctl_obtain_check()"),
    ("socketpair", base_ops.UnixOps.shutdown, "|= mode", "|= 0", "unix_shutdown()"),
    ("udp-loopback", udp.udp_enqueue_schedule_skb, "+= skb.truesize", "+= 1", "__udp_enqueue_schedule_skb()"),
    ("tcp-loopback", segment.tcp_data_queue, "bytes_received += len(data)", "bytes_received += 1", "tcp_data_queue()"),
    ("netlink", netlink.NetlinkOps._insert, "sk.bound = True", "sk.bound = False", "netlink_insert()"),
]
"""A recording, a rule, what of it is broken and how, and the kernel's function that it mirrors."""


@pytest.mark.parametrize(
    ("name", "function", "right", "wrong", "kernel"), BROKEN, ids=[f"{row[0]}-{row[4]}" for row in BROKEN]
)
def test_a_broken_rule_is_the_first_or_second_that_is_named(
    name: str, function: Callable[..., Any], right: str, wrong: str, kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(function, "__code__", broken(function, right, wrong))
    record = Record()
    assert replay(SessionReader(RECORDED / f"{name}.jsonl.gz"), record).status == "diverged"
    (verdict,) = record.verdicts
    assert verdict.differences
    assert kernel in names(verdict)[:2], (verdict.differences, verdict.rules)
    assert len(verdict.rules) <= MOST
    if name.startswith(("pipe", "fifo", "sem", "msg", "shm", "ipc")):
        assert [rule for rule in names(verdict) if rule.startswith(SOCKETS)] == []


def test_breaking_is_noticed() -> None:
    """The helper itself: what it makes is another function in the same file."""
    code = broken(pipe.PipeInode.push, "self.head + 1", "self.head + 2")
    assert code.co_filename == pipe.PipeInode.push.__code__.co_filename
    assert (
        code.co_code != pipe.PipeInode.push.__code__.co_code or code.co_consts != pipe.PipeInode.push.__code__.co_consts
    )


def lying(step: Step) -> Step:
    """Return *step* with another answer than the one it had: a failure where it succeeded, and the other way round."""

    def other(result: Result) -> Result:
        return Result(0) if result.errno is not None else Result(-1, "EIO")

    events = tuple(
        replace(event, result=other(event.result))
        if isinstance(event, Completed) and event.actor == step.actor
        else event
        for event in step.outcome.events
    )
    return replace(step, outcome=Outcome(events, step.outcome.blocked))


@pytest.mark.parametrize("name", ["pipe-basic", "pipe-owners", "fifo", "sem-basic", "msg-ctl", "shm-attach"])
def test_without_a_socket_no_socket_s_function_is_named(name: str) -> None:
    path = RECORDED / f"{name}.jsonl.gz"
    reader = SessionReader(path)
    steps = list(reader.steps())
    looked = named = 0
    for index, step in enumerate(steps):
        false = lying(step)
        if false.outcome == step.outcome or looked == 25:
            continue
        looked += 1
        told = [*steps[:index], false]
        record = Record()
        end = judge(reader.header, ((item, ()) for item in told), record, history=lambda told=told: iter(told))  # type: ignore[misc]
        assert end.status == "diverged"
        (verdict,) = record.verdicts
        assert [rule for rule in names(verdict) if rule.startswith(SOCKETS)] == [], step.text
        assert len(verdict.rules) <= MOST
        named += bool(verdict.rules)
    assert named > 0.9 * looked > 9
