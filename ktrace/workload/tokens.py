"""Cut a script into tokens, each with its place."""

from __future__ import annotations

import re

from ktrace.errors import UsageError
from ktrace.state.quick import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Say where something stands in a script.

    :param line: from 1; 0 where it was not read from a text
    :param column: from 1
    :param width: how many characters it takes
    """

    line: int = 0
    column: int = 0
    width: int = 1


SHOWN = 80
"""Characters of a line that a message shows on either side of the place."""


class ScriptError(UsageError):
    """A script cannot be used; says where, with the line and a caret under the place.

    :param text: what is wrong
    :param place: where
    :param source: the script's name, and *line* its line of text, where they are known
    """

    def __init__(
        self, text: str, place: Place, hint: str | None = None, source: str = "", line: str | None = None
    ) -> None:
        self.text = text
        self.place = place
        where = f":{place.line}:{place.column}" if place.line else ""  # what the script begins with stands nowhere
        message = f"{source or 'script'}{where}: {text}"
        if line is not None:
            start = max(0, place.column - SHOWN) if place.column > SHOWN else 0
            shown = line[start : start + 2 * SHOWN].rstrip()
            margin = "".join("\t" if char == "\t" else " " for char in line[start : place.column - 1])
            message += f"\n    {shown}\n    {margin}{'^' * min(max(1, place.width), 2 * SHOWN)}"
        super().__init__(message, hint)


@dataclass(frozen=True, slots=True)
class Token:
    """One token: *kind* is ``name``, ``number``, ``string``, ``comment``, ``newline``, ``end`` or the operator."""

    kind: str
    text: str
    place: Place


_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r]+)
  | (?P<comment>\#\#[^\n]*)
  | (?P<newline>\n)
  | (?P<string>"(?:[^"\\\n]|\\.)*")
  | (?P<number>0[xX][0-9a-fA-F]+|[0-9]+)(?![A-Za-z_0-9])
  | (?P<name>[A-Za-z_][A-Za-z_0-9]*)
  | (?P<operator>->|\.\.\.|<<|[:,()\[\]{}=|&~+\-*@.;#])
    """,
    re.VERBOSE,
)


def tokenize(text: str, source: str = "") -> list[Token]:
    """Return the tokens of a script; newlines inside parentheses are left out.

    :raises ScriptError: a character or a string that is none
    """
    tokens: list[Token] = []
    at, line, begin, depth = 0, 1, 0, 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        column = at - begin + 1
        if match is None:
            whole = text[begin:].split("\n", 1)[0]
            if text[at] == '"':
                place = Place(line, column, len(whole) - column + 1)
                raise ScriptError("the string does not end on its line", place, 'close it with "', source, whole)
            bad = re.match(r"\w+|.", text[at:])
            word = bad.group() if bad else text[at]
            raise ScriptError(f"unexpected {word!r}", Place(line, column, len(word)), None, source, whole)
        kind = match.lastgroup or ""
        found = match.group()
        at = match.end()
        place = Place(line, column, len(found))
        if kind == "newline":
            line, begin = line + 1, at
            if depth == 0:
                tokens.append(Token("newline", "\n", place))
            continue
        if kind == "space":
            continue
        if kind == "operator":
            kind = found
            depth += (found in "([") - (found in ")]" and depth > 0)
        tokens.append(Token(kind, found, place))
    last = Place(line, len(text) - begin + 1)
    if not tokens or tokens[-1].kind != "newline":
        tokens.append(Token("newline", "\n", last))
    tokens.append(Token("end", "", last))
    return tokens


_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)")
_SINGLE = {"n": b"\n", "t": b"\t", "r": b"\r", "a": b"\a", "b": b"\b", "f": b"\f", "v": b"\v", "e": b"\x1b"}
_PLAIN = {"\\", '"', "'"}


def unquote(text: str) -> bytes:
    """Return the bytes that a string in quotes stands for: C's escapes, ``\\x`` with exactly two digits.

    :raises ValueError: an escape is unknown
    """
    parts: list[bytes] = []
    at, end = 1, len(text) - 1
    while at < end:
        if text[at] != "\\":
            stop = text.find("\\", at, end)
            stop = end if stop < 0 else stop
            parts.append(text[at:stop].encode())
            at = stop
            continue
        match = _ESCAPE.match(text, at, end)
        escape = match.group(1) if match else ""
        if escape in _PLAIN:
            parts.append(escape.encode())
        elif escape in _SINGLE:
            parts.append(_SINGLE[escape])
        elif len(escape) == 3 and escape[0] == "x":
            parts.append(bytes([int(escape[1:], 16)]))
        elif escape and escape[0] in "01234567" and int(escape, 8) < 256:
            parts.append(bytes([int(escape, 8)]))
        else:
            raise ValueError(f"\\{escape}")
        at += 1 + len(escape)
    return b"".join(parts)
