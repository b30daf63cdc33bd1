"""QMP, spoken synchronously over one end of a socket pair.

Not through the package qemu.qmp: importing it and asyncio takes longer (80 ms) than a whole clone (50 ms),
and a clone's commands have to be on their way before QEMU has started, which its handshake does not allow.
"""

from __future__ import annotations

import array
import json
import select
import socket
from collections import deque
from time import monotonic
from typing import Any

from ktrace.errors import HostError

ANSWER_SECONDS = 10.0


class QmpClosed(Exception):
    """QEMU closed its end: it is ending."""


class Qmp:
    """QEMU's monitor.

    :param connection: a connected stream socket, taken over
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.setblocking(False)
        self._buffer = b""
        self._serial = 0
        self._early: dict[int, str] = {}
        self._events: deque[dict[str, Any]] = deque(maxlen=64)
        self._request("qmp_capabilities", {})

    def _request(self, name: str, arguments: dict[str, Any], fd: int | None = None) -> int:
        """Send a command without waiting: QEMU does what is queued in order, as soon as it runs."""
        self._serial += 1
        request = {"execute": name, **({"arguments": arguments} if arguments else {}), "id": self._serial}
        # Short, because QEMU reads it byte by byte, with seven system calls each.
        message = json.dumps(request, separators=(",", ":")).encode() + b"\n"
        rights = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        try:
            sent = self._socket.sendmsg([message], rights)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise QmpClosed from error
        if sent != len(message):
            raise HostError(f"QEMU's monitor does not take {name!r}", "QEMU is stuck: try again")
        self._early[self._serial] = name
        return self._serial

    def post(self, name: str, **arguments: Any) -> None:
        """Send a command whose answer is looked at only together with the next one's."""
        self._request(name, arguments)

    def command(self, name: str, *, fd: int | None = None, seconds: float = ANSWER_SECONDS, **arguments: Any) -> Any:
        """Do one command and return what it returns.

        :param fd: descriptor to hand over with it (``getfd``)
        :raises HostError: QEMU refuses, or does not answer in *seconds*
        :raises QmpClosed: QEMU is ending
        """
        return self._answer(self._request(name, arguments, fd), name, monotonic() + seconds)

    def _answer(self, serial: int, name: str, deadline: float) -> Any:
        while True:
            message = self._receive(deadline, name)
            if "event" in message:
                self._events.append(message)
            elif "id" in message or "error" in message:
                asked = self._early.pop(message.get("id", 0), name)
                if "error" in message:
                    raise HostError(f"QEMU refuses {asked!r}: {message['error'].get('desc')}")
                if message["id"] == serial:
                    return message["return"]

    def wait_event(self, name: str, deadline: float) -> dict[str, Any]:
        """Wait for an event that has not been taken yet, and return its data.

        :param deadline: of ``time.monotonic()``
        """
        while True:
            while self._events:
                event = self._events.popleft()
                if event["event"] == name:
                    data: dict[str, Any] = event.get("data", {})
                    return data
            message = self._receive(deadline, name)
            if "event" in message:
                self._events.append(message)

    def forget_events(self) -> None:
        """Drop the events that came with earlier answers."""
        self._events.clear()

    def _receive(self, deadline: float, what: str) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            left = deadline - monotonic()
            if left <= 0 or not select.select([self._socket], [], [], left)[0]:
                raise HostError(f"QEMU does not answer {what!r}", "QEMU is stuck, or this machine is overloaded")
            try:
                data = self._socket.recv(65536)
            except OSError as error:
                raise QmpClosed from error
            if not data:
                raise QmpClosed
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            message = json.loads(line)
        except ValueError as error:
            raise HostError(f"QEMU's monitor said {line[:80]!r}, which is no JSON") from error
        if not isinstance(message, dict):
            raise HostError(f"QEMU's monitor said {line[:80]!r}, which is no QMP")
        return message

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()
