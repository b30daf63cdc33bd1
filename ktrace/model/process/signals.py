"""Sending signals and saying what they do (``kernel/signal.c``)."""

from __future__ import annotations

from ktrace.model.kernel import Kernel, operation, syscall
from ktrace.model.process.user_namespace import ns_capable, user_ns
from ktrace.model.task import IGNORED_BY_DEFAULT, UNBLOCKABLE, Errno, Task, mask_names
from ktrace.model.wait import Sleeps
from ktrace.state.call import Pointer, Result
from ktrace.uapi.siginfo import SI_TKILL, SI_USER
from ktrace.uapi.signal import SIG_BLOCK, SIG_SETMASK, SIG_UNBLOCK, SIGRTMAX, signal_name, signal_number

ACTIONS = {"DFL": "default", "IGN": "ignore", "RECORD": "record", "RECORD_RESTART": "restart"}


def kill_ok(task: Task, target: Task) -> bool:
    """Tell whether *task* may signal *target* (``kernel/signal.c: kill_ok_by_cred()``)."""
    cred, other = task.cred, target.cred
    return bool({cred.euid, cred.uid} & {other.suid, other.uid}) or ns_capable(cred, user_ns(other), "CAP_KILL")


def _kill(task: Task, who: int | str, sig: int, code: int) -> int:
    kernel = task.kernel
    target = kernel.find_task(who)
    if target is None:
        raise Errno("ESRCH")
    if not 0 <= sig <= SIGRTMAX:
        raise Errno("EINVAL")
    if target is not task and not kill_ok(task, target):
        raise Errno("EPERM")
    if sig:
        kernel.send_signal(target, signal_name(sig), sender=task, code=code, thread=code == SI_TKILL)
    return 0


@syscall("kill")
def kill(task: Task, pid: int | str, sig: int) -> int:
    """Send a signal (``kernel/signal.c: kill_proc_info()``)."""
    return _kill(task, pid, sig, SI_USER)


@syscall("tgkill")
def tgkill(task: Task, tgid: int | str, tid: int | str, sig: int) -> int:
    """Send a signal to a thread (``kernel/signal.c: do_tkill()``)."""
    kernel = task.kernel
    if (isinstance(tgid, int) and tgid <= 0) or (isinstance(tid, int) and tid <= 0):
        raise Errno("EINVAL")
    if kernel.find_task(tid) is not kernel.find_task(tgid):
        raise Errno("ESRCH")
    return _kill(task, tid, sig, SI_TKILL)


@operation("kill")
def kill_from_agent(kernel: Kernel, actor: str, signo: int) -> None:
    """Have the agent, which may signal everyone, send a signal."""
    kernel.send_signal(kernel.tasks[actor], signal_name(signo), code=SI_USER)


@syscall("sigaction")
def sigaction(task: Task, signo: int, handler: str) -> int:
    """Set what a signal does from now on (``kernel/signal.c: do_sigaction()``)."""
    if not 1 <= signo <= SIGRTMAX or signal_name(signo) in UNBLOCKABLE:
        raise Errno("EINVAL")
    name = signal_name(signo)
    action = ACTIONS[handler]
    if action == "default":
        action = "ignore" if name in IGNORED_BY_DEFAULT else "kill"
    task.dispositions[name] = action
    if action == "ignore":
        task.dequeue([item for item in (*task.pending, *task.shared_pending) if item.signal == name])
    return 0


@syscall("rt_sigprocmask")
def rt_sigprocmask(task: Task, how: int, set: int | Pointer | None) -> Result:
    """Block signals (``kernel/signal.c: sigprocmask()``); what gets unblocked is delivered on the way out."""
    old = sum(1 << signal_number(name) - 1 for name in task.blocked)
    if isinstance(set, Pointer) and set.value:
        raise Errno("EFAULT")
    if isinstance(set, int):
        names = mask_names(set)
        if how == SIG_BLOCK:
            task.blocked |= names
        elif how == SIG_UNBLOCK:
            task.blocked -= names
        elif how == SIG_SETMASK:
            task.blocked = names
        else:
            raise Errno("EINVAL")
    pointed = task.call is not None and "oldset" in task.call.pointers
    return Result(0, None, {} if pointed else {"oldset": old})


@syscall("pause")
def pause(task: Task) -> Sleeps[int]:
    """Sleep until a signal comes (``kernel/signal.c``: pause, -ERESTARTNOHAND)."""
    while not task.signal_pending():
        yield
    raise Errno("ERESTARTNOHAND")


@syscall("sched_yield")
def sched_yield(task: Task) -> int:
    """Let others of the same priority run (``kernel/sched/core.c: do_sched_yield()``); at rest there are none."""
    return 0
