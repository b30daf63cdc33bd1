"""Find which rules of the model decided a field that differs: the step runs again, and is watched."""

from __future__ import annotations

import dis
import re
from collections.abc import Iterator, Mapping, Sequence
from types import CodeType, FrameType, GeneratorType
from typing import Any

from ktrace.model.kernel import Kernel
from ktrace.model.observed import Evidence
from ktrace.model.process.between_calls import RESTARTS
from ktrace.model.wait import drive
from ktrace.state.call import Result
from ktrace.state.compare import Difference, label
from ktrace.state.ref import Ref
from ktrace.state.rule import Rule
from ktrace.state.step import Step
from ktrace.state.world import World
from ktrace.verify.step_watch import MODEL, Chain, StepWatch, Watched

_OUTCOME = re.compile(r"(\w+)(?:'s (result|end|SIG[\w+]+))?(?:\[(\w+)\].*)?")
_STEP = re.compile(r"\.(\w+)|\[([^\]]*)\]")


class Decided:
    """Run a step of *kernel* again, and say which functions decided what.

    :param differences: what the fields are
    :param names: final names by the model's own numbers, as they are after the step
    """

    def __init__(
        self,
        kernel: Kernel,
        step: Step,
        evidence: Evidence,
        differences: Sequence[Difference],
        names: Mapping[Ref, Ref],
    ) -> None:
        fields = {item.path: _field_of(item.path, names, step.world) for item in differences}
        self._fields = {path: found for path, found in fields.items() if found is not None}
        self._kernel = kernel
        self._step = step
        self._ran = StepWatch(kernel, self._fields.values()).run(step, evidence)

    def by(self, difference: Difference) -> tuple[bool, Chain]:
        """Tell whether it was seen who decided a field, and who it was, the nearest first; or else who might have."""
        found = self._fields.get(difference.path)
        if found is not None and found.decided:
            # The last first, then those before, then their callers.
            last = found.decided[::-1]
            return True, (*last[0][:1], *(chain[0] for chain in last[1:]), *last[0][1:])
        if found is not None:
            return False, self._unchanged(found, difference)
        outcome = _OUTCOME.fullmatch(difference.path)
        if outcome is not None:
            seen, chain = self._of_outcome(difference, *outcome.groups())
            if chain:
                return seen, chain
        rest = next((rest for ref in self._step.world.objects if (rest := _rest_of(difference.path, ref))), "")
        return False, self._near(None, _steps_of(rest), self._room(difference))

    def consulted(self, chain: Chain) -> Chain:
        """Return the functions that the first of *chain* called, the last first: it may rest on what they said."""
        called = [frame.f_code for frame, caller, _ in self._ran.returned if chain and _is(caller, chain[0])]
        return tuple(reversed(called))

    def unanswered(self, chain: Chain) -> Iterator[Rule]:
        """Yield the rules that the first of *chain* asked for a choice, and that had to do without."""
        yield from (rule for rule, asked in self._ran.asked if chain and asked and asked[0] is chain[0])

    def _of_outcome(self, difference: Difference, actor: str, what: str | None, out: str | None) -> tuple[bool, Chain]:
        if what is None or what == "result":
            return self._answer(actor, difference, out) or (False, self._asleep(actor))
        sent = (chain for who, name, chain in reversed(self._ran.signals) if who == actor and what in ("end", name))
        chain = next(sent, ())
        return bool(chain), chain

    def _asleep(self, actor: str) -> Chain:
        """Return the functions in which *actor* sleeps, and before them those that might have woken it."""
        task = self._kernel.tasks.get(actor)
        codes: list[CodeType] = []
        running: Any = task.running if task is not None else None
        while isinstance(running, GeneratorType):
            codes.append(running.gi_code)
            running = running.gi_yieldfrom
        asleep = tuple(reversed([code for code in codes if code.co_filename.startswith(MODEL)]))
        if actor == self._step.actor or not asleep:
            return asleep
        room = next((room_of(code) for code in asleep if room_of(code)), "")
        return (*self._near(None, (), room), *asleep)

    def _answer(self, actor: str, difference: Difference, out: str | None) -> tuple[bool, Chain] | None:
        """Return who decided what a call returned, and whether that is sure; ``None`` if it did not."""
        expected = difference.expected
        if out is None and isinstance(expected, Mapping):
            out, expected = "value", expected.get("value")
        if out == "value" and isinstance(expected, str):
            wanted = RESTARTS if expected == "EINTR" else frozenset()
            for name, whose, chain in reversed(self._ran.failed):
                if whose == actor and (name == expected or name in wanted):
                    return True, chain
        if out not in (None, "value") and isinstance(expected, bytes) and expected in self._ran.passed:
            return True, self._ran.passed[expected]
        if out == "value" and isinstance(difference.observed, str):
            # The kernel failed where the model did not: who knows that error saw no reason for it.
            able = [code for code in reversed(self._ran.calls) if difference.observed in code.co_consts]
            if able:
                return True, tuple(able)
        if (maker := self._maker(difference.path)) is not None:
            return True, maker
        entered = [(frame, value) for frame, whose, value in self._ran.entered if whose == actor]
        if not entered:
            return None
        frame, value = entered[-1]
        codes: list[CodeType] = []
        while True:
            below = [inner for inner, caller, got in self._ran.returned if caller is frame and _same(got, value)]
            if not below:
                return False, tuple(reversed(codes))
            # drive() only hands on what a function that does not sleep has returned already.
            frame = next((inner for inner in reversed(below) if inner.f_code is not drive.__code__), below[-1])
            codes.append(frame.f_code)

    def _maker(self, path: str) -> Chain | None:
        """Return who was the first to return a struct that has the member in which an out value differs."""
        out, *members = re.findall(r"\[([^\]]*)\]", path)[:2] or [""]
        if not members or out == "value":
            return None
        frame = next((frame for frame, _, value in self._ran.returned if _has(value, members[0])), None)
        return None if frame is None else (frame.f_code,)

    def _unchanged(self, watched: Watched, difference: Difference) -> Chain:
        """Return who might have changed a field: those that write its like, who decided how the call ends, others."""
        near = self._near(watched.ref, watched.path, self._room(difference))
        writers = [code for code in near if _members(watched.path) & _stored(code)]
        _, chain = self._answer(self._step.actor or "", difference, None) or (False, ())
        return (*writers, *chain, *near)

    def _room(self, difference: Difference) -> str:
        """Return the room of the object that a difference is of; where it is of none, of the step's own call."""
        for named, value in self._step.world.objects.items():
            if _rest_of(difference.path, named) is not None:
                return _state_room(value)
        if room := _state_room(difference.expected):
            return room
        _, chain = self._answer(self._step.actor or "", difference, None) or (False, ())
        return next((room for code in chain if (room := room_of(code))), "")

    def _near(self, ref: Ref | None, path: tuple[str, ...], room: str) -> Chain:
        """Return the functions that ran and have to do with a field, those that write its like first."""
        members = _members(path)
        found: dict[CodeType, tuple[int, int]] = {}
        for at, code in enumerate(self._ran.calls):
            touches = ref is not None and ref in self._ran.touched[code]
            if touches or related(room_of(code), room):
                writes, reads = bool(members & _stored(code)), bool(members & set(code.co_names))
                found[code] = (4 * writes + 2 * touches + reads, at)
        return tuple(sorted(found, key=lambda code: found[code], reverse=True))


