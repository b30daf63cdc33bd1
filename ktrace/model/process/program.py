"""What only programs do: execve, handlers of their own, sharing memory until a child has another program."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ktrace.model.calls import SYSTEM_CALLS, operation, syscall
from ktrace.model.fs.dup import close_on_exec, unshare_files
from ktrace.model.fs.inode import since
from ktrace.model.fs.path_walk import path_lookupat
from ktrace.model.kernel import Kernel
from ktrace.model.process.cred import cred_after_exec
from ktrace.model.process.jobctl import JobCtl
from ktrace.model.process.traced import SignalAction, Traced, de_thread, ignored
from ktrace.model.process.user_namespace import set_dumpable
from ktrace.model.task import (
    CAPABILITIES,
    IGNORED_BY_DEFAULT,
    UNBLOCKABLE,
    AsObserved,
    Cred,
    Errno,
    Rlimit,
    Task,
    mask_names,
)
from ktrace.model.wait import Sleeps, WaitEntry, WaitQueue
from ktrace.state.allowed import Anything, allowed
from ktrace.state.call import Pointer, Result
from ktrace.state.rule import Rule
from ktrace.uapi.resource import RLIM_INFINITY, RLIMIT_RTTIME
from ktrace.uapi.sched import (
    CLONE_CHILD_CLEARTID,
    CLONE_CHILD_SETTID,
    CLONE_CLEAR_SIGHAND,
    CLONE_DETACHED,
    CLONE_FILES,
    CLONE_FS,
    CLONE_IO,
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    CLONE_PARENT,
    CLONE_PARENT_SETTID,
    CLONE_PIDFD,
    CLONE_SETTLS,
    CLONE_SIGHAND,
    CLONE_SYSVSEM,
    CLONE_THREAD,
    CLONE_VFORK,
    CLONE_VM,
)
from ktrace.uapi.signal import (
    SA_NOCLDSTOP,
    SA_NOCLDWAIT,
    SA_NODEFER,
    SA_ONSTACK,
    SA_RESETHAND,
    SA_RESTART,
    SA_SIGINFO,
    SIG_DFL,
    SIG_IGN,
    SIGRTMAX,
    signal_name,
    signal_number,
)
from ktrace.uapi.stat import S_IFMT, S_IFREG

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

EXECUTABLE = Rule("fs/exec.c", "do_open_execat", "whether a file that is not simulated can be executed")
SET_ID = Rule("fs/exec.c", "bprm_fill_uid", "whether a file that is not simulated is set-user-ID or set-group-ID")
INTERPRETER = Rule("fs/exec.c", "open_exec", "which links lead to the interpreter that a file names")
EXEC_ERRNOS = """
    E2BIG EACCES EFAULT EINVAL EIO EISDIR ELIBBAD ELOOP EMFILE ENAMETOOLONG ENFILE ENOENT ENOEXEC ENOMEM ENOTDIR EPERM
    ETXTBSY
