"""Message queues, their messages, and who waits."""

from __future__ import annotations

from ktrace.state.ipc.namespace import KernIpcPerm
from ktrace.state.quick import dataclass
from ktrace.state.ref import Ref

SEARCH_ANY = 1
SEARCH_EQUAL = 2
SEARCH_NOTEQUAL = 3
SEARCH_LESSEQUAL = 4
SEARCH_NUMBER = 5
SEARCH_MODES = {
    SEARCH_ANY: "SEARCH_ANY",
    SEARCH_EQUAL: "SEARCH_EQUAL",
    SEARCH_NOTEQUAL: "SEARCH_NOTEQUAL",
    SEARCH_LESSEQUAL: "SEARCH_LESSEQUAL",
    SEARCH_NUMBER: "SEARCH_NUMBER",
}
"""Names of ``msg_receiver.r_mode`` (``ipc/msg.c``)."""


@dataclass(frozen=True, slots=True)
class MsgMsg:
    """A ``struct msg_msg``.

    :param m_ts: size of the text in bytes
    :param segments: how many ``msg_msgseg`` follow the first block
    :param text: the text itself
    """

    m_type: int
    m_ts: int
    segments: int
    text: bytes


@dataclass(frozen=True, slots=True)
class MsgReceiver:
    """A ``struct msg_receiver``.

    :param r_mode: such as ``SEARCH_EQUAL``
    :param r_maxsize: room for text, INT_MAX with MSG_NOERROR
    :param r_msg: the error it holds while nothing was handed over, -EAGAIN
    """

    r_tsk: Ref | None
    r_mode: str
    r_msgtype: int
    r_maxsize: int
    r_msg: int


@dataclass(frozen=True, slots=True)
class MsgSender:
    """A ``struct msg_sender``.

    :param msgsz: bytes that it waits to send
    """

    tsk: Ref | None
    msgsz: int


@dataclass(frozen=True, slots=True)
class MsgQueue:
    """A ``struct msg_queue``.

    :param q_stime: time of the last msgsnd, 0 for never; *q_rtime* of the last msgrcv
    :param q_lspid: the actor that sent last; *q_lrpid* received last
    """

    q_perm: KernIpcPerm
    q_stime: int
    q_rtime: int
    q_ctime: int
    q_cbytes: int
    q_qnum: int
    q_qbytes: int
    q_lspid: str | None
    q_lrpid: str | None
    q_messages: tuple[MsgMsg, ...]
    q_receivers: tuple[MsgReceiver, ...]
    q_senders: tuple[MsgSender, ...]
