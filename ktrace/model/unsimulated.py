"""What files of kinds that are not simulated answer: taken from the kernel, and held to what its source allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ktrace.model.fs.opaque_answers import answers_of
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.model.wait import Sleeps
from ktrace.state.allowed import allowed
from ktrace.state.call import Result
from ktrace.state.rule import Rule

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.model.observed import Observed

UNSIMULATED = Rule("fs/open.c", "do_dentry_open", "what files of kinds that are not simulated answer")


def as_observed(task: Task, opaque: AsObserved) -> Sleeps[Result]:
    """Return what the call of *task* was seen to answer, once it did: nothing else is known of it.

    :raises Errno: ERESTARTSYS where the task is killed or stopped
    """
    while (seen := task.kernel.choose(UNSIMULATED, lambda seen: seen.result(task), lambda _: True, None)) is None:
        stops = any(task.disposition(item.signal) == "stop" for item in task.deliverable())
        if task.fatal_signal_pending() or stops:
            raise Errno("ERESTARTSYS")
        task.watches_opaque = True
        yield
    task.watches_opaque = False
    answers = None if opaque.simulated else answers_of(opaque.what, task.call)
    if answers is not None and not answers.admits(seen.errno if seen.errno is not None else seen.value):
        return Result(allowed(answers), None, seen.out)
    if opaque.only_errors and seen.errno is None:
        raise NotImplementedError(f"the model does not know what this changes in {opaque.what}")
    if opaque.done is not None:
        opaque.done(seen)
    return _whole(seen if opaque.held is None else opaque.held(seen))


def wake_watchers(kernel: Kernel, early: bool) -> None:
    """Wake who was seen to return from a call that something not simulated may end.

    :param early: only who returned before the actor of the step
    """
    for task in list(kernel.tasks.values()):
        if task.watches_opaque and task.sleeping and kernel.choose(UNSIMULATED, _returned(task, early), bool, False):
            kernel.wake_up_process(task)


def _returned(task: Task, early: bool) -> Callable[[Observed], bool]:
    return lambda seen: task.name in seen.returned_first() if early else seen.returned(task)


def _whole(result: Result) -> Result:
    """Return an answer that was seen, with as many bytes as came: that is what such a call returns."""
    data = result.out.get("buf")
    return replace(result, value=len(data)) if isinstance(data, bytes) else result
