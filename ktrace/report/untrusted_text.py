"""Styled text that others wrote, as it may be printed."""

from __future__ import annotations

from rich.text import Text

from ktrace.report.untrusted import printable


def printable_text(text: Text) -> Text:
    """Return a styled *text* with everything that steers a terminal escaped; what is styled stays so."""
    plain = printable(text.plain)
    if plain == text.plain:
        return text
    done = Text(plain, style=text.style, end=text.end)
    places = [0]
    for char in text.plain:
        places.append(places[-1] + len(printable(char)))
    for span in text.spans:
        done.stylize(span.style, places[span.start], places[min(span.end, len(text.plain))])
    return done
