"""Processes: birth, end, and what they look like (``kernel/fork.c``, ``kernel/exit.c``, ``fs/exec.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ktrace.model.calls import operation, syscall
from ktrace.model.fs.anon_files import PidfdOperations, anon_inode_getfd
from ktrace.model.fs.dup import close_on_exec, unshare_files
from ktrace.model.fs.epoll import hear_of_the_unknown
from ktrace.model.fs.file import FilesStruct, observe_file
from ktrace.model.kernel import Kernel
from ktrace.model.process.cred import cred_after_exec, replace_gids, replace_uids
from ktrace.model.process.itimer import expire_itimers
from ktrace.model.process.program import born, may_be_born, wait_for_vfork_done
from ktrace.model.process.timer import expire_early, expire_timers
from ktrace.model.process.traced import end_group
from ktrace.model.process.user_namespace import create_user_ns, memlock_limit, set_dumpable
from ktrace.model.subsystem import Subsystem
from ktrace.model.task import IGNORED_BY_DEFAULT, Cred, Errno, Task
from ktrace.model.unsimulated import wake_watchers
from ktrace.model.wait import MaySleep, Sleeps
from ktrace.state.call import Result
from ktrace.state.process import process as state
from ktrace.state.ref import Ref
from ktrace.state.rule import Rule
from ktrace.uapi.fcntl import O_CLOEXEC, O_RDWR
from ktrace.uapi.sched import (
    CLONE_FILES,
    CLONE_FS,
    CLONE_NEWNS,
    CLONE_NEWUSER,
    CLONE_PIDFD,
    CLONE_SIGHAND,
    CLONE_THREAD,
    CLONE_VFORK,
    CLONE_VM,
)

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

ALLOC_PID = Rule("kernel/pid.c", "alloc_pid", "any number that no process has")


class Processes(Subsystem):
    """Show every living process, its descriptors and the files behind them.

    :param facts: what was read of the agent
    :param rlimit_nofile: soft and hard limit that the agent's children are born with
    :ivar file_max: fs/file-max, ``None`` as long as it is out of reach
    :ivar groups: whether a process group of no actors' was seen to be there: nobody outside comes or goes
    :ivar waited: milliseconds that the agent waited in which nothing happened
    """

    def __init__(self, facts: state.ProcessFacts, rlimit_nofile: tuple[int, int] = (1024, 4096)) -> None:
        self.facts = facts
        self.rlimit_nofile = rlimit_nofile
        self.file_max: int | None = None
        self.groups: dict[int, bool] = {}

    def sysctl(self, kernel: Kernel, path: str, value: str) -> bool:
        """Take over fs/file-max."""
        if path != "fs/file-max":
            return False
        self.file_max = int(value)
        return True

    def elapse(self, kernel: Kernel) -> None:
        """Let timers fire that did so before the step."""
        for task in kernel.tasks.values():
            task.alarms, task.alarms_owed = task.alarms_owed, 0
        expire_itimers(kernel, early=True)
        expire_early(kernel)
        wake_watchers(kernel, early=True)
        hear_of_the_unknown(kernel, anew=True)

    def idle(self, kernel: Kernel) -> bool:
        """Let timers fire, once the step's call was made: what it wakes need not have waited for them."""
        if kernel.beginning:
            return False
        expire_timers(kernel)
        expire_itimers(kernel, early=False)
        wake_watchers(kernel, early=False)
        hear_of_the_unknown(kernel)
        return False

    def observe(self, kernel: Kernel, objects: dict[Ref, Any]) -> None:
        """Add processes, descriptor tables, files and users."""
        alive = {task.pid: Ref("process", name) for name, task in reversed(kernel.tasks.items())}
        showing = [item for item in kernel.subsystems if type(item).process_fields is not Subsystem.process_fields]
        for name, task in kernel.tasks.items():
            fields: dict[str, Any] = {}
            for subsystem in showing:
                fields.update(subsystem.process_fields(task))
            cred = task.cred
            table = None if task.exiting else Ref("fdtable", task.files.key)
            objects[Ref("process", name)] = state.Process(
                name=name,
                pid=task.pid,
                files=table,
                uid=cred.uid,
                gid=cred.gid,
                euid=cred.euid,
                egid=cred.egid,
                stopped=task.stopped if task.program is None else task.program.stop.stopped,
                pgrp=alive.get(task.pgrp) or _leader(kernel, task.pgrp),
                session=alive.get(task.session) or _leader(kernel, task.session),
                **fields,
            )
            if table is not None and table not in objects:
                observe_table(kernel, objects, table, task.files)


def _leader(kernel: Kernel, number: int) -> Ref | None:
    """Return the actor that leads, or led, a group or session; ``None`` for one of nobody's."""
    name = kernel.name_of(number) if number else None
    return None if name is None else Ref("process", name)


def observe_table(kernel: Kernel, objects: dict[Ref, Any], table: Ref, files: FilesStruct) -> None:
    """Add a descriptor table and its files."""
    for slot in files.slots.values():
        if slot.file.ref not in objects:
            observe_file(kernel, objects, slot.file)
    objects[table] = files.observe()


