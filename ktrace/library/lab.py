"""A lab: a fresh guest whose actors make calls, each of them looked at and held against the model."""

from __future__ import annotations

import atexit
import re
import shutil
import string
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import count, product
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from ktrace.errors import KtraceError, UsageError
from ktrace.library.actor import Actor
from ktrace.library.arguments import call_of
from ktrace.library.divergence import told_steps
from ktrace.library.find import note_members
from ktrace.library.guests import guests_of
from ktrace.library.prepared import Prepared, moved, private_directory
from ktrace.library.result import Result
from ktrace.library.running import Left, Moment, Running
from ktrace.library.views import Views
from ktrace.state.call import Completed, Exited
from ktrace.state.step import Step
from ktrace.state.world import World
from ktrace.trace.changes import Change, changes
from ktrace.verify.options import GuestOptions, SessionOptions
from ktrace.verify.sessions import session_directory

if TYPE_CHECKING:
    import drgn

_NAME = re.compile(r"[A-Z]\w*", re.ASCII)
_KEBAB = re.compile(r"[^a-z0-9]+")


class Lab(Views):
    """A guest, and the actors in it; made by :func:`ktrace.lab`, running inside its ``with``.

    :ivar prepared: what was given to :meth:`prepare`, where this is a clone of a prepared lab
    """

    def __init__(
        self,
        options: GuestOptions,
        *,
        checked: bool = True,
        session: Path | None = None,
        title: str = "",
        moment: Moment | None = None,
        prepared: Any = None,
    ) -> None:
        self._options = options
        self._checked = checked
        self._wanted = session
        self._title = title
        self._moment = moment
        self._keep = session is not None
        self._running: Running | None = None
        self._ended = False
        self._pending: dict[str, Result] = {}
        self._names: set[str] = set()
        self._saved = count(1)
        self._checkpoints: list[int] = []
        self._left: Left | None = None
        self.prepared = prepared

    # -- begin and end -----------------------------------------------------------------------------

    def __enter__(self) -> Lab:
        if self._running is not None or self._ended:
            raise UsageError("a lab begins once", "make another with ktrace.lab()")
        guests = guests_of(self._options)
        name = _KEBAB.sub("-", self._title.lower()).strip("-")[:60] or "lab"
        self._place = session_directory(SessionOptions(self._wanted), name)
        try:
            self._running = Running(guests, self._place, self._title, name, self._checked, self._moment)
        except BaseException as error:
            self._ended = True
            if isinstance(error, KtraceError):
                error.add_note(f"session {self._place}")
            else:
                self._remove()
            raise
        _open.add(self)
        if self._moment is not None:
            self._take_over(self._moment)
            self.prepared = moved(self.prepared, self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._running is None:
            return  # Python may be about to end, and have nothing left
        note_members(error)
        if error is not None and not self._is_noted(error):
            error.add_note(f"session {self._place}")
        self.close(error)

    def close(self, error: BaseException | None = None) -> None:
        """End the lab; harmless when done already.

        :param error: what ended it: its session is kept
        """
        running, self._running = self._running, None
        self._ended = True
        _open.discard(self)
        if running is None:
            return
        try:
            running.close(error)
        finally:
            # Whoever skips a test by an exception has nothing to look at.
            if not self._keep and running.is_own and not isinstance(error, (Exception, KeyboardInterrupt)):
                self._remove()

    def keep(self) -> Path:
        """Have the session kept, however the lab ends, and return its directory."""
        self._keep = True
        return self.session

    def _remove(self) -> None:
        shutil.rmtree(self._place, ignore_errors=True)

    def _is_noted(self, error: BaseException) -> bool:
        return f"session {self._place}" in getattr(error, "__notes__", ())

    def _take_over(self, moment: Moment) -> None:
        """Know the actors of the lab that this one is a clone of."""
        self._names.update(moment.state.names_by_pid.values())
        for name, call in moment.state.calls.items():
            result = Result(self, Actor(self, name), call)
            result.step = next(step for step in reversed(moment.steps) if step.actor == name)
            self._pending[name] = result

    @property
    def _guest(self) -> Running:
        if self._running is None:
            what = "has ended" if self._ended else "has not begun"
            raise UsageError(f"this lab {what}", "use it inside of: with ktrace.lab() as lab")
        self._running.require_own()
        return self._running

    def __repr__(self) -> str:
        running = self._running
        state = f"{len(running.steps)} steps" if running is not None else "ended" if self._ended else "not begun"
        return f"<lab {self.image}, {state}>"

    # -- actors and steps --------------------------------------------------------------------------

    def spawn(
        self,
        name: str | None = None,
        *,
        uid: int | None = None,
        gid: int | None = None,
        groups: tuple[int, ...] | list[int] | None = None,
    ) -> Actor:
        """Bring up an actor, a child of the agent.

        :param name: default the next free letter
        :param uid: user id, *gid* group id, *groups* the others; default root's
        :raises UsageError: the name is taken or none, or there are too many actors
        """
        name = self.new_name(name)
        credentials = {
            key: value for key, value in (("uid", uid), ("gid", gid), ("groups", groups)) if value is not None
        }
        self.make(None, "spawn", (name, credentials), {})
        return self.actors[name]

    def kill(self, actor: Actor, signum: int) -> Result:
        """Send *actor* a signal from outside (``kernel/signal.c: kill_something_info()``), as the agent.

        :param signum: SIG*
        """
        return self.make(None, "kill", (actor, signum), {})

    def sysctl(self, path: str, value: str | int) -> Result:
        """Set a sysctl.

        :param path: below ``/proc/sys``, such as ``"fs/pipe-max-size"``
        :raises UsageError: the kernel refuses it, or the model does not know it
        """
        return self.make(None, "sysctl", (path, str(value)), {})

    def wait(self, milliseconds: int) -> Result:
        """Let time pass in the guest: timers end, who waits for them returns.

        :param milliseconds: of the guest's CLOCK_MONOTONIC
        """
        return self.make(None, "wait", (milliseconds,), {})

    def make(self, actor: Actor | None, name: str, args: tuple[Any, ...], named: Mapping[str, Any]) -> Result:
        """Make one step: have *actor* make the call of that *name*; ``None`` is ktrace itself, from outside.

        :raises UsageError: there is no such call, an argument is wrong, or the actor cannot make it now
        :raises NotModelled: the model does not know what the kernel does here
        :raises Divergence: the kernel did what the model does not allow
        :raises GuestError: the guest failed
        """
        __tracebackhide__ = True  # by pytest: what is wrong is in the line that made the step
        running = self._guest
        result = Result(self, actor, call_of(self, name, args, named))
        step = running.step(None if actor is None else actor.name, result.call)
        result.step = step
        if actor is None:
            result.value = 0
        else:
            self._pending[actor.name] = result
        for event in step.outcome.events:
            if isinstance(event, (Completed, Exited)) and event.actor in self._pending:
                self._pending[event.actor].take(event)
                if event.actor not in step.outcome.blocked:
                    del self._pending[event.actor]
        if actor is not None and actor.name not in step.outcome.blocked:
            self._pending.pop(actor.name, None)
        return result

    def new_name(self, name: str | None) -> str:
        """Return *name*, or the first letters that no actor has had.

        :raises UsageError: it cannot be an actor's name
        """
        if name is None:
            letters = ("".join(some) for size in count(1) for some in product(string.ascii_uppercase, repeat=size))
            name = next(some for some in letters if some not in self._names)
        elif not isinstance(name, str) or not _NAME.fullmatch(name):
            raise UsageError(f"{name!r} is no actor's name", "write a capital letter, then letters, digits or _")
        self._names.add(name)
        return name

    def actor(self, name: str) -> Actor:
        """Return the actor of that *name*, whether it lives or not."""
        return Actor(self, name)

    def pending(self, name: str) -> Result | None:
        """Return the call inside which the actor of that *name* is, ``None`` where it is in none."""
        return self._pending.get(name)

    def sleeps(self, name: str) -> tuple[str, ...]:
        """Return the kernel functions in which the actor of that *name* sleeps, innermost first."""
        steps = self._guest.steps
        return steps[-1].sleeps.get(name, ()) if steps else ()

    @property
    def actors(self) -> Mapping[str, Actor]:
        """The actors that live, by name."""
        return MappingProxyType({name: Actor(self, name) for name in self._guest.lab.actors.alive})

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps so far, as they were observed."""
        return tuple(self._guest.steps)

    @property
    def time(self) -> int:
        """The guest's CLOCK_REALTIME_COARSE after the last step, in ns; 0 before the first."""
        steps = self._guest.steps
        return steps[-1].guest[1] if steps else 0

    # -- what there is -----------------------------------------------------------------------------

    @property
    def world(self) -> World:
        """All that the actors can reach, as it was after the last step."""
        running = self._guest
        return running.steps[-1].world if running.steps else running.header.initial

    @property
    def changes(self) -> tuple[Change, ...]:
        """What the last step changed, field by field."""
        running = self._guest
        worlds = [running.header.initial, *(step.world for step in running.steps[-2:])]
        return tuple(changes(worlds[-2], worlds[-1])) if running.steps else ()

    @property
    def program(self) -> drgn.Program:
        """drgn's program of the guest's kernel: types, symbols, and its memory as it is now."""
        return self._guest.lab.kernel.prog

    @property
    def release(self) -> str:
        """The kernel's release, as uname(2) has it."""
        return self._guest.lab.hello.release

    @property
    def image(self) -> str:
        """The name of the image."""
        return self._options.image

    @property
    def session(self) -> Path:
        """The directory of the session: every step, as it happened; it stays if the lab ends by an exception."""
        return self._guest.place

    def told(self, last: int = 5) -> str:
        """Return the *last* steps, each with what it changed, as ``ktrace run`` prints them."""
        running = self._guest
        return told_steps(running.header, tuple(running.steps), last)

    def told_of(self, error: BaseException | None, last: int = 5) -> tuple[Path, str]:
        """Return where the session of what led to *error* lies, and its *last* steps as :meth:`told` has them.

        A checkpoint that an exception ended went back: what was done in it is no longer what this lab did.
        """
        if self._left is None or self._left.error is not error:
            return self.session, self.told(last)
        return self._left.session, told_steps(self._guest.header, self._left.steps, last)

    # -- going back --------------------------------------------------------------------------------

    @contextmanager
    def checkpoint(self) -> Iterator[None]:
        """Go back, at the end of the ``with``, to where it begins: guest, model, session, calls that have not returned.

        What was done inside is gone then, also what ended it: an exception goes on, the session that led to it lies
        below the lab's, in ``left-1`` and so on, and is kept where that is.

        :raises UsageError: the lab cannot go on, or has probes
        :raises HostError: no room
        """
        running = self._guest
        number = next(self._saved)
        directory = running.place / f"checkpoint-{number}"
        moment = running.save(directory)
        pending = dict(self._pending)
        self._checkpoints.append(number)
        try:
            yield
        except GeneratorExit:
            raise  # nobody goes on
        except BaseException as error:
            if self._running is running and number in self._checkpoints:
                if self._left is None or self._left.error is not error:  # the innermost has seen most
                    self._left = Left(error, running.leave(f"left-{number}"), tuple(running.steps))
                    error.add_note(f"session {self._left.session}")
                self._go_back(running, moment, pending)
            raise
        else:
            if self._running is running:
                if number not in self._checkpoints:
                    raise UsageError("this checkpoint is gone: the lab went back to one before it", "nest them")
                self._go_back(running, moment, pending)
        finally:
            if number in self._checkpoints:
                del self._checkpoints[self._checkpoints.index(number) :]  # with those that began later
            shutil.rmtree(directory, ignore_errors=True)

    def _go_back(self, running: Running, moment: Moment, pending: dict[str, Result]) -> None:
        running.go_back(moment)
        self._pending = pending
        for result in pending.values():
            result.take_back()

    def prepare(self, *value: Any) -> Prepared:
        """Save this lab as it is now: every clone of what is returned begins here.

        :param value: what the clones are to find in :attr:`prepared`: one as it is, several as a tuple, actors as their
            own
        :raises UsageError: the lab cannot go on, or has probes
        :raises HostError: no room
        """
        with ExitStack() as stack:
            directory = stack.enter_context(private_directory())
            moment = self._guest.save_apart(directory)
            return Prepared(self, moment, stack.pop_all(), value[0] if len(value) == 1 else value)

    def another(self, moment: Moment, title: str, session: Path | None, prepared: Any) -> Lab:
        """Return a lab like this one that begins at *moment*."""
        return Lab(
            self._options,
            checked=self._checked,
            session=session,
            title=title or self._title,
            moment=moment,
            prepared=prepared,
        )


_open: WeakSet[Lab] = WeakSet()
"""Labs that have begun and not ended."""


@atexit.register
def _close_all() -> None:
    """End what nobody has ended, as in a generator that was left, while Python still has all that it takes."""
    for lab in list(_open):
        lab.close()
