"""semctl, and the end of an array (``ipc/sem.c``)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from ktrace.include.linux.stat import S_IRUGO, S_IWUGO
from ktrace.include.linux.types import s32
from ktrace.model.calls import Answer, syscall
from ktrace.model.ipc.ids import ktime_get_real_seconds, later
from ktrace.model.ipc.namespace import (
    Namespace,
    WakeQ,
    ipc_update_perm,
    ipcctl_obtain_check,
    ipcperms,
    kernel_to_ipc64_perm,
    obtain_for_stat,
    pid_vnr,
)
from ktrace.model.ipc.sem_array import SemArray, SemQueue, sem_lock, sem_unlock
from ktrace.model.ipc.sem_queue import count_semcnt, do_smart_update, unlink_queue, wake_up_sem_queue_prepare
from ktrace.model.ipc.uapi import SEMID64_DS, SEMINFO, address_of, read_struct, write_struct
from ktrace.model.kernel import Kernel
from ktrace.model.mm.user_memory import copy_from_user, copy_to_user
from ktrace.model.task import Errno, Task
from ktrace.state.call import Pointer, Result
from ktrace.uapi import errno
from ktrace.uapi.ipc import IPC_INFO, IPC_RMID, IPC_SET, IPC_STAT
from ktrace.uapi.sem import (
    GETALL,
    GETNCNT,
    GETPID,
    GETVAL,
    GETZCNT,
    SEM_INFO,
    SEM_STAT,
    SEM_STAT_ANY,
    SEMAEM,
    SEMVMX,
    SETALL,
    SETVAL,
)

ADDRESSES = 1 << 18
"""From here on GETALL's argument is an address; below, the number of values to read back."""


@syscall("semctl")
def semctl(task: Task, semid: int, semnum: int, cmd: int, arg: Any) -> Answer:
    """Look at an array or change it (``ksys_semctl()``)."""
    ns = task.kernel.ipc.namespace(task)
    semid, semnum, cmd = s32(semid), s32(semnum), s32(cmd)
    if semid < 0:
        raise Errno("EINVAL")
    if cmd in (IPC_INFO, SEM_INFO):
        return write_struct(task, "buf", *semctl_info(ns, cmd), SEMINFO, arg)
    if cmd in (IPC_STAT, SEM_STAT, SEM_STAT_ANY):
        sma, answer, buf = semctl_stat(task, ns, semid, cmd)
        return write_struct(task, "buf", answer, buf, SEMID64_DS, arg, sma)
    if cmd == SETVAL:
        value = s32(arg.value if isinstance(arg, Pointer) else arg or 0)
        return semctl_setval(task, ns, semid, semnum, value)
    if cmd in (GETALL, SETALL, GETVAL, GETPID, GETNCNT, GETZCNT):
        return semctl_main(task, ns, semid, semnum, cmd, arg)
    if cmd in (IPC_SET, IPC_RMID):
        return semctl_down(task, ns, semid, cmd, arg)
    raise Errno("EINVAL")


def semctl_info(ns: Namespace, cmd: int) -> tuple[int, dict[str, int]]:
    """Tell limits, or what is in use (``semctl_info()``)."""
    semmsl, semmns, semopm, semmni = ns.sem_ctls
    info = {
        "semmap": 32000 * 32000,
        "semmni": semmni,
        "semmns": semmns,
        "semmnu": 32000 * 32000,
        "semmsl": semmsl,
        "semopm": semopm,
        "semume": 500,
        "semusz": ns.sem_ids.in_use if cmd == SEM_INFO else 20,
        "semvmx": SEMVMX,
        "semaem": ns.used_sems if cmd == SEM_INFO else SEMAEM,
    }
    return ns.sem_ids.get_maxidx(), info


def semctl_stat(task: Task, ns: Namespace, semid: int, cmd: int) -> tuple[SemArray, int, dict[str, Any]]:
    """Tell about one array; return it, the call's value and the struct (``semctl_stat()``)."""
    sma, answer = obtain_for_stat(ns.sem_ids, task.cred, semid, cmd, SEM_STAT_ANY)
    otime = sma.sems[0].sem_otime  # get_semotime()
    for sem in sma.sems[1:]:
        otime = later(otime, sem.sem_otime)
    buf = {
        "sem_perm": kernel_to_ipc64_perm(task.cred, sma),
        "sem_otime": otime,
        "sem_ctime": sma.sem_ctime,
        "sem_nsems": sma.sem_nsems,
    }
    return sma, answer, buf


def semctl_setval(task: Task, ns: Namespace, semid: int, semnum: int, val: int) -> int:
    """Set one value and forget everybody's undo for it (``semctl_setval()``)."""
    if not 0 <= val <= SEMVMX:
        raise Errno("ERANGE")
    sma = ns.sem_ids.obtain_object_check(semid)
    if not 0 <= semnum < sma.sem_nsems:
        raise Errno("EINVAL")
    if ipcperms(task.cred, sma, S_IWUGO):
        raise Errno("EACCES")
    sem_lock(sma)
    for undo in sma.list_id:
        undo.semadj[semnum] = 0
    sma.sems[semnum].semval = val
    sma.sems[semnum].sempid = task.process
    _changed(task.kernel, sma)
    return 0


