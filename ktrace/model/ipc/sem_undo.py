"""SEM_UNDO: what processes owe to arrays, and how it is applied when they end (``ipc/sem.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.model.ipc.namespace import Namespace, WakeQ
from ktrace.model.ipc.sem_array import SemUndo, SemUndoList, sem_lock, sem_unlock
from ktrace.model.ipc.sem_queue import do_smart_update
from ktrace.model.task import Errno, Task
from ktrace.uapi.sched import CLONE_SYSVSEM
from ktrace.uapi.sem import SEMVMX

if TYPE_CHECKING:
    pass


def get_undo_list(task: Task) -> SemUndoList:
    """Return the task's undo list, made at the first need (``get_undo_list()``)."""
    if task.undo_list is None:
        task.undo_list = SemUndoList(task.kernel.serial())
    return task.undo_list


def lookup_undo(ulp: SemUndoList, semid: int) -> SemUndo | None:
    """Find the undo structure for an array and move it to the front (``lookup_undo()``)."""
    for undo in ulp.list_proc:
        if undo.semid == semid:
            ulp.list_proc.remove(undo)
            ulp.list_proc.insert(0, undo)
            return undo
    return None


def find_alloc_undo(task: Task, ns: Namespace, semid: int) -> SemUndo:
    """Return the task's undo structure for an array, a new one at the first need (``find_alloc_undo()``).

    :raises Errno: EINVAL if there is no such array; the task keeps its new list then
    """
    ulp = get_undo_list(task)
    undo = lookup_undo(ulp, semid)
    if undo is not None:
        return undo
    sma = ns.sem_ids.obtain_object_check(semid)
    sem_lock(sma)  # sem_lock_and_putref()
    undo = SemUndo(task.kernel.serial(), ulp, semid, [0] * sma.sem_nsems)
    ulp.list_proc.insert(0, undo)
    sma.list_id.insert(0, undo)
    sem_unlock(sma)
    return undo


def copy_semundo(parent: Task, child: Task, flags: int) -> None:
    """Share the undo list with CLONE_SYSVSEM, else start without (``copy_semundo()``)."""
    if flags & CLONE_SYSVSEM:
        undo_list = get_undo_list(parent)
        undo_list.refcnt += 1
        child.undo_list = undo_list


def exit_sem(task: Task, ns: Namespace) -> None:
    """Leave the undo list; the last task to leave applies it (``exit_sem()``)."""
    kernel = task.kernel
    ulp, task.undo_list = task.undo_list, None
    if ulp is None:
        return
    ulp.refcnt -= 1
    if ulp.refcnt:
        return
    while ulp.list_proc:
        undo = ulp.list_proc[0]
        try:
            sma = ns.sem_ids.obtain_object_check(undo.semid)
        except Errno as error:
            raise AssertionError("exit_sem() would spin: an undo structure for no array of this namespace") from error
        wake_q = WakeQ()
        sem_lock(sma)
        sma.list_id.remove(undo)
        ulp.list_proc.remove(undo)
        for sem, semadj in zip(sma.sems, undo.semadj, strict=True):
            if semadj:
                sem.semval = min(max(sem.semval + semadj, 0), SEMVMX)
                sem.sempid = task.process
        do_smart_update(kernel, sma, None, True, wake_q)
        sem_unlock(sma)
        wake_q.wake_up(kernel)
