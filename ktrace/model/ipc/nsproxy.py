"""Leaving one IPC namespace for another, and what becomes of one that nobody is in (``ipc/namespace.c``)."""

from __future__ import annotations

from ktrace.model.calls import syscall
from ktrace.model.fs.dup import unshare_files
from ktrace.model.ipc.msgctl import freeque
from ktrace.model.ipc.namespace import Namespace
from ktrace.model.ipc.sem_undo import exit_sem
from ktrace.model.ipc.semctl import freeary
from ktrace.model.ipc.shm_segment import do_shm_rmid, exit_shm
from ktrace.model.kernel import Kernel
from ktrace.model.process.user_namespace import commit_creds, create_user_ns, memlock_limit, user_ns
from ktrace.model.task import Cred, Errno, Task
from ktrace.uapi.sched import (
    CLONE_FILES,
    CLONE_FS,
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    CLONE_SIGHAND,
    CLONE_SYSVSEM,
    CLONE_THREAD,
    CLONE_VM,
)

NAMESPACES = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP
KNOWN = CLONE_NEWUSER | CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | NAMESPACES
CLONE_UNMODELLED = CLONE_NEWTIME | CLONE_NEWPID | CLONE_NEWNET
"""Names of other things than IPC's."""


class NsProxy:
    """Mirror one ``struct nsproxy``.

    :ivar count: tasks that share it
    """

    def __init__(self, ipc_ns: Namespace) -> None:
        self.ipc_ns = ipc_ns
        self.count = 1
        ipc_ns.count += 1

    def put(self, kernel: Kernel) -> None:
        """Drop a reference (``put_nsproxy()``, ``free_nsproxy()``)."""
        self.count -= 1
        if not self.count:
            put_ipc_ns(kernel, self.ipc_ns)


def copy_namespaces(parent: Task, child: Task, flags: int) -> None:
    """Share the parent's namespaces, or give *child* some of its own (``kernel/nsproxy.c: copy_namespaces()``).

    :raises Errno: EPERM, EINVAL
    """
    if flags & CLONE_UNMODELLED:
        raise NotImplementedError(f"the model knows nothing of clone({flags & CLONE_UNMODELLED:#x})")
    if not flags & NAMESPACES:
        if parent.nsproxy is not None:
            parent.nsproxy.count += 1
            child.nsproxy = parent.nsproxy
        return
    if "CAP_SYS_ADMIN" not in child.cred.capabilities:
        raise Errno("EPERM")
    if flags & CLONE_NEWIPC and flags & CLONE_SYSVSEM:
        raise Errno("EINVAL")
    child.nsproxy = create_new_namespaces(parent, flags, child.cred)


def create_new_namespaces(task: Task, flags: int, cred: Cred) -> NsProxy:
    """Return a new ``nsproxy`` with the IPC namespace of *task*, or a fresh one (``create_new_namespaces()``).

    :param cred: whose user namespace a fresh one belongs to
    """
    kernel = task.kernel
    ns = kernel.ipc.namespace(task)
    if flags & CLONE_NEWIPC:
        ns = Namespace(kernel.serial(), ns.facts, fresh=True, user_ns=user_ns(cred))  # create_ipc_ns()
    return NsProxy(ns)


def switch_task_namespaces(task: Task, new: NsProxy | None) -> None:
    """Put *task* into other namespaces (``kernel/nsproxy.c: switch_task_namespaces()``)."""
    old, task.nsproxy = task.nsproxy, new
    if old is not None:
        old.put(task.kernel)


@syscall("unshare")
def unshare(task: Task, flags: int) -> int:
    """Stop sharing with other processes (``kernel/fork.c: ksys_unshare()``).

    :raises Errno: EINVAL, EPERM
    """
    kernel = task.kernel
    if flags & CLONE_UNMODELLED:
        raise NotImplementedError(f"the model knows nothing of unshare({flags & CLONE_UNMODELLED:#x})")
    if flags & ~KNOWN:
        raise Errno("EINVAL")
    if flags & CLONE_VM and task.mm.users > 1:
        raise Errno("EINVAL")  # check_unshare_flags()
    # unshare_userns(), unshare_nsproxy_namespaces()
    cred = create_user_ns(task.cred, memlock_limit(task)) if flags & CLONE_NEWUSER else task.cred
    if flags & NAMESPACES and "CAP_SYS_ADMIN" not in cred.capabilities:
        raise Errno("EPERM")
    if flags & CLONE_FS and task.fs.users > 1:
        task.fs.users -= 1
        task.fs = task.fs.copy()  # unshare_fs()
    if flags & CLONE_FILES:
        unshare_files(task)
    ns = kernel.ipc.namespace(task)
    new = create_new_namespaces(task, flags, cred) if flags & NAMESPACES else None
    if flags & (CLONE_NEWIPC | CLONE_SYSVSEM):
        exit_sem(task, ns)
    if flags & CLONE_NEWIPC:
        exit_shm(task)
    if new is not None:
        switch_task_namespaces(task, new)
    if flags & CLONE_NEWUSER:
        commit_creds(task, cred)
    return 0


def put_ipc_ns(kernel: Kernel, ns: Namespace) -> None:
    """Drop a reference; with the last one all that is in the namespace goes (``put_ipc_ns()``, ``free_ipc_ns()``)."""
    ns.count -= 1
    if ns.count or ns.ref.key == "init":
        return
    for sma in list(ns.sem_ids.idr.values()):
        freeary(kernel, ns, sma)
    for msq in list(ns.msg_ids.idr.values()):
        freeque(kernel, ns, msq)
    for shp in list(ns.shm_ids.idr.values()):
        do_shm_rmid(kernel, shp)
    ns.retired = True  # retire_ipc_sysctls()
