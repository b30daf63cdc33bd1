"""What a kernel has of the known changes, as rules ask for it: what cannot be told of it is no answer."""

from __future__ import annotations

from dataclasses import fields
from typing import cast

from ktrace.model.task import AsObserved
from ktrace.state.changes import Changes


class _Told:
    """Answer with what was read of a kernel.

    A call whose rule asks for what cannot be told answers as it was seen to (``AsObserved``); a default is a guess.
    """

    def __init__(self, changes: Changes) -> None:
        for item in fields(changes):
            if (value := getattr(changes, item.name)) is not None:
                setattr(self, item.name, value)

    def __getattr__(self, name: str) -> bool:
        if name not in {item.name for item in fields(Changes)}:
            raise AttributeError(name)
        raise AsObserved(f"a kernel of which it cannot be told whether it has {name}", simulated=True)


def told(changes: Changes) -> Changes:
    """Return *changes*, of which those that are ``None`` raise :class:`AsObserved` when they are asked for."""
    return cast(Changes, _Told(changes))
