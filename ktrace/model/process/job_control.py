"""Process groups and sessions (``kernel/sys.c``): who is in them, who may change that, whom they stand for."""

from __future__ import annotations

from ktrace.model.calls import syscall
from ktrace.model.kernel import Kernel
from ktrace.model.task import Errno, Task
from ktrace.state.call import Result

Who = int | str
"""A process: its number, an actor's name, or for a group ``-B``: that which an actor leads."""


def pid_result(kernel: Kernel, pid: int) -> Result:
    """Return a pid as a call's answer, with the name of the actor that has it or had it."""
    name = kernel.name_of(pid) if pid > 0 else None
    return Result(pid, None, {} if name is None else {"actor": name})


def number_of(kernel: Kernel, who: Who) -> int:
    """Return the number of *who*, negative for the group that an actor leads."""
    if isinstance(who, int):
        return who
    return -kernel.pid_of(who[1:]) if who.startswith("-") else kernel.pid_of(who)


def find_process(kernel: Kernel, who: Who) -> Task | None:
    """Return the actor *who*; ``None`` for the agent and the first process (``find_task_by_vpid()``).

    :raises Errno: ESRCH
    :raises NotImplementedError: it may be one of the kernel's own threads
    """
    if (found := kernel.find_task(who) or find_zombie(kernel, who)) is not None:
        return found
    pid = number_of(kernel, who)
    agent = kernel.processes.facts.agent_pid
    if pid in (1, agent):
        return None
    if 0 < pid < agent:
        raise NotImplementedError(f"nobody knows whether there is a process {pid}")
    raise Errno("ESRCH")


def find_zombie(kernel: Kernel, who: Who) -> Task | None:
    """Return the task *who* that has ended, but was not waited for: it has its number still."""
    if isinstance(who, str):
        return kernel.zombies.get(who)
    return next((task for task in kernel.zombies.values() if task.pid == who), None)


def members(kernel: Kernel, pgrp: int) -> list[Task]:
    """Return the actors in a process group, the one that came last first (``do_each_pid_task()``).

    One that has ended stays in it until its parent has waited for it.
    """
    there = (*kernel.tasks.values(), *kernel.zombies.values())
    found = [task for task in there if task.pgrp == pgrp and not _is_thread(task)]
    return sorted(found, key=lambda task: -task.pgrp_attached)


def _is_thread(task: Task) -> bool:
    return task.program is not None and task.program.is_thread(task)


def attach_pgrp(task: Task, pgrp: int) -> None:
    """Put *task* at the head of a group's list (``kernel/pid.c: attach_pid(), change_pid()``)."""
    task.pgrp, task.pgrp_attached = pgrp, task.kernel.serial()


@syscall("setpgid")
def setpgid(task: Task, pid: Who, pgid: Who) -> int:
    """Move the caller, or a child that runs no program of its own yet, to another process group.

    ``SYSCALL_DEFINE2(setpgid)``

    :raises Errno: EINVAL, ESRCH, EPERM, EACCES
    """
    kernel, leader = task.kernel, _leader(task)
    group = number_of(kernel, pgid) or number_of(kernel, pid) or leader.pid
    if group < 0:
        raise Errno("EINVAL")
    found = find_process(kernel, pid) if pid else leader
    if found is None:
        raise Errno("ESRCH")
    if _is_thread(found):
        raise Errno("EINVAL")
    program = found.program
    if program is not None and program.parent is not None and _leader(program.parent) is leader:
        if found.session != leader.session:
            raise Errno("EPERM")
        if program.executed:
            raise Errno("EACCES")
    elif found is not leader:
        raise Errno("ESRCH")
    if found.session_leader:
        raise Errno("EPERM")
    if group != found.pid:
        there = members(kernel, group)
        if not there or there[0].session != leader.session:
            raise Errno("EPERM")
    if found.pgrp != group:
        attach_pgrp(found, group)
    return 0


def _leader(task: Task) -> Task:
    """Return the first thread of the process of *task* (``group_leader``)."""
    return (task.program.leader or task) if task.program is not None else task


@syscall("getpgid")
def getpgid(task: Task, pid: Who) -> Result:
    """Return the process group of a process, 0 being the caller (``do_getpgid()``)."""
    kernel = task.kernel
    found = find_process(kernel, pid) if pid else task
    if found is None:
        return pid_result(kernel, kernel.processes.facts.agent_pgrp)
    return pid_result(kernel, found.pgrp)


@syscall("getpgrp")
def getpgrp(task: Task) -> Result:
    """Return the caller's process group (``SYSCALL_DEFINE0(getpgrp)``)."""
    return pid_result(task.kernel, task.pgrp)


@syscall("getsid")
def getsid(task: Task, pid: Who) -> Result:
    """Return the session of a process, 0 being the caller (``SYSCALL_DEFINE1(getsid)``)."""
    kernel = task.kernel
    found = find_process(kernel, pid) if pid else task
    if found is None:
        return pid_result(kernel, kernel.processes.facts.agent_session)
    return pid_result(kernel, found.session)


@syscall("setsid")
def setsid(task: Task) -> Result:
    """Lead a session and a process group of one's own (``ksys_setsid()``)."""
    kernel = task.kernel
    if task.session_leader or members(kernel, task.pid):
        raise Errno("EPERM")
    task.session_leader = True
    task.session = task.pid
    if task.pgrp != task.pid:
        attach_pgrp(task, task.pid)
    return pid_result(kernel, task.pid)


@syscall("getppid")
def getppid(task: Task) -> Result:
    """Return the pid of the parent (``SYSCALL_DEFINE0(getppid)``): the agent, of which all actors are children."""
    program = task.program
    if program is not None and program.orphaned:
        return Result(1)
    parent = program.parent if program is not None else None
    return pid_result(task.kernel, task.kernel.processes.facts.agent_pid if parent is None else _leader(parent).pid)
