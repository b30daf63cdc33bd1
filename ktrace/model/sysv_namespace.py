"""Leaving one IPC namespace for another, and what becomes of one that nobody is in (``ipc/namespace.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.model.address_space import MM
from ktrace.model.kernel import Kernel, syscall
from ktrace.model.sysv_ipc import CLONE_NEWIPC, CLONE_SYSVSEM, Namespace
from ktrace.model.sysv_msgctl import freeque
from ktrace.model.sysv_sem_undo import exit_sem
from ktrace.model.sysv_semctl import freeary
from ktrace.model.sysv_shm_segment import do_shm_rmid, exit_shm
from ktrace.model.task import Errno, Task

if TYPE_CHECKING:
    from ktrace.model.address_space import AddressSpace

CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_THREAD = 0x100, 0x200, 0x400, 0x800, 0x10000
CLONE_NEWNS, CLONE_NEWUTS = 0x20000, 0x04000000
NAMESPACES = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC
KNOWN = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | NAMESPACES
UNMODELLED = 0x00000080 | 0x02000000 | 0x10000000 | 0x20000000 | 0x40000000
"""CLONE_NEWTIME, CLONE_NEWCGROUP, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET: names of other things than IPC's."""

IPC_NS = "ipc_ns"
"""Where a task's ``nsproxy->ipc_ns`` is kept."""


@syscall("unshare")
def unshare(kernel: Kernel, task: Task, flags: int) -> int:
    """Stop sharing with other processes (``kernel/fork.c: ksys_unshare()``).

    :raises Errno: EINVAL, EPERM
    """
    if flags & UNMODELLED:
        raise LookupError(f"the model knows nothing of unshare({flags & UNMODELLED:#x})")
    if flags & ~KNOWN:
        raise Errno("EINVAL")
    mm: AddressSpace | None = task.sub.get(MM)
    if flags & CLONE_VM and mm is not None and mm.users > 1:
        raise Errno("EINVAL")  # check_unshare_flags()
    # unshare_nsproxy_namespaces()
    if flags & NAMESPACES and not task.cred.capable("CAP_SYS_ADMIN"):
        raise Errno("EPERM")
    if flags & CLONE_FILES and task.files.users > 1:
        old, task.files = task.files, task.files.copy(kernel.serial())
        old.users -= 1
    sysv = kernel.sub("sysv")
    ns: Namespace = sysv.namespace(task)
    if flags & (CLONE_NEWIPC | CLONE_SYSVSEM):
        exit_sem(kernel, task, ns)
    if flags & CLONE_NEWIPC:
        exit_shm(kernel, task)
        switch_namespace(kernel, task, ns, Namespace(kernel.serial(), ns.facts, fresh=True))
    return 0


def switch_namespace(kernel: Kernel, task: Task, old: Namespace, new: Namespace) -> None:
    """Put *task* into another namespace (``kernel/nsproxy.c: switch_task_namespaces()``)."""
    task.sub[IPC_NS] = new
    new.count += 1
    put_ipc_ns(kernel, old)


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
