"""What who holds a guest and who wants a shell in it say to each other: JSON, a message a line, over a socket."""

from __future__ import annotations

import json
import select
import socket
from time import monotonic
from typing import Any

LONGEST = 4 << 20
"""bytes of one message"""
SEND_SECONDS = 5.0
_PIECE = 1 << 16

Message = dict[str, Any]


class ChannelClosed(Exception):
    """The other end is gone, or says nothing that can be understood."""


class Channel:
    """One end.

    :param connection: a connected stream socket, taken over
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.settimeout(SEND_SECONDS)
        self._received = b""

    def fileno(self) -> int:
        """Return the descriptor, to wait for."""
        return self._socket.fileno()

    def send(self, **message: Any) -> None:
        """Send a message.

        :raises ChannelClosed: nobody takes it
        """
        try:
            self._socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise ChannelClosed from error

    def receive(self, seconds: float = 0.0) -> Message | None:
        """Return the next message, ``None`` if none comes within *seconds*.

        :raises ChannelClosed: none will come
        """
        deadline = monotonic() + seconds
        while b"\n" not in self._received:
            if not select.select([self._socket], [], [], max(0.0, deadline - monotonic()))[0]:
                return None
            try:
                data = self._socket.recv(_PIECE)
            except OSError as error:
                raise ChannelClosed from error
            if not data or len(self._received) > LONGEST:
                raise ChannelClosed
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        try:
            message = json.loads(line)
        except ValueError as error:
            raise ChannelClosed from error
        if not isinstance(message, dict):
            raise ChannelClosed
        return message

    def close(self) -> None:
        """Close it."""
        self._socket.close()
