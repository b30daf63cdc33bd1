"""Read message queues, their messages, receivers and senders (``ipc/msg.c``)."""

from __future__ import annotations

from collections.abc import Sequence

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.inspector import Observation
from ktrace.inspect.ipc.namespace import glance, perm_members, perm_of
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.lib.list import for_each_list_node, points_elsewhere
from ktrace.inspect.members import offset_of, type_of
from ktrace.inspect.memory import KernelMemory, Place
from ktrace.inspect.process.pid import Pids
from ktrace.inspect.remembered import Remembered
from ktrace.inspect.unread import UNREADABLE, absence, kept
from ktrace.state.ipc.msg import SEARCH_MODES, MsgMsg, MsgQueue, MsgReceiver, MsgSender
from ktrace.state.ref import Ref

MAX_MESSAGES = 1 << 20
MAX_SEGMENTS = 1 << 16
GLANCE = 192
"""Bytes that are read before it is known how long a message is."""


_Linked = tuple[MsgMsg, int, int]
"""A message, and its neighbours on the list: ``m_list.prev``, ``m_list.next``."""


class MsgReader:
    """Read every ``struct msg_queue`` of a namespace."""

    def __init__(self, kernel: LiveKernel, pids: Pids) -> None:
        self.prog = prog = kernel.prog
        self.pids = pids
        self._queue = layout_of(
            prog,
            "struct msg_queue",
            "q_stime",
            "q_rtime",
            "q_ctime",
            "q_cbytes",
            "q_qnum",
            "q_qbytes",
            "q_lspid",
            "q_lrpid",
            messages="q_messages.next",
            receivers="q_receivers.next",
            senders="q_senders.next",
            **perm_members("q_perm"),
        )
        self._messages = self._queue.offsets["messages"]
        self._receivers, self._senders = self._queue.offsets["receivers"], self._queue.offsets["senders"]
        self._msg = layout_of(
            prog, "struct msg_msg", "m_type", "m_ts", "next", list_next="m_list.next", list_prev="m_list.prev"
        )
        self._msg_list = self._msg.offsets["list_next"]
        self._seg_size: int = type_of(prog, "struct msg_msgseg").size
        self._receiver = layout_of(prog, "struct msg_receiver", "r_tsk", "r_mode", "r_msgtype", "r_maxsize", "r_msg")
        self._receiver_list = offset_of(prog, "struct msg_receiver", "r_list")
        self._sender = layout_of(prog, "struct msg_sender", "tsk", "msgsz")
        self._sender_list = offset_of(prog, "struct msg_sender", "list")
        self._remembered: Remembered[MsgQueue] = Remembered()
        self._messages_remembered: Remembered[_Linked] = Remembered()

    def observe(self, observation: Observation, queues: dict[int, Ref]) -> None:
        """Add the queues at these addresses."""
        memory = observation.memory
        for address, ref in queues.items():
            try:
                queue = self._remembered.find(memory, address)
                # A message may change without its queue.
                messages = self._read_messages(memory, address)
                if queue is None or queue.q_messages != messages:
                    queue = self._remembered.keep(address, *self._read(observation, address, messages))
                observation.objects[ref] = queue
            except UNREADABLE as error:
                observation.objects[ref] = absence(self.prog, error)

    def _read(
        self, observation: Observation, address: int, messages: tuple[MsgMsg, ...]
    ) -> tuple[MsgQueue, Sequence[Place] | None]:
        """Decode the queue at *address*, which holds *messages*; who waits makes it depend on more than its bytes."""
        data = observation.memory.read(address, self._queue.size)
        raw = self._queue.unpack(data, 0)
        waiting = raw.receivers != address + self._receivers or raw.senders != address + self._senders
        queue = MsgQueue(
            q_perm=perm_of(raw),
            q_stime=raw.q_stime,
            q_rtime=raw.q_rtime,
            q_ctime=raw.q_ctime,
            q_cbytes=raw.q_cbytes,
            q_qnum=raw.q_qnum,
            q_qbytes=raw.q_qbytes,
            q_lspid=self.pids.name(observation, raw.q_lspid),
            q_lrpid=self.pids.name(observation, raw.q_lrpid),
            q_messages=messages,
            q_receivers=self._read_receivers(observation, address) if waiting else (),
            q_senders=self._read_senders(observation, address) if waiting else (),
        )
        return queue, None if waiting else ((address, data),)

    def _read_messages(self, memory: KernelMemory, address: int) -> tuple[MsgMsg, ...]:
        """Return the messages of the queue at *address* in list order."""
        head = address + self._messages
        previous, node = head, memory.u64(head)
        found = []
        while node != head:
            at = node - self._msg_list
            linked = self._messages_remembered.find(memory, at)
            if linked is None:
                linked = self._messages_remembered.keep(at, *self._read_message(memory, at))
            message, back, following = linked
            if back != previous:
                raise points_elsewhere("msg_msg.m_list", node, back, previous)
            found.append(message)
            if len(found) > MAX_MESSAGES:
                raise CorruptStructure("msg_queue.q_messages", head, f"more than {MAX_MESSAGES} messages")
            previous, node = node, following
        return tuple(found)

    def _read_message(self, memory: KernelMemory, address: int) -> tuple[_Linked, Sequence[Place]]:
        """Decode the message at *address*, which lies in one block and the segments behind it (``store_msg()``)."""
        # Most messages are short: one read does for these.
        block = glance(memory, address, GLANCE, self._msg.size)
        raw = self._msg.unpack(block, 0)
        first = min(raw.m_ts, PAGE_SIZE - self._msg.size)
        size = self._msg.size + first
        block = block[:size] if size <= len(block) else memory.read(address, size)
        places: tuple[Place, ...] = ((address, block),)
        parts = [block[self._msg.size :]]
        rest = raw.m_ts - first
        segment = raw.next
        while segment:
            if len(places) > MAX_SEGMENTS:
                raise CorruptStructure("msg_msgseg.next", address, f"more than {MAX_SEGMENTS} segments")
            size = min(rest, PAGE_SIZE - self._seg_size)
            content = memory.read(segment, self._seg_size + size)
            places = (*places, (segment, content))
            parts.append(content[self._seg_size :])
            rest -= size
            segment = int.from_bytes(content[:8], "little")
        message = MsgMsg(m_type=raw.m_type, m_ts=raw.m_ts, segments=len(places) - 1, text=b"".join(parts))
        return (message, raw.list_prev, raw.list_next), places

    def _read_receivers(self, observation: Observation, address: int) -> tuple[MsgReceiver, ...]:
        found = []
        for node in for_each_list_node(observation.memory, address + self._receivers, "msg_receiver.r_list"):
            raw = self._receiver.read(observation.memory, node - self._receiver_list)
            message = raw.r_msg - (raw.r_msg >> 63 << 64)
            mode = kept(raw.r_mode, lambda mode: SEARCH_MODES.get(mode, str(mode)))
            found.append(
                MsgReceiver(
                    r_tsk=observation.process(raw.r_tsk),
                    r_mode=mode,
                    r_msgtype=raw.r_msgtype,
                    r_maxsize=raw.r_maxsize,
                    r_msg=message,
                )
            )
        return tuple(found)

    def _read_senders(self, observation: Observation, address: int) -> tuple[MsgSender, ...]:
        found = []
        for node in for_each_list_node(observation.memory, address + self._senders, "msg_sender.list"):
            raw = self._sender.read(observation.memory, node - self._sender_list)
            found.append(MsgSender(tsk=observation.process(raw.tsk), msgsz=raw.msgsz))
        return tuple(found)
