"""System V objects in the columns of ipcs(1)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ktrace.report.ipcs import details, listing, tables
from ktrace.state.naming import Namer
from ktrace.state.ref import Ref
from ktrace.state.world import World
from ktrace.uapi.ipc import IPC_CREAT
from ktrace.uapi.sched import CLONE_NEWIPC
from ktrace.uapi.sem import SEM_UNDO
from tests.unit.model.bench import Bench, op


def busy() -> World:
    """Return a World with an object of each kind, and with somebody waiting on each."""
    bench = Bench("ABCD")
    semid = bench.call("A", "semget", 0x51, 3, IPC_CREAT | 0o640)
    bench.call("A", "semop", semid, (op(0, 5, SEM_UNDO), op(2, 1)))
    bench.call("B", "semop", semid, (op(1, -1, SEM_UNDO),))
    msqid = bench.call("A", "msgget", 0, 0o600)
    bench.call("A", "msgsnd", msqid, {"mtype": 3, "mtext": b"three"})
    bench.call("C", "msgrcv", msqid, 100, 9)
    shmid = bench.call("A", "shmget", 0, 10000, 0o600)
    bench.call("A", "shmat", shmid, 0x20000000)
    bench.call("A", "store", 0x20001000, b"hello")
    bench.call("A", "shmctl", shmid, 0)
    return Namer().name(bench.world)


def test_the_tables() -> None:
    assert "\n".join(tables(busy(), ["sem", "msg", "shm"])) == (
        "------ Message Queues --------\n"
        "key        msqid owner perms used-bytes messages limit lspid lrpid receivers senders\n"
        "0x00000000 0     0     600   5          1        16384 A     0     1         0\n"
        "\n"
        "------ Shared Memory Segments --------\n"
        "key        shmid owner perms bytes nattch status cpid lpid pages attached\n"
        "0x00000000 0     0     600   10000 1      dest   A    A    1     A\n"
        "\n"
        "------ Semaphore Arrays --------\n"
        "key        semid owner perms nsems waiters undo lock   values\n"
        "0x00000051 0     0     640   3     1       2    global 5 0 1\n"
    )


def test_one_kind() -> None:
    assert [line for line in tables(busy(), ["msg"]) if line.startswith("---")] == ["------ Message Queues --------"]


def test_all_of_a_set() -> None:
    world = busy()
    (array,) = world.of_kind("sem").values()
    # A model knows times as spans only; an observed World has numbers.
    sems = tuple([replace(sem, sem_otime=7) for sem in array.sems])
    seen = replace(array, sems=sems, sem_ctime=8)
    lines = list(details(World({**world.objects, Ref("sem", "0"): seen}), "sem", 0) or ())
    assert lines[4:6] == ["otime = 7", "ctime = 8"]
    assert "1      0     1      0      0" in lines
    assert lines[-3:] == [
        "waits: B for [{1, -1, SEM_UNDO}], stopped by operation 0",
        "undo: B owes nothing",
        "undo: A owes -5 to 0",
    ]


def test_all_of_a_queue_and_of_a_segment() -> None:
    world = busy()
    assert list(details(world, "msg", 0) or ())[-2:] == [
        "message 0: type 3, 5 bytes, 0 segments, b'three'",
        "waits: C to receive SEARCH_EQUAL 9, up to 100 bytes",
    ]
    assert list(details(world, "shm", 0) or ())[-2:] == [
        "mapped by A at 0x20000000-0x20003000 rw-, from page 0",
        "page 1: b'hello'",
    ]


def test_nobody_has_that_id() -> None:
    assert details(busy(), "shm", 9) is None


def test_the_other_tables() -> None:
    world = busy()
    assert "\n".join(listing(world, ["sem", "msg", "shm"], "pid")) == (
        "------ Message Queues PIDs --------\n"
        "msqid owner lspid lrpid\n"
        "0     0     A     0\n"
        "\n"
        "------ Shared Memory Creator/Last-op PIDs --------\n"
        "shmid owner cpid lpid\n"
        "0     0     A    A\n"
        "\n"
        "------ Semaphore Last-op PIDs --------\n"
        "semid owner sempid\n"
        "0     0     A 0 A\n"
    )
    assert list(listing(world, ["shm"], "memory"))[1:3] == [
        "shmid owner allocated resident swapped locked-by",
        "0     0     3         1        0       -",
    ]
    assert list(listing(world, ["sem"], "creator"))[2] == "0     640   0    0    0   0"
    assert "max ops per semop call = 500" in list(listing(world, ["sem"], "limits"))
    assert list(listing(world, ["shm"], "summary"))[1:4] == [
        "segments allocated 1",
        "pages allocated 3",
        "pages resident  1",
    ]


def test_namespaces_are_told_apart() -> None:
    bench = Bench("ABCD")
    bench.call("A", "semget", 7, 1, IPC_CREAT)
    bench.call("B", "unshare", CLONE_NEWIPC)
    bench.call("B", "semget", 7, 2, IPC_CREAT)
    world = Namer().name(bench.world)
    lines = list(listing(world, ["sem"]))
    assert [line for line in lines if line.startswith("=")] == [
        "====== ipc_ns init: A C D ======",
        "====== ipc_ns1: B ======",
    ]
    assert [line.split()[4] for line in lines if line.startswith("0x")] == ["1", "2"]
    assert [line.split()[4] for line in listing(world, ["sem"], actor="B") if line.startswith("0x")] == ["2"]
    with pytest.raises(LookupError):
        list(listing(world, ["sem"], actor="Z"))


def test_addresses_come_first() -> None:
    world = busy()
    where = {Ref("sem", "0"): 0xFFFF888000001000}
    lines = list(listing(world, ["sem"], addresses=where))
    assert [line.split()[0] for line in lines[1:3]] == ["SEM_ARRAY", "ffff888000001000"]
    assert next(iter(details(world, "sem", 0xFFFF888000001000, where) or ())) == "Semaphore Array semid=0"
