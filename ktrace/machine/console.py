"""A guest's console: a file that QEMU itself writes.

A file and not a pseudo terminal or a socket: QEMU writes a character at a time, a socket is full after some
280 of those, and a guest whose console is full stands still until somebody reads. This way the text is whole
even when ktrace was killed, and nobody has to read while waiting for something else.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

#: An oops takes some 50 lines.
TAIL_LINES = 60
#: Bytes read at once.
CHUNK = 1 << 16
LINE = 400
PANIC = rf"Kernel panic - not syncing: ?([^\r\n]{{0,{LINE}}})[^\r\n]{{0,{LINE}}}[\r\n]"
#: Escape sequences of terminals, and control characters other than tab and newline.
_CONTROL = re.compile(r"\x1b\[[0-9;?]{0,16}[A-Za-z]|[^\t\n\x20-\x7e\x80-\U0010ffff]|[\x80-\x9f]")


class Console:
    """What a guest has printed so far.

    :param path: made anew; QEMU is told to append there
    :param history: what the guest had printed before it was cloned
    :raises OSError: it cannot be made
    """

    def __init__(self, path: Path, history: bytes = b"") -> None:
        self.path = path
        self._name = str(path)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(history)
        self._told = len(history)

    @property
    def text(self) -> str:
        """All of it, without terminal control sequences; what is no UTF-8 is replaced."""
        return clean(self.path.read_bytes().decode("utf-8", "replace"))

    def tail(self, lines: int = TAIL_LINES) -> str:
        """Return the last lines, for an error message."""
        with self.path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - lines * LINE))
            text = stream.read().decode("utf-8", "replace")
        return "\n".join(clean(text).splitlines()[-lines:])

    def fresh(self) -> tuple[str, ...]:
        """Return the lines that were printed since this was last asked; one that has not ended yet comes later."""
        if os.stat(self._name).st_size <= self._told:  # at every step
            return ()
        with self.path.open("rb") as stream:
            stream.seek(self._told)
            whole, end, _ = stream.read(CHUNK).rpartition(b"\n")
        self._told += len(whole) + len(end)
        return tuple(clean(whole.decode("utf-8", "replace")).splitlines())

    def search(self, pattern: str) -> str | None:
        """Look for *pattern* from the beginning to where the text ends now.

        :param pattern: regular expression with one group, bounded
        :returns: the group of its first match
        """
        found = re.search(pattern, self.path.read_bytes().decode("utf-8", "replace"))
        return clean(found.group(1)).strip() if found else None

    def find_panic(self) -> str | None:
        """Return why the kernel panicked, ``None`` if it did not (``kernel/panic.c: panic()``)."""
        return self.search(PANIC)


def clean(text: str) -> str:
    """Take out of *text* whatever would move the cursor or change colours."""
    return _CONTROL.sub("", text)
