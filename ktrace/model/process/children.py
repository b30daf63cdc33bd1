"""Waiting for children (``kernel/exit.c``).

An actor's children are born with CLONE_PARENT, so that they are the agent's: no actor has any to wait for. Programs
have children of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    found = yield from do_wait(task, program, number, options | WEXITED)
    if found is None:
        before = task.kernel.choose(LEFT_ALONE, lambda seen: seen.out(task, "wstatus"), lambda _: True, None)
        return Result(0, None, {} if before is None else {"wstatus": before})
    pointed = task.call is not None and "wstatus" in task.call.pointers
    return Result(found.pid, None, {"actor": found.name, **({} if pointed else {"wstatus": (found.status,)})})


@dataclass(frozen=True)
class Waited:
    """What was found of a child: *status* as wait4(2) tells it."""

    name: str
    pid: int
    status: int


CONTINUED = 0xFFFF
STOPPED = 0x7F


def do_wait(task: Task, program: Traced, number: int, options: int) -> Sleeps[Waited | None]:
    """Return a child of which there is something to tell (``do_wait()``); ``None`` where nobody is to wait for one.

    :param number: its pid, negative that of its process group, 0 for the caller's own group, -1 for any
    :raises Errno: ECHILD, ERESTARTSYS
    """
    entry = WaitEntry(task, autoremove=False)
    try:
        while True:
            pgrp = task.pgrp if number == 0 else -number
            meant = False
            for child in _by_birth(program):  # do_wait_thread()
                group = task.kernel.zombies[child.name].pgrp if isinstance(child, Zombie) else child.pgrp
                if not _is_meant(number, pgrp, child.pid, group):
                    continue
                if isinstance(child, Task):
                    meant = True
                    found = _wait_stopped_or_continued(child, options)
                else:
                    found = _wait_zombie(task, program, child, options)
                if found is not None:
                    return found
            if not meant:
                raise Errno("ECHILD")
            if options & WNOHANG:
                return None
            if task.signal_pending():
                raise Errno("ERESTARTSYS")
            if entry not in program.wait_chldexit.entries:
                program.wait_chldexit.add(entry)
            yield
    finally:
        program.wait_chldexit.remove(entry)


def _by_birth(program: Traced) -> list[Task | Zombie]:
    born: list[tuple[int, Task | Zombie]] = [(zombie.born, zombie) for zombie in program.zombies]
    born += [(_program(child).born, child) for child in program.children]
    return [child for _, child in sorted(born, key=lambda item: item[0])]


def _wait_zombie(task: Task, program: Traced, zombie: Zombie, options: int) -> Waited | None:
    """Return what is to be told of a child that has ended, and let nothing be left of it (``wait_task_zombie()``)."""
    if not options & WEXITED:
        return None
    if not options & WNOWAIT:
        _release(task, program, zombie)
    return Waited(zombie.name, zombie.pid, zombie.status)


def _wait_stopped_or_continued(child: Task, options: int) -> Waited | None:
    """Return what is to be told of a child that lives (``wait_task_stopped()``, ``wait_task_continued()``)."""
    stop = _program(child).stop
    if options & WUNTRACED and stop.stopped and stop.code:
        code = stop.code
        if options & WNOWAIT:
            return Waited(child.name, child.pid, code)
        stop.code = 0
        return Waited(child.name, child.pid, code << 8 | STOPPED)
    if options & WCONTINUED and stop.continued:
        if not options & WNOWAIT:
            stop.continued = False
        return Waited(child.name, child.pid, CONTINUED)
    return None


def _program(task: Task) -> Traced:
    assert task.program is not None
    return task.program


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
    found = yield from do_wait(task, program, number, options | (WNOHANG if nonblock else 0))
    if found is None and nonblock and not options & WNOHANG:
        raise Errno("EAGAIN")
    return 0


def _release(task: Task, program: Traced, zombie: Zombie) -> None:
    """Let nothing of a child be left (``release_task()``)."""
    program.zombies.remove(zombie)
    task.kernel.zombies.pop(zombie.name, None)
