"""The agent and init where they belong: one vCPU, quiescence by priority, the whole kernel to themselves."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from ktrace.agent.client import Agent
from ktrace.agent.command import Command, run_command
from ktrace.agent.frames import Refused
from ktrace.agent.ops import Bound, Call, CopyOut, Exec, Exit, Fork, Kill, Load, Run, RunPoll, Spawn, Store, Wait
from ktrace.agent.reports import Completed, Exited, Quiescence, RunResult, Spawned
from ktrace.errors import GuestDied
from ktrace.image.image import find_image
from ktrace.machine.machine import Machine
from ktrace.machine.template.make import ensure_template
from ktrace.machine.template.template import Template
from ktrace.uapi.errno import EAGAIN, EBADF, EFAULT
from ktrace.uapi.sched import CLONE_NEWIPC
from ktrace.uapi.signal import SIGKILL
from tests.unit.agent import actors as a
from tests.unit.agent.actors import Lab, blocked, live

SYS_SOCKET, SYS_CONNECT, SYS_ACCEPT, SYS_BIND, SYS_LISTEN, SYS_SENDTO, SYS_RECVFROM, SYS_READLINK = (
    41,
    42,
    43,
    49,
    50,
    44,
    45,
    89,
)
SYS_SEMGET, SYS_SEMOP, SYS_SEMCTL = 64, 65, 66
ROUNDS = 350
"""three families, two steps each: 2,100 steps that must each be settled"""


@pytest.fixture(scope="module")
def template() -> Template:
    return ensure_template(find_image("lab-6.1"))


@pytest.fixture
def machine(template: Template, tmp_path: Path) -> Iterator[Machine]:
    with Machine.clone(template, directory=tmp_path / "machine") as running:
        yield running


@pytest.fixture
def agent(machine: Machine) -> Agent:
    return machine.agent


@pytest.fixture
def lab(agent: Agent) -> Lab:
    return Lab(agent)


def test_hello_from_a_clone(machine: Machine) -> None:
    hello = machine.agent.hello()
    assert hello.quiescence is Quiescence.PRIORITY
    assert hello.cpus == 1
    assert hello.exe == "/agent"
    assert hello.can_exec
    assert hello.build_id.hex() == machine.spec.build_id
    assert hello.vmcoreinfo_address % hello.page_size == 0 < hello.vmcoreinfo_address
    assert hello.live == 0


def test_what_init_prepares(agent: Agent) -> None:
    assert agent.read_file("/proc/sys/kernel/sched_rt_runtime_us") == b"-1\n"
    mounted = {line.split()[1]: line.split()[2] for line in agent.read_file("/proc/mounts").decode().splitlines()}
    for target, kind in {"/proc": "proc", "/sys": "sysfs", "/tmp": "tmpfs", "/run": "tmpfs"}.items():
        assert mounted[target] == kind
    assert "127.0.0.1" in agent.read_file("/proc/net/fib_trie").decode()
    assert agent.read_file("/proc/net/if_inet6").split()[0] == b"0" * 31 + b"1"
    for name in ("null", "zero", "console"):
        agent.read_file(f"/dev/{name}", limit=0)


def test_control_path_holds_no_pipe_no_ipc_no_socket(lab: Lab) -> None:
    lab.spawn(0, 1)
    for family in ("sem", "msg", "shm"):
        assert len(lab.agent.read_file(f"/proc/sysvipc/{family}").splitlines()) == 1
    for family in ("unix", "tcp", "udp", "raw", "packet"):
        assert len(lab.agent.read_file(f"/proc/net/{family}").splitlines()) == 1
    arena = lab.hello.arena(0)
    for fd in range(16):
        path = f"/proc/{lab.hello.agent_pid}/fd/{fd}\0".encode()
        load = Load(arena + 256, 100, Bound.RET)
        target = lab.completed(Call(0, SYS_READLINK, (arena, arena + 256, 100), (Store(arena, path),), (load,))).loads[
            0
        ]
        assert not target.startswith((b"pipe:", b"socket:")), target


def test_fork_is_reported_parent_first(lab: Lab) -> None:
    lab.spawn(0)
    parent, child = lab.step(Fork(0, 1)).events
    assert isinstance(parent, Completed)
    assert child == Spawned(1, parent.ret)


def test_pipe_read_blocks_until_a_write(lab: Lab) -> None:
    lab.spawn(0)
    lab.pipe(0)
    lab.step(Fork(0, 1))
    for number in range(ROUNDS):
        report = lab.step(lab.reading(1, 0, 100))
        assert (report.events, blocked(report)) == ((), {1})
        data = b"%d" % number
        report = lab.step(lab.writing(0, 1, data))
        assert (report.events, blocked(report)) == ((Completed(0, len(data)), Completed(1, len(data), (data,))), set())


def _sop(lab: Lab, slot: int, semid: int, number: int, flags: int = 0) -> Call:
    arena = lab.hello.arena(slot)
    return Call(slot, SYS_SEMOP, (semid, arena, 1), stores=(Store(arena, struct.pack("<Hhh", 0, number, flags)),))


def test_semop_blocks_until_another_gives(lab: Lab) -> None:
    lab.spawn(0, 1)
    semid = lab.call(0, SYS_SEMGET, 0, 1, 0o600)
    for _ in range(ROUNDS):
        report = lab.step(_sop(lab, 1, semid, -1))
        assert (report.events, blocked(report)) == ((), {1})
        report = lab.step(_sop(lab, 0, semid, 1))
        assert (report.events, blocked(report)) == ((Completed(0, 0), Completed(1, 0)), set())


def _connected(lab: Lab, server: int, client: int) -> tuple[int, int]:
    address = struct.pack(">HH4s8x", 0x0200, 7000, bytes((127, 0, 0, 1)))
    arena = lab.hello.arena(server)
    listener = lab.call(server, SYS_SOCKET, 2, 1, 0)
    assert lab.completed(Call(server, SYS_BIND, (listener, arena, 16), (Store(arena, address),))).ret == 0
    assert lab.call(server, SYS_LISTEN, listener, 5) == 0
    report = lab.step(Call(server, SYS_ACCEPT, (listener, 0, 0)))
    assert blocked(report) == {server}
    arena = lab.hello.arena(client)
    sock = lab.call(client, SYS_SOCKET, 2, 1, 0)
    report = lab.step(Call(client, SYS_CONNECT, (sock, arena, 16), (Store(arena, address),)))
    assert blocked(report) == set()
    (accepted,) = (e.ret for e in report.events if isinstance(e, Completed) and e.slot == server)
    return accepted, sock


def test_tcp_receive_blocks_until_a_send(lab: Lab) -> None:
    lab.spawn(0, 1)
    accepted, sock = _connected(lab, 0, 1)
    source, target = lab.hello.arena(1), lab.hello.arena(0)
    for number in range(ROUNDS):
        load = Load(target, 100, Bound.RET)
        report = lab.step(Call(0, SYS_RECVFROM, (accepted, target, 100, 0, 0, 0), loads=(load,)))
        assert (report.events, blocked(report)) == ((), {0})
        data = b"%d" % number
        report = lab.step(Call(1, SYS_SENDTO, (sock, source, len(data), 0, 0, 0), (Store(source, data),)))
        assert blocked(report) == set()
        assert set(report.events) == {Completed(1, len(data)), Completed(0, len(data), (data,))}


def test_undo_of_a_killed_actor_wakes_after_its_death(lab: Lab) -> None:
    lab.spawn(0, 1, 2)
    semid = lab.call(0, SYS_SEMGET, 0, 1, 0o600)
    assert lab.completed(_sop(lab, 0, semid, 1)).ret == 0
    assert lab.completed(_sop(lab, 0, semid, -1, 0x1000)).ret == 0  # SEM_UNDO
    assert blocked(lab.step(_sop(lab, 1, semid, -1))) == {1}
    assert lab.step(Kill(0)).events == (Exited(0, SIGKILL), Completed(1, 0))
    assert lab.completed(_sop(lab, 1, semid, 1)).ret == 0
    assert lab.completed(_sop(lab, 2, semid, -1, 0x1000)).ret == 0
    assert blocked(lab.step(_sop(lab, 1, semid, -1))) == {1}
    assert lab.step(Exit(2, 1)).events == (Exited(2, 1 << 8), Completed(1, 0))


def test_exec_as_another_user_keeps_descriptors(lab: Lab) -> None:
    lab.spawn(0)
    lab.pipe(0)
    lab.pipe(0, os.O_CLOEXEC)
    assert lab.call(0, 117, 1000, 1000, 1000) == 0  # setresuid
    assert lab.completed(Exec(0)).ret == 0
    assert lab.call(0, 102) == 1000
    assert lab.completed(lab.writing(0, 1, b"x")).ret == 1
    assert lab.call(0, a.SYS_CLOSE, 2) == -EBADF
    assert lab.pipe(0) == (2, 3)


def test_fork_into_another_ipc_namespace(lab: Lab) -> None:
    lab.spawn(0)
    semid = lab.call(0, SYS_SEMGET, 77, 1, 0o1600)
    assert semid >= 0
    lab.step(Fork(0, 1, CLONE_NEWIPC))
    assert lab.call(1, SYS_SEMGET, 77, 1, 0) == -2
    assert lab.call(0, SYS_SEMGET, 77, 1, 0) == semid


def test_every_slot_at_once_in_64_mib(lab: Lab) -> None:
    lab.spawn(*range(64))
    for slot in range(64):
        lab.step(lab.reading(slot, lab.pipe(slot)[0], 1))
    assert blocked(lab.step(Wait(0))) == set(range(64))
    report = lab.agent.batch([Kill(slot) for slot in range(64)])[-1]
    assert live(report) == set()


def test_addresses_are_the_same_in_every_actor(lab: Lab) -> None:
    lab.spawn(0, 1)
    lab.step(Exec(1))
    first, second = (lab.call(slot, a.SYS_MMAP, 0, 4096, 3, 0x22, -1, 0) for slot in (0, 1))
    lab.step(Exec(0))
    assert lab.call(0, a.SYS_MMAP, 0, 4096, 3, 0x22, -1, 0) == second
    assert first >> 40 == second >> 40
    assert lab.completed(CopyOut(0, 0xBAD000, 1)).ret == -EFAULT


def test_timeouts_pass_while_waiting(lab: Lab) -> None:
    lab.spawn(0, 1)
    semid = lab.call(0, SYS_SEMGET, 0, 1, 0o600)
    arena = lab.hello.arena(0)
    stores = (Store(arena, struct.pack("<Hhh", 0, -1, 0)), Store(arena + 64, struct.pack("<qq", 0, 30_000_000)))
    report = lab.step(Call(0, 220, (semid, arena, 1, arena + 64), stores))
    assert blocked(report) == {0}
    assert lab.step(Wait(5_000_000_000)).events == (Completed(0, -EAGAIN),)


def test_batch_of_steps_equals_steps(lab: Lab) -> None:
    lab.spawn(0)
    lab.pipe(0)
    lab.step(Fork(0, 1))
    ops = [lab.reading(1, 0, 9), lab.writing(0, 1, b"one"), lab.reading(1, 0, 9), lab.writing(0, 1, b"two")]
    reports = lab.agent.batch(ops)
    assert [blocked(report) for report in reports] == [{1}, set(), {1}, set()]
    assert reports[3].events == (Completed(0, 3), Completed(1, 3, (b"two",)))
    assert all(x.after <= y.before for x, y in pairwise(reports))


def test_command_in_the_guest_beside_actors(lab: Lab) -> None:
    done = run_command(lab.agent, Command(("/agent", "--nonsense")))
    assert os.waitstatus_to_exitcode(done.status) == 5
    assert (done.out, done.err) == (b"", b"ktrace-agent: unknown option, number 1\n")
    lab.spawn(0)
    lab.agent.write_file("/tmp/out", b"", create=True)
    lab.step(Run(("/agent", "--stdio"), stdin="/dev/zero", stdout="/tmp/out", stderr="/tmp/out"))
    (ended,) = lab.step(RunPoll(5_000_000_000)).events
    assert isinstance(ended, RunResult)
    assert os.waitstatus_to_exitcode(ended.status) == 3
    assert b"not a frame, magic 0" in lab.agent.read_file("/tmp/out")
    assert lab.call(0, a.SYS_GETPID) > 0


def test_end_of_the_agent_is_told_on_the_console(machine: Machine) -> None:
    port = machine.agent._stream
    port.write(b"not the protocol at all, but long enough for a header", deadline=float("inf"))
    with pytest.raises(GuestDied):
        with suppress(Refused):  # the agent's last word, if it is heard before its end is
            machine.agent.hello()
        machine.agent.hello()
    console = machine.console_tail()
    assert "ktrace-agent: not a frame" in console
    assert "ktrace-init: agent ended: status 3" in console


def test_killed_agent_is_told_on_the_console(machine: Machine) -> None:
    machine.agent.step(Spawn(0))
    with pytest.raises(GuestDied):
        machine.agent.step(Call(0, a.SYS_KILL, (machine.hello.agent_pid, SIGKILL)))
    assert "ktrace-init: agent ended: signal 9" in machine.console_tail()
