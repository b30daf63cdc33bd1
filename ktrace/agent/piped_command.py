"""A command in the guest whose standard input, output and error are pipes, moved while it runs."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic

from ktrace.agent.client import Agent
from ktrace.agent.command import ENDED, Command, OnOutput, result_of
from ktrace.agent.ops import Run, RunPoll, RunStream
from ktrace.agent.reports import StepReport, StreamResult
from ktrace.errors import GuestError, GuestFileError, GuestGarbage, GuestHang, HostError
from ktrace.uapi.signal import SIGKILL

LOOK_NS = 50_000_000
"""guest time after which standard input is looked at again"""
WAIT_NS = 250_000_000
"""guest time after which the deadline is looked at again"""
PIECE = 1 << 18
"""bytes of standard input that are under way at a time"""
GRACE = 2.0
"""seconds behind the deadline in which a guest that is kept busy, or has no memory left, may still answer"""
_LAST_NS = 1_000_000_000


class DidNotEnd(GuestHang):
    """A command had its time; nothing is wrong with the guest that anybody knows of."""


class _Input:
    """What is still to be given.

    :param descriptor: a file or pipe of this machine; ``None``: there is nothing
    """

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._rest = b""
        self._open = descriptor is not None
        self._at_once = PIECE

    def next(self) -> RunStream:
        """Return what is to be given next; nothing is waited for here.

        :raises HostError: it cannot be read
        """
        if self._open and not self._rest and self._descriptor is not None:
            try:
                if select.select([self._descriptor], [], [], 0)[0]:
                    self._rest = os.read(self._descriptor, PIECE)
                    self._open = bool(self._rest)
            except BlockingIOError:
                pass
            except OSError as error:
                raise HostError(f"cannot read standard input: {error.strerror}") from error
        piece = self._rest[: self._at_once]
        return RunStream(WAIT_NS if piece or not self._open else LOOK_NS, piece, end=not self._open and not self._rest)

    def taken(self, count: int) -> None:
        """Take note of how many bytes were taken; negative: nobody wants any."""
        self._rest = self._rest[count:] if count >= 0 else b""
        self._open = self._open and count >= 0
        self._at_once = PIECE if count else 1  # what nobody reads need not come again and again


def run_piped(agent: Agent, command: Command, given: int | None, on_output: OnOutput) -> int:
    """Run *command* in the guest, outside the actors, to its end, and return its wait status.

    Input is read and output is passed on as it comes, and no more of either is kept than is under way.

    :param given: descriptor of what it reads on standard input; ``None``: nothing
    :param on_output: told new standard output and error; what it raises ends the command
    :raises GuestFileError: the command could not be started
    :raises DidNotEnd: it did not end in time
    :raises HostError: *given* cannot be read
    """
    started = result_of(agent.step(Run(command.argv, command.env, command.cwd, "", "", "")))
    if started.ret < 0:
        raise GuestFileError(command.argv[0], -started.ret)
    deadline = monotonic() + command.timeout
    source = _Input(given)
    while True:
        with _else_killed(agent):
            wanted = source.next()
        left = max(deadline - monotonic(), 0.0)
        try:
            result = _moved(agent.step(wanted, left + GRACE))
        except GuestHang as error:
            raise _late(command) from error
        source.taken(result.taken)
        with _else_killed(agent):
            if result.out or result.err:
                on_output(result.out, result.err)
            if result.state == ENDED and result.drained:
                return result.status
            if monotonic() > deadline:
                raise _late(command)


def _late(command: Command) -> DidNotEnd:
    return DidNotEnd(f"{command.argv[0]!r} did not end within {command.timeout:g} s", "--timeout gives it more")


@contextmanager
def _else_killed(agent: Agent) -> Iterator[None]:
    """Kill the command where something else than the guest fails."""
    try:
        yield
    except BaseException:
        with suppress(GuestError):  # which has been told already, or is not what matters
            agent.step(RunPoll(_LAST_NS, SIGKILL))
        raise


def _moved(report: StepReport) -> StreamResult:
    for event in report.events:
        if isinstance(event, StreamResult):
            return event
    raise GuestGarbage("no word of the command")
