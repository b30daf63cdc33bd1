"""Files of the guest, used so that the next clone that does the same gets the same addresses."""

from __future__ import annotations

from typing import Protocol

from ktrace.agent.client import Agent
from ktrace.agent.ops import Wait
from ktrace.agent.reports import Hello

GRACE_NS = 100_000_000
"""After this long what was freed under RCU is free, on a guest at rest."""


class GuestFiles(Protocol):
    """What a tracer needs of an agent."""

    def read_file(self, path: str) -> bytes:
        """Read a file of the guest."""

    def write_file(self, path: str, data: bytes) -> None:
        """Write a file of the guest."""

    def hello(self) -> Hello:
        """Ask who the agent is."""


class SettledFiles:
    """Wait after each file until the kernel has freed what it took for it.

    The ``struct file`` of one that is closed goes back to its slab after a grace period (``fs/file_table.c:
    file_free()``). Who is faster than that takes another one, or does not; and from then on everything lies elsewhere.
    """

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def read_file(self, path: str) -> bytes:
        """Read a file of the guest.

        :raises GuestFileError: the guest's kernel refused
        """
        try:
            return self._agent.read_file(path)
        finally:
            self._agent.step(Wait(GRACE_NS))

    def write_file(self, path: str, data: bytes) -> None:
        """Write a file of the guest.

        :raises GuestFileError: the guest's kernel refused
        """
        try:
            self._agent.write_file(path, data)
        finally:
            self._agent.step(Wait(GRACE_NS))

    def hello(self) -> Hello:
        """Ask who the agent is."""
        return self._agent.hello()
