"""A byte stream to the agent in which every wait has a deadline."""

from __future__ import annotations

import os
import select
import socket
from time import monotonic
from types import TracebackType

CHUNK = 1 << 18
"""bytes asked for at once"""


class StreamTimeout(Exception):
    """Nothing moved before the deadline, or before the next look at the guest was due."""


class Stream:
    """Two file descriptors, or one connected socket, written and read with deadlines.

    Deadlines are values of ``time.monotonic()``, in seconds.

    :param read_fd, write_fd: owned from now on, and made non-blocking
    """

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self._read_fd = read_fd
        self._write_fd = write_fd
        os.set_blocking(read_fd, False)
        os.set_blocking(write_fd, False)
        self._readable = select.poll()
        self._readable.register(read_fd, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(write_fd, select.POLLOUT)
        self._open = True

    @classmethod
    def of_socket(cls, connection: socket.socket) -> Stream:
        """Take over a connected socket."""
        fd = connection.detach()
        return cls(fd, fd)

    @staticmethod
    def _wait(poller: select.poll, deadline: float) -> None:
        left = deadline - monotonic()
        if not poller.poll(max(0.0, left) * 1000):
            raise StreamTimeout

    def write(self, data: bytes, deadline: float) -> int:
        """Write as much as goes in at once; the number of bytes.

        :raises StreamTimeout: nothing could be written before the deadline
        :raises OSError: the other end is gone
        """
        try:
            return os.write(self._write_fd, data)
        except BlockingIOError:
            self._wait(self._writable, deadline)
            return 0

    def read(self, deadline: float) -> bytes:
        """Read what is there; empty at the end of the stream.

        :raises StreamTimeout: nothing came before the deadline
        """
        self._wait(self._readable, deadline)
        try:
            return os.read(self._read_fd, CHUNK)
        except BlockingIOError:
            return self.read(deadline)
        except ConnectionResetError:
            return b""

    def close(self) -> None:
        """Close both descriptors; harmless when closed already."""
        if self._open:
            self._open = False
            os.close(self._read_fd)
            if self._write_fd != self._read_fd:
                os.close(self._write_fd)

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
