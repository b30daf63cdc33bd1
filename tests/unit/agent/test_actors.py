"""Actors of a real agent on this machine's kernel: each operation, and what others see of it."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from ktrace.agent.client import Agent
from ktrace.agent.frames import Refusal, Refused
from ktrace.agent.ops import (
    Bound,
    Call,
    CopyIn,
    CopyOut,
    Disposition,
    Exec,
    Exit,
    Fork,
    Kill,
    Load,
    Op,
    Sigaction,
    Spawn,
    Store,
    Wait,
)
from ktrace.agent.reports import Completed, Exited, Job, Signalled, Spawned
from ktrace.state.call import UNWRITTEN
from ktrace.uapi.errno import EBADF, EFAULT, EINTR, EINVAL, EPIPE
from ktrace.uapi.signal import SIGCONT, SIGKILL, SIGPIPE, SIGSTOP, SIGUSR1, SIGUSR2
from tests.unit.agent import actors as a
from tests.unit.agent.actors import Lab, blocked, live

GUEST = Path(__file__).parents[3] / "guest"
NOTHING = bytes([UNWRITTEN])


def test_spawn_reports_pid_and_an_empty_descriptor_table(lab: Lab) -> None:
    report = lab.step(Spawn(3))
    (event,) = report.events
    assert isinstance(event, Spawned)
    assert event.slot == 3
    assert live(report) == {3}
    assert blocked(report) == set()
    assert os.listdir(f"/proc/{event.pid}/fd") == []
    assert lab.agent.hello().pids[3] == event.pid
    with open(f"/proc/{event.pid}/comm") as comm:
        assert comm.read() == "actor-3\n"


def test_first_descriptor_is_zero(lab: Lab) -> None:
    lab.spawn(0)
    assert lab.pipe(0) == (0, 1)


def test_raw_return_values(lab: Lab) -> None:
    lab.spawn(0)
    assert lab.call(0, a.SYS_GETPID) == lab.agent.hello().pids[0]
    assert lab.call(0, a.SYS_CLOSE, 7) == -EBADF
    assert lab.call(0, a.SYS_CLOSE, -1) == -EBADF
    assert lab.call(0, 100_000) == -38


def test_read_blocks_and_write_completes_it_in_order(lab: Lab) -> None:
    lab.spawn(0)
    lab.pipe(0)
    forked = lab.step(Fork(0, 1))
    assert {type(event) for event in forked.events} == {Completed, Spawned}
    report = lab.step(lab.reading(1, 0, 100))
    assert report.events == ()
    assert blocked(report) == {1}
    report = lab.step(lab.writing(0, 1, b"hello"))
    assert blocked(report) == set()
    assert set(report.events) == {Completed(0, 5), Completed(1, 5, (b"hello",))}


def test_fork_shares_the_open_file_but_not_the_table(lab: Lab) -> None:
    lab.spawn(0)
    lab.pipe(0)
    lab.step(Fork(0, 1))
    assert lab.call(0, a.SYS_CLOSE, 1) == 0
    assert lab.completed(lab.writing(1, 1, b"x")).ret == 1
    assert lab.completed(lab.reading(0, 0, 9)).loads == (b"x",)


def test_fork_with_clone_files_shares_the_table(lab: Lab) -> None:
    lab.spawn(0)
    lab.pipe(0)
    lab.step(Fork(0, 1, 0x400))
    assert lab.call(0, a.SYS_CLOSE, 1) == 0
    assert lab.completed(lab.writing(1, 1, b"x")).ret == -EBADF


def test_fork_with_clone_vm_shares_memory(lab: Lab) -> None:
    lab.spawn(0)
    lab.step(Fork(0, 1, 0x100))
    page = lab.call(0, a.SYS_MMAP, 0, 4096, 3, 0x22, -1, 0)
    assert lab.completed(CopyIn(0, page, b"shared")).ret == 6
    assert lab.completed(CopyOut(1, page, 6)).loads == (b"shared",)
    assert lab.step(Kill(0)).events == (Exited(0, SIGKILL),)
    assert lab.completed(CopyOut(1, page, 6)).loads == (b"shared",)


def test_fork_that_fails_leaves_the_slot_free(lab: Lab) -> None:
    lab.spawn(0)
    flags_the_kernel_refuses = 0x800  # CLONE_SIGHAND without CLONE_VM
    assert lab.completed(Fork(0, 1, flags_the_kernel_refuses)).ret == -EINVAL
    assert live(lab.step(Spawn(1))) == {0, 1}


def test_exit_and_reuse_of_a_slot_with_a_clean_arena(lab: Lab) -> None:
    lab.spawn(0)
    arena = lab.hello.arena(0)
    lab.call(0, a.SYS_GETPID)
    lab.step(Call(0, a.SYS_GETPID, stores=(Store(arena, b"left"), Store(arena + 700_000, b"over"))))
    report = lab.step(Exit(0, 3))
    assert report.events == (Exited(0, 3 << 8),)
    assert live(report) == set()
    lab.spawn(0)
    for address in (arena, arena + 700_000):
        assert lab.completed(CopyOut(0, address, 4)).loads == (bytes(4),)


def test_what_a_call_does_not_write_is_told_from_what_it_writes(lab: Lab) -> None:
    lab.spawn(0)
    lab.pipe(0)
    arena = lab.hello.arena(0)
    lab.completed(lab.writing(0, 1, b"ab"))
    loads = (Load(arena, 4), Load(arena + 64, 4))
    event = lab.completed(Call(0, a.SYS_READ, (0, arena, 4), stores=(Store(arena + 66, b"in"),), loads=loads))
    assert event.loads == (b"ab" + NOTHING * 2, NOTHING * 2 + b"in")


def test_agent_and_model_mean_the_same_byte() -> None:
    wire = (GUEST / "wire.h").read_text()
    assert f"#define UNWRITTEN {UNWRITTEN:#x} " in wire


def test_kill_ends_a_blocked_actor(lab: Lab) -> None:
    lab.spawn(0)
    lab.pipe(0)
    lab.step(lab.reading(0, 0, 1))
    report = lab.step(Kill(0))
    assert report.events == (Exited(0, SIGKILL),)
    assert blocked(report) == set()


def test_death_stands_before_what_it_sets_off(lab: Lab) -> None:
    lab.spawn(0)
    lab.pipe(0)
    lab.step(Fork(0, 1))
    assert lab.call(1, a.SYS_CLOSE, 1) == 0
    assert blocked(lab.step(lab.reading(1, 0, 9))) == {1}
    assert lab.step(Kill(0)).events == (Exited(0, SIGKILL), Completed(1, 0, (b"",)))


def test_signal_interrupts_a_blocked_call_before_it_completes(lab: Lab) -> None:
    lab.spawn(0)
    lab.pipe(0)
    lab.step(lab.reading(0, 0, 1))
    report = lab.step(Kill(0, SIGUSR1))
    first, second = report.events
    assert isinstance(first, Signalled)
    assert (first.slot, first.signo, first.code, first.pid) == (0, SIGUSR1, 0, lab.hello.agent_pid)
    assert second == Completed(0, -EINTR, (b"",))


def test_signal_to_a_parked_actor_is_recorded(lab: Lab) -> None:
    lab.spawn(0)
    (event,) = lab.step(Kill(0, 40)).events
    assert isinstance(event, Signalled)
    assert event.signo == 40
    assert lab.call(0, a.SYS_GETPID) > 0


def test_sigpipe_is_recorded_before_epipe(lab: Lab) -> None:
    lab.spawn(0)
    lab.pipe(0)
    lab.call(0, a.SYS_CLOSE, 0)
    signal, completed = lab.step(lab.writing(0, 1, b"x")).events
    assert isinstance(signal, Signalled)
    assert signal.signo == SIGPIPE
    assert completed == Completed(0, -EPIPE)


def test_sigaction_default_ignore_and_restart(lab: Lab) -> None:
    lab.spawn(0)
    lab.pipe(0)
    assert lab.completed(Sigaction(0, SIGUSR1, Disposition.IGN)).ret == 0
    assert lab.step(Kill(0, SIGUSR1)).events == ()
    assert lab.completed(Sigaction(0, SIGUSR2, Disposition.RECORD_RESTART)).ret == 0
    lab.step(lab.reading(0, 0, 1))
    report = lab.step(Kill(0, SIGUSR2))
    assert [type(event) for event in report.events] == [Signalled]
    assert blocked(report) == {0}
    assert lab.step(Kill(0, 15)).events[1:] == (Completed(0, -EINTR, (b"",)),)
    assert lab.completed(Sigaction(0, SIGUSR2, Disposition.DFL)).ret == 0
    assert lab.completed(Sigaction(0, SIGKILL, Disposition.IGN)).ret == -EINVAL
    assert lab.step(Kill(0, SIGUSR2)).events == (Exited(0, SIGUSR2),)


def test_sigpipe_by_default_kills_in_the_middle_of_the_call(lab: Lab) -> None:
    lab.spawn(0)
    lab.pipe(0)
    lab.call(0, a.SYS_CLOSE, 0)
    lab.completed(Sigaction(0, SIGPIPE, Disposition.DFL))
    assert lab.step(lab.writing(0, 1, b"x")).events == (Exited(0, SIGPIPE),)


def test_stopped_actor_counts_as_blocked_until_continued(lab: Lab) -> None:
    lab.spawn(0)
    assert lab.step(Kill(0, SIGSTOP)).events == (Job(0, SIGSTOP << 8 | 0x7F),)
    report = lab.step(Call(0, a.SYS_GETPID))
    assert (report.events, blocked(report)) == ((), {0})
    event, continued = lab.step(Kill(0, SIGCONT)).events
    assert continued == Job(0, 0xFFFF)
    assert isinstance(event, Completed)
    assert event.ret == lab.agent.hello().pids[0]


def test_one_actor_signals_another(lab: Lab) -> None:
    lab.spawn(0, 1)
    pids = lab.agent.hello().pids
    report = lab.step(Call(0, a.SYS_KILL, (pids[1], SIGUSR1)))
    assert Completed(0, 0) in report.events
    (signal,) = (event for event in report.events if isinstance(event, Signalled))
    assert (signal.slot, signal.pid) == (1, pids[0])


def test_copy_reaches_own_memory_and_survives_faults(lab: Lab) -> None:
    lab.spawn(0)
    page = lab.call(0, a.SYS_MMAP, 0, 8192, 3, 0x22, -1, 0)
    data = bytes(range(256)) * 20
    assert lab.completed(CopyIn(0, page + 3, data)).ret == len(data)
    assert lab.completed(CopyOut(0, page + 3, len(data))).loads == (data,)
    assert lab.call(0, 11, page + 4096, 4096) == 0  # munmap the second half
    for address, length in ((0xBAD000, 8), (0, 1), (page + 4090, 16), (page + 4096, 1), (1 << 63, 9), (page, 4097)):
        assert lab.completed(CopyOut(0, address, length)) == Completed(0, -EFAULT, (b"",))
        assert lab.completed(CopyIn(0, address, bytes(length))).ret == -EFAULT
    assert lab.completed(CopyOut(0, page + 4095, 1)).ret == 1
    assert lab.completed(CopyIn(0, 0xBAD000, b"")).ret == 0


def test_copy_of_memory_behind_the_end_of_a_file_is_a_fault(lab: Lab) -> None:
    lab.spawn(0)
    arena = lab.hello.arena(0)
    name = Store(arena, b"empty\0")
    fd = lab.completed(Call(0, 319, (arena, 0), stores=(name,))).ret
    page = lab.call(0, a.SYS_MMAP, 0, 4096, 3, 1, fd, 0)
    assert lab.completed(CopyOut(0, page, 1)).ret == -EFAULT


def test_sent_sigsegv_kills_like_any_other(lab: Lab) -> None:
    lab.spawn(0)
    (event,) = lab.step(Kill(0, 11)).events
    assert isinstance(event, Exited)
    assert os.WTERMSIG(event.status) == 11


def test_exec_keeps_what_is_not_close_on_exec(lab: Lab) -> None:
    lab.spawn(0)
    lab.pipe(0)
    lab.pipe(0, os.O_CLOEXEC)
    lab.completed(Sigaction(0, SIGUSR1, Disposition.IGN))
    pid = lab.agent.hello().pids[0]
    assert sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2", "3"]
    assert lab.completed(Exec(0)).ret == 0
    assert sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1"]
    assert lab.call(0, a.SYS_GETPID) == pid
    assert lab.completed(lab.writing(0, 1, b"still")).ret == 5
    assert lab.step(Kill(0, SIGUSR1)).events == ()
    assert [type(event) for event in lab.step(Kill(0, SIGUSR2)).events] == [Signalled]
    with open(f"/proc/{pid}/comm") as comm:
        assert comm.read() == "actor-0\n"


def test_exec_with_a_full_descriptor_table(lab: Lab) -> None:
    lab.spawn(0)
    lab.pipe(0)
    arena = lab.hello.arena(0)
    limit = Store(arena, struct.pack("<QQ", 2, 64))
    assert lab.completed(Call(0, 302, (0, 7, arena, 0), (limit,))).ret == 0  # prlimit64, RLIMIT_NOFILE
    assert lab.completed(Exec(0)).ret == 0
    assert lab.call(0, 32, 0) == -24  # dup: EMFILE as before
    assert lab.completed(Call(0, 302, (0, 7, 0, arena), loads=(Load(arena, 16),))).loads == (limit.data,)


def test_exec_of_another_program_and_of_none(lab: Lab) -> None:
    lab.spawn(0)
    assert lab.completed(Exec(0, "/nonexistent", ("x",))).ret == -2
    report = lab.step(Exec(0, "/bin/sh", ("sh", "-c", 'exit "$CODE"'), ("CODE=7",)))
    for _ in range(50):
        if report.events:
            break
        report = lab.step(Wait(100_000_000))
    assert report.events == (Exited(0, 7 << 8),)


def test_store_and_load_bounds(lab: Lab) -> None:
    lab.spawn(0)
    lab.pipe(0)
    arena = lab.hello.arena(0)
    lab.completed(lab.writing(0, 1, b"abcdefgh"))
    loads = (Load(arena, 3), Load(arena, 64, Bound.RET, 1, 1), Load(arena, 2, Bound.OK), Load(arena, 64, Bound.RET, 2))
    event = lab.completed(
        Call(0, a.SYS_READ, (0, arena, 4), stores=(Store(arena, b"zzzzzz"), Store(arena + 4, b"YY")), loads=loads)
    )
    assert event.loads == (b"abc", b"abcdY", b"ab", b"abcdYY" + NOTHING * 2)
    event = lab.completed(Call(0, a.SYS_READ, (9, arena, 4), loads=loads))
    assert event == Completed(0, -EBADF, (NOTHING * 3, b"", b"", b""))


def test_wait_lets_time_pass_until_something_happens(lab: Lab) -> None:
    lab.spawn(0)
    arena = lab.hello.arena(0)
    # The reports' clock is coarse: it moves with the ticks, every 10 ms at the slowest.
    report = lab.step(Wait(30_000_000))
    assert report.events == ()
    assert report.after - report.before >= 20_000_000
    sleep = Store(arena, struct.pack("<qq", 0, 20_000_000))
    report = lab.step(Call(0, 35, (arena, 0), stores=(sleep,)))
    if not report.events:
        report = lab.step(Wait(5_000_000_000))
    assert report.events == (Completed(0, 0),)


def test_batch_reports_each_step_and_stops_at_the_first_refusal(lab: Lab) -> None:
    ops: list[Spawn | Call] = [Spawn(0), Call(0, a.SYS_GETPID), Spawn(0), Call(0, a.SYS_GETPID)]
    with pytest.raises(Refused) as caught:
        lab.agent.batch(ops)
    assert caught.value.reason is Refusal.LIVE
    assert caught.value.op == ops[2]
    assert [len(report.events) for report in caught.value.reports] == [1, 1]
    assert lab.call(0, a.SYS_GETPID) > 0


def test_batch_larger_than_a_reply_is_continued(lab: Lab) -> None:
    lab.spawn(0)
    arena = lab.hello.arena(0)
    big = Call(0, a.SYS_GETPID, loads=(Load(arena, 700_000),))
    reports = lab.agent.batch([big] * 12)
    assert [type(report.events[0]) for report in reports] == [Completed] * 12


def test_a_full_house(lab: Lab) -> None:
    reports = lab.agent.batch([Spawn(slot) for slot in range(64)])
    assert live(reports[-1]) == set(range(64))
    assert len({report.events[0] for report in reports}) == 64
    reports = lab.agent.batch([Kill(slot) for slot in range(64)])
    assert live(reports[-1]) == set()


def test_many_blocked_on_one_pipe_are_woken_in_turn(lab: Lab) -> None:
    lab.spawn(0)
    lab.pipe(0)
    for child in range(1, 9):
        lab.step(Fork(0, child))
    for child in range(1, 9):
        report = lab.step(lab.reading(child, 0, 1))
    assert blocked(report) == set(range(1, 9))
    woken = []
    for _ in range(8):
        report = lab.step(lab.writing(0, 1, b"x"))
        woken += [event.slot for event in report.events if isinstance(event, Completed) and event.slot]
    assert woken == list(range(1, 9))


@pytest.mark.parametrize(
    ("op", "reason"),
    [
        (Call(1, 39), Refusal.DEAD),
        (Call(64, 39), Refusal.SLOT),
        (Kill(2), Refusal.DEAD),
        (Fork(0, 64), Refusal.SLOT),
        (Fork(0, 0), Refusal.LIVE),
        (Fork(0, 1, 0x10000), Refusal.RANGE),
        (Call(0, 57), Refusal.OP),
        (Call(0, 56), Refusal.OP),
        (Call(0, 435), Refusal.OP),
        (Call(0, 15), Refusal.OP),
        (Call(0, 39, stores=(Store(0x10000000000, b"x"),)), Refusal.RANGE),
        (Call(0, 39, loads=(Load(0x10000000000 + (2 << 20) - 1, 2),)), Refusal.RANGE),
        (Call(0, 39, loads=(Load(2**64 - 1, 2),)), Refusal.RANGE),
        (CopyIn(0, 0, bytes(0x30001)), Refusal.RANGE),
        (CopyOut(0, 0, 0x30001), Refusal.RANGE),
        (Sigaction(0, 11, Disposition.IGN), Refusal.RANGE),
        (Kill(0, 99), Refusal.HOST),
    ],
)
def test_refusals(lab: Lab, op: Op, reason: Refusal) -> None:
    lab.spawn(0)
    with pytest.raises(Refused) as caught:
        lab.agent.step(op)
    assert caught.value.reason is reason
    assert lab.call(0, a.SYS_GETPID) > 0


def test_blocked_actor_takes_nothing_but_signals(lab: Lab) -> None:
    lab.spawn(0)
    lab.pipe(0)
    lab.step(lab.reading(0, 0, 1))
    for op in (Call(0, a.SYS_GETPID), CopyOut(0, 0, 1), Exit(0), Exec(0), Fork(0, 1), Sigaction(0, 1, Disposition.DFL)):
        with pytest.raises(Refused) as caught:
            lab.agent.step(op)
        assert caught.value.reason is Refusal.BLOCKED
    assert lab.step(Kill(0)).events == (Exited(0, SIGKILL),)


def test_signals_beyond_the_ring_are_counted_as_lost(agent: Agent) -> None:
    lab = Lab(agent)
    lab.spawn(0, 1)
    pid = agent.hello().pids[0]
    lab.pipe(1)
    arena = lab.hello.arena(1)
    stop = Call(1, a.SYS_KILL, (pid, SIGSTOP))
    queue = Call(1, 129, (pid, 34, arena), stores=(Store(arena, struct.pack("<iii", 34, 0, -1) + bytes(116)),))
    lab.step(stop)
    reports = agent.batch([queue] * 4000)
    assert all(report.events == (Completed(1, 0),) for report in reports)
    report = agent.step(Kill(0, SIGCONT))
    recorded = sum(isinstance(event, Signalled) for event in report.events)
    assert recorded == 4096 - 256
    assert report.lost == 4000 - recorded
    assert lab.call(0, a.SYS_GETPID) == pid
