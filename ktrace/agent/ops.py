"""What the agent can be asked to do: one frozen value per operation, each of them a step."""

from __future__ import annotations

from enum import IntEnum

from ktrace.state.quick import dataclass

MAX_EVENT = 1 << 20
"""bytes that one operation may bring back"""


class Bound(IntEnum):
    """How much of a :class:`Load` is sent back."""

    ALWAYS = 0
    """all of it, whatever the call returned"""
    OK = 1
    """all of it, nothing after an error"""
    RET = 2
    """at most the return value times ``scale`` plus ``extra`` bytes, nothing after an error"""


class Disposition(IntEnum):
    """What an actor does about a signal."""

    DFL = 0
    IGN = 1
    RECORD = 2
    RECORD_RESTART = 3


@dataclass(frozen=True, slots=True)
class Store:
    """Bytes copied into an arena before a call. addr: absolute, within one arena."""

    addr: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Load:
    """Bytes copied out of an arena when the call has completed. addr: absolute, within one arena."""

    addr: int
    length: int
    bound: Bound = Bound.ALWAYS
    scale: int = 1
    extra: int = 0


@dataclass(frozen=True, slots=True)
class Spawn:
    """Start a fresh actor in a free slot: no descriptors, recording signal handlers, zeroed arena."""

    slot: int


@dataclass(frozen=True, slots=True)
class Fork:
    """Let an actor clone(2) itself into a free slot; flags as in ``CLONE_SYSVSEM``, 0 is fork(2)."""

    slot: int
    child: int
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """Let an actor make one system call. args: up to six unsigned long (negative ints are wrapped)."""

    slot: int
    nr: int
    args: tuple[int, ...] = ()
    stores: tuple[Store, ...] = ()
    loads: tuple[Load, ...] = ()


@dataclass(frozen=True, slots=True)
class CopyIn:
    """Let an actor write its own memory at any address; completes with the length or -EFAULT."""

    slot: int
    addr: int
    data: bytes


@dataclass(frozen=True, slots=True)
class CopyOut:
    """Let an actor read its own memory at any address; completes with one load or -EFAULT."""

    slot: int
    addr: int
    length: int


@dataclass(frozen=True, slots=True)
class Exit:
    """Let an actor exit_group(2)."""

    slot: int
    status: int = 0


@dataclass(frozen=True, slots=True)
class Kill:
    """Let the agent send a signal to an actor, blocked or not."""

    slot: int
    signo: int = 9


@dataclass(frozen=True, slots=True)
class Exec:
    """Let an actor execve(2). path "": the agent again, as the same actor, which completes with 0."""

    slot: int
    path: str = ""
    argv: tuple[str, ...] = ()
    env: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sigaction:
    """Let an actor set what it does about a signal; completes with rt_sigaction's result."""

    slot: int
    signo: int
    disposition: Disposition


@dataclass(frozen=True, slots=True)
class ReadFile:
    """Let the agent itself read a file, at most ``limit`` bytes from ``offset``."""

    path: str
    offset: int = 0
    limit: int = MAX_EVENT


@dataclass(frozen=True, slots=True)
class WriteFile:
    """Let the agent itself write a file."""

    path: str
    data: bytes
    offset: int = 0
    create: bool = False
    truncate: bool = False
    append: bool = False
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Wait:
    """Let guest time pass until something happens to an actor, at most ``timeout_ns``."""

    timeout_ns: int


@dataclass(frozen=True, slots=True)
class Run:
    """Start a command outside the actors; output is appended to files. Result: its pid or -errno.

    :param stdin: a file; ``""``: standard input, output and error are pipes, see :class:`RunStream`
    """

    argv: tuple[str, ...]
    env: tuple[str, ...] = ()
    cwd: str = "/"
    stdin: str = "/dev/null"
    stdout: str = "/dev/null"
    stderr: str = "/dev/null"


@dataclass(frozen=True, slots=True)
class RunPoll:
    """Signal the running command's process group (0: do not), then wait for its end."""

    timeout_ns: int
    signo: int = 0


@dataclass(frozen=True, slots=True)
class RunStream:
    """Give the running command *data* on standard input, and take what it has written: a :class:`StreamResult`.

    It comes as soon as there is output, all data are taken, or the command has ended.

    :param end: standard input ends behind *data*
    """

    timeout_ns: int
    data: bytes = b""
    end: bool = False


@dataclass(frozen=True, slots=True)
class Trace:
    """Trace an actor by ptrace(2): at its next execve it leaves its slot, and stops at each call from then on."""

    slot: int


@dataclass(frozen=True, slots=True)
class Resume:
    """Let a traced task that has stopped go on, by a request of ptrace(2), and come to rest again.

    :param signo: the signal that it gets, 0 for none
    """

    pid: int
    request: int
    signo: int = 0


@dataclass(frozen=True, slots=True)
class Peek:
    """Read memory of a traced task: a :class:`FileResult`, with fewer bytes where some are not mapped."""

    pid: int
    addr: int
    length: int


Op = (
    Spawn
    | Fork
    | Call
    | CopyIn
    | CopyOut
    | Exit
    | Kill
    | Exec
    | Sigaction
    | ReadFile
    | WriteFile
    | Wait
    | Run
    | RunPoll
    | RunStream
    | Trace
    | Resume
    | Peek
)
