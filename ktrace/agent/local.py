"""The agent as an ordinary program on this machine: for tests, and for any Linux-compatible kernel."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ktrace.errors import GuestDied, HostError

END_TIMEOUT = 5.0
"""seconds between the end of its input and its own end"""


@dataclass(frozen=True)
class LocalAgent:
    """A running agent and this process's end of its stream.

    :ivar complaints: what it writes to its standard error
    """

    process: subprocess.Popen[bytes]
    connection: socket.socket
    complaints: BinaryIO

    def tail(self) -> str:
        """Return what it has complained of so far."""
        return os.pread(self.complaints.fileno(), 4096, 0).decode("utf-8", "replace")

    def check_alive(self) -> None:
        """Raise if the agent has ended.

        :raises GuestDied: with its exit code and what it said
        """
        try:
            code = self.process.wait(0)
        except subprocess.TimeoutExpired:
            return
        raise GuestDied(f"the agent ended with code {code}", console=self.tail())

    def end(self) -> int:
        """Wait for the agent, whose input has ended; kill it if that takes too long; its exit code."""
        try:
            return self.process.wait(END_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.complaints.close()


def start(binary: Path, options: Sequence[str] = ()) -> LocalAgent:
    """Start ``binary --stdio`` in a session of its own.

    :raises HostError: it cannot be run
    """
    ours, theirs = socket.socketpair()
    complaints: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  (closed by LocalAgent.end)
    try:
        with theirs:
            process = subprocess.Popen(
                [str(binary), "--stdio", *options],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=complaints,
                start_new_session=True,
            )
    except OSError as error:
        ours.close()
        complaints.close()
        raise HostError(f"cannot run {str(binary)!r}: {error.strerror}", "build it with ktrace.agent.build") from error
    return LocalAgent(process, ours, complaints)