"""
"""execve(2)."""
SLICE_US = 100_000
"""RLIMIT_RTTIME of what is traced (``guest/agent_trace.c``)."""
SA_FLAGS = SA_NOCLDSTOP | SA_NOCLDWAIT | SA_NODEFER | SA_ONSTACK | SA_RESETHAND | SA_RESTART | SA_SIGINFO
"""Flags that are kept (``include/linux/signal_types.h: UAPI_SA_FLAGS``); SA_RESTORER is not shown."""


@operation("trace")
def trace(kernel: Kernel, actor: str) -> None:
    """Have the agent trace *actor*, a program from its next execve on (``kernel/ptrace.c: ptrace_attach()``)."""
    kernel.tasks[actor].rlimits[RLIMIT_RTTIME] = Rlimit(SLICE_US, RLIM_INFINITY)


@syscall("execve")
def execve(task: Task, pathname: Any, argv: Any, envp: Any) -> Sleeps[int]:
    """Run another program (``fs/exec.c: begin_new_exec()``); what file it is is not looked at.

    :raises Errno: whatever the kernel was seen to say of the file
    """
    kernel = task.kernel
    failed = kernel.choose(EXECUTABLE, lambda seen: seen.errno(task), EXEC_ERRNOS.split().__contains__, None)
    if failed in (None, "ENOEXEC"):
        _was_read(task, pathname)
        for link in kernel.fs.links():
            link.i_atime = link.i_atime.then(since(INTERPRETER, link.i_atime, kernel))
    if failed is not None:
        raise Errno(failed)
    if task.program is not None and len(task.program.threads) > 1:
        yield from de_thread(kernel, task, task.program)
    unshare_files(task)
    for subsystem in kernel.subsystems:
        subsystem.exit_mm(task)
    task.mm = kernel.mm.unknown()
    if task.program is None:
        task.program = Traced(leader=task, threads=[task])
    task.program.release_vfork(kernel)
    task.program.after_exec()
    close_on_exec(task)
    cred = task.cred
    set_dumpable(task, (cred.uid, cred.gid) == (cred.euid, cred.egid))
    task.cred = cred_after_exec(_bprm_fill_uid(task, cred))
    if (task.cred.euid, task.cred.egid) != (cred.euid, cred.egid):  # commit_creds()
        set_dumpable(task, False)
        task.program.pdeath_signal = 0
    return 0


def _bprm_fill_uid(task: Task, cred: Cred) -> Cred:
    """Become whom a file belongs to that is set-user-ID, as far as that was seen (``fs/exec.c: bprm_fill_uid()``)."""

    def find(seen: Observed) -> tuple[int, int] | None:
        process = seen.process(task.name)
        return None if process is None else (process.euid, process.egid)

    same = cred.euid, cred.egid
    euid, egid = task.kernel.choose(SET_ID, find, lambda found: not task.no_new_privs or found == same, same)
    return replace(cred, euid=euid, egid=egid)


def _was_read(task: Task, pathname: Any) -> None:
    """Note that a file that is simulated was read (``prepare_binprm()``, ``kernel_read()``)."""
    try:
        inode = path_lookupat(task, pathname)
    except (Errno, AsObserved):
        return
    if inode.i_mode & S_IFMT == S_IFREG:
        inode.accessed(task.kernel)


NEW_PROCESS = Rule("kernel/fork.c", "copy_process", "whether there is room for one more process")
FLAGS = (
    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_VFORK | CLONE_PARENT | CLONE_THREAD | CLONE_SYSVSEM
    | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | CLONE_DETACHED | CLONE_IO
    | CLONE_CLEAR_SIGHAND | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWCGROUP
    | CLONE_PIDFD
)  # fmt: skip
"""What of clone(2) is modelled, or changes nothing that is."""


def may_be_born(task: Task, flags: int) -> None:
    """Refuse a birth as it was seen to be refused.

    :raises Errno: EAGAIN, ENOMEM; ERESTARTNOINTR where a signal is pending, or that of a timer may be
    :raises NotImplementedError: a flag that is not modelled
    """
    if flags & ~FLAGS:
        raise NotImplementedError(f"the model does not know the flags {flags & ~FLAGS:#x} of clone()")
    failed = task.kernel.choose(NEW_PROCESS, lambda seen: seen.errno(task), ("EAGAIN", "ENOMEM").__contains__, None)
    if failed is not None:
        raise Errno(failed)


def born(parent: Task, program: Traced, child: Task, flags: int) -> Traced:
    """Return what a child gets of its parent's (``copy_sighand()``, ``copy_signal()``, ``copy_process()``)."""
    number = child.kernel.serial()
    actions = program.actions if flags & CLONE_SIGHAND else dict(program.actions)
    if flags & CLONE_CLEAR_SIGHAND:
        actions = ignored(actions)
    if flags & CLONE_THREAD:
        child.shared_pending, child.rlimits = parent.shared_pending, parent.rlimits
        program.threads.append(child)
        thread = replace(program, born=number, actions=actions, masks=[], vfork_done=None)
        thread.at_exit, thread.called, thread.jobctl = False, None, JobCtl()
        return thread
    real_parent = program.parent if flags & CLONE_PARENT else parent
    if real_parent is not None and real_parent.program is not None:
        real_parent.program.children.append(child)
    return Traced(number, parent=real_parent, actions=actions, masks=list(program.masks), leader=child, threads=[child])


