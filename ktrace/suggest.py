"""What somebody may have meant who wrote a word that is not known."""

from __future__ import annotations

from collections.abc import Iterable

SHOWN = 3


class Written(str):
    """How something is written, in a script; to users of the library it is said as Python has it.

    :ivar python: the same for them
    """

    python: str

    def __new__(cls, script: str, python: str) -> Written:
        made = super().__new__(cls, script)
        made.python = python
        return made


def did_you_mean(word: str, known: Iterable[str], otherwise: str | None = None) -> str | None:
    """Return a hint with the words of *known* that are like *word*.

    :param otherwise: the hint where none is
    """
    import difflib  # nobody else needs it, and most command lines are right

    close = difflib.get_close_matches(word, sorted(set(known)), SHOWN)
    return f"did you mean {' or '.join(close)}" if close else otherwise
