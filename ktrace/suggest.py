"""What somebody may have meant who wrote a word that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

SHOWN = 3


def did_you_mean(word: str, known: Iterable[str], otherwise: str | None = None) -> str | None:
    """Return a hint with the words of *known* that are like *word*.

    :param otherwise: the hint where none is
    """
    close = difflib.get_close_matches(word, sorted(set(known)), SHOWN)
    return f"did you mean {' or '.join(close)}" if close else otherwise
