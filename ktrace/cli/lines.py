"""Lines of plain and of styled parts; nothing that draws is loaded where there are no colours."""

from __future__ import annotations

from typing import TextIO

from ktrace.cli.colours import colours


def styled(stream: TextIO, *parts: str | tuple[str, str]) -> None:
    """Print a line of plain and of styled parts, as (text, style)."""
    if colours.on(stream):
        from ktrace.cli.style import print_parts  # rich takes longer to load than all else that an error needs

        print_parts(stream, *parts)
    else:
        stream.write("".join(part if isinstance(part, str) else part[0] for part in parts) + "\n")
        stream.flush()