def learn_pid(kernel: Kernel, name: str) -> int:
    """Return the pid that the kernel gave process *name* (``kernel/pid.c: alloc_pid()``): any that is free."""
    taken = {task.pid for task in kernel.tasks.values()}

    def find(seen: Observed) -> int | None:
        process = seen.process(name)
        return process.pid if process is not None else None

    return kernel.choose(ALLOC_PID, find, lambda pid: pid > 0 and pid not in taken, 0)


@operation("spawn")
def spawn(kernel: Kernel, name: str, credentials: Any = None) -> None:
    """Start an actor: a child of the agent, without descriptors, root unless *credentials* say otherwise."""
    given = credentials or {}
    uid, gid = given.get("uid", 0), given.get("gid", 0)
    cred = Cred(groups=tuple(given.get("groups", ())))
    if gid:
        cred = replace_gids(cred, gid, gid, gid)
    if uid:
        cred = replace_uids(cred, uid, uid, uid)
    processes = kernel.processes
    pid = learn_pid(kernel, name)
    task = kernel.spawn(name, FilesStruct(kernel.serial()), cred, pid)
    task.rlimit_nofile, task.rlimit_nofile_max = processes.rlimit_nofile
    if uid or gid:
        set_dumpable(task, False)


@syscall("fork")
def fork(task: Task, child: str, flags: int) -> MaySleep[Result]:
    """Copy the caller (``kernel/fork.c: copy_process()``); the child takes no step of its own."""
    kernel = task.kernel
    if task.program is not None:
        may_be_born(task, flags)
    if flags & CLONE_THREAD and (not flags & CLONE_SIGHAND or task.program is None):
        raise Errno("EINVAL")
    if flags & CLONE_SIGHAND and not flags & CLONE_VM:
        raise Errno("EINVAL")
    if flags & CLONE_FS and flags & (CLONE_NEWNS | CLONE_NEWUSER):
        raise Errno("EINVAL")
    cred = create_user_ns(task.cred, memlock_limit(task)) if flags & CLONE_NEWUSER else task.cred  # copy_creds()
    files = task.files
    if flags & CLONE_FILES:
        files.users += 1
    else:
        files = files.copy(kernel.serial())
    pid = learn_pid(kernel, child)
    new = kernel.spawn(child, files, cred, pid)
    new.rlimit_nofile, new.rlimit_nofile_max = task.rlimit_nofile, task.rlimit_nofile_max
    new.rlimits = dict(task.rlimits)  # copy_signal()
    new.dispositions = task.dispositions if flags & CLONE_SIGHAND else dict(task.dispositions)
    new.blocked = task.blocked
    new.pgrp, new.session, new.no_new_privs = task.pgrp, task.session, task.no_new_privs
    try:
        for subsystem in kernel.subsystems:
            subsystem.fork(task, new, flags)
    except Errno:
        del kernel.tasks[child]
        files.put(task)
        raise
    answer = Result(pid, None, {"actor": child})
    if task.program is not None:
        new.program = born(task, task.program, new, flags)
        if flags & CLONE_PIDFD:
            anon_inode_getfd(task, PidfdOperations(new), O_RDWR | O_CLOEXEC)  # pidfd_prepare()
        if flags & CLONE_VFORK:
            return wait_for_vfork_done(task, new.program, answer)
    return answer


@syscall("exit")
def exit(task: Task, status: int) -> Sleeps[int]:
    """End the caller, and the other threads of its process (``kernel/exit.c: do_group_exit()``)."""
    end_group(task.kernel, task, status & 0xFF, None)
    yield from task.kernel.exit(task, status=status & 0xFF)
    return 0


@syscall("exec")
def exec_(task: Task) -> Sleeps[int]:
    """Run the agent's program anew in the same process (``fs/exec.c: begin_new_exec()``).

    The descriptor table is unshared, the memory left, handlers reset, marked descriptors closed. The
    program then installs its recording handlers again wherever a signal is not ignored.
    """
    kernel = task.kernel
    unshare_files(task)
    for subsystem in kernel.subsystems:
        subsystem.exit_mm(task)
    task.mm = kernel.mm.born()
    task.dispositions = {signal: action for signal, action in task.dispositions.items() if action == "ignore"}
    close_on_exec(task)
    yield from kernel.run_task_works(task)
    # What closing those sent finds no handler on the way to the new program's first instruction.
    arrived = task.deliverable()
    task.dequeue(arrived)
    if (fatal := next((item.signal for item in arrived if item.signal not in IGNORED_BY_DEFAULT), None)) is not None:
        yield from kernel.exit(task, signal=fatal)
        return 0
    cred = task.cred
    set_dumpable(task, (cred.uid, cred.gid) == (cred.euid, cred.egid))
    task.cred = cred_after_exec(cred)
    kept, task.rlimit_nofile = task.rlimit_nofile, max(task.rlimit_nofile, task.rlimit_nofile_max)
    try:
        task.files.unused(task)
    except Errno:
        # The program opens the agent's shared memory for a moment; it ends where no descriptor can be had for that.
        yield from kernel.exit(task, status=127)
    task.rlimit_nofile = kept
    return 0
