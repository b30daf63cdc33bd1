"""Styled text on standard output and error: what is escaped before colours are added."""

from __future__ import annotations

from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from ktrace.cli.colours import colours
from ktrace.cli.streams import trusted
from ktrace.report.untrusted_text import printable_text


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


def print_parts(stream: TextIO, *parts: str | tuple[str, str]) -> None:
    """Print a line of plain and of styled parts, as (text, style), in colours."""
    console(stream).print(Text.assemble(*parts), soft_wrap=True, highlight=False)
