"""Every constant that scripts may name, by its name: ``from ktrace.constants import O_NONBLOCK, SEM_UNDO``."""

from __future__ import annotations

from typing import Any

from ktrace.agent.syscalls import CONSTANTS, HANDLERS
from ktrace.state.call import BAD, NULL
from ktrace.suggest import did_you_mean

_OTHERS = {"NULL": NULL, "BAD": BAD, **{word: handler for word, handler in HANDLERS.items() if word not in CONSTANTS}}
"""Addresses, and what ``sigaction`` takes."""

__all__ = sorted([*CONSTANTS, *_OTHERS])


def __getattr__(name: str) -> Any:
    if name in CONSTANTS:
        return CONSTANTS[name]
    if name in _OTHERS:
        return _OTHERS[name]
    raise AttributeError(f"no constant {name!r}: {did_you_mean(name, __all__)}")


def __dir__() -> list[str]:
    return list(__all__)
