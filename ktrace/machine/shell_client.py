"""Have a shell in a guest that another process holds."""

from __future__ import annotations

import base64
import fcntl
import os
import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import NoReturn

from ktrace.agent.command import OnOutput
from ktrace.errors import GuestDied, GuestError, GuestGarbage, GuestHang, HostError, KtraceError, UsageError
from ktrace.machine.shell_channel import LONGEST, Channel, ChannelClosed, Message

START_SECONDS = 60.0
"""until the shell has begun: busybox is brought there first"""
PROMPT_SECONDS = 20.0
LONGEST_SCRIPT = LONGEST // 2
SCREEN_BYTES = 1 << 20
_PROMPT = re.compile(rb"ktrace:[^\r\n]{1,256}# ")
_GRACE_SECONDS = 15.0


@dataclass(frozen=True)
class Line:
    """The two ends of a terminal's line.

    :param keyboard: descriptor to write to what is typed; *screen*: to read from what is to be shown
    :param greeting: what came up to the first prompt
    """

    keyboard: int
    screen: int
    greeting: bytes


class ShellClient:
    """One shell, for the length of a ``with``.

    :param address: of the socket that the holder listens on
    :raises UsageError: nobody holds the guest any more
    """

    def __init__(self, address: str) -> None:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(f"\0{address}")
        except OSError:
            connection.close()
            raise UsageError("the session's guest is gone", "start one with: ktrace run --hold WORKLOAD") from None
        self.channel = Channel(connection)
        self._descriptors: list[int] = []

    def __enter__(self) -> ShellClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for descriptor in self._descriptors:
            os.close(descriptor)
        self.channel.close()

    def open_terminal(self, rows: int, columns: int, term: str) -> Line:
        """Start a shell on a terminal of that size, and wait for its prompt.

        :raises UsageError: another process has a shell there
        :raises HostError: this machine has no shell to bring
        :raises GuestHang: it does not come up
        """
        self._send(rows=rows, columns=columns, term=term)
        answer = self._receive(START_SECONDS, "the shell did not start")
        if "keyboard" not in answer:
            raise GuestGarbage(f"the shell ended at once, with wait status {answer.get('ended')!r}")
        keyboard = os.open(answer["keyboard"], os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self._descriptors.append(keyboard)
        screen = os.open(answer["screen"], os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self._descriptors.append(screen)
        with suppress(OSError):  # a user who has many pipes: it holds 64 KiB then
            fcntl.fcntl(screen, fcntl.F_SETPIPE_SZ, SCREEN_BYTES)
        return Line(keyboard, screen, self._await_prompt(screen))

    def _await_prompt(self, screen: int) -> bytes:
        import pexpect
        from pexpect.fdpexpect import fdspawn

        reader = fdspawn(screen, timeout=PROMPT_SECONDS, maxread=1 << 16)
        found = reader.expect([_PROMPT, pexpect.TIMEOUT, pexpect.EOF])
        if found:
            self.poll()  # knows better what happened, if anything did
            printed = bytes(reader.before)[-200:]
            raise GuestHang(f"the shell shows no prompt within {PROMPT_SECONDS:.0f} s", f"it printed {printed!r}")
        return bytes(reader.before + reader.after + reader.buffer)

    def resize(self, rows: int, columns: int) -> None:
        """Tell how large the terminal is now."""
        self._send(rows=rows, columns=columns)

    def leave(self) -> None:
        """Give the terminal up, and wait until its shell has ended and the guest stands still.

        :raises KtraceError: the guest or who holds it is gone
        """
        self._send(leave=True)
        self._receive(START_SECONDS, "the shell did not end")

    def poll(self) -> int | None:
        """Return the shell's wait status if it has ended.

        :raises KtraceError: the guest or who holds it is gone
        """
        message = self._take(0.0)
        return None if message is None else int(message["ended"])

    def run(self, script: bytes, timeout: float, on_output: OnOutput) -> int:
        """Have a shell without a terminal read *script*, and return its wait status.

        :param timeout: seconds
        :raises UsageError: *script* is too long, or another process has a shell there
        """
        if len(script) > LONGEST_SCRIPT:
            raise UsageError(f"{len(script)} bytes of commands are too many", "bring a file: ktrace exec --put")
        self._send(script=base64.b64encode(script).decode(), timeout=timeout)
        while True:
            message = self._receive(START_SECONDS + timeout + _GRACE_SECONDS, "the shell did not end")
            if "ended" in message:
                return int(message["ended"])
            on_output(base64.b64decode(message["out"]), base64.b64decode(message["err"]))

    def _send(self, **message: object) -> None:
        try:
            self.channel.send(**message)
        except ChannelClosed:
            self._take(0.0)  # may say why
            self._lost()

    def _receive(self, seconds: float, otherwise: str) -> Message:
        message = self._take(seconds)
        if message is None:
            raise GuestHang(f"{otherwise} within {seconds:.0f} s")
        return message

    def _take(self, seconds: float) -> Message | None:
        try:
            message = self.channel.receive(seconds)
        except ChannelClosed:
            self._lost()
        if message is None:
            return None
        if "busy" in message:
            raise UsageError(
                f"the console is in use by process {message['busy']}", "one at a time: leave that one with Ctrl-]"
            )
        if "over" in message:
            raise GuestDied("the guest is held no longer")
        if "failed" in message:
            raise _error(message["failed"])
        return message

    def _lost(self) -> NoReturn:
        raise GuestDied("the ktrace that held the guest is gone") from None


def connect(address: str) -> ShellClient:
    """Ask who holds a guest for a shell in it.

    :raises UsageError: nobody does any more
    """
    return ShellClient(address)


def _error(told: Message) -> KtraceError:
    """Return the error that happened at the other end."""
    kinds = {"usage": UsageError, "host": HostError}
    if told["blame"] in kinds:
        return kinds[told["blame"]](told["message"], told["hint"])
    return GuestError(told["message"], told["hint"], told["console"])
