"""Text that others wrote (scripts, guests, sessions from elsewhere), as it may be printed: it steers no terminal."""

from __future__ import annotations

import re

from rich.text import Text

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but tab and newline, what turns the direction of writing, and halves of characters."""


def printable(text: str) -> str:
    """Return *text* with everything that steers a terminal written as an escape: ``\\x1b``, ``\\u202e``."""
    return _STEERING.sub(_escape, text) if _STEERING.search(text) else text


def one_line(text: str) -> str:
    """Return *text* likewise, with its newlines and tabs escaped, too: it cannot look like a line of ours."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def printable_text(text: Text) -> Text:
    """Return a styled *text* likewise; what is styled stays so."""
    if not _STEERING.search(text.plain):
        return text
    done = Text(printable(text.plain), style=text.style, end=text.end)
    places = [0]
    for char in text.plain:
        places.append(places[-1] + len(printable(char)))
    for span in text.spans:
        done.stylize(span.style, places[span.start], places[min(span.end, len(text.plain))])
    return done


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
