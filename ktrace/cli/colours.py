"""Whether there are colours."""

from __future__ import annotations

import os
from typing import TextIO


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
