"""Run a step of the model again and note what runs: who changes a field, who returns what, who fails."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import ktrace.model
from ktrace.model.kernel import Kernel
from ktrace.model.observed import Evidence
from ktrace.model.task import Errno, Task
from ktrace.state.compare import ABSENT
from ktrace.state.ref import Ref
from ktrace.state.rule import Rule
from ktrace.state.step import Step

MODEL = f"{Path(ktrace.model.__file__).parent}{os.sep}"

PATIENCE = 5.0
"""Seconds for which Worlds are looked at while a step runs; what changes later is not seen."""

_ASIDE = ("elapse", "idle")
"""Hooks in which kernel threads and timers have their turn."""

Chain = tuple[CodeType, ...]
"""Functions of the model, the nearest first, each called by the next."""


@dataclass
class Watched:
    """A field of an object, while a step runs.

    :param ref: the object, by the model's own number
    :param path: names and keys that lead to the field
    :ivar there: the object is in the World, where descriptors lead to it
    :ivar decided: who changed it, each with its callers
    """

    ref: Ref
    path: tuple[str, ...]
    value: Any = ABSENT
    there: bool = False
    decided: list[Chain] = field(default_factory=list)

    def read(self, objects: Mapping[Ref, Any]) -> Any:
        """Return what the field has now."""
        value = objects.get(self.ref, ABSENT)
        for name in self.path:
            if isinstance(value, Mapping):
                value = next((item for key, item in value.items() if str(key) == name), ABSENT)
            elif isinstance(value, tuple) and name.isdigit():
                value = value[int(name)] if int(name) < len(value) else ABSENT
            else:
                value = getattr(value, name, ABSENT)
        return value


@dataclass
class Ran:
    """What ran in a step.

    :ivar calls: the functions that ran in the order of their calls, but for what kernel threads and timers did
    :ivar touched: the objects that each was given, by the model's own numbers
    :ivar returned: frames with their callers and what they returned, in order
    :ivar entered: frames of calls that came to their end, with whose it was and what it returned
    :ivar failed: names of errors with whose call they ended and where they came from
    :ivar signals: whom they were sent to, with who sent them
    :ivar asked: rules that found no choice of the kernel's that they allow, with who asked
    :ivar passed: bytes that were handed on, with who did first
    """

    calls: list[CodeType] = field(default_factory=list)
    touched: dict[CodeType, set[Ref]] = field(default_factory=dict)
    returned: list[tuple[FrameType, FrameType | None, Any]] = field(default_factory=list)
    entered: list[tuple[FrameType, str, Any]] = field(default_factory=list)
    failed: list[tuple[str, str, Chain]] = field(default_factory=list)
    signals: list[tuple[str, str, Chain]] = field(default_factory=list)
    asked: list[tuple[Rule, Chain]] = field(default_factory=list)
    passed: dict[bytes, Chain] = field(default_factory=dict)


class StepWatch:
    """Look at *fields* of the model's World between any two functions of a step, and note what runs."""

    def __init__(self, kernel: Kernel, fields: Collection[Watched]) -> None:
        self._kernel = kernel
        self._fields = fields
        self._ran = Ran()
        self._objects: dict[Ref, Any] = {}
        self._until = 0.0
        self._aside = 0
        self._hidden: FrameType | None = None

    def run(self, step: Step, evidence: Evidence) -> Ran:
        """Have the model do *step*; the fields then know who changed them."""
        self._until = time.monotonic() + PATIENCE
        self._look(None)
        sys.setprofile(self._note)
        try:
            self._kernel.act(step.actor, step.call, evidence)
        finally:
            sys.setprofile(None)
        return self._ran

    def _note(self, frame: FrameType, event: str, value: Any) -> None:
        code = frame.f_code
        if event not in ("call", "return") or not code.co_filename.startswith(MODEL):
            return
        ran = self._ran
        if code.co_name in _ASIDE:
            self._aside += 1 if event == "call" else -1
        if event == "return":
            ran.returned.append((frame, _caller(frame), value))
            if code is Kernel.choose.__code__:
                self._note_choice(frame)
            elif code is Kernel._enter.__code__ and value is not None:
                ran.entered.append((frame, frame.f_locals["task"].name, value))
            self._look(frame)
            return
        if not self._aside:
            ran.calls.append(code)
        given = [frame.f_locals.get(name) for name in code.co_varnames[: code.co_argcount]]
        ran.touched.setdefault(code, set()).update(self._touched(given))
        caller = _caller(frame)
        for item in given:
            if isinstance(item, bytes) and item and caller is not None:
                ran.passed.setdefault(item, _chain(caller))
        if code is Errno.__init__.__code__ and caller is not None:
            ran.failed.append((frame.f_locals["name"], _whose(caller), _chain(caller)))
        elif code is Kernel.send_signal.__code__ and caller is not None:
            ran.signals.append((frame.f_locals["task"].name, frame.f_locals["signal"], _chain(caller)))
        self._look(caller)

    def _touched(self, given: list[Any]) -> Iterator[Ref]:
        """Yield the objects that a function was given, and those of which it was given a member that is looked at."""
        for item in given:
            if (ref := _ref_of(item)) is not None:
                self._objects.setdefault(ref, item)
                yield ref
        for watched in self._fields:
            member = getattr(self._objects.get(watched.ref), watched.path[0], None) if watched.path else None
            if not isinstance(member, (int, str, bytes, type(None))) and any(item is member for item in given):
                yield watched.ref

    def _note_choice(self, frame: FrameType) -> None:
        local, caller = frame.f_locals, _caller(frame)
        if caller is not None and (local.get("seen") is None or not local.get("fits", True)):
            self._ran.asked.append((local["rule"], _chain(caller)))

    def _look(self, frame: FrameType | None) -> None:
        """See what *frame* has changed since the last look."""
        if not self._fields or time.monotonic() > self._until:
            return
        try:
            objects = self._kernel.world().objects
        except Exception:  # in the middle of a call not everything fits together
            self._hidden = self._hidden or frame
            return
        frame, self._hidden = self._hidden or frame, None
        for item in self._fields:
            value, there = item.read(objects), item.ref in objects
            if value is not item.value and value != item.value:
                item.value = value
                # What comes into sight with its object was decided before.
                if frame is not None and (item.there or not there):
                    item.decided.append(_chain(frame))
            item.there = there


def _ref_of(item: Any) -> Ref | None:
    try:
        ref = getattr(item, "ref", None)
    except Exception:  # it is not made yet
        return None
    return ref if isinstance(ref, Ref) else None


def _caller(frame: FrameType) -> FrameType | None:
    above = frame.f_back
    while above is not None and not above.f_code.co_filename.startswith(MODEL):
        above = above.f_back
    return above


def _chain(frame: FrameType) -> Chain:
    codes: list[CodeType] = []
    above: FrameType | None = frame
    while above is not None:
        if above.f_code.co_filename.startswith(MODEL):
            codes.append(above.f_code)
        above = above.f_back
    return tuple(codes)


def _whose(frame: FrameType | None) -> str:
    """Return whose call runs in *frame*."""
    while frame is not None:
        if frame.f_code is Kernel._enter.__code__:
            task = frame.f_locals.get("task")
            return task.name if isinstance(task, Task) else ""
        frame = frame.f_back
    return ""
