"""The structures of message queues, and how messages, receivers and senders find each other (``ipc/msg.c``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ktrace.model.ipc.ids import IpcObject, Time, ktime_get_real_seconds, pid_name
from ktrace.model.ipc.namespace import WakeQ
from ktrace.model.task import Task
from ktrace.state.allowed import allowed
from ktrace.state.ipc import msg as state
from ktrace.state.ipc.msg import SEARCH_LESSEQUAL, SEARCH_NUMBER
from ktrace.state.ipc.namespace import IpcFacts
from ktrace.state.ref import process
from ktrace.uapi import errno

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel


@dataclass(eq=False)
class MsgMsg:
    """Mirror one ``struct msg_msg`` with its segments."""

    m_type: int
    text: bytes

    @property
    def m_ts(self) -> int:
        """Return the size of the text."""
        return len(self.text)

    def observe(self, facts: IpcFacts) -> state.MsgMsg:
        """Return the value that the World holds; the text is split as ``alloc_msg()`` does."""
        rest = max(self.m_ts - facts.datalen_msg, 0)
        return state.MsgMsg(m_type=self.m_type, m_ts=self.m_ts, segments=-(-rest // facts.datalen_seg), text=self.text)


@dataclass(eq=False)
class MsgReceiver:
    """Mirror one ``struct msg_receiver``; *r_msg* is a message or a negative error number."""

    r_tsk: Task
    r_mode: int
    r_msgtype: int
    r_maxsize: int
    r_msg: MsgMsg | int = -errno.EAGAIN


@dataclass(eq=False)
class MsgSender:
    """Mirror one ``struct msg_sender``."""

    tsk: Task
    msgsz: int


@dataclass(eq=False)
class MsgQueue(IpcObject):
    """Mirror one ``struct msg_queue``."""

    q_stime: Time = 0
    q_rtime: Time = 0
    q_ctime: Time = 0
    q_cbytes: int = 0
    q_qnum: int = 0
    q_qbytes: int = 0
    q_lspid: Task | None = None
    q_lrpid: Task | None = None
    q_messages: list[MsgMsg] = field(default_factory=list)
    q_receivers: list[MsgReceiver] = field(default_factory=list)
    q_senders: list[MsgSender] = field(default_factory=list)

    def observe(self, facts: IpcFacts) -> state.MsgQueue:
        """Return the value that the World holds."""
        return state.MsgQueue(
            q_perm=self.observe_perm(),
            q_stime=allowed(self.q_stime),
            q_rtime=allowed(self.q_rtime),
            q_ctime=allowed(self.q_ctime),
            q_cbytes=self.q_cbytes,
            q_qnum=self.q_qnum,
            q_qbytes=self.q_qbytes,
            q_lspid=pid_name(self.q_lspid),
            q_lrpid=pid_name(self.q_lrpid),
            q_messages=tuple([msg.observe(facts) for msg in self.q_messages]),
            q_receivers=tuple([_receiver(msr) for msr in self.q_receivers]),
            q_senders=tuple([state.MsgSender(process(mss.tsk.name), mss.msgsz) for mss in self.q_senders]),
        )


def _receiver(msr: MsgReceiver) -> state.MsgReceiver:
    assert isinstance(msr.r_msg, int)
    return state.MsgReceiver(
        r_tsk=process(msr.r_tsk.name),
        r_mode=state.SEARCH_MODES[msr.r_mode],
        r_msgtype=msr.r_msgtype,
        r_maxsize=msr.r_maxsize,
        r_msg=msr.r_msg,
    )


def msg_fits_inqueue(msq: MsgQueue, msgsz: int) -> bool:
    """Tell whether a message fits by bytes and by count (``msg_fits_inqueue()``)."""
    return msgsz + msq.q_cbytes <= msq.q_qbytes and 1 + msq.q_qnum <= msq.q_qbytes


def testmsg(msg: MsgMsg, type_: int, mode: int) -> bool:
    """Tell whether a message is one that is looked for (``testmsg()``)."""
    match mode:
        case 1 | 5:
            return True
        case 4:
            return msg.m_type <= type_
        case 2:
            return msg.m_type == type_
        case 3:
            return msg.m_type != type_
    raise AssertionError(f"no such mode {mode!r}")


def find_msg(msq: MsgQueue, msgtyp: int, mode: int) -> tuple[MsgMsg | None, int]:
    """Find the message to receive; also return *msgtyp* as the search left it (``find_msg()``)."""
    found = None
    count = 0
    for msg in msq.q_messages:
        if not testmsg(msg, msgtyp, mode):
            continue
        if mode == SEARCH_LESSEQUAL and msg.m_type != 1:
            msgtyp = msg.m_type - 1
            found = msg
        elif mode == SEARCH_NUMBER:
            if msgtyp == count:
                return msg, msgtyp
        else:
            return msg, msgtyp
        count += 1
    return found, msgtyp


def ss_wakeup(msq: MsgQueue, wake_q: WakeQ, kill: bool) -> None:
    """Wake the senders that may go on, all of them where the queue goes (``ss_wakeup()``).

    One whose message does not fit yet moves to the end.
    """
    stop: Task | None = None
    senders = msq.q_senders
    sender = senders[0] if senders else None
    while sender is not None:
        index = senders.index(sender) + 1
        after = senders[index] if index < len(senders) else None
        if kill:
            pass
        elif stop is sender.tsk:
            break
        elif not msg_fits_inqueue(msq, sender.msgsz):
            stop = stop or sender.tsk
            senders.remove(sender)
            senders.append(sender)
            sender = after
            continue
        wake_q.add(sender.tsk)
        sender = after


def expunge_all(msq: MsgQueue, error: int, wake_q: WakeQ) -> None:
    """Wake all receivers with an error; each takes itself off the list (``expunge_all()``)."""
    for msr in msq.q_receivers:
        msr.r_msg = error
        wake_q.add(msr.r_tsk)


def pipelined_send(kernel: Kernel, msq: MsgQueue, msg: MsgMsg, wake_q: WakeQ) -> bool:
    """Hand a message straight to the first receiver that wants it (``pipelined_send()``)."""
    for msr in list(msq.q_receivers):
        if not testmsg(msg, msr.r_msgtype, msr.r_mode):
            continue
        msq.q_receivers.remove(msr)
        wake_q.add(msr.r_tsk)
        if msr.r_maxsize < msg.m_ts:
            msr.r_msg = -errno.E2BIG
            continue
        msq.q_lrpid = msr.r_tsk
        msq.q_rtime = ktime_get_real_seconds(kernel)
        msr.r_msg = msg
        return True
    return False
