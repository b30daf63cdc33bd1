"""Standard output and error as commands find them: whatever they are, nothing printed steers a terminal or crashes."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TextIO

from ktrace.errors import HostError
from ktrace.report.untrusted import printable

_NAMES = {1: "standard output", 2: "standard error"}


class _Raw(io.FileIO):
    """A descriptor; that it cannot be written to is this machine's fault, and is told as such.

    :raises HostError: it cannot, for another reason than that its reader has gone
    """

    def write(self, data: object) -> int:
        try:
            return super().write(data)  # type: ignore[arg-type]
        except BrokenPipeError:
            raise
        except OSError as error:
            hint = "free some space there" if error.errno == errno.ENOSPC else None
            raise HostError(f"cannot write to {_NAMES[self.fileno()]}: {error.strerror}", hint) from error


class SafeText(io.TextIOWrapper):
    """Text to a descriptor; what is printed on it comes out with all that steers terminals escaped."""

    def write(self, text: str) -> int:
        """Write *text*, which anybody may have written."""
        return super().write(printable(text))

    def write_trusted(self, text: str) -> int:
        """Write *text* of our own, styles and all."""
        return super().write(text)


class _Trusted(io.TextIOBase):
    """The way past the escaping, for those who style text and have escaped what is in it."""

    def __init__(self, stream: SafeText) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the stream."""
        return self._stream.encoding

    def write(self, text: str) -> int:
        """Write it as it is."""
        return self._stream.write_trusted(text)

    def flush(self) -> None:
        """Have it go out."""
        if not self._stream.closed:
            self._stream.flush()

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._stream.fileno()


def trusted(stream: TextIO | None) -> IO[str]:
    """Return where to write styled text to that comes out on *stream*."""
    assert stream is not None
    return _Trusted(stream) if isinstance(stream, SafeText) else stream  # type: ignore[return-value]


@contextmanager
def unescaped() -> Iterator[None]:
    """Have standard output take what is printed as it is: it is the person's own program that prints."""
    before = sys.stdout
    if isinstance(before, SafeText):
        sys.stdout = trusted(before)
    try:
        yield
    finally:
        sys.stdout = before


def prepare_streams() -> None:
    """Have standard output and error escape, and say whose fault it is if they cannot be written to.

    A descriptor that is closed is taken, so that no file of ours gets its number; writing to it is an error.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # Standard output for reading only: what is printed there is lost, and somebody should hear of it.
            taken = os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)
            assert taken == number
            os.set_inheritable(number, True)
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, closefd=False, encoding="utf-8", errors="replace")
    if sys.stdout is sys.__stdout__:
        sys.stdout = _safe(1, sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _safe(2, sys.stderr)


def give_up_output() -> None:
    """Have what is still to be printed go nowhere: nobody can have it, and nobody is to be told again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        sys.stderr.flush()
    except BrokenPipeError:
        os.dup2(nowhere, 2)  # what exec shows of a program goes there
    os.close(nowhere)


def _safe(number: int, before: TextIO | None) -> SafeText:
    encoding = "utf-8" if before is None else before.encoding
    live = number == 2 or os.isatty(number)
    if before is not None:
        before.flush()
    return SafeText(
        io.BufferedWriter(_Raw(number, "wb", closefd=False)),
        encoding=encoding,
        errors="backslashreplace",
        line_buffering=live,
    )
