"""Locking a program's memory (``mm/mlock.c``): what it answers is taken as observed, what it splits is not."""

from __future__ import annotations

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.types import u64
from ktrace.model.calls import syscall
from ktrace.model.mm.address_space import page_align
from ktrace.model.process.passed_over import passed_over
from ktrace.model.task import Task
from ktrace.model.wait import Sleeps
from ktrace.state.call import Result


@syscall("mlock")
def mlock(task: Task, addr: int, length: int) -> Sleeps[Result]:
    """Lock a range (``do_mlock()``, ``apply_vma_lock_flags()``)."""
    return _lock(task, addr, length, locked=True)


@syscall("mlock2")
def mlock2(task: Task, addr: int, length: int, flags: int) -> Sleeps[Result]:
    """Lock a range, or what of it comes to be (``do_mlock()``)."""
    return _lock(task, addr, length, locked=True)


@syscall("munlock")
def munlock(task: Task, addr: int, length: int) -> Sleeps[Result]:
    """Unlock a range (``SYSCALL_DEFINE2(munlock)``)."""
    return _lock(task, addr, length, locked=False)


def _lock(task: Task, addr: int, length: int, locked: bool) -> Sleeps[Result]:
    seen = yield from passed_over(task)
    start = u64(addr) & ~(PAGE_SIZE - 1)
    end = page_align(u64(addr) + u64(length))
    if seen.errno is None:
        for vma in task.mm.intersecting(start, end):
            if vma.locked != locked:  # mlock_fixup()
                if vma.start < start:
                    vma = task.mm.split(task, vma, start)
                if vma.end > end:
                    task.mm.split(task, vma, end)
                vma.locked = locked
    return seen
