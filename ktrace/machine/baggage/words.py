"""Words of a command line or a script that may name something of this machine."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Za-z0-9_./+@%:~-]+")
_QUOTED = re.compile(r"\"([^\"\n]*)\"|'([^'\n]*)'|`([^`\n]*)`")
_COMMENT = re.compile(r"(?m)^[ \t]*#.*$")


def words_of(text: str) -> set[str]:
    """Return what in *text* could be the name of a program, a file or a module."""
    found = set(_WORD.findall(text))
    found.update(part for word in list(found) if ":" in word for part in word.split(":"))
    found.update(word.rstrip(".:") for word in list(found))
    return {word for word in found if any(map(str.isalpha, word)) and not word.startswith("-")}


def quoted_in(text: str) -> str:
    """Return what stands in quotes, as the commands of a script do that is not a shell's."""
    return "\n".join(part for parts in _QUOTED.findall(text) for part in parts)


def code_of(text: str) -> str:
    """Return a script without the lines that are comments."""
    return _COMMENT.sub("", text)
