"""IPC namespaces, permissions, and what all three kinds of System V objects share (``ipc/util.c``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ktrace.include.linux.stat import S_IRUGO, S_IRWXUGO
from ktrace.include.linux.types import s32
from ktrace.model.ipc.ids import Ids, IpcObject, Object
from ktrace.model.process.user_namespace import INIT_USER_NS, UserNamespace, ns_capable, user_ns
from ktrace.model.task import Cred, Errno, Task
from ktrace.state.call import Result
from ktrace.state.ipc.namespace import IdsFacts, IpcFacts, IpcNamespace
from ktrace.state.ref import Ref
from ktrace.uapi.ipc import IPC_CREAT, IPC_EXCL, IPC_PRIVATE, IPC_STAT
from ktrace.uapi.limits import UINT_MAX, ULONG_MAX

if TYPE_CHECKING:
    from collections.abc import Callable

    from ktrace.model.ipc.msg_queue import MsgQueue
    from ktrace.model.ipc.ns_file import NsInode
    from ktrace.model.ipc.proc_sys import ProcSysInode
    from ktrace.model.ipc.sem_array import SemArray
    from ktrace.model.ipc.shm_segment import ShmidKernel
    from ktrace.model.kernel import Kernel


FRESH = IdsFacts(seq=0, idr_next=0, max_idx=-1, last_idx=-1, next_id=-1)
"""Identifiers of a new namespace (``ipc/util.c: ipc_init_ids()``)."""


class Namespace:
    """Mirror one ``struct ipc_namespace``.

    :param key: ``"init"``, or a serial number
    :ivar count: ``nsproxy``s, attachments of its segments, its inode; the initial one is never freed
    :ivar inode: its inode in nsfs while somebody has it open
    :ivar sysctl_inodes: inodes of its limits below /proc/sys by name; *retired* once they lead nowhere
    """

    def __init__(self, key: str | int, facts: IpcFacts, *, fresh: bool, user_ns: UserNamespace = INIT_USER_NS) -> None:
        self.user_ns = user_ns
        self.ref = Ref("ipc_ns", key)
        self.facts = facts
        no_id = None if facts.sem_ids.next_id is None else -1
        start = replace(FRESH, next_id=no_id)
        self.sem_ids: Ids[SemArray] = Ids(facts, start if fresh else facts.sem_ids)
        self.msg_ids: Ids[MsgQueue] = Ids(facts, start if fresh else facts.msg_ids)
        self.shm_ids: Ids[ShmidKernel] = Ids(facts, start if fresh else facts.shm_ids)
        # sem_init_ns(), msg_init_ns(), shm_init_ns()
        self.sem_ctls = [32000, 32000 * 32000, 500, 32000] if fresh else list(facts.sem_ctls)
        self.used_sems = 0
        self.msg_ctlmax = 8192 if fresh else facts.msg_ctlmax
        self.msg_ctlmnb = 16384 if fresh else facts.msg_ctlmnb
        self.msg_ctlmni = 32000 if fresh else facts.msg_ctlmni
        self.msg_bytes = 0
        self.msg_hdrs = 0
        unlimited = ULONG_MAX - (1 << 24)
        self.shm_ctlmax = unlimited if fresh else facts.shm_ctlmax
        self.shm_ctlall = unlimited if fresh else facts.shm_ctlall
        self.shm_tot = 0
        self.shm_ctlmni = 4096 if fresh else facts.shm_ctlmni
        self.shm_rmid_forced = 0 if fresh else facts.shm_rmid_forced
        self.count = 0 if fresh else facts.count
        self.inode: NsInode | None = None
        self.sysctl_inodes: dict[str, ProcSysInode] = {}
        self.retired = False

    def name(self, kernel: Kernel, new: IpcObject) -> None:
        """Give an object that has its id its reference: by id in the initial namespace, else raw."""
        new.user_ns = self.user_ns
        new.ref = Ref(new.kind, str(new.id) if self.ref.key == "init" else kernel.serial())

    def observe(self, kernel: Kernel) -> IpcNamespace:
        """Return the value that the World holds; later kernels do not count references to the initial one."""
        uncounted = kernel.changes.init_ns_uncounted and self.ref.key == "init"
        return IpcNamespace(
            sem_ids=self.sem_ids.observe(),
            msg_ids=self.msg_ids.observe(),
            shm_ids=self.shm_ids.observe(),
            sem_ctls=tuple(self.sem_ctls),
            used_sems=self.used_sems,
            msg_ctlmax=self.msg_ctlmax,
            msg_ctlmnb=self.msg_ctlmnb,
            msg_ctlmni=self.msg_ctlmni,
            percpu_msg_bytes=self.msg_bytes,
            percpu_msg_hdrs=self.msg_hdrs,
            shm_ctlmax=self.shm_ctlmax,
            shm_ctlall=self.shm_ctlall,
            shm_tot=self.shm_tot,
            shm_ctlmni=self.shm_ctlmni,
            shm_rmid_forced=self.shm_rmid_forced,
            count=self.facts.count if uncounted else self.count,
        )


class WakeQ:
    """Collect tasks to wake once the locks are dropped, each once (``kernel/sched/core.c: wake_q_add()``)."""

    def __init__(self) -> None:
        self._tasks: list[Task] = []

    def add(self, task: Task) -> None:
        """Queue *task* unless it is queued already."""
        if task not in self._tasks:
            self._tasks.append(task)

    def wake_up(self, kernel: Kernel) -> None:
        """Wake all, first in first out (``wake_up_q()``)."""
        for task in self._tasks:
            kernel.wake_up_process(task)
        self._tasks.clear()


def ipcperms(cred: Cred, ipcp: IpcObject, flag: int) -> bool:
    """Tell whether *flag* is refused on *ipcp* (``ipc/util.c: ipcperms()``)."""
    flag &= 0xFFFF
    requested = flag >> 6 | flag >> 3 | flag
    granted = ipcp.mode
    if cred.euid in (ipcp.cuid, ipcp.uid):
        granted >>= 6
    elif cred.in_group_p(ipcp.cgid) or cred.in_group_p(ipcp.gid):
        granted >>= 3
    return bool(requested & ~granted & 0o007) and not ns_capable(cred, ipcp.user_ns, "CAP_IPC_OWNER")


def ipcget(
    ids: Ids[Object], cred: Cred, key: int, flg: int, getnew: Callable[[], int], more_checks: Callable[[Object], None]
) -> int:
    """Find or make an object and return its id (``ipc/util.c: ipcget()``).

    :raises Errno: ENOENT, EEXIST, EACCES, and what *getnew* and *more_checks* raise
    """
    if key == IPC_PRIVATE:
        return getnew()  # ipcget_new()
    # ipcget_public()
    ipcp = ids.findkey(key)
    if ipcp is None:
        if not flg & IPC_CREAT:
            raise Errno("ENOENT")
        return getnew()
    if flg & IPC_CREAT and flg & IPC_EXCL:
        raise Errno("EEXIST")
    more_checks(ipcp)
    if ipcperms(cred, ipcp, flg):  # ipc_check_perms()
        raise Errno("EACCES")
    return ipcp.id


def ipcctl_obtain_check(ids: Ids[Object], cred: Cred, id: int) -> Object:
    """Return an object that the caller may change or remove (``ipc/util.c: ipcctl_obtain_check()``).

    :raises Errno: EINVAL, EPERM
    """
    ipcp = ids.obtain_object_check(id)
    if cred.euid in (ipcp.cuid, ipcp.uid) or ns_capable(cred, ipcp.user_ns, "CAP_SYS_ADMIN"):
        return ipcp
    raise Errno("EPERM")


def obtain_for_stat(ids: Ids[Object], cred: Cred, id: int, cmd: int, stat_any: int) -> tuple[Object, int]:
    """Return the object that a STAT command asks for, and the call's value (``msgctl_stat()`` and its like).

    :param stat_any: the command that anybody may give
    :raises Errno: EINVAL, EACCES
    """
    ipcp = ids.obtain_object_check(id) if cmd == IPC_STAT else ids.obtain_object_idr(id)
    if cmd != stat_any and ipcperms(cred, ipcp, S_IRUGO):
        raise Errno("EACCES")
    return ipcp, 0 if cmd == IPC_STAT else ipcp.id


def ipc_update_perm(cred: Cred, given: Mapping[str, int], out: IpcObject) -> None:
    """Set owner and permission bits (``ipc/util.c: ipc_update_perm()``).

    :raises Errno: EINVAL for the id -1, which is nobody's, and others that are nobody's for the caller
    """
    uid, gid = user_ns(cred).make_kuid(given["uid"]), user_ns(cred).make_kgid(given["gid"])
    if UINT_MAX in (uid, gid):
        raise Errno("EINVAL")
    out.uid, out.gid = uid, gid
    out.mode = out.mode & ~S_IRWXUGO | given["mode"] & S_IRWXUGO


def kernel_to_ipc64_perm(cred: Cred, ipcp: IpcObject) -> dict[str, int]:
    """Return what the STAT calls report of the permissions (``ipc/util.c: kernel_to_ipc64_perm()``)."""
    ns = user_ns(cred)
    return {
        "key": ipcp.key,
        "uid": ns.uid_munged(ipcp.uid),
        "gid": ns.gid_munged(ipcp.gid),
        "cuid": ns.uid_munged(ipcp.cuid),
        "cgid": ns.gid_munged(ipcp.cgid),
        "mode": ipcp.mode,
        "seq": s32(ipcp.seq) & 0xFFFF,
    }


def pid_vnr(task: Task | None) -> int | Result:
    """Return a pid and whose it is, dead or alive; 0 for none (``kernel/pid.c: pid_vnr()``)."""
    return 0 if task is None else Result(task.pid, None, {"actor": task.name})
