"""Operations on semaphores: trying them, queueing them, completing those that can go on (``ipc/sem.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.include.linux.types import s32
from ktrace.model.ipc.ids import ktime_get_real_seconds
from ktrace.model.ipc.namespace import WakeQ
from ktrace.model.ipc.sem_array import SemArray, SemBuf, SemQueue
from ktrace.uapi import errno
from ktrace.uapi.ipc import IPC_NOWAIT
from ktrace.uapi.sem import SEM_UNDO, SEMAEM, SEMVMX

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel


def perform_atomic_semop(sma: SemArray, q: SemQueue) -> int:
    """Do all operations of *q* or none (``perform_atomic_semop()``).

    :returns: 0 if done, 1 if it must sleep, else a negative error number
    """
    if q.dupsop:
        return perform_atomic_semop_slow(sma, q)
    for index, sop in enumerate(q.sops):
        semval = sma.sems[sop.sem_num].semval
        result = semval + sop.sem_op
        if (not sop.sem_op and semval) or result < 0:
            return _would_block(q, index)
        if result > SEMVMX:
            return -errno.ERANGE
        if sop.sem_flg & SEM_UNDO and _adjusted(q, sop) is None:
            return -errno.ERANGE
    for sop in q.sops:
        if sop.sem_flg & SEM_UNDO:
            adjusted = _adjusted(q, sop)
            assert adjusted is not None and q.undo is not None
            q.undo.semadj[sop.sem_num] = adjusted
        sem = sma.sems[sop.sem_num]
        sem.semval += sop.sem_op
        sem.sempid = q.pid
    return 0


def perform_atomic_semop_slow(sma: SemArray, q: SemQueue) -> int:
    """Do the operations one by one and take them back where one fails (``perform_atomic_semop_slow()``)."""
    outcome = 0
    done = 0
    for index, sop in enumerate(q.sops):
        sem = sma.sems[sop.sem_num]
        result = sem.semval + sop.sem_op
        if (not sop.sem_op and sem.semval) or result < 0:
            outcome = _would_block(q, index)
            break
        if result > SEMVMX:
            outcome = -errno.ERANGE
            break
        if sop.sem_flg & SEM_UNDO:
            adjusted = _adjusted(q, sop)
            if adjusted is None:
                outcome = -errno.ERANGE
                break
            assert q.undo is not None
            q.undo.semadj[sop.sem_num] = adjusted
        sem.semval = result
        done = index + 1
    if not outcome:
        for sop in q.sops:
            sma.sems[sop.sem_num].sempid = q.pid
        return 0
    for sop in reversed(q.sops[:done]):
        sma.sems[sop.sem_num].semval -= sop.sem_op
        if sop.sem_flg & SEM_UNDO:
            assert q.undo is not None
            q.undo.semadj[sop.sem_num] += sop.sem_op
    return outcome


def _would_block(q: SemQueue, index: int) -> int:
    q.blocking = index
    return -errno.EAGAIN if q.sops[index].sem_flg & IPC_NOWAIT else 1


def _adjusted(q: SemQueue, sop: SemBuf) -> int | None:
    """Return the semadj that *sop* leads to, or ``None`` beyond its range."""
    assert q.undo is not None
    adjusted = q.undo.semadj[sop.sem_num] - sop.sem_op
    return adjusted if -SEMAEM - 1 <= adjusted <= SEMAEM else None


def unlink_queue(sma: SemArray, q: SemQueue) -> None:
    """Take *q* off whichever list it is on (``unlink_queue()``)."""
    number = q.sops[0].sem_num
    sem = sma.sems[number]
    for pending in (sma.pending_alter, sma.pending_const, sem.pending_alter, sem.pending_const):
        if q in pending:
            pending.remove(q)
            break
    else:
        raise AssertionError("a sleeping semop is on no list")
    if q.nsops > 1:
        sma.complex_count -= 1


def wake_up_sem_queue_prepare(q: SemQueue, error: int, wake_q: WakeQ) -> None:
    """Set the completion status and note the sleeper (``wake_up_sem_queue_prepare()``)."""
    q.status = error
    assert q.sleeper is not None
    wake_q.add(q.sleeper)


def check_restart(sma: SemArray, q: SemQueue) -> bool:
    """Tell whether all sleepers must be looked at again (``check_restart()``)."""
    return bool(sma.pending_alter) or q.nsops > 1


def wake_const_ops(sma: SemArray, semnum: int, wake_q: WakeQ) -> bool:
    """Complete those that wait for zero (``wake_const_ops()``); -1 stands for the array's queue."""
    pending = sma.pending_const if semnum == -1 else sma.sems[semnum].pending_const
    completed = False
    for q in list(pending):
        error = perform_atomic_semop(sma, q)
        if error > 0:
            continue
        unlink_queue(sma, q)
        wake_up_sem_queue_prepare(q, error, wake_q)
        completed = completed or error == 0
    return completed


