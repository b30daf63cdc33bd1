"""Read message queues, their messages, receivers and senders (``ipc/msg.c``)."""

from __future__ import annotations

import struct

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.inspector import Observation
from ktrace.inspect.ipc.namespace import Pids, glance, perm_members, perm_of
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import Layout
from ktrace.inspect.lib.list import for_each_list_node
from ktrace.inspect.members import offset_of, type_of
from ktrace.inspect.memory import KernelMemory
from ktrace.state.ipc.msg import SEARCH_MODES, MsgMsg, MsgQueue, MsgReceiver, MsgSender
from ktrace.state.ref import Ref

MAX_MESSAGES = 1 << 20
MAX_SEGMENTS = 1 << 16
GLANCE = 192
"""Bytes that are read before it is known how long a message is."""

_HEAD = struct.Struct("<QQ")


class MsgReader:
    """Read every ``struct msg_queue`` of a namespace."""

    def __init__(self, kernel: LiveKernel, pids: Pids) -> None:
        prog = kernel.prog
        self.pids = pids
        self._queue = Layout(
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
        self._msg = Layout(
            prog, "struct msg_msg", "m_type", "m_ts", "next", list_next="m_list.next", list_prev="m_list.prev"
        )
        self._msg_list = self._msg.offsets["list_next"]
        self._seg_size: int = type_of(prog, "struct msg_msgseg").size
        self._receiver = Layout(prog, "struct msg_receiver", "r_tsk", "r_mode", "r_msgtype", "r_maxsize", "r_msg")
        self._receiver_list = offset_of(prog, "struct msg_receiver", "r_list")
        self._sender = Layout(prog, "struct msg_sender", "tsk", "msgsz")
        self._sender_list = offset_of(prog, "struct msg_sender", "list")
        self._cache: dict[int, tuple[bytes, tuple[MsgMsg, ...], MsgQueue]] = {}
        self._texts: dict[int, tuple[bytes, int, MsgMsg]] = {}
        self._last, self._last_texts = self._cache, self._texts

    def begin(self) -> None:
        """Begin a new observation: what the last one did not see is forgotten."""
        self._last, self._cache = self._cache, {}
        self._last_texts, self._texts = self._texts, {}

    def observe(self, observation: Observation, queues: dict[int, Ref]) -> None:
        """Add the queues at these addresses."""
        memory = observation.memory
        cache, texts = self._cache, self._texts
        size = self._queue.size
        for address, ref in queues.items():
            data = memory.read(address, size)
            messages = self._read_messages(memory, address, data, texts)
            known = self._last.get(address)
            if known is not None and known[0] == data and known[1] == messages:
                queue = known[2]
                cache[address] = known
            else:
                queue, simple = self._read(observation, address, data, messages)
                if simple:
                    cache[address] = (data, messages, queue)
            observation.objects[ref] = queue

    def _read(
        self, observation: Observation, address: int, data: bytes, messages: tuple[MsgMsg, ...]
    ) -> tuple[MsgQueue, bool]:
        """Decode a queue; the flag tells whether it depends on nothing but what is given."""
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
        return queue, not waiting

    def _read_messages(
        self, memory: KernelMemory, address: int, data: bytes, texts: dict[int, tuple[bytes, int, MsgMsg]]
    ) -> tuple[MsgMsg, ...]:
        """Decode the messages in list order; one whose bytes are those of the last time is not decoded again."""
        head = address + self._messages
        previous = head
        node = _HEAD.unpack_from(data, self._messages)[0]
        found = []
        while node != head:
            at = node - self._msg_list
            known = self._last_texts.get(at)
            block = memory.read(at, known[1] if known else self._msg.size)
            if _HEAD.unpack_from(block, self._msg_list)[1] != previous:
                raise CorruptStructure("msg_msg.m_list", node, "prev does not point back")
            if known is not None and known[0] == block:
                texts[at] = known
                found.append(known[2])
            else:
                block, message, simple = self._read_message(memory, at)
                if simple:
                    texts[at] = (block, len(block), message)
                found.append(message)
            if len(found) > MAX_MESSAGES:
                raise CorruptStructure("msg_queue.q_messages", head, f"more than {MAX_MESSAGES} messages")
            previous, node = node, _HEAD.unpack_from(block, self._msg_list)[0]
        return tuple(found)

    def _read_message(self, memory: KernelMemory, address: int) -> tuple[bytes, MsgMsg, bool]:
        """Return a message's first block, the message, and whether the block is all of it (``store_msg()``)."""
        # Most messages are short: one read does for these.
        block = glance(memory, address, GLANCE, self._msg.size)
        raw = self._msg.unpack(block, 0)
        first = min(raw.m_ts, PAGE_SIZE - self._msg.size)
        size = self._msg.size + first
        block = block[:size] if size <= len(block) else memory.read(address, size)
        parts = [block[self._msg.size :]]
        rest = raw.m_ts - first
        segment, segments = raw.next, 0
        while segment:
            segments += 1
            if segments > MAX_SEGMENTS:
                raise CorruptStructure("msg_msgseg.next", address, f"more than {MAX_SEGMENTS} segments")
            size = min(rest, PAGE_SIZE - self._seg_size)
            content = memory.read(segment, self._seg_size + size)
            parts.append(content[self._seg_size :])
            rest -= size
            segment = int.from_bytes(content[:8], "little")
        return block, MsgMsg(raw.m_type, raw.m_ts, segments, b"".join(parts)), not raw.next

    def _read_receivers(self, observation: Observation, address: int) -> tuple[MsgReceiver, ...]:
        found = []
        for node in for_each_list_node(observation.memory, address + self._receivers, "msg_receiver.r_list"):
            raw = self._receiver.read(observation.memory, node - self._receiver_list)
            message = raw.r_msg - (raw.r_msg >> 63 << 64)
            mode = SEARCH_MODES.get(raw.r_mode, str(raw.r_mode))
            found.append(MsgReceiver(observation.process(raw.r_tsk), mode, raw.r_msgtype, raw.r_maxsize, message))
        return tuple(found)

    def _read_senders(self, observation: Observation, address: int) -> tuple[MsgSender, ...]:
        found = []
        for node in for_each_list_node(observation.memory, address + self._senders, "msg_sender.list"):
            raw = self._sender.read(observation.memory, node - self._sender_list)
            found.append(MsgSender(observation.process(raw.tsk), raw.msgsz))
        return tuple(found)
