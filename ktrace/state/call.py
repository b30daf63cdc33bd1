"""System calls and their results, as workloads write them and as model and kernel answer them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from ktrace.state.quick import dataclass


@dataclass(frozen=True, slots=True)
class Pointer:
    """An address given where a buffer is expected, to be passed on as it is.

    :param value: the address; nothing is stored there, nothing is loaded from there
    """

    value: int


COUNTED = 1 << 18
"""Bytes of a buffer that a call may count: what nobody gave of them is zeros."""

UNWRITTEN = 0xB7
"""What every byte of an out-buffer holds before the call: the kernel has not written one that holds it afterwards."""

NULL = Pointer(0)
BAD = Pointer(0xBAD00)
"""An address that no actor ever has mapped: EFAULT."""


@dataclass(frozen=True, slots=True)
class Call:
    """Ask for one system call, or one operation on an actor.

    :param name: the system call's name, or ``fork``, ``exit``, ``kill``, ``store``, ``load``, ``sigaction``
    :param args: decoded arguments in the order of its signature: ints, ``bytes``, tuples of structs
        as dicts with the C member names; always of full length. A :class:`Pointer` may stand for a buffer
    :param pointers: explicit addresses for out-buffers, by parameter name; normally empty
    :param memory: what a program has from some addresses on, up to where it has nothing: of buffers that are not whole
    """

    name: str
    args: tuple[Any, ...] = ()
    pointers: Mapping[str, Pointer] = field(default_factory=dict)
    memory: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """Tell how a call ended.

    :param value: what the call returned, -1 with an errno
    :param errno: its name, such as ``EAGAIN``, or ``None``
    :param out: decoded out-buffers by parameter name; empty after an error
    """

    value: int
    errno: str | None = None
    out: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Completed:
    """An actor's call returned."""

    actor: str
    result: Result


@dataclass(frozen=True, slots=True)
class Signalled:
    """An actor's handler ran.

    :param signal: the signal's name, such as ``SIGPIPE``
    :param code: ``si_code`` as an int
    :param sender: the actor whose pid is in ``si_pid``; ``None`` where the kernel or the agent sent it
    :param fd: ``si_fd`` and *band* ``si_band`` where the signal is SIGIO or a queued one; else 0
    """

    actor: str
    signal: str
    code: int = 0
    sender: str | None = None
    fd: int = 0
    band: int = 0


@dataclass(frozen=True, slots=True)
class Exited:
    """An actor ended.

    :param status: its exit status, or ``None`` where a signal ended it
    :param signal: the signal's name, or ``None``
    """

    actor: str
    status: int | None = None
    signal: str | None = None


@dataclass(frozen=True, slots=True)
class Stopped:
    """An actor was stopped, and is so at the step's end.

    :param signal: name of the signal that did it, such as ``SIGSTOP``
    """

    actor: str
    signal: str


@dataclass(frozen=True, slots=True)
class Continued:
    """An actor that was stopped goes on."""

    actor: str


Event = Completed | Signalled | Exited | Stopped | Continued


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that one step made happen.

    :param events: in the order in which they happened
    :param blocked: the actors that are inside a call at the step's end
    """

    events: tuple[Event, ...]
    blocked: frozenset[str] = frozenset()
