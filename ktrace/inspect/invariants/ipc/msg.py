"""Check message queues against their messages and sleepers (``ipc/msg.c``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.inspect.invariants.violation import Violation
from ktrace.state.ipc.msg import MsgMsg, MsgQueue, MsgReceiver
from ktrace.state.ipc.namespace import IpcNamespace
from ktrace.uapi.errno import EAGAIN

MSG_MSG, MSG_MSGSEG = 48, 8
"""sizeof(struct msg_msg) and sizeof(struct msg_msgseg) on 64-bit kernels."""


def check_queue(where: str, queue: MsgQueue) -> Iterator[Violation]:
    """Yield what contradicts itself in one queue."""
    if queue.q_qnum != len(queue.q_messages):
        yield Violation(f"{where}.q_qnum", f"is {queue.q_qnum}, the list has {len(queue.q_messages)} messages")
    total = sum(message.m_ts for message in queue.q_messages)
    if queue.q_cbytes != total:
        yield Violation(f"{where}.q_cbytes", f"is {queue.q_cbytes}, the messages have {total} bytes")
    for number, message in enumerate(queue.q_messages):
        yield from _check_message(f"{where}.q_messages[{number}]", message)
    for receiver in queue.q_receivers:
        who = f"{where}, receiver {receiver.r_tsk}"
        if receiver.r_msg != -EAGAIN:
            yield Violation(who, f"is queued with r_msg {receiver.r_msg}")
        if any(_wants(receiver, message) for message in queue.q_messages):
            yield Violation(who, "sleeps although a message for it is there")
    for sender in queue.q_senders:
        if sender.msgsz + queue.q_cbytes <= queue.q_qbytes and queue.q_qnum + 1 <= queue.q_qbytes:
            yield Violation(f"{where}, sender {sender.tsk}", "sleeps although its message fits")
    if queue.q_perm.refcount != 1 + len(queue.q_senders):
        yield Violation(f"{where}.refcount", f"is {queue.q_perm.refcount} with {len(queue.q_senders)} sleeping senders")


def _check_message(where: str, message: MsgMsg) -> Iterator[Violation]:
    if message.m_type < 1:
        yield Violation(f"{where}.m_type", f"is {message.m_type}")
    rest = max(message.m_ts - (PAGE_SIZE - MSG_MSG), 0)
    segments = -(-rest // (PAGE_SIZE - MSG_MSGSEG))
    if message.segments != segments:
        yield Violation(f"{where}.m_ts", f"is {message.m_ts}, which takes {segments} segments, not {message.segments}")


def _wants(receiver: MsgReceiver, message: MsgMsg) -> bool:
    """Tell whether a message is one that the receiver looks for (``testmsg()``)."""
    match receiver.r_mode:
        case "SEARCH_ANY" | "SEARCH_NUMBER":
            return True
        case "SEARCH_LESSEQUAL":
            return message.m_type <= receiver.r_msgtype
        case "SEARCH_EQUAL":
            return message.m_type == receiver.r_msgtype
        case "SEARCH_NOTEQUAL":
            return message.m_type != receiver.r_msgtype
    return False


def check_totals(where: str, ns: IpcNamespace, queues: Sequence[MsgQueue]) -> Iterator[Violation]:
    """Check a namespace's counters against its queues."""
    messages = sum(len(queue.q_messages) for queue in queues)
    if ns.percpu_msg_hdrs != messages:
        yield Violation(f"{where}.percpu_msg_hdrs", f"is {ns.percpu_msg_hdrs}, the queues have {messages} messages")
    size = sum(message.m_ts for queue in queues for message in queue.q_messages)
    if ns.percpu_msg_bytes != size:
        yield Violation(f"{where}.percpu_msg_bytes", f"is {ns.percpu_msg_bytes}, the messages have {size} bytes")
