"""Message queues: msgget, msgsnd and msgrcv (``ipc/msg.c``, ``ipc/msgutil.c``)."""

from __future__ import annotations

from typing import Any

from ktrace.include.linux.stat import S_IRUGO, S_IRWXUGO, S_IWUGO
from ktrace.include.linux.types import s32, s64
from ktrace.model.calls import syscall
from ktrace.model.ipc.ids import ktime_get_real_seconds
from ktrace.model.ipc.msg_queue import (
    MsgMsg,
    MsgQueue,
    MsgReceiver,
    MsgSender,
    find_msg,
    msg_fits_inqueue,
    pipelined_send,
    ss_wakeup,
)
from ktrace.model.ipc.namespace import Namespace, WakeQ, ipcget, ipcperms
from ktrace.model.ipc.uapi import address_of
from ktrace.model.mm.user_memory import copy_from_user, copy_to_user
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps
from ktrace.state.call import Result
from ktrace.state.ipc.msg import SEARCH_ANY, SEARCH_EQUAL, SEARCH_LESSEQUAL, SEARCH_NOTEQUAL, SEARCH_NUMBER
from ktrace.uapi import errno
from ktrace.uapi.errno import errno_name
from ktrace.uapi.ipc import IPC_NOWAIT
from ktrace.uapi.limits import INT_MAX, LONG_MAX
from ktrace.uapi.msg import MSG_COPY, MSG_EXCEPT, MSG_NOERROR


@syscall("msgget")
def msgget(task: Task, key: int, msgflg: int) -> int:
    """Find or make a queue (``ksys_msgget()``, ``newque()``)."""
    kernel = task.kernel
    ns = kernel.ipc.namespace(task)
    key = s32(key)

    def newque() -> int:
        msq = MsgQueue("msg", key, msgflg & S_IRWXUGO)
        msq.q_ctime = ktime_get_real_seconds(kernel)
        msq.q_qbytes = ns.msg_ctlmnb
        ns.msg_ids.addid(msq, task.cred, ns.msg_ctlmni)
        ns.name(kernel, msq)
        return msq.id

    return ipcget(ns.msg_ids, task.cred, key, msgflg, newque, lambda msq: None)


@syscall("msgsnd")
def msgsnd(task: Task, msqid: int, msgp: Any, msgflg: int, msgsz: int) -> Sleeps[int]:
    """Send a message (``ksys_msgsnd()``, ``do_msgsnd()``)."""
    ns = task.kernel.ipc.namespace(task)
    address = address_of(msgp)
    if address is None:
        mtype = s64(msgp["mtype"])
    else:
        mtype = int.from_bytes(copy_from_user(task, address, 8), "little", signed=True)
    msqid, msgsz = s32(msqid), s64(msgsz)
    # msg_ctlmax is compared as an unsigned number, so a negative size is too large as well.
    if not 0 <= msgsz <= ns.msg_ctlmax or msqid < 0 or mtype < 1:
        raise Errno("EINVAL")
    if address is None:
        text = bytes(msgp["mtext"][:msgsz]).ljust(msgsz, b"\0")
    else:
        text = copy_from_user(task, address + 8, msgsz)  # load_msg()
    return _msgsnd(task, ns, msqid, MsgMsg(mtype, text), msgflg)


def _msgsnd(task: Task, ns: Namespace, msqid: int, msg: MsgMsg, msgflg: int) -> Sleeps[int]:
    """Mirror what ``do_msgsnd()`` does once it has the message."""
    kernel = task.kernel
    msq = ns.msg_ids.obtain_object_check(msqid)
    while True:
        if ipcperms(task.cred, msq, S_IWUGO):
            raise Errno("EACCES")
        if msg_fits_inqueue(msq, msg.m_ts):
            break
        if msgflg & IPC_NOWAIT:
            raise Errno("EAGAIN")
        sender = MsgSender(task, msg.m_ts)
        msq.q_senders.append(sender)  # ss_add()
        msq.refcount += 1
        yield
        msq.refcount -= 1
        if msq.deleted:
            raise Errno("EIDRM")
        msq.q_senders.remove(sender)  # ss_del()
        if task.signal_pending():
            raise Errno("ERESTARTNOHAND")

    wake_q = WakeQ()
    msq.q_lspid = task.process
    msq.q_stime = ktime_get_real_seconds(kernel)
    if not pipelined_send(kernel, msq, msg, wake_q):
        msq.q_messages.append(msg)
        msq.q_cbytes += msg.m_ts
        msq.q_qnum += 1
        ns.msg_bytes += msg.m_ts
        ns.msg_hdrs += 1
    wake_q.wake_up(kernel)
    return 0


