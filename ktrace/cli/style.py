"""Styled text on standard output and error: whether there are colours, and what is escaped before they are added."""

from __future__ import annotations

import os
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from ktrace.cli.streams import trusted
from ktrace.report.untrusted import printable_text


class SafeConsole(Console):
    """A console that styles text and escapes everything in it that would steer the terminal."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print *objects*; texts among them are escaped."""
        super().print(
            *(printable_text(item) if isinstance(item, Text) else item for item in objects), **options
        )  # fmt: skip

    def on_broken_pipe(self) -> None:
        """Leave it to ``ktrace.cli.main`` what becomes of a reader that left; rich would end the process with 1."""
        raise BrokenPipeError


class Colours:
    """When there are colours: what the person says, else what the environment says, else on a terminal.

    :ivar when: ``auto``, ``always`` or ``never``
    """

    def __init__(self) -> None:
        self.when = "auto"

    def on(self, stream: TextIO) -> bool:
        """Tell whether *stream* gets colours."""
        if self.when != "auto":
            return self.when == "always"
        if os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("CLICOLOR_FORCE", "0") != "0" or os.environ.get("FORCE_COLOR"):
            return True
        return stream.isatty() and os.environ.get("TERM") != "dumb" and os.environ.get("CLICOLOR") != "0"


colours = Colours()
"""Of this process, which has but one command line."""


def console(stream: TextIO) -> Console:
    """Return a console for *stream*: no wrapping, and colours only where they are wanted."""
    wanted = colours.on(stream)
    return SafeConsole(
        file=trusted(stream),
        force_terminal=True if wanted else None if stream.isatty() else False,
        no_color=not wanted,
        color_system="auto" if stream.isatty() or not wanted else "standard",
        highlight=False,
        soft_wrap=True,
    )


def styled(stream: TextIO, *parts: str | tuple[str, str]) -> None:
    """Print a line of plain and of styled parts, as (text, style)."""
    text = Text.assemble(*parts)
    if colours.on(stream):
        console(stream).print(text, soft_wrap=True, highlight=False)
    else:
        stream.write(text.plain + "\n")
        stream.flush()
