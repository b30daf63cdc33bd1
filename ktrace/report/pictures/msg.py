"""The picture of a message queue: the messages in order, and who waits at which end."""

from __future__ import annotations

from rich.text import Text

from ktrace.report.pictures.canvas import DIM, WHO, boxes, in_rows, line, mark
from ktrace.report.pictures.perm import heading
from ktrace.state.ipc.msg import MsgMsg, MsgQueue, MsgReceiver
from ktrace.state.ref import Ref
from ktrace.state.world import World
from ktrace.trace.value import quoted

PER_ROW = 6
SHOWN = 18
_TEXT = 10
_BAR = 24
_WANTED = {
    "SEARCH_ANY": "any message",
    "SEARCH_EQUAL": "type {type}",
    "SEARCH_NOTEQUAL": "any type but {type}",
    "SEARCH_LESSEQUAL": "the lowest type up to {type}",
    "SEARCH_NUMBER": "a copy of message {type}",
}


def picture(world: World, ref: Ref, before: World | None = None) -> list[Text]:
    """Draw the message queue *ref*.

    :param before: the World of the step before; what changed since stands out
    """
    queue = world.objects[ref]
    assert isinstance(queue, MsgQueue)
    old = before.objects.get(ref) if before is not None else None
    last = old if isinstance(old, MsgQueue) else None
    rows = [heading(ref, queue.q_perm, f"{queue.q_qnum} message" + "s" * (queue.q_qnum != 1))]
    share = min(1.0, queue.q_cbytes / queue.q_qbytes) if queue.q_qbytes > 0 else 1.0
    filled = round(share * _BAR) or (1 if queue.q_cbytes else 0)
    rows.append(
        line(
            ("█" * filled, "green"),
            ("░" * (_BAR - filled), DIM),
            " ",
            mark(str(queue.q_cbytes), last is not None and last.q_cbytes != queue.q_cbytes, "bold"),
            f" of {queue.q_qbytes} bytes",
            ("   last sent by ", DIM),
            (queue.q_lspid or "nobody", WHO),
            (", last received by ", DIM),
            (queue.q_lrpid or "nobody", WHO),
        )
    )
    fresh = fresh_from(queue, last)
    shown = queue.q_messages[:SHOWN]
    for row in in_rows(len(shown), PER_ROW):
        cells = [_message(shown[number], number >= fresh) for number in row]
        captions = ["next out"] if row.start == 0 else []
        rows += boxes(cells, captions)
    if len(queue.q_messages) > SHOWN:
        rows.append(line((f"⋮ and {len(queue.q_messages) - SHOWN} more messages", DIM)))
    for place, receiver in enumerate(queue.q_receivers, 1):
        new = last is not None and receiver not in last.q_receivers
        rows.append(line(f"waits to receive, place {place}: ", mark(_who(receiver.r_tsk), new, WHO), _wish(receiver)))
    for place, sender in enumerate(queue.q_senders, 1):
        new = last is not None and sender not in last.q_senders
        rows.append(
            line(f"waits to send, place {place}: ", mark(_who(sender.tsk), new, WHO), f"  {sender.msgsz} bytes")
        )
    return rows


def fresh_from(queue: MsgQueue, last: MsgQueue | None) -> int:
    """Return the place of the first message that was not there before the step.

    Messages are only ever added at the end; what is left of the old ones is a part of them, in their order.
    """
    if last is None:
        return len(queue.q_messages)
    place = 0
    for message in last.q_messages:
        if place < len(queue.q_messages) and queue.q_messages[place] == message:
            place += 1
    return place


def _message(message: MsgMsg, new: bool) -> list[Text]:
    return [
        mark(f" type {message.m_type} ", new, "bold"),
        Text(f" {message.m_ts} bytes" + (f" +{message.segments} seg" if message.segments else "") + " ", DIM),
        Text(f" {quoted(message.text, _TEXT)} ", "green"),
    ]


def _wish(receiver: MsgReceiver) -> str:
    wanted = _WANTED.get(receiver.r_mode, receiver.r_mode).format(type=receiver.r_msgtype)
    room = "" if receiver.r_maxsize >= 0x7FFFFFFF else f", at most {receiver.r_maxsize} bytes"
    return f"  {wanted}{room}"


def _who(task: Ref | None) -> str:
    return str(task.key) if task is not None else "?"
