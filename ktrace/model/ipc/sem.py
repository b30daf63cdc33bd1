"""Semaphore arrays: semget, semop and semtimedop (``ipc/sem.c``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ktrace.include.linux.stat import S_IRUGO, S_IRWXUGO, S_IWUGO
from ktrace.include.linux.types import s16, s32, u32
from ktrace.model.calls import syscall
from ktrace.model.ipc.ids import ktime_get_real_seconds
from ktrace.model.ipc.namespace import Namespace, WakeQ, ipcget, ipcperms
from ktrace.model.ipc.sem_array import (
    USE_GLOBAL_LOCK_HYSTERESIS,
    Sem,
    SemArray,
    SemBuf,
    SemQueue,
    merge_queues,
    sem_lock,
    sem_unlock,
)
from ktrace.model.ipc.sem_queue import do_smart_update, perform_atomic_semop, set_semotime, unlink_queue
from ktrace.model.ipc.sem_undo import find_alloc_undo
from ktrace.model.ipc.uapi import SEMBUF, TIMESPEC, address_of, read_array, read_struct
from ktrace.model.task import Errno, Task
from ktrace.model.timer import schedule_timeout
from ktrace.model.wait import Sleeps
from ktrace.uapi import errno
from ktrace.uapi.errno import errno_name
from ktrace.uapi.sem import SEM_UNDO

BITS_PER_LONG = 64


@syscall("semget")
def semget(task: Task, key: int, nsems: int, semflg: int) -> int:
    """Find or make an array (``ksys_semget()``, ``newary()``, ``sem_more_checks()``)."""
    kernel = task.kernel
    ns = kernel.ipc.namespace(task)
    key, nsems = s32(key), s32(nsems)
    if nsems < 0 or nsems > ns.sem_ctls[0]:
        raise Errno("EINVAL")

    def newary() -> int:
        if not nsems:
            raise Errno("EINVAL")
        if ns.used_sems + nsems > ns.sem_ctls[1]:
            raise Errno("ENOSPC")
        sma = SemArray("sem", key, semflg & S_IRWXUGO)
        sma.sems = [Sem() for _ in range(nsems)]
        sma.use_global_lock = USE_GLOBAL_LOCK_HYSTERESIS
        sma.sem_ctime = ktime_get_real_seconds(kernel)
        ns.sem_ids.addid(sma, task.cred, ns.sem_ctls[3])
        ns.name(kernel, sma)
        ns.used_sems += nsems
        sem_unlock(sma)
        return sma.id

    def more_checks(sma: SemArray) -> None:
        if nsems > sma.sem_nsems:
            raise Errno("EINVAL")

    return ipcget(ns.sem_ids, task.cred, key, semflg, newary, more_checks)


@syscall("semop")
def semop(task: Task, semid: int, sops: Any, nsops: int) -> Sleeps[int]:
    """Do operations on an array (``SYSCALL_DEFINE3(semop)``)."""
    return semtimedop(task, semid, sops, None, nsops)


@syscall("semtimedop")
def semtimedop(task: Task, semid: int, sops: Any, timeout: Any, nsops: int) -> Sleeps[int]:
    """Do operations on an array, sleeping no longer than *timeout* (``ksys_semtimedop()``, ``do_semtimedop()``)."""
    ns = task.kernel.ipc.namespace(task)
    semid, nsops = s32(semid), u32(nsops)
    if timeout is not None and address_of(timeout) != 0:
        timeout = read_struct(task, timeout, TIMESPEC)
    else:
        timeout = None
    # An unsigned number against an int: a negative limit is none.
    if nsops > u32(ns.sem_ctls[2]):
        raise Errno("E2BIG")
    if nsops < 1:
        raise Errno("EINVAL")
    given = read_array(task, sops, SEMBUF, nsops)
    array = tuple([SemBuf(sop["sem_num"] & 0xFFFF, s16(sop["sem_op"]), s16(sop["sem_flg"])) for sop in given])
    return _semtimedop(task, ns, semid, array, timeout)


def _semtimedop(
    task: Task, ns: Namespace, semid: int, sops: tuple[SemBuf, ...], timeout: Mapping[str, int] | None
) -> Sleeps[int]:
    """Mirror ``__do_semtimedop()``."""
    kernel = task.kernel
    if semid < 0:
        raise Errno("EINVAL")
    if timeout is not None and not (timeout["tv_sec"] >= 0 and 0 <= timeout["tv_nsec"] < 1_000_000_000):
        raise Errno("EINVAL")
    seconds = None if timeout is None else timeout["tv_sec"] + timeout["tv_nsec"] / 1e9
    undos, alter, dupsop = _scan(sops)
    undo = find_alloc_undo(task, ns, semid) if undos else None
    sma = ns.sem_ids.obtain_object_check(semid)
    if max(sop.sem_num for sop in sops) >= sma.sem_nsems:
        raise Errno("EFBIG")
    if ipcperms(task.cred, sma, S_IWUGO if alter else S_IRUGO):
        raise Errno("EACCES")

    locknum = sem_lock(sma, sops)
    queue = SemQueue(sops, undo, task.process, alter, dupsop)
    error = perform_atomic_semop(sma, queue)
    if error == 0:
        wake_q = WakeQ()
        if alter:
            do_smart_update(kernel, sma, sops, True, wake_q)
        else:
            set_semotime(kernel, sma, sops)
        sem_unlock(sma, locknum)
        wake_q.wake_up(kernel)
        return 0
    if error < 0:
        sem_unlock(sma, locknum)
        raise Errno(errno_name(-error))

    _enqueue(sma, queue)
    while True:
        queue.status = -errno.EINTR
        queue.sleeper = task
        sem_unlock(sma, locknum)
        timed_out = yield from schedule_timeout(task, seconds)
        if queue.status != -errno.EINTR:
            if queue.status:
                raise Errno(errno_name(-queue.status))
            return 0
        locknum = sem_lock(sma, sops)
        error = -errno.EAGAIN if timed_out else queue.status
        if error != -errno.EINTR or task.signal_pending():
            break
    unlink_queue(sma, queue)
    sem_unlock(sma, locknum)
    raise Errno(errno_name(-error))


def _scan(sops: tuple[SemBuf, ...]) -> tuple[bool, bool, bool]:
    """Return whether any operation has SEM_UNDO, whether any alters, and whether one may alter twice."""
    undos = alter = dupsop = False
    dup = 0
    for sop in sops:
        mask = 1 << sop.sem_num % BITS_PER_LONG
        undos = undos or bool(sop.sem_flg & SEM_UNDO)
        dupsop = dupsop or bool(dup & mask)
        if sop.sem_op:
            alter = True
            dup |= mask
    return undos, alter, dupsop


def _enqueue(sma: SemArray, queue: SemQueue) -> None:
    """Put a semop that must sleep on the right list (``__do_semtimedop()``)."""
    if queue.nsops == 1:
        sem = sma.sems[queue.sops[0].sem_num]
        if not queue.alter:
            sem.pending_const.append(queue)
        elif sma.complex_count:
            sma.pending_alter.append(queue)
        else:
            sem.pending_alter.append(queue)
        return
    if not sma.complex_count:
        merge_queues(sma)
    (sma.pending_alter if queue.alter else sma.pending_const).append(queue)
    sma.complex_count += 1