def _changed(kernel: Kernel, sma: SemArray) -> None:
    """Complete the operations that SETVAL or SETALL lets go on (``do_smart_update()``)."""
    wake_q = WakeQ()
    sma.sem_ctime = ktime_get_real_seconds(kernel)
    do_smart_update(kernel, sma, None, False, wake_q)
    sem_unlock(sma)
    wake_q.wake_up(kernel)


def semctl_main(task: Task, ns: Namespace, semid: int, semnum: int, cmd: int, arg: Any) -> Answer:
    """Read values and counts, or set all values (``semctl_main()``)."""
    sma = ns.sem_ids.obtain_object_check(semid)
    if ipcperms(task.cred, sma, S_IWUGO if cmd == SETALL else S_IRUGO):
        raise Errno("EACCES")
    if cmd == GETALL:
        return _getall(task, sma, arg)
    if cmd == SETALL:
        return _setall(task, sma, arg)
    if not 0 <= semnum < sma.sem_nsems:
        raise Errno("EINVAL")
    sem_lock(sma)
    sem = sma.sems[semnum]
    answers: dict[int, Callable[[], Answer]] = {
        GETVAL: lambda: sem.semval,
        GETPID: lambda: pid_vnr(sem.sempid),
        GETNCNT: lambda: count_semcnt(sma, semnum, False),
        GETZCNT: lambda: count_semcnt(sma, semnum, True),
    }
    answer = answers[cmd]()
    sem_unlock(sma)
    return answer


def _getall(task: Task, sma: SemArray, arg: Any) -> Result:
    sem_lock(sma)
    sem_io = tuple([sem.semval for sem in sma.sems])
    sem_unlock(sma)
    if len(sem_io) > 256:  # SEMMSL_FAST: unlocked to allocate, then sem_lock_and_putref()
        sem_lock(sma)
        sem_unlock(sma)
    if isinstance(arg, int) and arg < ADDRESSES:
        return Result(0, None, {"array": (sem_io + (0,) * arg)[:arg]})
    copy_to_user(task, address_of(arg) or 0, struct.pack(f"<{len(sem_io)}H", *sem_io))
    return Result(0)


def _setall(task: Task, sma: SemArray, arg: Any) -> int:
    nsems = sma.sem_nsems
    if isinstance(arg, tuple):
        values = [value & 0xFFFF for value in (*arg, *[0] * (nsems - len(arg)))[:nsems]]
    else:
        values = list(struct.unpack(f"<{nsems}H", copy_from_user(task, address_of(arg) or 0, 2 * nsems)))
    if any(value > SEMVMX for value in values):
        raise Errno("ERANGE")
    sem_lock(sma)
    for sem, value in zip(sma.sems, values, strict=True):
        sem.semval = value
        sem.sempid = task.process
    for undo in sma.list_id:
        undo.semadj[:] = [0] * sma.sem_nsems
    _changed(task.kernel, sma)
    return 0


def semctl_down(task: Task, ns: Namespace, semid: int, cmd: int, arg: Any) -> int:
    """Remove an array, or set its owner and permissions (``semctl_down()``)."""
    kernel = task.kernel
    given = read_struct(task, arg, SEMID64_DS) if cmd == IPC_SET else None
    sma = ipcctl_obtain_check(ns.sem_ids, task.cred, semid)
    sem_lock(sma)
    if given is None:
        freeary(kernel, ns, sma)
        return 0
    try:
        ipc_update_perm(task.cred, given["sem_perm"], sma)
        sma.sem_ctime = ktime_get_real_seconds(kernel)
    finally:
        sem_unlock(sma)
    return 0


def freeary(kernel: Kernel, ns: Namespace, sma: SemArray) -> None:
    """Take an array away from all that sleep on it or owe it something (``freeary()``)."""
    for undo in sma.list_id:
        undo.semid = -1
        undo.ulp.list_proc.remove(undo)
    sma.list_id.clear()
    wake_q = WakeQ()

    def expel(pending: list[SemQueue]) -> None:
        for q in list(pending):
            unlink_queue(sma, q)
            wake_up_sem_queue_prepare(q, -errno.EIDRM, wake_q)

    expel(sma.pending_const)
    expel(sma.pending_alter)
    for sem in sma.sems:
        expel(sem.pending_const)
        expel(sem.pending_alter)
        sem.sempid = None
    ns.sem_ids.rmid(sma)
    sem_unlock(sma)
    wake_q.wake_up(kernel)
    ns.used_sems -= sma.sem_nsems
