"""A shell in a guest: busybox of this machine, on a terminal or fed with commands."""

from __future__ import annotations

import errno

from ktrace.agent.client import Agent
from ktrace.agent.command import ENDED, Command, Finished, OnOutput, result_of, run_command
from ktrace.agent.ops import Run, RunPoll
from ktrace.errors import GuestFileError, GuestGarbage, HostError, UsageError
from ktrace.machine.baggage.entries import Baggage
from ktrace.machine.baggage.programs import Programs
from ktrace.machine.baggage.unpack import unpack
from ktrace.machine.memory import GuestMemory
from ktrace.machine.terminal import Terminal
from ktrace.uapi.signal import SIGHUP, SIGKILL

PROGRAM = "busybox"
APPLETS = "/run/ktrace-shell"
PROMPT = r"ktrace:\w# "
"""Of the shell; it puts in the working directory."""
POLL_NS = 50_000_000
"""guest time between two looks at whether the shell has ended"""
END_NS = 1_000_000_000
"""guest time that a shell has to end when it is told to"""
INSTALL_SECONDS = 30.0


def bring_shell(agent: Agent, memory: GuestMemory) -> str:
    """Copy busybox into the guest, make its commands known there, and return its path.

    :param memory: the guest's RAM
    :raises HostError: this machine has none, or the guest no room
    """
    baggage = Baggage()
    try:
        path = Programs(baggage).take(PROGRAM)
    except UsageError as error:
        raise HostError(
            f"no shell to bring into the guest: {error.message}", "as root: apt-get install busybox-static"
        ) from error
    baggage.add_directories(APPLETS)
    unpack(agent, memory, baggage)
    made = run_command(agent, Command((path, "--install", "-s", APPLETS), timeout=INSTALL_SECONDS))
    if made.status:
        raise GuestGarbage(f"{PROGRAM} makes no links in {APPLETS!r}: {made.err.decode(errors='replace').strip()!r}")
    return path


def environment(term: str) -> tuple[str, ...]:
    """Return what the shell finds in its environment.

    :param term: the kind of terminal it talks to
    """
    return (f"PATH={APPLETS}:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/", f"TERM={term}", f"PS1={PROMPT}")


def run_commands(agent: Agent, shell: str, script: bytes, timeout: float, on_output: OnOutput) -> Finished:
    """Have the shell read *script* on standard input, without a terminal, to its end.

    :param timeout: seconds
    :raises GuestHang: it takes longer, and is killed
    """
    return run_command(agent, Command((shell, "sh"), environment("dumb"), stdin=script, timeout=timeout), on_output)


class TerminalShell:
    """A shell that has *terminal* as its controlling terminal.

    :param term: the kind of terminal at the other end
    :ivar status: its wait status, once it has ended
    :raises GuestFileError: it cannot be started
    """

    def __init__(self, agent: Agent, shell: str, terminal: Terminal, term: str) -> None:
        self._agent = agent
        line = terminal.device
        started = result_of(agent.step(Run((shell, "sh", "-i"), environment(term), "/", line, line, line)))
        if started.ret < 0:
            raise GuestFileError(shell, -started.ret)
        self.status: int | None = None

    def look(self) -> bool:
        """Wait a moment, and tell whether it has ended."""
        return self._poll(POLL_NS, 0)

    def end(self) -> None:
        """Hang up, as a terminal does that goes away, and see that it ends."""
        if self.status is None and not self._poll(END_NS, SIGHUP):
            self._poll(END_NS, SIGKILL)

    def _poll(self, nanoseconds: int, signo: int) -> bool:
        result = result_of(self._agent.step(RunPoll(nanoseconds, signo)))
        if result.ret == -errno.ECHILD:
            raise GuestGarbage("the shell was lost")
        if result.state == ENDED:
            self.status = result.status
        return self.status is not None
