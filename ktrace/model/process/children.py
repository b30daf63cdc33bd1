"""Waiting for children (``kernel/exit.c``).

An actor's children are born with CLONE_PARENT, so that they are the agent's: no actor has any to wait for. Programs
have children of their own.
"""

from __future__ import annotations

from ktrace.model.calls import syscall
from ktrace.model.process.job_control import Who, number_of
from ktrace.model.process.traced import Traced, Zombie
from ktrace.model.task import Errno, Task
from ktrace.model.wait import MaySleep, Sleeps, WaitEntry
from ktrace.state.call import Result
from ktrace.state.rule import Rule
from ktrace.uapi.fcntl import O_NONBLOCK
from ktrace.uapi.limits import INT_MIN
from ktrace.uapi.wait import (
    __WALL,
    __WCLONE,
    __WNOTHREAD,
    P_ALL,
    P_PGID,
    P_PID,
    P_PIDFD,
    WCONTINUED,
    WEXITED,
    WNOHANG,
    WNOWAIT,
    WSTOPPED,
    WUNTRACED,
)

LEFT_ALONE = Rule("kernel/exit.c", "kernel_wait4", "what stood in the status before: it is left alone where none ended")
_KINDS = __WNOTHREAD | __WCLONE | __WALL


@syscall("wait4")
def wait4(task: Task, pid: Who, options: int) -> MaySleep[Result]:
    """Wait for a child that has ended (``kernel_wait4()``, ``do_wait()``).

    :raises Errno: EINVAL, ESRCH, ECHILD, ERESTARTSYS
    """
    if options & ~(WNOHANG | WUNTRACED | WCONTINUED | _KINDS):
        raise Errno("EINVAL")
    number = number_of(task.kernel, pid)
    if number == INT_MIN:
        raise Errno("ESRCH")
    if task.program is None:
        raise Errno("ECHILD")
    return _wait4(task, task.program, number, options)


def _wait4(task: Task, program: Traced, number: int, options: int) -> Sleeps[Result]:
    zombie = yield from do_wait(task, program, number, bool(options & WNOHANG))
    if zombie is None:
        before = task.kernel.choose(LEFT_ALONE, lambda seen: seen.out(task, "wstatus"), lambda _: True, None)
        return Result(0, None, {} if before is None else {"wstatus": before})
    _release(task, program, zombie)
    pointed = task.call is not None and "wstatus" in task.call.pointers
    return Result(zombie.pid, None, {"actor": zombie.name, **({} if pointed else {"wstatus": (zombie.status,)})})


def do_wait(task: Task, program: Traced, number: int, nohang: bool) -> Sleeps[Zombie | None]:
    """Return a child that has ended (``do_wait()``); ``None`` where there is none yet and nobody is to wait.

    :param number: its pid, negative that of its process group, 0 for the caller's own group, -1 for any
    :raises Errno: ECHILD, ERESTARTSYS
    """
    entry = WaitEntry(task, autoremove=False)
    try:
        while True:
            pgrp = task.pgrp if number == 0 else -number
            living = [child for child in program.children if _is_meant(number, pgrp, child.pid, child.pgrp)]
            for zombie in program.zombies:
                if _is_meant(number, pgrp, zombie.pid, task.kernel.zombies[zombie.name].pgrp):
                    return zombie
            if not living:
                raise Errno("ECHILD")
            if nohang:
                return None
            if task.signal_pending():
                raise Errno("ERESTARTSYS")
            if entry not in program.wait_chldexit.entries:
                program.wait_chldexit.add(entry)
            yield
    finally:
        program.wait_chldexit.remove(entry)


def _is_meant(number: int, pgrp: int, pid: int, group: int) -> bool:
    """Tell whether somebody waits for a child (``eligible_pid()``)."""
    return number == -1 or (number > 0 and pid == number) or (number <= 0 and group == pgrp)


@syscall("waitid")
def waitid(task: Task, which: int, upid: Who, options: int) -> MaySleep[int]:
    """Wait for a child that has ended (``kernel_waitid()``, ``do_wait()``).

    :raises Errno: EINVAL, EBADF, ECHILD, EAGAIN, ERESTARTSYS
    """
    kernel = task.kernel
    events = WEXITED | WSTOPPED | WCONTINUED
    if options & ~(WNOHANG | WNOWAIT | events | _KINDS) or not options & events:
        raise Errno("EINVAL")
    number = upid if isinstance(upid, int) else number_of(kernel, upid)
    named = isinstance(upid, str)
    if which == P_PID and number <= 0 and not named:
        raise Errno("EINVAL")
    if which in (P_PGID, P_PIDFD) and number < 0:
        raise Errno("EINVAL")
    if which not in (P_ALL, P_PID, P_PGID, P_PIDFD):
        raise Errno("EINVAL")
    nonblock = False
    if which == P_PIDFD:  # pidfd_get_pid()
        file = task.files.get(number)
        if getattr(file.ops, "what", "") != "pidfd":
            raise Errno("EBADF")
        target = getattr(file.ops, "target", None)
        number, nonblock = target.pid if target is not None else 1, bool(file.f_flags & O_NONBLOCK)
    if task.program is None:
        raise Errno("ECHILD")
    meant = -1 if which == P_ALL else -number if which == P_PGID else number
    return _waitid(task, task.program, meant, options, nonblock)


def _waitid(task: Task, program: Traced, number: int, options: int, nonblock: bool) -> Sleeps[int]:
    nohang = bool(options & WNOHANG) or not options & WEXITED
    zombie = yield from do_wait(task, program, number, nohang or nonblock)
    if zombie is None and nonblock and not nohang:
        raise Errno("EAGAIN")
    if zombie is not None and not options & WNOWAIT:
        _release(task, program, zombie)
    return 0


def _release(task: Task, program: Traced, zombie: Zombie) -> None:
    """Let nothing of a child be left (``release_task()``)."""
    program.zombies.remove(zombie)
    task.kernel.zombies.pop(zombie.name, None)
