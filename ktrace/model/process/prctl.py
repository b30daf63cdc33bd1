"""What a process may say about itself (``kernel/sys.c: SYSCALL_DEFINE5(prctl)``)."""

from __future__ import annotations

from dataclasses import replace

from ktrace.model.calls import syscall
from ktrace.model.process.user_namespace import set_dumpable
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.uapi.prctl import (
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_RAISE,
    PR_CAPBSET_READ,
    PR_GET_CHILD_SUBREAPER,
    PR_GET_DUMPABLE,
    PR_GET_KEEPCAPS,
    PR_GET_NAME,
    PR_GET_NO_NEW_PRIVS,
    PR_GET_PDEATHSIG,
    PR_GET_SECCOMP,
    PR_GET_SECUREBITS,
    PR_GET_SPECULATION_CTRL,
    PR_GET_THP_DISABLE,
    PR_GET_TID_ADDRESS,
    PR_GET_TIMERSLACK,
    PR_GET_TSC,
    PR_MCE_KILL,
    PR_MCE_KILL_GET,
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_KEEPCAPS,
    PR_SET_NAME,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    PR_SET_PTRACER,
    PR_SET_THP_DISABLE,
    PR_SET_TIMERSLACK,
    PR_SET_VMA,
)
from ktrace.uapi.signal import SIGRTMAX

OF_NO_MATTER = (
    PR_SET_NAME,
    PR_GET_NAME,
    PR_SET_TIMERSLACK,
    PR_GET_TIMERSLACK,
    PR_SET_VMA,
    PR_CAPBSET_READ,
    PR_GET_SECCOMP,
    PR_SET_THP_DISABLE,
    PR_GET_THP_DISABLE,
    PR_SET_PTRACER,
    PR_MCE_KILL,
    PR_GET_PDEATHSIG,
    PR_GET_SECUREBITS,
    PR_GET_TSC,
    PR_GET_CHILD_SUBREAPER,
    PR_GET_TID_ADDRESS,
    PR_MCE_KILL_GET,
    PR_GET_SPECULATION_CTRL,
)
"""Options that change nothing that is modelled: what they answer is taken as observed."""


@syscall("prctl")
def prctl(task: Task, option: int, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    """Do what changes nothing that the model has, or what it has.

    :raises Errno: EINVAL
    :raises NotImplementedError: another option
    """
    if option == PR_SET_PDEATHSIG:
        if not 0 <= arg2 <= SIGRTMAX:
            raise Errno("EINVAL")
        if task.program is not None:
            task.program.pdeath_signal = arg2
        return 0
    if option in OF_NO_MATTER or (option == PR_CAP_AMBIENT and arg2 != PR_CAP_AMBIENT_RAISE):
        raise AsObserved("what a process is called, and how exactly it sleeps")
    if option == PR_GET_DUMPABLE:
        return int(task.mm.dumpable)
    if option == PR_SET_DUMPABLE:
        if arg2 not in (0, 1):
            raise Errno("EINVAL")
        set_dumpable(task, bool(arg2))
        return 0
    if option == PR_SET_NO_NEW_PRIVS:
        if arg2 != 1 or arg3 or arg4 or arg5:
            raise Errno("EINVAL")
        task.no_new_privs = True
        return 0
    if option == PR_GET_NO_NEW_PRIVS:
        if arg2 or arg3 or arg4 or arg5:
            raise Errno("EINVAL")
        return int(task.no_new_privs)
    if option == PR_GET_KEEPCAPS:
        return int(task.cred.keep_caps)
    if option == PR_SET_KEEPCAPS:
        if arg2 not in (0, 1):
            raise Errno("EINVAL")
        task.cred = replace(task.cred, keep_caps=bool(arg2))
        return 0
    if option == PR_SET_CHILD_SUBREAPER:
        leader = task.program.leader if task.program is not None else None
        if leader is not None and leader.program is not None:
            leader.program.child_subreaper = bool(arg2)
        return 0
    raise NotImplementedError(f"the model does not know prctl option {option}")
