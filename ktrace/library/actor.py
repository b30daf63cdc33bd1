"""An actor: a process in the guest that makes calls when it is told to."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ktrace.agent.syscalls import ALIASES, CALL_NAMES, signature
from ktrace.errors import UsageError
from ktrace.library.arguments import Named
from ktrace.library.result import CallFailed, Result
from ktrace.state.process.process import Process

if TYPE_CHECKING:
    from ktrace.library.lab import Lab

_FROM_OUTSIDE = frozenset({"spawn", "sysctl", "wait"})
"""What no actor does: methods of the lab."""
CALLS = tuple(sorted(set(CALL_NAMES) - _FROM_OUTSIDE))
"""The names of all methods that are calls."""


_FORMS = "A struct is a tuple of its members in this order, or a dict; an array is a list; NULL is None."


class _LeftOut:
    """What stands behind a parameter that need not be given."""

    def __repr__(self) -> str:
        return "…"


_LEFT_OUT = _LeftOut()


class UnknownCall(UsageError, AttributeError):
    """An actor has no such call."""


class Actor(Named):
    """Make calls in the guest: every system call that ktrace speaks is a method, written as in scripts.

    ``actor.read(fd, 4096)``: arguments as in the C prototype, with or without the buffers that the kernel fills, or by
    name. ``help(actor.read)`` shows them. Each returns a :class:`Result`.

    :ivar name: as in sessions: ``A``, ``B``, ...
    """

    _lab: Lab

    def __init__(self, lab: Lab, name: str) -> None:
        self._lab = lab
        self.name = name

    @property
    def alive(self) -> bool:
        """Whether it lives: it has been spawned or forked, and has not ended."""
        return self.name in self._lab.actors

    @property
    def pid(self) -> int:
        """Its process id in the initial pid namespace (``pid_t``).

        :raises UsageError: it does not live
        """
        return self.process.pid

    @property
    def process(self) -> Process:
        """Its ``task_struct`` after the last step, as far as IPC goes.

        :raises UsageError: it does not live
        """
        return self._lab.process(self)

    @property
    def waiting(self) -> Result | None:
        """The call inside which it is, ``None`` where it is in none."""
        return self._lab.pending(self.name)

    def call(self, name: str, /, *args: Any, **named: Any) -> Result:
        """Make the call of that *name*.

        :raises UsageError: there is none, an argument is wrong, or the actor cannot make it now
        :raises Divergence: the kernel did what the model does not allow
        """
        __tracebackhide__ = True
        return self._lab.make(self, name, args, named)

    def fork(self, flags: int = 0, name: str | None = None) -> Actor:
        """Fork (``kernel/fork.c: kernel_clone()``), and return the child.

        :param flags: CLONE_* that do not make a thread (``unsigned long``)
        :param name: of the child; default the next free letter
        :raises CallFailed: the kernel has not done it
        """
        child = self._lab.new_name(name)
        result = self.call("fork", child, flags)
        if result.errno is not None:
            raise CallFailed(f"{result.step.text} failed with {result.errno}: there is no child", result.errno)
        return self._lab.actors[child]

    def __getattr__(self, name: str) -> Callable[..., Result]:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in _FROM_OUTSIDE:
            raise UnknownCall(f"no actor does {name!r}", f"the lab does: lab.{name}(...)")
        try:
            entry = None if name in ALIASES else signature(name)
        except UsageError as error:
            raise UnknownCall(error.message, error.hint) from None

        def method(*args: Any, **named: Any) -> Result:
            __tracebackhide__ = True
            return self.call(name, *args, **named)

        method.__name__ = method.__qualname__ = name
        if entry is None:
            method.__doc__ = f"Make the system call {name}(2), with its arguments in C's order."
            return method
        method.__doc__ = f"Make the system call {name}(2): {entry.prototype()}.\n\n{entry.described()}\n\n{_FORMS}"
        places = [
            inspect.Parameter(
                param.name,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=_LEFT_OUT if param.optional else inspect.Parameter.empty,
            )
            for param in entry.inputs
        ]
        method.__signature__ = inspect.Signature(places, return_annotation=Result)  # type: ignore[attr-defined]
        return method

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *CALLS})

    def __repr__(self) -> str:
        waiting = self.waiting if self.alive else None
        state = "ended" if not self.alive else "ready" if waiting is None else f"inside {waiting.step.text}"
        return f"<actor {self.name}, {state}>"
