"""A command in the guest, outside the actors: started, watched, collected."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from ktrace.agent.ops import Run, RunPoll
from ktrace.agent.reports import RunResult, StepReport
from ktrace.errors import GuestGarbage, GuestHang

if TYPE_CHECKING:
    from ktrace.agent.client import Agent

POLL_NS = 100_000_000
"""guest time between two looks at the output"""

_ENDED = 2
_SIGKILL = 9


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


def _result(report: StepReport) -> RunResult:
    for event in report.events:
        if isinstance(event, RunResult):
            return event
    raise GuestGarbage("no word of the command")


def run(
    agent: Agent,
    argv: Sequence[str],
    env: Sequence[str],
    cwd: str,
    stdin: bytes,
    timeout: float,
    on_output: Callable[[bytes, bytes], None] | None,
    directory: str,
) -> tuple[int, bytes, bytes]:
    """Run a command to its end; see :meth:`ktrace.agent.client.Agent.run`."""
    from ktrace.agent.client import GuestFileError

    pid = agent.hello().agent_pid
    names = [f"{directory}/ktrace-{pid}.{stream}" for stream in ("in", "out", "err")]
    agent.write_file(names[0], stdin, create=True, mode=0o600)
    out, err = _Output(agent, names[1]), _Output(agent, names[2])
    kept: list[tuple[bytes, bytes]] = []
    tell = on_output or (lambda more, complaint: kept.append((more, complaint)))
    started = _result(agent.step(Run(tuple(argv), tuple(env), cwd, *names)))
    if started.ret < 0:
        raise GuestFileError(argv[0], -started.ret)
    deadline = monotonic() + timeout
    while True:
        state = _result(agent.step(RunPoll(POLL_NS)))
        tell(out.news(), err.news())
        if state.state == _ENDED:
            return state.status, b"".join(more for more, _ in kept), b"".join(less for _, less in kept)
        if state.ret == -errno.ECHILD:
            raise GuestGarbage("the command was lost")
        if monotonic() > deadline:
            agent.step(RunPoll(1_000_000_000, _SIGKILL))
            raise GuestHang(f"{argv[0]!r} did not end within {timeout} s")
