"""Buffers of a program that the kernel writes: whether it may is known of none, as nobody knows what is mapped how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ktrace.state.call import BAD, Call, Pointer, Result
from ktrace.state.rule import Rule

if TYPE_CHECKING:
    from ktrace.model.calls import Answer
    from ktrace.model.observed import Observed
    from ktrace.model.task import Task

WRITABLE = Rule("lib/usercopy.c", "_copy_to_user", "whether a program's buffer may be written")


def cannot_write(task: Task) -> bool:
    """Tell whether the call of *task* was seen to fail for an address that is none, or may not be written."""

    def find(seen: Observed) -> bool | None:
        return True if seen.errno(task) == "EFAULT" else None

    return task.kernel.choose(WRITABLE, find, lambda _: True, otherwise=False)


def unless_unwritable(task: Task, answer: Answer) -> Answer:
    """Return what a call answers that has done all but to write to a program's buffer (``copy_to_user()``)."""
    writes = isinstance(answer, Result) and answer.errno is None and bool(answer.out.keys() - {"actor"})
    return Result(-1, "EFAULT") if writes and cannot_write(task) else answer


class ProgramPointers(Mapping[str, Pointer]):
    """The out-buffers of a call that are only addresses: every one, where it was seen to fail with EFAULT.

    :param given: those of which that is known
    """

    def __init__(self, task: Task, given: Mapping[str, Pointer]) -> None:
        self._task = task
        self._given = given

    def __getitem__(self, name: str) -> Pointer:
        if name in self._given:
            return self._given[name]
        if cannot_write(self._task):
            return BAD
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return name in self._given or cannot_write(self._task)

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)


def of_program(task: Task, call: Call) -> Call:
    """Return *call* as a program makes it, and take what was seen of its memory."""
    task.mm.glimpse(call.memory)
    return replace(call, pointers=ProgramPointers(task, call.pointers))
