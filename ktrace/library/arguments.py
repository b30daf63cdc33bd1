"""What may be given to a call in Python, and what a call holds: results are values, actors names, texts bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ktrace.agent.syscalls import make_call
from ktrace.errors import UsageError
from ktrace.library.result import Result
from ktrace.state.call import NULL, Call
from ktrace.suggest import Written

_WORDS = frozenset({"sigaction"})
"""Calls that take a word of their own, as ``RECORD``."""


class Named:
    """Stands for an actor, or with a sign in front for the process group that it leads.

    :ivar name: the actor's
    """

    name: str
    _lab: object

    def __neg__(self) -> Group:
        return Group(f"-{self.name}", self._lab)

    def name_in(self, lab: object) -> str:
        """Return its name, by which calls and Worlds of *lab* have it.

        :raises UsageError: it is another lab's
        """
        if self._lab is not lab:
            raise UsageError(
                f"actor {self.name.removeprefix('-')} belongs to another lab",
                "a clone has actors of its own: lab.prepared, lab.actor(NAME)",
            )
        return self.name


class Group(Named):
    """The process group that an actor leads."""

    def __init__(self, name: str, lab: object) -> None:
        self.name = name
        self._lab = lab


def call_of(lab: object, name: str, args: tuple[Any, ...], named: Mapping[str, Any]) -> Call:
    """Make a call of what was given in Python.

    :param lab: whose actors it may name

    A ``str`` is the text that a script has in quotes, in UTF-8, but as a member of a struct it is left as it is.

    :raises UsageError: the call or an argument of it is not known, missing or of the wrong kind
    :raises StillBlocked, CallFailed: an argument is a result without a value
    """
    __tracebackhide__ = True  # by pytest: what is wrong is in the line that made the step
    words = name in _WORDS
    try:
        given = [_argument(value, lab, words) for value in args]
        by_name = {key: _argument(value, lab, words) for key, value in named.items()}
    except UsageError as error:
        raise error.with_traceback(None) from None
    try:
        return make_call(name, *given, **by_name)
    except UsageError as error:
        hint = error.hint.python if isinstance(error.hint, Written) else error.hint
        raise UsageError(error.message, hint) from None


def _argument(value: Any, lab: object, words: bool) -> Any:
    """Return what a call holds for *value*; ``None`` is NULL."""
    return NULL if value is None else _given(value, lab, words)


def _given(value: Any, lab: object, words: bool) -> Any:
    if isinstance(value, Result):
        return value.__index__()
    if isinstance(value, Named):
        return value.name_in(lab)
    if isinstance(value, str):
        return value if words else value.encode()
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, (tuple, list)):
        return tuple([_given(item, lab, words) for item in value])
    if isinstance(value, Mapping):
        return {key: item if isinstance(item, str) else _given(item, lab, words) for key, item in value.items()}
    return value
