"""Guests for sequences of random calls, made ready in advance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ktrace.fuzz.leaks import Census
from ktrace.machine import pool
from ktrace.machine.template.template import Template


class Pool(pool.Pool):
    """Clone *template* ahead of need, and remember what all clones have.

    :ivar facts: what was read of the first guest before it began, and *census* what its kernel had then: every clone
        has the same
    """

    def __init__(self, template: Template, scratch: Path, ahead: int = 1) -> None:
        super().__init__(template, scratch, ahead)
        self.facts: Mapping[str, Any] | None = None
        self.census: Census | None = None