def do_smart_wakeup_zero(sma: SemArray, sops: tuple[SemBuf, ...] | None, wake_q: WakeQ) -> bool:
    """Complete those that wait for zero on what changed (``do_smart_wakeup_zero()``).

    :param sops: ``None`` where any semaphore may have changed
    """
    numbers = range(sma.sem_nsems) if sops is None else [sop.sem_num for sop in sops]
    completed = got_zero = False
    for number in numbers:
        if sma.sems[number].semval == 0:
            got_zero = True
            completed |= wake_const_ops(sma, number, wake_q)
    if got_zero:
        completed |= wake_const_ops(sma, -1, wake_q)
    return completed


def update_queue(sma: SemArray, semnum: int, wake_q: WakeQ) -> bool:
    """Complete whoever can go on, oldest first (``update_queue()``); -1 stands for the array's queue."""
    pending = sma.pending_alter if semnum == -1 else sma.sems[semnum].pending_alter
    completed = False
    again = True
    while again:
        again = False
        for q in list(pending):
            if semnum != -1 and sma.sems[semnum].semval == 0:
                break
            error = perform_atomic_semop(sma, q)
            if error > 0:
                continue
            unlink_queue(sma, q)
            restart = False
            if not error:
                completed = True
                do_smart_wakeup_zero(sma, q.sops, wake_q)
                restart = check_restart(sma, q)
            wake_up_sem_queue_prepare(q, error, wake_q)
            if restart:
                again = True
                break
    return completed


def set_semotime(kernel: Kernel, sma: SemArray, sops: tuple[SemBuf, ...] | None) -> None:
    """Note the time in one semaphore of the array (``set_semotime()``)."""
    sma.sems[0 if sops is None else sops[0].sem_num].sem_otime = ktime_get_real_seconds(kernel)


def do_smart_update(kernel: Kernel, sma: SemArray, sops: tuple[SemBuf, ...] | None, otime: bool, wake_q: WakeQ) -> None:
    """Complete whoever can go on after a change (``do_smart_update()``)."""
    otime |= do_smart_wakeup_zero(sma, sops, wake_q)
    if sma.pending_alter:
        otime |= update_queue(sma, -1, wake_q)
    elif sops is None:
        for number in range(sma.sem_nsems):
            otime |= update_queue(sma, number, wake_q)
    else:
        # Nobody sleeps on a semaphore that went down.
        for sop in sops:
            if sop.sem_op > 0:
                otime |= update_queue(sma, sop.sem_num, wake_q)
    if otime:
        set_semotime(kernel, sma, sops)


def count_semcnt(sma: SemArray, semnum: int, count_zero: bool) -> int:
    """Count the operations that wait on one semaphore (``count_semcnt()``, ``check_qop()``)."""
    sem = sma.sems[semnum]
    simple = sem.pending_const if count_zero else sem.pending_alter
    complex_ = sma.pending_alter + sma.pending_const if count_zero else sma.pending_alter
    count = len(simple)
    for q in complex_:
        assert q.blocking is not None
        sop = q.sops[q.blocking]
        if sop.sem_num == semnum and (sop.sem_op == 0 if count_zero else sop.sem_op < 0):
            count += 1
    return s32(count)
