"""What a call came to: at once, or where it blocked, as soon as a later step lets it return."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ktrace.errors import UsageError
from ktrace.state.call import Call, Completed, Event, Exited
from ktrace.state.step import Step
from ktrace.state.trace.functions import FunctionTrace
from ktrace.state.trace.probe import Hit
from ktrace.state.trace.tracepoint import EventTrace
from ktrace.trace.value import short

if TYPE_CHECKING:
    from ktrace.library.actor import Actor
    from ktrace.library.lab import Lab

NSEC_PER_MSEC = 1_000_000
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class CallFailed(UsageError):
    """A result was taken for a value, but the call failed.

    :ivar errno: its name, such as ``EAGAIN``
    """

    __module__ = "ktrace"

    def __init__(self, message: str, errno: str) -> None:
        super().__init__(message, "look at its errno first")
        self.errno = errno


class StillBlocked(UsageError):
    """A result was taken for a value, but the call has not returned.

    :ivar sleeps_in: the kernel functions in which its actor sleeps, innermost first
    """

    __module__ = "ktrace"

    def __init__(self, message: str, sleeps_in: tuple[str, ...]) -> None:
        super().__init__(message, "have another actor do what it waits for, or let time pass: result.wait(1000)")
        self.sleeps_in = sleeps_in


class Result:
    """What became of a call.

    It stands for its value where a call takes a number: ``a.read(fd, 10)`` where *fd* is the result of ``open``.
    Where the kernel wrote an array it can be taken apart: ``r, w = a.pipe2(0)``, ``a.pipe2(0)[0]``. Out values are
    attributes, too: ``result.buf``.

    :ivar actor: who made the call; ``None`` where ktrace did, from outside
    :ivar call: the call, with every default filled in
    :ivar step: the step in which it was made, as it was observed
    :ivar value: what it returned, -1 with an errno; ``None`` as long as it has not returned
    :ivar errno: the error's name, such as ``"EAGAIN"``, or ``None``
    :ivar out: what the kernel wrote, by parameter
    :ivar ended: how the actor ended, if it did so inside the call, or by it
    """

    def __init__(self, lab: Lab, actor: Actor | None, call: Call) -> None:
        self._lab = lab
        self.actor = actor
        self.call = call
        self.step: Step
        self._forget()

    def _forget(self) -> None:
        self.value: int | None = None
        self.errno: str | None = None
        self.out: Mapping[str, Any] = _NOTHING
        self.ended: Exited | None = None

    # -- what the lab tells it ---------------------------------------------------------------------

    def take(self, event: Completed | Exited) -> None:
        """Take how the call ended."""
        if isinstance(event, Exited):
            self.ended = event
        else:
            self.value, self.errno, self.out = event.result.value, event.result.errno, event.result.out

    def take_back(self) -> None:
        """Be blocked again: the lab went back to when it was."""
        self._forget()

    def moved(self, lab: Lab) -> Result:
        """Return the same result in *lab*, a clone of the lab that it is of."""
        copy = Result(lab, None if self.actor is None else lab.actor(self.actor.name), self.call)
        copy.step, copy.value, copy.errno, copy.out = self.step, self.value, self.errno, self.out
        copy.ended = self.ended
        return copy

    # -- what it says ------------------------------------------------------------------------------

    @property
    def blocked(self) -> bool:
        """Whether the actor is still inside the call."""
        return self.actor is not None and self._lab.pending(self.actor.name) is self

    @property
    def sleeps_in(self) -> tuple[str, ...]:
        """The kernel functions in which the actor sleeps, innermost first; none where the call has returned."""
        if self.actor is None or not self.blocked:
            return ()
        return self._lab.sleeps(self.actor.name)

    @property
    def events(self) -> tuple[Event, ...]:
        """What else the step made happen: calls of others that returned, signals, ends, in order."""
        return self.step.outcome.events

    @property
    def functions(self) -> FunctionTrace | None:
        """The kernel functions that the step went through; ``None`` unless the lab has ``functions=True``."""
        return self.step.functions

    @property
    def traced(self) -> EventTrace | None:
        """What tracepoints and kprobes recorded of the step; ``None`` unless the lab has ``events``."""
        return self.step.events

    @property
    def hits(self) -> tuple[Hit, ...]:
        """What was seen at the functions at which the lab's ``probes`` stop."""
        return self.step.probes

    def wait(self, milliseconds: int = 1000) -> Result:
        """Let time pass in the guest until the call has returned.

        :param milliseconds: of the guest's time, at most
        :raises StillBlocked: it has not; the error names where its actor sleeps
        """
        end = self._lab.time + milliseconds * NSEC_PER_MSEC
        while self.blocked and (left := end - self._lab.time) > 0:
            self._lab.wait(-(-left // NSEC_PER_MSEC))
        if self.blocked:
            raise self._still_blocked(f" after {milliseconds} ms")
        return self

    def __index__(self) -> int:
        self._require("has no value")
        assert self.value is not None
        return self.value

    def __int__(self) -> int:
        return self.__index__()

    def __bool__(self) -> bool:
        return self.__index__() != 0

    def __eq__(self, other: object) -> bool:
        return self.__index__() == other if isinstance(other, int) else self is other

    __hash__ = object.__hash__

    def __lt__(self, other: int) -> bool:
        return self.__index__() < other

    def __le__(self, other: int) -> bool:
        return self.__index__() <= other

    def __gt__(self, other: int) -> bool:
        return self.__index__() > other

    def __ge__(self, other: int) -> bool:
        return self.__index__() >= other

    def __add__(self, other: int) -> int:
        return self.__index__() + other

    __radd__ = __add__

    def __sub__(self, other: int) -> int:
        return self.__index__() - other

    def __rsub__(self, other: int) -> int:
        return other - self.__index__()

    def __iter__(self) -> Iterator[Any]:
        self._require("wrote nothing")
        arrays = [value for value in self.out.values() if isinstance(value, tuple)]
        if len(arrays) != 1:
            raise UsageError(
                f"{self.call.name} wrote no array that could be taken apart",
                f"it wrote {', '.join(self.out) or 'none'}",
            )
        return iter(arrays[0])

    def __getitem__(self, index: int) -> Any:
        return tuple(self)[index]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self.out:
            return self.out[name]
        if self.blocked:
            raise self._still_blocked("")
        written = ", ".join(self.out) or "nothing"
        why = f"failed with {self.errno}" if self.errno is not None else f"wrote {written}"
        raise AttributeError(f"{self.call.name} {why}: there is no {name!r}")

    def __repr__(self) -> str:
        who = f"{self.actor.name}: " if self.actor is not None else ""
        return f"<{who}{self.step.text} = {self._shown()}>"

    def _shown(self) -> str:
        if self.blocked:
            return " in ".join(["blocked", " < ".join(self.sleeps_in)] if self.sleeps_in else ["blocked"])
        if self.errno is not None:
            return f"-1 {self.errno}"
        if self.ended is not None:
            return f"ended by {self.ended.signal}" if self.ended.signal else f"exited {self.ended.status}"
        return " ".join([str(self.value), *(f"{name}={short(value)}" for name, value in self.out.items())])

    def _require(self, lacks: str) -> None:
        """See that the call has returned, and well.

        :raises StillBlocked, CallFailed: it has not
        """
        if self.blocked:
            raise self._still_blocked("")
        if self.errno is not None:
            raise CallFailed(f"{self.step.text} failed with {self.errno}: it {lacks}", self.errno)
        if self.value is None:
            raise UsageError(f"{self.step.text} did not return: it {lacks}")

    def _still_blocked(self, when: str) -> StillBlocked:
        assert self.actor is not None
        where = self.sleeps_in
        asleep = f"sleeps in {' < '.join(where)}" if where else "does not run"
        return StillBlocked(f"{self.actor.name} has not returned from {self.step.text}{when}: it {asleep}", where)
