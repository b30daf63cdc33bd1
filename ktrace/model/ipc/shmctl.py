"""shmctl (``ipc/shm.c``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ktrace.include.asm.page_types import PAGE_SHIFT
from ktrace.include.linux.types import s32
from ktrace.model.calls import Answer, syscall
from ktrace.model.ipc.ids import ktime_get_real_seconds
from ktrace.model.ipc.namespace import (
    Namespace,
    ipc_update_perm,
    ipcctl_obtain_check,
    kernel_to_ipc64_perm,
    obtain_for_stat,
)
from ktrace.model.ipc.shm_segment import Account, ShmidKernel, accounts, do_shm_rmid, user_shm_unlock
from ktrace.model.ipc.uapi import SHM_INFO as SHM_INFO_BUF
from ktrace.model.ipc.uapi import SHMID64_DS, SHMINFO64, read_struct, write_struct
from ktrace.model.process.user_namespace import memlock_limit, ns_capable, user_ns
from ktrace.model.task import Errno, Task
from ktrace.uapi.ipc import IPC_INFO, IPC_RMID, IPC_SET, IPC_STAT
from ktrace.uapi.resource import RLIM_INFINITY
from ktrace.uapi.shm import SHM_INFO, SHM_LOCK, SHM_LOCKED, SHM_STAT, SHM_STAT_ANY, SHM_UNLOCK


@syscall("shmctl")
def shmctl(task: Task, shmid: int, cmd: int, buf: Any) -> Answer:
    """Look at a segment or change it (``ksys_shmctl()``)."""
    ns = task.kernel.ipc.namespace(task)
    shmid, cmd = s32(shmid), s32(cmd)
    if cmd < 0 or shmid < 0:
        raise Errno("EINVAL")
    if cmd == IPC_INFO:
        return write_struct(task, "buf", *shmctl_ipc_info(ns), SHMINFO64, buf)
    if cmd == SHM_INFO:
        return write_struct(task, "buf", *shmctl_shm_info(ns), SHM_INFO_BUF, buf)
    if cmd in (IPC_STAT, SHM_STAT, SHM_STAT_ANY):
        shp, answer, told = shmctl_stat(task, ns, shmid, cmd)
        return write_struct(task, "buf", answer, told, SHMID64_DS, buf, shp)
    if cmd in (IPC_SET, IPC_RMID):
        given = read_struct(task, buf, SHMID64_DS) if cmd == IPC_SET else None
        return shmctl_down(task, ns, shmid, given)
    if cmd in (SHM_LOCK, SHM_UNLOCK):
        return shmctl_do_lock(task, ns, shmid, cmd)
    raise Errno("EINVAL")


def shmctl_ipc_info(ns: Namespace) -> tuple[int, dict[str, int]]:
    """Tell limits (``shmctl_ipc_info()``)."""
    info = {
        "shmmax": ns.shm_ctlmax,
        "shmmin": 1,
        "shmmni": ns.shm_ctlmni,
        "shmseg": ns.shm_ctlmni,
        "shmall": ns.shm_ctlall,
    }
    return ns.shm_ids.get_maxidx(), info


def shmctl_shm_info(ns: Namespace) -> tuple[int, dict[str, int]]:
    """Tell what is in use (``shmctl_shm_info()``, ``shm_get_stat()``)."""
    info = {
        "used_ids": ns.shm_ids.in_use,
        "shm_tot": ns.shm_tot,
        "shm_rss": sum(len(shp.pages) for shp in ns.shm_ids.idr.values()),
        "shm_swp": 0,
        "swap_attempts": 0,
        "swap_successes": 0,
    }
    return ns.shm_ids.get_maxidx(), info


def shmctl_stat(task: Task, ns: Namespace, shmid: int, cmd: int) -> tuple[ShmidKernel, int, dict[str, Any]]:
    """Tell about one segment; return it, the call's value and the struct (``shmctl_stat()``)."""
    shp, answer = obtain_for_stat(ns.shm_ids, task.cred, shmid, cmd, SHM_STAT_ANY)
    buf = {
        "shm_perm": kernel_to_ipc64_perm(task.cred, shp),
        "shm_segsz": shp.shm_segsz,
        "shm_atime": shp.shm_atim,
        "shm_dtime": shp.shm_dtim,
        "shm_ctime": shp.shm_ctim,
        "shm_cpid": shp.shm_cprid or 0,
        "shm_lpid": shp.shm_lprid or 0,
        "shm_nattch": shp.shm_nattch,
    }
    return shp, answer, buf


def shmctl_down(task: Task, ns: Namespace, shmid: int, given: Mapping[str, Any] | None) -> int:
    """Remove a segment, or set its owner and permissions (``shmctl_down()``)."""
    kernel = task.kernel
    shp = ipcctl_obtain_check(ns.shm_ids, task.cred, shmid)
    if given is None:
        do_shm_rmid(kernel, shp)
        return 0
    ipc_update_perm(task.cred, given["shm_perm"], shp)
    shp.shm_ctim = ktime_get_real_seconds(kernel)
    return 0


def _user_shm_lock(task: Task, shp: ShmidKernel, limit: int) -> None:
    """Put pages on the account of the caller's real user id, and on those above it (``inc_rlimit_ucounts()``).

    :raises Errno: ENOMEM
    """
    kernel = task.kernel
    locked: dict[Account, int] = kernel.ipc.locked_shm
    account = (user_ns(task.cred), task.cred.uid)
    most = (1 << 63) - 1
    too_many = limit != RLIM_INFINITY and locked.get(account, 0) + shp.numpages > limit >> PAGE_SHIFT
    for one in accounts(account):
        locked[one] = locked.get(one, 0) + shp.numpages
        too_many = too_many or locked[one] > most
        most = one[0].memlock_max
    shp.mlock_user = account
    if too_many and not task.cred.capable("CAP_IPC_LOCK"):
        user_shm_unlock(kernel, shp)
        raise Errno("ENOMEM")


def shmctl_do_lock(task: Task, ns: Namespace, shmid: int, cmd: int) -> int:
    """Lock a segment into memory, or unlock it (``shmctl_do_lock()``, ``shmem_lock()``, ``user_shm_lock()``)."""
    shp = ns.shm_ids.obtain_object_check(shmid)
    limit = memlock_limit(task)
    if not ns_capable(task.cred, shp.user_ns, "CAP_IPC_LOCK"):
        if task.cred.euid not in (shp.uid, shp.cuid):
            raise Errno("EPERM")
        if cmd == SHM_LOCK and not limit:
            raise Errno("EPERM")
    if cmd == SHM_LOCK:
        if shp.mode & SHM_LOCKED:
            return 0
        _user_shm_lock(task, shp, limit)
        shp.mode |= SHM_LOCKED
    elif shp.mode & SHM_LOCKED:
        user_shm_unlock(task.kernel, shp)
        shp.mode &= ~SHM_LOCKED
    return 0
