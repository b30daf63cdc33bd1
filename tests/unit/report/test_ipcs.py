"""System V objects in the columns of ipcs(1)."""

from __future__ import annotations

from dataclasses import replace

from ktrace.report.ipcs import details, tables
from ktrace.state.naming import Namer
from ktrace.state.ref import Ref
from ktrace.state.world import World
from tests.unit.model.sysv_bench import IPC_CREAT, SEM_UNDO, Bench, op


def busy() -> World:
    """Return a World with an object of each kind, and with somebody waiting on each."""
    bench = Bench()
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