def convert_mode(msgtyp: int, msgflg: int) -> tuple[int, int]:
    """Return the type to look for and how to compare it (``convert_mode()``)."""
    if msgflg & MSG_COPY:
        return msgtyp, SEARCH_NUMBER
    if msgtyp == 0:
        return msgtyp, SEARCH_ANY
    if msgtyp < 0:
        return min(-msgtyp, LONG_MAX), SEARCH_LESSEQUAL
    return msgtyp, SEARCH_NOTEQUAL if msgflg & MSG_EXCEPT else SEARCH_EQUAL


@syscall("msgrcv")
def msgrcv(task: Task, msqid: int, msgsz: int, msgtyp: int, msgflg: int) -> Sleeps[Result]:
    """Receive a message (``ksys_msgrcv()``, ``do_msgrcv()``)."""
    ns = task.kernel.ipc.namespace(task)
    msqid, bufsz, msgtyp = s32(msqid), s64(msgsz), s64(msgtyp)
    if msqid < 0 or bufsz < 0:
        raise Errno("EINVAL")
    assert task.call is not None
    msgp = task.call.pointers.get("msgp")
    if msgflg & MSG_COPY:
        if msgflg & MSG_EXCEPT or not msgflg & IPC_NOWAIT:
            raise Errno("EINVAL")
        if msgp is not None:
            # prepare_copy() loads as much of the buffer as the copy may need.
            copy_from_user(task, msgp.value, min(bufsz, ns.msg_ctlmax))
    return _msgrcv(task, ns, msqid, bufsz, msgtyp, msgflg)


def _msgrcv(task: Task, ns: Namespace, msqid: int, bufsz: int, msgtyp: int, msgflg: int) -> Sleeps[Result]:
    """Mirror what ``do_msgrcv()`` does once its arguments are checked."""
    msgtyp, mode = convert_mode(msgtyp, msgflg)
    msq = ns.msg_ids.obtain_object_check(msqid)
    while True:
        if ipcperms(task.cred, msq, S_IRUGO):
            raise Errno("EACCES")
        msg, msgtyp = find_msg(msq, msgtyp, mode)
        if msg is not None:
            if bufsz < msg.m_ts and not msgflg & MSG_NOERROR:
                raise Errno("E2BIG")
            if msgflg & MSG_COPY:
                if msg.m_ts > min(bufsz, ns.msg_ctlmax):  # copy_msg()
                    raise Errno("EINVAL")
                return do_msg_fill(task, msg, bufsz)
            _take(task, ns, msq, msg)
            return do_msg_fill(task, msg, bufsz)
        if msgflg & IPC_NOWAIT:
            raise Errno("ENOMSG")
        receiver = MsgReceiver(task, mode, msgtyp, INT_MAX if msgflg & MSG_NOERROR else bufsz)
        msq.q_receivers.append(receiver)
        yield
        answer = receiver.r_msg
        if isinstance(answer, MsgMsg):
            return do_msg_fill(task, answer, bufsz)
        if answer != -errno.EAGAIN:
            raise Errno(errno_name(-answer))
        msq.q_receivers.remove(receiver)
        if task.signal_pending():
            raise Errno("ERESTARTNOHAND")


def _take(task: Task, ns: Namespace, msq: MsgQueue, msg: MsgMsg) -> None:
    """Unlink a message and let senders know of the room (``do_msgrcv()``)."""
    kernel = task.kernel
    wake_q = WakeQ()
    msq.q_messages.remove(msg)
    msq.q_qnum -= 1
    msq.q_rtime = ktime_get_real_seconds(kernel)
    msq.q_lrpid = task.process
    msq.q_cbytes -= msg.m_ts
    ns.msg_bytes -= msg.m_ts
    ns.msg_hdrs -= 1
    ss_wakeup(msq, wake_q, kill=False)
    wake_q.wake_up(kernel)


def do_msg_fill(task: Task, msg: MsgMsg, bufsz: int) -> Result:
    """Hand a message to the caller; it is gone even where that faults (``do_msg_fill()``, ``store_msg()``)."""
    assert task.call is not None
    msgp = task.call.pointers.get("msgp")
    size = min(bufsz, msg.m_ts)
    if msgp is not None:
        copy_to_user(task, msgp.value, msg.m_type.to_bytes(8, "little"))
        copy_to_user(task, msgp.value + 8, msg.text[:size])
        return Result(size)
    return Result(size, None, {"mtype": msg.m_type, "mtext": msg.text[:size]})
