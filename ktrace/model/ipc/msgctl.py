"""msgctl, and the end of a queue (``ipc/msg.c``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ktrace.include.linux.types import s32, u32, u64
from ktrace.model.calls import Answer, syscall
from ktrace.model.ipc.ids import ktime_get_real_seconds
from ktrace.model.ipc.msg_queue import MsgQueue, expunge_all, ss_wakeup
from ktrace.model.ipc.namespace import (
    Namespace,
    WakeQ,
    ipc_update_perm,
    ipcctl_obtain_check,
    kernel_to_ipc64_perm,
    obtain_for_stat,
)
from ktrace.model.ipc.uapi import MSGINFO, MSQID64_DS, read_struct, write_struct
from ktrace.model.kernel import Kernel
from ktrace.model.task import Errno, Task
from ktrace.uapi import errno
from ktrace.uapi.ipc import IPC_INFO, IPC_RMID, IPC_SET, IPC_STAT
from ktrace.uapi.msg import MSG_INFO, MSG_STAT, MSG_STAT_ANY


@syscall("msgctl")
def msgctl(task: Task, msqid: int, cmd: int, buf: Any) -> Answer:
    """Look at a queue or change it (``ksys_msgctl()``)."""
    ns = task.kernel.ipc.namespace(task)
    msqid, cmd = s32(msqid), s32(cmd)
    if msqid < 0 or cmd < 0:
        raise Errno("EINVAL")
    if cmd in (IPC_INFO, MSG_INFO):
        return write_struct(task, "buf", *msgctl_info(ns, cmd), MSGINFO, buf)
    if cmd in (IPC_STAT, MSG_STAT, MSG_STAT_ANY):
        msq, answer, told = msgctl_stat(task, ns, msqid, cmd)
        return write_struct(task, "buf", answer, told, MSQID64_DS, buf, msq)
    if cmd in (IPC_SET, IPC_RMID):
        given = read_struct(task, buf, MSQID64_DS) if cmd == IPC_SET else None
        return msgctl_down(task, ns, msqid, given)
    raise Errno("EINVAL")


def msgctl_info(ns: Namespace, cmd: int) -> tuple[int, dict[str, int]]:
    """Tell limits, or what is in use (``msgctl_info()``)."""
    info = {
        "msgpool": 32000 * 16384 // 1024,
        "msgmap": 16384,
        "msgmax": s32(ns.msg_ctlmax),
        "msgmnb": s32(ns.msg_ctlmnb),
        "msgmni": s32(ns.msg_ctlmni),
        "msgssz": 16,
        "msgtql": 16384,
        "msgseg": 0xFFFF,
    }
    if cmd == MSG_INFO:
        # min_t(int, percpu_counter_sum(), INT_MAX)
        info |= {"msgpool": ns.msg_ids.in_use, "msgmap": s32(ns.msg_hdrs), "msgtql": s32(ns.msg_bytes)}
    return ns.msg_ids.get_maxidx(), info


def msgctl_stat(task: Task, ns: Namespace, msqid: int, cmd: int) -> tuple[MsgQueue, int, dict[str, Any]]:
    """Tell about one queue; return it, the call's value and the struct (``msgctl_stat()``)."""
    msq, answer = obtain_for_stat(ns.msg_ids, task.cred, msqid, cmd, MSG_STAT_ANY)
    buf = {
        "msg_perm": kernel_to_ipc64_perm(task.cred, msq),
        "msg_stime": msq.q_stime,
        "msg_rtime": msq.q_rtime,
        "msg_ctime": msq.q_ctime,
        "msg_cbytes": msq.q_cbytes,
        "msg_qnum": msq.q_qnum,
        "msg_qbytes": msq.q_qbytes,
        "msg_lspid": msq.q_lspid or 0,
        "msg_lrpid": msq.q_lrpid or 0,
    }
    return msq, answer, buf


def msgctl_down(task: Task, ns: Namespace, msqid: int, given: Mapping[str, Any] | None) -> int:
    """Remove a queue, or set its owner, permissions and size (``msgctl_down()``)."""
    kernel = task.kernel
    msq = ipcctl_obtain_check(ns.msg_ids, task.cred, msqid)
    if given is None:
        freeque(kernel, ns, msq)
        return 0
    msg_qbytes = s32(given["msg_qbytes"])
    # An int against an unsigned int: a negative size is a huge one.
    if u32(msg_qbytes) > ns.msg_ctlmnb and not task.cred.capable("CAP_SYS_RESOURCE"):
        raise Errno("EPERM")
    ipc_update_perm(task.cred, given["msg_perm"], msq)
    msq.q_qbytes = u64(msg_qbytes)
    msq.q_ctime = ktime_get_real_seconds(kernel)
    wake_q = WakeQ()
    expunge_all(msq, -errno.EAGAIN, wake_q)
    ss_wakeup(msq, wake_q, kill=False)
    wake_q.wake_up(kernel)
    return 0


def freeque(kernel: Kernel, ns: Namespace, msq: MsgQueue) -> None:
    """Take a queue and its messages away from all that sleep on it (``freeque()``)."""
    wake_q = WakeQ()
    expunge_all(msq, -errno.EIDRM, wake_q)
    ss_wakeup(msq, wake_q, kill=True)
    ns.msg_ids.rmid(msq)
    wake_q.wake_up(kernel)
    ns.msg_hdrs -= len(msq.q_messages)
    msq.q_messages.clear()
    ns.msg_bytes -= msq.q_cbytes
    msq.q_lspid = msq.q_lrpid = None
