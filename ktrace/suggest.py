"""What somebody may have meant who wrote a word that is not known."""

from __future__ import annotations

from collections.abc import Iterable

SHOWN = 3


def did_you_mean(word: str, known: Iterable[str], otherwise: str | None = None) -> str | None:
    """Return a hint with the words of *known* that are like *word*.

    :param otherwise: the hint where none is
    """
    import difflib  # nobody else needs it, and most command lines are right

    close = difflib.get_close_matches(word, sorted(set(known)), SHOWN)
    return f"did you mean {' or '.join(close)}" if close else otherwise
