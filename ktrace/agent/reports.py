"""What the agent answers: events, step reports, and who it is."""

from __future__ import annotations

from enum import IntEnum

from ktrace.state.quick import dataclass

SLOTS = 64


class Quiescence(IntEnum):
    """How the agent knows that every actor is parked or blocked."""

    PRIORITY = 1
    OBSERVED = 2


@dataclass(frozen=True, slots=True)
class Spawned:
    """A new actor is ready. pid: in the agent's PID namespace."""

    slot: int
    pid: int


@dataclass(frozen=True, slots=True)
class Completed:
    """An actor's operation is done. ret: the kernel's raw return, -4095..-1 is an errno."""

    slot: int
    ret: int
    loads: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Signalled:
    """A recording handler ran: members of ``siginfo_t`` (pid, fd: -1 where the signal has none)."""

    slot: int
    signo: int
    code: int
    error: int
    pid: int
    uid: int
    fd: int
    band: int
    value: int


@dataclass(frozen=True, slots=True)
class Exited:
    """An actor is gone. status: as wait4(2) gives it (``os.WIFSIGNALED`` and relatives)."""

    slot: int
    status: int


@dataclass(frozen=True, slots=True)
class Job:
    """An actor was stopped or continued. status: as wait4(2) gives it (``os.WIFSTOPPED``, ``os.WIFCONTINUED``)."""

    slot: int
    status: int


@dataclass(frozen=True, slots=True)
class FileResult:
    """What ReadFile or WriteFile did. ret: bytes or -errno."""

    ret: int
    data: bytes = b""
    at_end: bool = True


@dataclass(frozen=True, slots=True)
class RunResult:
    """The state of the command. status: as wait4(2) gives it, valid once ``state`` is 2 (ended)."""

    ret: int
    status: int
    state: int


@dataclass(frozen=True, slots=True)
class StreamResult:
    """What went through the command's pipes.

    :ivar taken: bytes of what it was given; -EPIPE: nobody reads standard input
    :ivar status, state: as in :class:`RunResult`
    :ivar drained: it had written no more
    """

    taken: int
    status: int
    state: int
    drained: bool
    out: bytes
    err: bytes


class TracedKind(IntEnum):
    """Why a traced task has stopped."""

    OTHER = 0
    """it has ended, or a signal has stopped it"""
    ENTRY = 1
    """numbers: the system call and its six arguments"""
    EXIT = 2
    """numbers: what it returned"""
    EVENT = 3
    """numbers: the message of the event (``PTRACE_EVENT_*``) in its status"""
    SIGNAL = 4
    """numbers: si_signo, si_code, si_pid, si_uid and si_value of the signal that it is to get"""


@dataclass(frozen=True, slots=True)
class Traced:
    """A traced task has stopped or ended. status: as wait4(2) gives it; numbers: unsigned 64 bits each."""

    pid: int
    status: int
    kind: TracedKind
    numbers: tuple[int, ...]


Event = Spawned | Completed | Signalled | Exited | Job | FileResult | RunResult | StreamResult | Traced


@dataclass(frozen=True, slots=True)
class StepReport:
    """One operation's consequences, in the order in which they happened.

    :ivar before, after: guest CLOCK_REALTIME_COARSE in ns around the operation
    :ivar live, blocked, unsettled: sets of slots, bit N for slot N (see :func:`slots_of`); blocked: inside
        an unfinished call; unsettled: not quiet at the deadline (all live ones: a kernel thread was not)
    :ivar lost: signals that were not recorded for want of room
    :ivar more: events were left for the next report (only when a reply overflows)
    """

    before: int
    after: int
    live: int
    blocked: int
    unsettled: int
    lost: int
    more: bool
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Hello:
    """Who the agent is and where it runs.

    :ivar pids: per slot, 0 where no actor lives
    :ivar build_id: of the running kernel, from ``/sys/kernel/notes``, empty where unknown
    :ivar vmcoreinfo_address: physical; 0 where unknown
    """

    version: int
    slots: int
    page_size: int
    arena_base: int
    arena_stride: int
    arena_size: int
    vmcoreinfo_address: int
    vmcoreinfo_size: int
    live: int
    blocked: int
    max_payload: int
    max_event: int
    max_copy: int
    agent_pid: int
    quiescence: Quiescence
    can_exec: bool
    cpus: int
    pids: tuple[int, ...]
    sysname: str
    release: str
    uname_version: str
    machine: str
    build_id: bytes
    boot_id: str
    exe: str

    def arena(self, slot: int) -> int:
        """Return the address of a slot's arena, the same in every actor."""
        if not 0 <= slot < self.slots:
            raise ValueError(f"no such slot: {slot!r}")
        return self.arena_base + slot * self.arena_stride


def slots_of(bits: int) -> frozenset[int]:
    """Turn a set of slots as reports carry it into a Python set."""
    return frozenset(slot for slot in range(SLOTS) if bits >> slot & 1)
