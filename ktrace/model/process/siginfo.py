"""Signals that are waited for, taken by number, or sent with what they bring along (``kernel/signal.c``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ktrace.model.calls import syscall
from ktrace.model.process.job_control import Who, find_process, number_of
from ktrace.model.process.signals import group_send_sig_info
from ktrace.model.process.sleep import timespec
from ktrace.model.process.timer import HRTIMER
from ktrace.model.task import Errno, Task, mask_names
from ktrace.model.timer import schedule_until, start
from ktrace.model.wait import Sleeps
from ktrace.state.call import Pointer, Signalled
from ktrace.uapi.siginfo import SI_TKILL
from ktrace.uapi.signal import SIGRTMAX, signal_name, signal_number

if TYPE_CHECKING:
    from ktrace.model.observed import Observed


def take_signal(task: Task, names: frozenset[str]) -> Signalled | None:
    """Take the first signal of *names* that is pending, blocked or not (``dequeue_signal()``)."""
    for queue in (task.pending, task.shared_pending):
        found = min(
            (item for item in queue if item.signal in names), key=lambda item: signal_number(item.signal), default=None
        )
        if found is not None:
            task.dequeue([found])
            return found
    return None


@syscall("rt_sigtimedwait")
def rt_sigtimedwait(task: Task, set: Any, info: Any, timeout: Any) -> Sleeps[int]:
    """Wait for one of some signals, which is taken and not delivered (``do_sigtimedwait()``).

    :raises Errno: EFAULT, EINVAL, EAGAIN, EINTR
    """
    if isinstance(set, Pointer):
        raise Errno("EFAULT")
    seconds = None if timeout is None else timespec(timeout)
    names = mask_names(set)
    item, ended = take_signal(task, names), True
    if item is None and seconds != 0:
        blocked, task.blocked = task.blocked, task.blocked - names
        task.watches_opaque = True
        ended = yield from schedule_until(task, start(task.kernel, seconds))
        task.watches_opaque = False
        task.blocked = blocked
        item = take_signal(task, names)
    if item is not None:
        return signal_number(item.signal)
    if (number := _of_timer(task, names)) is not None:
        return number
    raise Errno("EAGAIN" if ended else "EINTR")


def _of_timer(task: Task, names: frozenset[str]) -> int | None:
    """Return the signal of a timer that was seen to be taken: when it came is not known."""
    sent = {name for name, _ in task.program.timer_signals} if task.program is not None else set()
    numbers = {signal_number(name) for name in sent & names}

    def find(seen: Observed) -> int | None:
        result = seen.result(task)
        return result.value if result is not None and result.value in numbers else None

    return task.kernel.choose(HRTIMER, find, lambda _: True, None) if numbers else None


@syscall("rt_sigqueueinfo")
def rt_sigqueueinfo(task: Task, pid: Who, sig: int, info: Any) -> int:
    """Send a signal to a process with a siginfo of one's own (``do_rt_sigqueueinfo()``).

    :raises Errno: EFAULT, EPERM, ESRCH, EINVAL
    """
    return _send(task, pid, sig, info, thread=False)


@syscall("rt_tgsigqueueinfo")
def rt_tgsigqueueinfo(task: Task, tgid: Who, tid: Who, sig: int, info: Any) -> int:
    """Send a signal to a thread with a siginfo of one's own (``do_rt_tgsigqueueinfo()``).

    :raises Errno: EFAULT, EINVAL, EPERM, ESRCH
    """
    if number_of(task.kernel, tgid) <= 0 or number_of(task.kernel, tid) <= 0:
        raise Errno("EINVAL")
    return _send(task, tid, sig, info, thread=True)


def _send(task: Task, who: Who, sig: int, info: Any, thread: bool) -> int:
    kernel = task.kernel
    if isinstance(info, Pointer):
        raise Errno("EFAULT")
    fields: Mapping[str, Any] = info
    code = fields["si_code"]
    if (code >= 0 or code == SI_TKILL) and number_of(kernel, who) != task.pid:
        raise Errno("EPERM")
    target = kernel.find_task(who) if thread else find_process(kernel, who)
    if thread and target is None:
        raise Errno("ESRCH")
    if not 0 <= sig <= SIGRTMAX:
        raise Errno("EINVAL")
    group_send_sig_info(task, target, 0, code)  # who may
    if sig and target is not None:
        sender = kernel.find_task(fields["si_pid"])
        kernel.send_signal(target, signal_name(sig), sender=sender, code=code, thread=thread)
    return 0
