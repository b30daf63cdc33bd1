"""A command in the guest, outside the actors: started, watched, collected."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from ktrace.agent.client import Agent
from ktrace.agent.ops import Run, RunPoll
from ktrace.agent.reports import RunResult, StepReport
from ktrace.errors import GuestFileError, GuestGarbage, GuestHang
from ktrace.uapi.signal import SIGKILL

POLL_NS = 100_000_000
"""guest time between two looks at the output"""

ENDED = 2
"""the state of a command that has ended"""

_LAST_NS = 1_000_000_000

OnOutput = Callable[[bytes, bytes], None]
"""Take new standard output and error as they come."""


@dataclass(frozen=True)
class Command:
    """What to run.

    :param argv: path of the program in the guest, and its arguments
    :param env: ``NAME=VALUE``
    :param stdin: what it reads on standard input
    :param timeout: seconds, after which the whole process group is killed
    :param directory: of the guest, where the files lie that it reads and writes
    :param user: user and group that it is traced as; ``None``: root
    """

    argv: tuple[str, ...]
    env: tuple[str, ...] = ()
    cwd: str = "/"
    stdin: bytes = b""
    timeout: float = 60.0
    directory: str = "/tmp"
    user: tuple[int, int] | None = None


@dataclass(frozen=True)
class Finished:
    """How a command ended.

    :param status: wait status
    :param out, err: standard output and error; empty where somebody took them as they came
    """

    status: int
    out: bytes
    err: bytes


class _Output:
    """A growing file of the guest, read piece by piece."""

    def __init__(self, agent: Agent, path: str) -> None:
        self._agent = agent
        self._path = path
        self._offset = 0
        agent.write_file(path, b"", create=True, mode=0o600)

    def news(self) -> bytes:
        data = self._agent.read_file(self._path, self._offset)
        self._offset += len(data)
        return data


def result_of(report: StepReport) -> RunResult:
    """Return what a report says of the command.

    :raises GuestGarbage: nothing
    """
    for event in report.events:
        if isinstance(event, RunResult):
            return event
    raise GuestGarbage("no word of the command")


def run_command(agent: Agent, command: Command, on_output: OnOutput | None = None) -> Finished:
    """Run *command* in the guest, outside the actors, to its end.

    :param on_output: called with new standard output and error as they come, which are then not kept
    What *on_output* raises ends the command.

    :raises GuestFileError: the command could not be started
    :raises GuestHang: it did not end in time
    """
    pid = agent.hello().agent_pid
    names = [f"{command.directory}/ktrace-{pid}.{stream}" for stream in ("in", "out", "err")]
    agent.write_file(names[0], command.stdin, create=True, mode=0o600)
    out, err = _Output(agent, names[1]), _Output(agent, names[2])
    kept: list[tuple[bytes, bytes]] = []
    tell = on_output or (lambda more, complaint: kept.append((more, complaint)))
    started = result_of(agent.step(Run(command.argv, command.env, command.cwd, *names)))
    if started.ret < 0:
        raise GuestFileError(command.argv[0], -started.ret)
    deadline = monotonic() + command.timeout
    while True:
        state = result_of(agent.step(RunPoll(POLL_NS)))
        news = out.news(), err.news()
        try:
            tell(*news)
        except BaseException:
            agent.step(RunPoll(_LAST_NS, SIGKILL))
            raise
        if state.state == ENDED:
            return Finished(state.status, b"".join(more for more, _ in kept), b"".join(less for _, less in kept))
        if state.ret == -errno.ECHILD:
            raise GuestGarbage("the command was lost")
        if monotonic() > deadline:
            agent.step(RunPoll(_LAST_NS, SIGKILL))
            raise GuestHang(f"{command.argv[0]!r} did not end within {command.timeout} s")
