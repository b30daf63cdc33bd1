"""Sending signals and saying what they do (``kernel/signal.c``)."""

from __future__ import annotations

from ktrace.model.calls import operation, syscall
from ktrace.model.kernel import Kernel
from ktrace.model.process.job_control import find_process, find_zombie, members, number_of
from ktrace.model.process.user_namespace import ns_capable, user_ns
from ktrace.model.task import IGNORED_BY_DEFAULT, STOPS, UNBLOCKABLE, Errno, Task, mask_names
from ktrace.model.wait import Sleeps
from ktrace.state.call import Pointer, Result
from ktrace.uapi.limits import INT_MIN
from ktrace.uapi.siginfo import SI_TKILL, SI_USER
from ktrace.uapi.signal import SIG_BLOCK, SIG_SETMASK, SIG_UNBLOCK, SIGCONT, SIGRTMAX, signal_name, signal_number

ACTIONS = {"DFL": "default", "IGN": "ignore", "RECORD": "record", "RECORD_RESTART": "restart"}


def kill_ok(task: Task, target: Task) -> bool:
    """Tell whether *task* may signal *target* (``kernel/signal.c: kill_ok_by_cred()``)."""
    cred, other = task.cred, target.cred
    return bool({cred.euid, cred.uid} & {other.suid, other.uid}) or ns_capable(cred, user_ns(other), "CAP_KILL")


def group_send_sig_info(task: Task, target: Task | None, sig: int, code: int) -> None:
    """Send *sig* if that is allowed (``kernel/signal.c: group_send_sig_info(), check_kill_permission()``).

    :param target: ``None`` for the agent and the first process, which are root's and heed no signal
    :raises Errno: EINVAL or EPERM
    """
    if not 0 <= sig <= SIGRTMAX:
        raise Errno("EINVAL")
    session = task.kernel.processes.facts.agent_session if target is None else target.session
    allowed = 0 in (task.cred.euid, task.cred.uid) or task.cred.capable("CAP_KILL")
    if target is not None:
        allowed = target is task or kill_ok(task, target)
    if not allowed and not (sig == SIGCONT and session in (0, task.session)):
        raise Errno("EPERM")
    if sig and target is not None:
        task.kernel.send_signal(target, signal_name(sig), sender=task, code=code, thread=code == SI_TKILL)


@syscall("kill")
def kill(task: Task, pid: int | str, sig: int) -> int:
    """Send a signal to a process, a process group, or all (``kernel/signal.c: kill_something_info()``)."""
    kernel = task.kernel
    number = number_of(kernel, pid)
    if number > 0 or pid in kernel.tasks or pid in kernel.zombies:
        group_send_sig_info(task, find_process(kernel, pid), sig, SI_USER)
        return 0
    if number == INT_MIN:
        raise Errno("ESRCH")
    facts = kernel.processes.facts
    targets: list[Task | None]
    if number == -1:
        targets = [None, *(target for target in kernel.tasks.values() if target is not task)]
        return _kill_all(task, targets, sig)
    pgrp = -number if number else task.pgrp
    targets = [*members(kernel, pgrp), *([None] if pgrp == facts.agent_pgrp else [])]
    return _kill_pgrp_info(task, targets, sig)


def _kill_pgrp_info(task: Task, targets: list[Task | None], sig: int) -> int:
    """Signal a group; one success is enough (``kernel/signal.c: __kill_pgrp_info()``)."""
    success, error = False, Errno("ESRCH")
    for target in targets:
        try:
            group_send_sig_info(task, target, sig, SI_USER)
            success = True
        except Errno as failed:
            error = failed
    if not success:
        raise error
    return 0


def _kill_all(task: Task, targets: list[Task | None], sig: int) -> int:
    """Signal all but the first process and the caller; the last error but EPERM counts (``kill_something_info()``)."""
    error: Errno | None = None
    for target in targets:
        try:
            group_send_sig_info(task, target, sig, SI_USER)
            error = None
        except Errno as failed:
            if failed.name != "EPERM":
                error = failed
    if error is not None:
        raise error
    return 0


@syscall("tgkill")
def tgkill(task: Task, tgid: int | str, tid: int | str, sig: int) -> int:
    """Send a signal to a thread (``kernel/signal.c: do_tkill()``)."""
    kernel = task.kernel
    if (isinstance(tgid, int) and tgid <= 0) or (isinstance(tid, int) and tid <= 0):
        raise Errno("EINVAL")
    target = find_process(kernel, tid)
    if target is None:
        if number_of(kernel, tgid) != number_of(kernel, tid):
            raise Errno("ESRCH")
        group_send_sig_info(task, None, sig, SI_TKILL)
        return 0
    leader = (target.program.leader or target) if target.program is not None else target
    if (kernel.find_task(tgid) or find_zombie(kernel, tgid)) is not leader:
        raise Errno("ESRCH")
    group_send_sig_info(task, target, sig, SI_TKILL)
    return 0


@operation("kill")
def kill_from_agent(kernel: Kernel, actor: str, signo: int) -> None:
    """Have the agent, which may signal everyone, send a signal; 0 is none."""
    if signo:
        kernel.send_signal(kernel.tasks[actor], signal_name(signo), code=SI_USER)


@syscall("sigaction")
def sigaction(task: Task, signo: int, handler: str) -> int:
    """Set what a signal does from now on (``kernel/signal.c: do_sigaction()``)."""
    if not 1 <= signo <= SIGRTMAX or signal_name(signo) in UNBLOCKABLE:
        raise Errno("EINVAL")
    name = signal_name(signo)
    action = ACTIONS[handler]
    if action == "default":
        action = "ignore" if name in IGNORED_BY_DEFAULT else "stop" if name in STOPS else "kill"
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
