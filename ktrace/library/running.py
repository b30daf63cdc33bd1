"""A guest at work in a session of its own: steps are made, written and judged as ``ktrace run`` does it."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ktrace.errors import KtraceError, UsageError
from ktrace.image.store import host_errors
from ktrace.inspect.trace.clocks import read_clocks
from ktrace.library.divergence import Told
from ktrace.machine.machine import Machine
from ktrace.machine.template.template import Template
from ktrace.state.call import Call
from ktrace.state.step import Step
from ktrace.trace.session import FILE_NAME, UNCHECKED, End, Header
from ktrace.trace.session_state import SessionState
from ktrace.trace.session_writer import SessionWriter, Written
from ktrace.verify.guests import Guests
from ktrace.verify.judge import Judging
from ktrace.verify.lab import Lab as GuestLab
from ktrace.verify.observe import observe_step
from ktrace.verify.paused import Inspection
from ktrace.verify.rerun import arrive
from ktrace.verify.sessions import FileAndSink


@dataclass(frozen=True)
class Moment:
    """A guest as it was after a step, with what model and session knew then.

    :param session: the file that *written* is the beginning of
    """

    template: Template
    header: Header
    steps: tuple[Step, ...]
    state: SessionState
    session: Path
    written: Written


@dataclass(frozen=True)
class Left:
    """What was done in a checkpoint that an exception ended.

    :param session: its session, with what was done before; *steps* are all of them
    """

    error: BaseException
    session: Path
    steps: tuple[Step, ...]


class Running:
    """Run a session in a fresh guest, or go on from a *moment* of another.

    :param place: the session's directory
    :param title: what it is a session of, *name* the same in kebab-case
    :param checked: hold every step against the model
    :raises Divergence: the guest begins as the model does not
    """

    def __init__(
        self, guests: Guests, place: Path, title: str, name: str, checked: bool, moment: Moment | None = None
    ) -> None:
        self.guests = guests
        self.place = place
        self.checked = checked
        self.steps: list[Step] = []
        self.broken = ""
        self._told = Told()
        self._owned = ExitStack()
        self._guest = ExitStack()
        self._began = time.monotonic_ns()
        self._process = os.getpid()
        self._busy = threading.Lock()
        with self._owned:
            self._owned.callback(self._close_guest)
            beginning = None if moment is None else (moment.session, moment.written)
            self._writer = self._owned.enter_context(SessionWriter(place, beginning))
            self._sink = FileAndSink(self._writer, self._told, place, None, guests.require_whole)
            if moment is None:
                self._begin(title, name)
            else:
                self._go_on(moment)
            self._owned = self._owned.pop_all()

    # -- a guest -----------------------------------------------------------------------------------

    def _begin(self, title: str, name: str) -> None:
        self._enter(None)
        lab = self.lab
        manifest = {**self.guests.manifest(lab, shlex.join(sys.argv)), "workload": name}
        self.header = Header(title, lab.facts, manifest, lab.look(), read_clocks(lab.kernel), lab.fresh)
        self._state = SessionState(self.header.initial, dict(self.header.addresses))
        self._judging = self._new_judging()
        if self._judging is None:
            self._sink.header(self.header)
        elif self._judging.begin() is not None:
            self._diverged()

    def _go_on(self, moment: Moment) -> None:
        self.header = moment.header
        self._state = _copied(moment.state)
        self._enter((moment.template, moment.state))
        arrive(moment.state, Inspection(self.lab.inspector, self.lab.namer), exact=True)
        self.steps = list(moment.steps)
        self._told.header(self.header)
        self._judging = self._new_judging()
        if self._judging is not None:
            self._judging.begin_again(moment.steps)

    def _enter(self, checkpoint: tuple[Template, SessionState] | None) -> None:
        self.lab: GuestLab
        self.machine: Machine
        self.lab, self.machine = self._guest.enter_context(self.guests.lab(self.place, checkpoint))
        self._tracer = self.guests.tracer(self.lab, self.machine)

    def _close_guest(self) -> None:
        self._guest.close()

    def _new_judging(self) -> Judging | None:
        if not self.checked:
            return None
        return Judging(self.header, self._sink, history=lambda: self.steps, just_read=True)

    @property
    def is_own(self) -> bool:
        """Whether this process began it, not one that it was forked from."""
        return os.getpid() == self._process

    def require_own(self) -> None:
        """See that whoever uses the guest is who began it.

        :raises UsageError: it is a child of that process
        """
        if not self.is_own:
            raise UsageError(f"this lab belongs to process {self._process}, not to its child", "begin one of your own")

    # -- steps -------------------------------------------------------------------------------------

    def step(self, actor: str | None, call: Call) -> Step:
        """Have *actor* make *call*, look at what it left, and hold that against the model.

        :raises UsageError: the call cannot be made: it never reached the guest
        :raises NotModelled: the model does not know what the kernel does here
        :raises Divergence: the kernel did what the model does not allow
        :raises GuestError: the guest failed
        """
        __tracebackhide__ = True
        with self._alone():
            return self._step(actor, call)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """See that no other thread is at a step, saves or goes back meanwhile.

        :raises UsageError: one is
        """
        if not self._busy.acquire(blocking=False):
            raise UsageError(
                "another thread is at a step of this lab",
                "let one thread at a time use it, or give each a lab of its own",
            )
        try:
            yield
        finally:
            self._busy.release()

    def _step(self, actor: str | None, call: Call) -> Step:
        __tracebackhide__ = True
        if self.broken:
            raise UsageError(f"this lab cannot go on: {self.broken}", "go back to a checkpoint, or begin another lab")
        number = len(self.steps) + 1
        try:
            step = observe_step(self.lab, number, actor, call, self._tracer, began=self._began)
        except UsageError:
            raise
        except BaseException as error:
            self._fail(number, error)
            raise
        with self._failing(number):
            self._state.follow(step)
            self.steps.append(step)
            if self._judging is None:
                self._sink.step(step)
                return step
            self._judging.submit(step)
            if self._judging.settle() is not None:
                self._diverged()
        return step

    def _diverged(self) -> None:
        __tracebackhide__ = True
        assert self._told.divergence is not None
        raise self._told.divergence

    @contextmanager
    def _failing(self, number: int) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self._fail(number, error)
            raise

    def _fail(self, number: int, error: BaseException) -> None:
        """Say in the session, and of the error, what became of step *number*."""
        text = error.message if isinstance(error, KtraceError) else type(error).__name__
        self.broken = text.partition("\n")[0]
        self._writer.console(number, self.machine.console.fresh())
        self.machine.explain(error)
        error.add_note(f"session {self.place}")

    # -- going back --------------------------------------------------------------------------------

    def save(self, directory: Path) -> Moment:
        """Save guest, model and session as they are now.

        :param directory: for the guest's RAM and devices, of a few MB
        :raises UsageError: the lab cannot go on
        :raises HostError: no room, or QEMU refuses
        """
        if self.broken:
            raise UsageError(f"this lab cannot be saved: {self.broken}")
        if self.guests.options.probes:
            raise UsageError("a lab with probes cannot be saved", "leave out probes")
        with self._alone():
            template = self.guests.save(self.machine, directory)
        session = self.place / FILE_NAME
        return Moment(
            template, self.header, tuple(self.steps), _copied(self._state), session, self._writer.written()
        )  # fmt: skip

    def save_apart(self, directory: Path) -> Moment:
        """Save guest, model and session as they are now where they outlive this lab; otherwise like :meth:`save`."""
        moment = self.save(directory / "guest")
        return replace(moment, session=self._copy_session(directory))

    def leave(self, name: str) -> Path:
        """Keep the session as it is now in a directory of that *name* below its own, and return that."""
        directory = self.place / name
        directory.mkdir(mode=0o700)
        self._copy_session(directory)
        return directory

    def _copy_session(self, directory: Path) -> Path:
        with host_errors("write", directory):
            return Path(shutil.copyfile(self.place / FILE_NAME, directory / FILE_NAME))

    def go_back(self, moment: Moment) -> None:
        """Be again where *moment* was, in a new guest.

        :raises HostError: no room
        """
        self._close_guest()
        self._writer.go_back(moment.written)
        self.broken = ""
        with self._failing(len(moment.steps)):
            self._go_on(moment)

    # -- the end -----------------------------------------------------------------------------------

    def close(self, error: BaseException | None = None) -> None:
        """End the guest and the session.

        :param error: what ended it, ``None`` where it has come to its end
        """
        if not self.is_own:
            return  # a child has no guest that it could end
        with self._owned:
            if self._judging is None:
                self._writer.end(End(UNCHECKED, len(self.steps), 0, 0))
            elif isinstance(error, (KtraceError, KeyboardInterrupt)) and self._judging.verdict is None:
                blame = error.blame if isinstance(error, KtraceError) else "interrupted"
                self._writer.end(End(blame, len(self.steps), 0, 0, str(error)))
            elif self.broken and self._judging.verdict is None:
                self._writer.end(End("guest", len(self.steps), 0, 0, self.broken))
            else:
                self._judging.end()


def _copied(state: SessionState) -> SessionState:
    return replace(
        state,
        addresses=dict(state.addresses),
        names_by_pid=dict(state.names_by_pid),
        calls=dict(state.calls),
    )
