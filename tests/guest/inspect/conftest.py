"""A guest in which there is something on every list and in every tree that the readers walk."""

from __future__ import annotations

import pytest

from ktrace.verify.lab import Lab
from ktrace.verify.run import run_script
from ktrace.workload.parser import parse_script
from tests.sinks import Record

POPULATED = """
A: semget(0x51, 3, IPC_CREAT|0640) -> s
A: semget(0x52, 1, IPC_CREAT|0600) -> t
A: semget(IPC_PRIVATE, 1, 0600)
A: semop(s, [{0, 5, SEM_UNDO}])
A: semop(t, [{0, 5, SEM_UNDO}])
A: fork() -> B
A: fork() -> C
A: fork() -> D
B: semop(s, [{1, -1, SEM_UNDO}])
C: semop(s, [{1, -2, 0}])
D: semop(s, [{1, -3, 0}])
A: msgget(0x61, IPC_CREAT|0600) -> q
A: msgget(0x62, IPC_CREAT|0600)
A: msgsnd(q, {3, "three"})
A: msgsnd(q, {1, "x" * 6000})
A: msgsnd(q, {2, "two"})
A: shmget(0x71, 70000, IPC_CREAT|0600) -> m
A: shmget(0x72, 4096, IPC_CREAT|0600) -> n
A: shmat(m, 0x20000000)
A: store(0x20001000, "hello")
A: store(0x20010000, "far")
A: shmat(n, 0x30000000)
A: pipe2([r, w], 0)
A: fork() -> E
A: fork() -> F
E: read(r, 10)
F: read(r, 10)
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])
A: write(a, "one")
A: write(a, "two")
A: mkfifo("/tmp/f1", 0600)
A: mkfifo("/tmp/f2", 0600)
A: mkfifo("/tmp/f3", 0600)
"""


@pytest.fixture
def populated(lab: Lab) -> Lab:
    """A guest with arrays, queues, segments, sleepers on a pipe and on a semaphore, sockets and FIFOs."""
    sink = Record()
    assert run_script(parse_script(POPULATED), lab, sink, {}).status == "agreed", sink.verdicts
    return lab
