"""Calls of programs that change nothing that is modelled: what they return is taken as observed.

That nothing changed is what is checked of them. Who sleeps in one sleeps until it was seen to return.
"""

from __future__ import annotations

from typing import Any

from ktrace.model.calls import syscall
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps
from ktrace.state.call import Result
from ktrace.state.passed_over import NAMES, NUMBERED, UNKNOWN
from ktrace.state.rule import Rule

PASSED_OVER = Rule("arch/x86/entry/common.c", "do_syscall_64", "what a call returns that changes nothing of these")


def passed_over(task: Task, *_arguments: Any) -> Sleeps[Result]:
    """Return what was seen, once it was."""
    while (seen := task.kernel.choose(PASSED_OVER, lambda seen: seen.result(task), lambda _: True, None)) is None:
        if task.signal_pending():
            raise Errno("ERESTARTSYS")
        task.watches_opaque = True
        yield
    task.watches_opaque = False
    return seen


NUMBERS = range(512)
"""Of calls of which ktrace knows nothing but that."""

for _name in (*sorted(NAMES), *UNKNOWN, *(f"{NUMBERED}{number}" for number in NUMBERS)):
    syscall(_name)(passed_over)
