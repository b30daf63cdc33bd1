"""Fill a guest with the objects that the enumeration benchmark counts."""

from __future__ import annotations

from ktrace.agent.syscalls import CONSTANTS, make_call
from ktrace.errors import GuestError
from ktrace.state.call import Call, Completed
from ktrace.verify.lab import Lab

PIPES, ARRAYS, SEMAPHORES, QUEUES, MESSAGES, SEGMENTS, SOCKETS = 200, 500, 4, 100, 5, 50, 50

_BATCH = 100


def populate(lab: Lab, actor: str) -> None:
    """Have *actor* make pipes with a message in each, semaphore arrays, queues with messages, segments, sockets.

    :raises GuestError: the guest refused one of them
    """
    create = CONSTANTS["IPC_CREAT"] | 0o600
    calls = [make_call("pipe2", 0) for _ in range(PIPES)]
    calls += [make_call("write", 2 * number + 1, b"ktrace" * 8) for number in range(PIPES)]
    calls += [make_call("semget", 0, SEMAPHORES, create) for _ in range(ARRAYS)]
    calls += [make_call("shmget", 0, 8192, create) for _ in range(SEGMENTS)]
    calls += [make_call("socketpair", 1, 1, 0) for _ in range(SOCKETS // 2)]
    perform(lab, actor, calls)
    queues = perform(lab, actor, [make_call("msgget", 0, create) for _ in range(QUEUES)])
    message = {"mtype": 1, "mtext": b"a message of the benchmark"}
    perform(lab, actor, [make_call("msgsnd", queue, message, 0) for queue in queues for _ in range(MESSAGES)])


def perform(lab: Lab, actor: str, calls: list[Call]) -> list[int]:
    """Make *calls* in few round trips and return what each returned."""
    values = []
    for start in range(0, len(calls), _BATCH):
        part = calls[start : start + _BATCH]
        for call, performed in zip(part, lab.actors.perform_many((actor, call) for call in part), strict=True):
            for event in performed.outcome.events:
                if isinstance(event, Completed):
                    if event.result.errno:
                        raise GuestError(f"{call.name} failed with {event.result.errno} while filling the guest")
                    values.append(event.result.value)
    return values
