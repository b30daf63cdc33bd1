"""Fill one cell of a matrix: run its workload in a guest of its image, as ``ktrace run`` does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ktrace.errors import InternalError, KernelLacks, KtraceError
from ktrace.state.conditions import conditions
from ktrace.state.step import Step as DoneStep
from ktrace.trace.session import Choices, End, Header, Verdict
from ktrace.verify.guests import Guests, prepare_guests
from ktrace.verify.matrix.cell import NOT_THERE, Cell, CellTask, CellVerdict
from ktrace.verify.notify import Notify
from ktrace.verify.options import GuestOptions, SessionOptions
from ktrace.verify.paths import paths_file
from ktrace.verify.sessions import run_session
from ktrace.workload.script import Condition, Repeat, Script, Step, unrolled


class Filler:
    """Fill cells one after the other; the guests of the image that was asked for last are kept.

    :param guest: what guests are to be made of, but for the image
    :param session: what each session is to do, but for its directory
    """

    def __init__(self, guest: GuestOptions, session: SessionOptions, notify: Notify) -> None:
        self._guest = guest
        self._session = session
        self._notify = notify
        self._guests: tuple[str, Guests] | None = None
        self._useless: dict[str, KtraceError] = {}

    def fill(self, task: CellTask) -> CellVerdict:
        """Return what became of *task*: whatever goes wrong is a verdict, too."""
        note = _Noted(task.script)
        try:
            guests = self._of(task.cell.image)
            session = replace(
                self._session, directory=Path(task.directory), force=True, paths=paths_file(task.cell.workload)
            )
            end = run_session(guests, task.script, note, session)
        except KtraceError as error:
            return _failed(task.cell, error, note)
        except Exception as error:
            return _failed(task.cell, InternalError.of(error), note)
        return _ended(task.cell, end, note)

    def _of(self, image: str) -> Guests:
        """Return guests of *image*; one that could not be had is not asked for again.

        :raises KtraceError: it cannot be had
        """
        if image in self._useless:
            raise self._useless[image]
        if self._guests is None or self._guests[0] != image:
            self._guests = None
            try:
                self._guests = (image, prepare_guests(replace(self._guest, image=image), self._notify))
            except KtraceError as error:
                self._useless[image] = error
                raise
        return self._guests[1]


class _Noted:
    """Take from a session what its cell says."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.release = ""
        self.left_out: tuple[str, ...] = ()
        self.empty = False
        self.first = ""
        self.steps = 0

    def header(self, header: Header) -> None:
        self.release = str(header.manifest.get("release", ""))
        known = conditions(header.facts)
        self.left_out = tuple(dict.fromkeys(unmet(self._script.steps, known)))
        self.empty = bool(self.left_out) and next(unrolled(self._script.steps, known=known), None) is None

    def step(self, step: DoneStep) -> None:
        self.steps = step.number

    def choices(self, choices: Choices) -> None:
        pass

    def verdict(self, verdict: Verdict) -> None:
        where = f"step {verdict.number}" if verdict.number else "before the first step"
        if verdict.differences:
            item = verdict.differences[0]
            self.first = f"{where}: {item.path} observed {item.observed}, allowed {item.expected}"
        elif verdict.complaints:
            self.first = f"{where}: {verdict.complaints[0]}"

    def end(self, end: End, place: str = "") -> None:
        pass


def unmet(steps: tuple[Step | Repeat, ...], known: Mapping[str, bool | None]) -> Iterator[str]:
    """Yield the conditions of blocks that a kernel is not given, as they are written.

    :param known: what holds of the kernel
    """
    for item in steps:
        if not isinstance(item, Repeat):
            continue
        if item.condition is not None and not item.condition.holds(known):
            yield _written(item.condition)
        else:
            yield from unmet(item.steps, known)


def _written(condition: Condition) -> str:
    return " and ".join(name if wanted else f"not {name}" for name, wanted in condition.terms)


def _ended(cell: Cell, end: End, note: _Noted) -> CellVerdict:
    status, message = end.status, note.first or end.message
    if status == "agreed" and note.empty:
        status, message = NOT_THERE, f"it needs {', '.join(note.left_out)}"
    elif status not in ("agreed", "diverged"):
        status, message = "usage", end.message
    return CellVerdict(
        cell.workload, cell.image, status, "" if status == "agreed" else message, end.steps, end.fields, note.release,
        note.left_out,
    )  # fmt: skip


def _failed(cell: Cell, error: KtraceError, note: _Noted) -> CellVerdict:
    status = NOT_THERE if isinstance(error, KernelLacks) else "bug" if error.blame == "model" else error.blame
    message = f"{error.message}; {error.hint}" if error.hint else error.message
    return CellVerdict(cell.workload, cell.image, status, message, note.steps, 0, note.release, note.left_out)
