"""System V message queues: full ones, empty ones, and those who wait at both ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.agent.syscalls import make_call
from ktrace.fuzz.chance import Chance, pattern
from ktrace.fuzz.families.fs.files import may_block
from ktrace.fuzz.families.ipc.ids import SysvFamily, bad_pointer
from ktrace.fuzz.family import Generator, Scenario, later
from ktrace.fuzz.model_view import Action, ModelView
from ktrace.model.ipc.msg_queue import MsgQueue
from ktrace.model.ipc.namespace import Namespace
from ktrace.model.task import Task
from ktrace.state.call import Call

DATALEN_MSG, DATALEN_SEG = 4096 - 48, 4096 - 8
"""Bytes in a message's first page and in each page after it (``ipc/msgutil.c``)."""
_MODES = (C["MSG_NOERROR"], C["MSG_EXCEPT"])


class MsgFamily(SysvFamily):
    """``ipc/msg.c``, ``ipc/msgutil.c``."""

    name = "msg"
    ids = "msg_ids"

    def __init__(self, choose: Chance) -> None:
        self._large = choose.one((0.05, 0.1, 0.4))
        self._stock = choose.one((0, 1, 3, 6))
        self._types = choose.one(((1,), (1, 2), (1, 2, 3, 4)))
        super().__init__(choose)

    def generators(self) -> Sequence[tuple[float, Generator]]:
        """Return what can be done with queues."""
        return [
            (3, self._msgget),
            (16, self._msgsnd),
            (14, self._msgrcv),
            (2, self._stat),
            (0.7, self._info),
            (1.4, later),
            (3, self._set),
            (0.8, self._remove),
        ]

    def limits(self, choose: Chance) -> Iterator[Call]:
        """Lower msgmax, msgmnb and msgmni."""
        if choose.chance(0.4):
            yield make_call("sysctl", "kernel/msgmnb", str(choose.one((0, 1, 50, 300, 5000))))
        if choose.chance(0.4):
            yield make_call("sysctl", "kernel/msgmax", str(choose.one((0, 10, 100, 4048, 9000, 20000))))
        if choose.chance(0.3):
            yield make_call("sysctl", "kernel/msgmni", str(choose.one((1, 2, 3))))
        if choose.chance(0.1):
            yield make_call("sysctl", "kernel/msg_next_id", str(choose.one((0, 5, 32768, 70000, 0x7FFFFFFF))))

    def make(self, choose: Chance) -> Call:
        """Make a private object."""
        return make_call("msgget", 0, 0o600)

    def most_objects(self, ns: Namespace) -> int:
        """Return how many objects a namespace may hold."""
        return ns.msg_ctlmni

    def remove(self, ident: int) -> Call:
        """Remove an object."""
        return make_call("msgctl", ident, C["IPC_RMID"])

    def scenarios(self) -> Sequence[tuple[float, Scenario]]:
        """Return what takes several actions."""
        return [*super().scenarios(), (4, self._crowd_of_receivers), (4, self._crowd_of_senders)]

    def _crowd_of_receivers(self, state: ModelView, choose: Chance) -> Iterator[Action]:
        """Have several wait for messages of several types and sizes, then send some."""
        if (found := self.crowded(state, choose)) is None:
            return
        msq, holders = found
        for task in choose.some(holders, 1):
            if len(state.free()) < 2:
                break
            wanted = 9 if msq.q_messages else choose.one((0, 1, 2, -1, -2))
            flags = choose.flags(0.2, *_MODES) if wanted != 9 else 0
            yield task.name, make_call("msgrcv", msq.id, choose.one((0, 5, 50, 1000)), wanted, flags)
        for _ in range(choose.integer(1, 4)):
            awake = [task for task in holders if task.running is None]
            if not awake or msq.deleted:
                return
            message = {"mtype": choose.one((1, 1, 2, 3, 9)), "mtext": pattern(state.number, choose.one((0, 5, 6, 50)))}
            yield choose.one(awake).name, make_call("msgsnd", msq.id, message, C["IPC_NOWAIT"])

    def _crowd_of_senders(self, state: ModelView, choose: Chance) -> Iterator[Action]:
        """Have several wait for room, each for as much as it needs, then make some."""
        if (found := self.crowded(state, choose)) is None:
            return
        msq, holders = found
        perm = {"uid": msq.uid, "gid": msq.gid, "mode": msq.mode & 0o777}
        room = choose.one((0, 4, 20, 60))
        limit = msq.q_cbytes + room
        yield holders[0].name, make_call("msgctl", msq.id, C["IPC_SET"], {"msg_perm": perm, "msg_qbytes": limit})
        if room and choose.chance(0.7):
            message = {"mtype": choose.one((1, 2, 3)), "mtext": pattern(state.number, room)}
            yield holders[0].name, make_call("msgsnd", msq.id, message, C["IPC_NOWAIT"])
        for task in choose.some(holders, 2):
            if len(state.free()) < 2:
                break
            # Some fit together into what a receiver leaves, some only one after the other, some not at all.
            size = choose.one((1, 1, room // 2, room, room, room + 1))
            message = {"mtype": choose.one((1, 2, 3)), "mtext": pattern(state.number, size)}
            yield task.name, make_call("msgsnd", msq.id, message, 0)
        for _ in range(choose.integer(1, 3)):
            awake = [task for task in holders if task.running is None]
            if not awake or msq.deleted:
                return
            if choose.chance(0.3):
                more = {"msg_perm": perm, "msg_qbytes": max(0, limit + choose.one((0, 1, 25, 200, -room)))}
                yield awake[0].name, make_call("msgctl", msq.id, C["IPC_SET"], more)
            else:
                yield choose.one(awake).name, make_call("msgrcv", msq.id, 20000, 0, C["IPC_NOWAIT"])

    def _msgget(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if (key := self.key(state, choose, task)) is None:
            return None
        return make_call("msgget", key, self.get_flags(choose))

    def _queue(self, state: ModelView, choose: Chance, task: Task) -> MsgQueue | None:
        found: MsgQueue | None = self.pick(state, choose, task)
        return found

    def _size(self, state: ModelView, choose: Chance, task: Task, msq: MsgQueue) -> int:
        ns = self.namespace(state, task)
        room = max(0, min(msq.q_qbytes - msq.q_cbytes, 20000))
        if choose.chance(self._large):
            marks = (DATALEN_MSG, DATALEN_MSG + DATALEN_SEG, room, min(ns.msg_ctlmax, 20000), 5000)
            return choose.around(*marks, low=0, high=20000)
        return choose.around(0, 1, 5, 50, min(room, 60), low=0)

    def _msgsnd(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if (msq := self._queue(state, choose, task)) is None:
            return None
        size = self._size(state, choose, task, msq)
        ident = self.id_of(choose, msq)
        full = msq.q_cbytes + size > msq.q_qbytes or msq.q_qnum + 1 > msq.q_qbytes
        flags = C["IPC_NOWAIT"] if choose.chance(0.1) or (full and not may_block(state, choose, 0.5)) else 0
        if choose.chance(0.02):
            return make_call("msgsnd", ident, msgp=bad_pointer(choose), msgsz=size, msgflg=flags)
        mtype = choose.one(self._types) if choose.chance(0.94) else choose.one((0, -1, 1 << 40, (1 << 63) - 1))
        message = {"mtype": mtype, "mtext": pattern(state.number, size)}
        if choose.chance(0.02):
            return make_call("msgsnd", ident, message, msgsz=choose.one((-1, size // 2)), msgflg=flags)
        return make_call("msgsnd", ident, message, flags)

    def _msgrcv(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if (msq := self._queue(state, choose, task)) is None:
            return None
        if len(msq.q_messages) < self._stock and choose.chance(0.6):
            return None
        types = self._types
        wanted = choose.weighted([
            (4, 0),
            (4, choose.one(types)),
            (3, -choose.one(types)),
            (0.4, choose.one((5, -(1 << 63), (1 << 63) - 1, -5))),
        ])  # fmt: skip
        sizes = [message.m_ts for message in msq.q_messages[:3]] or [10]
        size = choose.around(*sizes, 100, 20000, low=0) if choose.chance(0.5) else 20000
        flags = choose.flags(0.15, *_MODES)
        if choose.chance(0.12 if msq.q_messages else 0.02):
            flags = C["MSG_COPY"] | (C["IPC_NOWAIT"] if choose.chance(0.9) else 0)
            flags |= choose.flags(0.3, C["MSG_NOERROR"]) | choose.flags(0.05, C["MSG_EXCEPT"])
            wanted = choose.one((*range(len(msq.q_messages) + 1), -1))
        if choose.chance(0.08) or (not self._there(msq, wanted, flags) and not may_block(state, choose, 0.5)):
            flags |= C["IPC_NOWAIT"]
        if choose.chance(0.03):
            if choose.chance(0.5):
                return make_call("msgrcv", self.id_of(choose, msq), -1, wanted, flags)
            return make_call(
                "msgrcv", self.id_of(choose, msq), msgsz=size, msgtyp=wanted, msgflg=flags, msgp=bad_pointer(choose)
            )
        return make_call("msgrcv", self.id_of(choose, msq), size, wanted, flags)

    def _there(self, msq: MsgQueue, wanted: int, flags: int) -> bool:
        """Tell roughly whether a message of that type waits."""
        if wanted == 0:
            return bool(msq.q_messages)
        if wanted < 0:
            return any(message.m_type <= -wanted for message in msq.q_messages)
        return any((message.m_type == wanted) != bool(flags & C["MSG_EXCEPT"]) for message in msq.q_messages)

    def _stat(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if not self.seen(state, task).idr and choose.chance(0.9):
            return None
        buf = {} if choose.chance(0.95) else {"buf": bad_pointer(choose)}
        if choose.chance(0.5):
            return make_call("msgctl", self.id_of(choose, self._queue(state, choose, task)), C["IPC_STAT"], **buf)
        command = C[choose.one(("MSG_STAT", "MSG_STAT_ANY"))]
        return make_call("msgctl", self.index(state, choose, task), command, **buf)

    def _info(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        return make_call("msgctl", 0, choose.one((C["IPC_INFO"], C["MSG_INFO"], 99)))

    def _set(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if (msq := self._queue(state, choose, task)) is None:
            return None
        now = msq.q_cbytes
        bytes_ = choose.one((0, 1, 5, 50, now, now + 1, now + 60, 300, 16384, 16385, 1 << 32))
        buf = {"msg_perm": self.perm(choose), "msg_qbytes": bytes_}
        if choose.chance(0.6):
            # Mostly it stays whose it was, so that later calls get through.
            buf["msg_perm"] = {"uid": msq.uid, "gid": msq.gid, "mode": msq.mode & 0o777}
        return make_call("msgctl", self.id_of(choose, msq), C["IPC_SET"], buf)

    def _remove(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if (msq := self._queue(state, choose, task)) is None:
            return None
        return make_call("msgctl", self.id_of(choose, msq), C["IPC_RMID"])
