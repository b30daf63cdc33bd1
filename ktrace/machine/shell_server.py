"""Give others a shell in a guest that is held: one at a time, in a thread of who holds it.

The guest stands still while it is held. It goes on while somebody has a shell, and stands still again afterwards.
"""

from __future__ import annotations

import base64
import os
import secrets
import select
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from threading import Thread
from types import TracebackType
from typing import Any

from ktrace.errors import GuestError, HostError, KtraceError
from ktrace.machine.machine import Machine
from ktrace.machine.shell import TerminalShell, bring_shell, run_commands
from ktrace.machine.shell_channel import Channel, ChannelClosed, Message
from ktrace.machine.terminal import Terminal

ASK_SECONDS = 5.0
"""that who connects has to say what it wants"""
STOP_SECONDS = 30.0


class _Over(Exception):
    """Nobody wants the shell any more: its user left, or the guest is given up."""


@dataclass(frozen=True)
class _Commands:
    """:param timeout: seconds"""

    script: bytes
    timeout: float


@dataclass(frozen=True)
class _Console:
    """:param size: rows and columns"""

    size: tuple[int, int]
    term: str


class ShellServer:
    """Serve shells in *machine* while the ``with`` lasts; it must stand still, and be left to this alone.

    :param changed: called with ``None`` before the guest goes on, and with the pids of the actors that still live when
        it stands still again
    :ivar address: of the socket, for :func:`ktrace.machine.shell_client.connect`. It has no file, so none is left
        behind when this process is killed; users other than ours and root are sent away.
    """

    def __init__(self, machine: Machine, changed: Callable[[frozenset[int] | None], None]) -> None:
        self._machine = machine
        self._changed = changed
        self.address = f"ktrace-{os.getpid()}-{secrets.token_hex(8)}"
        self._place = machine.console.path.parent
        self._shell: str | None = None
        self._terminals = 0
        self._user = 0
        self._lost = False

    def __enter__(self) -> ShellServer:
        with ExitStack() as stack:
            self._listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            self._listener.bind(f"\0{self.address}")
            self._listener.listen(8)
            self._stop = os.eventfd(0, os.EFD_CLOEXEC)
            stack.callback(os.close, self._stop)
            self._thread = Thread(target=self._run, name="shells", daemon=True)
            self._thread.start()
            self._owned = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.eventfd_write(self._stop, 1)
        self._thread.join(STOP_SECONDS)
        self._owned.close()

    def _run(self) -> None:
        while not self._lost:
            ready = _ready(self._listener, self._stop)
            if self._stop in ready:
                return
            connection, _ = self._listener.accept()
            channel = Channel(connection)
            self._user, uid = _peer(connection)
            with suppress(ChannelClosed):
                if uid in (0, os.getuid()):
                    self._serve(channel)
            channel.close()

    def _serve(self, channel: Channel) -> None:
        try:
            wanted = channel.receive(ASK_SECONDS)
            if wanted is None:
                return
            request = _understood(wanted)
            with self._going_on():
                status = self._give(channel, request)
            channel.send(ended=status)  # now that the guest stands still again
        except _Over:
            channel.send(over=True)
        except OSError as error:
            place = str(error.filename or self._place)
            channel.send(failed=_told(HostError(f"cannot use {place!r}: {error.strerror}", "free some space there")))
        except KtraceError as error:
            self._lost = not self._lives()
            channel.send(failed=_told(error))

    def _lives(self) -> bool:
        try:
            self._machine.check()
        except KtraceError:
            return False
        return True

    @contextmanager
    def _going_on(self) -> Iterator[None]:
        self._changed(None)
        self._machine.resume()
        try:
            yield
        finally:
            if self._lives():
                living = frozenset(filter(None, self._machine.agent.hello().pids))
                self._machine.pause()
                self._changed(living)

    def _give(self, channel: Channel, request: _Commands | _Console) -> int | None:
        """Return the shell's wait status."""
        if self._shell is None:
            self._shell = bring_shell(self._machine.agent, self._machine.memory)
        if isinstance(request, _Commands):
            return self._commands(channel, self._shell, request)
        return self._terminal(channel, self._shell, request)

    def _commands(self, channel: Channel, shell: str, wanted: _Commands) -> int:
        def tell(out: bytes, err: bytes) -> None:
            if out or err:
                channel.send(out=base64.b64encode(out).decode(), err=base64.b64encode(err).decode())
            self._look_around(channel)

        return run_commands(self._machine.agent, shell, wanted.script, wanted.timeout, tell).status

    def _terminal(self, channel: Channel, program: str, wanted: _Console) -> int | None:
        self._terminals += 1
        agent = self._machine.agent
        with Terminal(self._machine, self._place, f"terminal{self._terminals}") as terminal:
            shell = TerminalShell(agent, program, terminal, wanted.term)
            try:
                terminal.resize(*wanted.size)  # not earlier: the size is gone when nobody has the terminal open
                channel.send(keyboard=str(terminal.keyboard), screen=str(terminal.screen))
                while not shell.look():
                    messages = self._look_around(channel)
                    if {"leave": True} in messages:
                        break
                    for message in messages:
                        terminal.resize(*_size(message))
            finally:
                if self._lives():
                    shell.end()
        return shell.status

    def _look_around(self, channel: Channel) -> list[Message]:
        """Return what the user of the shell has said; send others away.

        :raises _Over: the guest is given up
        :raises ChannelClosed: the user has left
        """
        ready = _ready(channel, self._listener, self._stop, seconds=0)
        if self._stop in ready:
            raise _Over
        if self._listener in ready:
            connection, _ = self._listener.accept()
            other = Channel(connection)
            with suppress(ChannelClosed):
                other.send(busy=self._user)
            other.close()
        messages = []
        if channel in ready:
            while (message := channel.receive()) is not None:
                messages.append(message)
        return messages


def _understood(message: Message) -> _Commands | _Console:
    """Return what is asked for.

    :raises ChannelClosed: nothing that anybody of ours would ask for
    """
    if "script" not in message:
        return _Console(_size(message), str(message.get("term", "dumb")))
    try:
        return _Commands(base64.b64decode(message["script"]), float(message["timeout"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ChannelClosed from error


def _size(message: Message) -> tuple[int, int]:
    try:
        return int(message["rows"]), int(message["columns"])
    except (KeyError, TypeError, ValueError) as error:
        raise ChannelClosed from error


def _ready(*sources: Any, seconds: float | None = None) -> list[Any]:
    """Return those of *sources* that have something to say."""
    return select.select(sources, [], [], seconds)[0]


def _peer(connection: socket.socket) -> tuple[int, int]:
    """Return the process at the other end, and its user."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, _ = struct.unpack("3i", data)
    return pid, uid


def _told(error: KtraceError) -> Message:
    return {
        "blame": error.blame,
        "message": error.message,
        "hint": error.hint,
        "console": error.console if isinstance(error, GuestError) else "",
    }
