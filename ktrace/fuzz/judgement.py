"""What a finding is, once it was looked into."""

from __future__ import annotations

from enum import StrEnum


class Judgement(StrEnum):
    """What a finding is once it was looked into."""

    DIVERGENCE = "divergence"
    UNSTEADY = "unsteady"
    """It does not come again each time that its actions are made."""
    SOUND = "sound kernel, too"
    """The sound kernel does the same: the model is wrong."""
