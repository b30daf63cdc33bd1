"""How often Python looks for cycles of dead objects."""

from __future__ import annotations

import gc


def look_seldom() -> None:
    """Have Python look for cycles less often than at every 700 objects: modules and steps leave none behind."""
    gc.set_threshold(200_000, 20, 100)
