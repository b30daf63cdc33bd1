"""Text that others wrote (scripts, guests, sessions from elsewhere), as it may be printed: it steers no terminal."""

from __future__ import annotations

import re

_STEERING = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
"""Control characters but tab and newline, what turns the direction of writing, and halves of characters."""


def printable(text: str) -> str:
    """Return *text* with everything that steers a terminal written as an escape: ``\\x1b``, ``\\u202e``."""
    # None of it is printable in Python's eyes; to compile the pattern takes longer than all that most commands print.
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return re.sub(_STEERING, _escape, text)


def one_line(text: str) -> str:
    """Return *text* likewise, with its newlines and tabs escaped, too: it cannot look like a line of ours."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
