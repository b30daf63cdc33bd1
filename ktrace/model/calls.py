"""The registry of what the model knows: system calls, and operations of the agent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ktrace.model.wait import MaySleep
from ktrace.state.call import Result

Answer = int | Result
"""What a system call returns."""

SystemCall = Callable[..., MaySleep[Answer]]
Operation = Callable[..., None]
Function = TypeVar("Function", bound=SystemCall)

SYSTEM_CALLS: dict[str, SystemCall] = {}
OPERATIONS: dict[str, Operation] = {}


def syscall(name: str) -> Callable[[Function], Function]:
    """Register a function as the model of system call *name*.

    It is called as ``f(task, *call.args)`` and returns an int or a :class:`Result`, or is a generator that yields
    where the kernel sleeps and then returns one of those. It raises :class:`Errno` to fail.
    """

    def register(function: Function) -> Function:
        if name in SYSTEM_CALLS:
            raise ValueError(f"two models of {name!r}")
        SYSTEM_CALLS[name] = function
        return function

    return register


def operation(name: str) -> Callable[[Operation], Operation]:
    """Register what the agent does to the guest besides system calls, such as ``spawn``.

    It is called as ``f(kernel, *call.args)``.
    """

    def register(function: Operation) -> Operation:
        if name in OPERATIONS:
            raise ValueError(f"two models of {name!r}")
        OPERATIONS[name] = function
        return function

    return register


def is_modelled(actor: str | None, name: str) -> bool:
    """Tell whether the model knows call *name* of an actor, or operation *name* where *actor* is ``None``."""
    return name in (OPERATIONS if actor is None else SYSTEM_CALLS)