def room_of(code: CodeType) -> str:
    """Return the directory of a function, below the model's: ``net/unix``."""
    return code.co_filename.removeprefix(MODEL).rpartition("/")[0]


def related(one: str, other: str) -> bool:
    """Tell whether one room is the other, or in it."""
    return bool(one and other) and (f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/"))


def _is(frame: FrameType | None, code: CodeType) -> bool:
    return frame is not None and frame.f_code is code


def _same(got: Any, value: Any) -> bool:
    """Tell whether a function returned what the call returns in the end."""
    got = got.value if isinstance(got, Result) else got
    return type(got) is int and got == (value.value if isinstance(value, Result) else value)


def _members(path: Sequence[str]) -> set[str]:
    """Return what the member in which a path ends may be called in the model, where ``sk_err`` is ``sk.err``."""
    leaf = next((name for name in reversed(path) if not name.isdigit()), "")
    return {leaf, leaf.partition("_")[2]} - {""}


def _has(value: Any, member: str) -> bool:
    """Tell whether *value* is a struct with a *member*, or something that holds one."""
    if isinstance(value, Result):
        value = value.out
    if isinstance(value, Mapping):
        return member in value or any(_has(item, member) for item in value.values())
    return isinstance(value, tuple) and any(_has(item, member) for item in value)


def _stored(code: CodeType) -> set[str]:
    """Return the names of the members that a function assigns."""
    return {str(item.argval) for item in dis.get_instructions(code) if item.opname == "STORE_ATTR"}


def _field_of(path: str, names: Mapping[Ref, Ref], world: World) -> Watched | None:
    """Return the field that a difference names, if the model may have its object."""
    final = set(names.values())
    candidates = {**names, **{ref: ref for ref in world.objects if ref not in final}}
    found = [(raw, rest) for raw, named in candidates.items() if (rest := _rest_of(path, named)) is not None]
    if not found:
        return None
    raw, rest = min(found, key=lambda item: len(item[1]))
    return Watched(raw, _steps_of(rest))


def _rest_of(path: str, ref: Ref) -> str | None:
    """Return what of *path* stands behind an object's name, ``None`` where it does not begin with that."""
    name = label(ref)
    rest = path.removeprefix(name)
    return rest if path.startswith(name) and rest[:1] in ("", ".", "[") else None


def _steps_of(rest: str) -> tuple[str, ...]:
    return tuple(member or key for member, key in _STEP.findall(rest))


def _state_room(value: Any) -> str:
    module = type(value).__module__
    return (
        module.removeprefix("ktrace.state.").rpartition(".")[0].replace(".", "/") if "ktrace.state." in module else ""
    )