def wait_for_vfork_done(task: Task, child: Traced, answer: Result) -> Sleeps[Result]:
    """Sleep until the child has other memory (``kernel/fork.c: wait_for_vfork_done()``)."""
    queue = child.vfork_done = WaitQueue()
    task.killable = True
    while child.vfork_done is not None and not task.fatal_signal_pending():
        queue.add(WaitEntry(task))
        yield
    task.killable = False
    return answer


@syscall("exit_thread")
def exit_thread(task: Task, status: int) -> Sleeps[int]:
    """End one thread (``SYSCALL_DEFINE1(exit)``)."""
    yield from task.kernel.exit(task, status=status & 0xFF)
    return 0


@syscall("rt_sigaction")
def rt_sigaction(task: Task, signum: int, act: Any) -> Result:
    """Set and tell what a signal does (``kernel/signal.c: do_sigaction()``)."""
    assert task.program is not None
    if isinstance(act, Pointer):
        raise Errno("EFAULT")
    if not 1 <= signum <= SIGRTMAX or (act is not None and signal_name(signum) in UNBLOCKABLE):
        raise Errno("EINVAL")
    name = signal_name(signum)
    old = task.program.action(name)
    if act is not None:
        mask = mask_names(act["sa_mask"])
        task.program.actions[name] = SignalAction(act["sa_handler"], act["sa_flags"] & SA_FLAGS, mask)
        if act["sa_handler"] == SIG_IGN or (act["sa_handler"] == SIG_DFL and name in IGNORED_BY_DEFAULT):
            task.dequeue([item for item in (*task.pending, *task.shared_pending) if item.signal == name])
    if task.call is not None and "oldact" in task.call.pointers:
        return Result(0)
    bits = sum(1 << signal_number(blocked) - 1 for blocked in old.mask)
    return Result(0, None, {"oldact": {"sa_handler": old.handler, "sa_flags": old.flags, "sa_mask": bits}})


REGISTERS = Rule("arch/x86/kernel/signal.c", "restore_sigcontext", "what stood in the register before a handler")


@syscall("rt_sigreturn")
def rt_sigreturn(task: Task) -> Result:
    """Leave a handler (``arch/x86/kernel/signal.c: rt_sigreturn()``): what it had blocked is free again."""
    assert task.program is not None
    if task.program.masks:
        task.blocked = task.program.masks.pop()
    # Where that is told only by the next step's report, it may be anything.
    unknown = Result(allowed(Anything(REGISTERS)))
    return task.kernel.choose(REGISTERS, lambda seen: seen.result(task), lambda _: True, unknown)


@syscall("capset")
def capset(task: Task, hdrp: Any, datap: Any) -> int:
    """Set one's own capabilities (``kernel/capability.c: SYSCALL_DEFINE2(capset)``, ``cap_capset()``).

    :raises Errno: EFAULT, EPERM
    """
    if isinstance(datap, Pointer):
        raise Errno("EFAULT")
    effective, permitted = _capabilities(datap["effective"]), _capabilities(datap["permitted"])
    if not permitted <= task.cred.permitted or not effective <= permitted:
        raise Errno("EPERM")
    task.cred = replace(task.cred, capabilities=effective, permitted=permitted)
    return 0


def _capabilities(mask: int) -> frozenset[str]:
    return frozenset(name for bit, name in enumerate(CAPABILITIES) if mask >> bit & 1)


@syscall("rt_sigsuspend")
def rt_sigsuspend(task: Task, mask: int | Pointer) -> Sleeps[int]:
    """Sleep with other signals blocked until one comes (``kernel/signal.c: sigsuspend()``).

    :raises Errno: EFAULT, ERESTARTNOHAND
    """
    if isinstance(mask, Pointer):
        raise Errno("EFAULT")
    task.saved_mask, task.blocked = task.blocked, mask_names(mask)
    while not task.signal_pending():
        yield
    raise Errno("ERESTARTNOHAND")


@syscall("restart_syscall")
def restart_syscall(task: Task) -> Any:
    """Go on with a call that had a timeout where a signal ended it (``kernel/signal.c: restart_syscall()``)."""
    assert task.program is not None
    called = task.program.called
    if called is None:
        raise Errno("EINTR")
    task.call = called
    return SYSTEM_CALLS[called.name](task, *called.args)
