"""Signatures of System V semaphores, message queues and shared memory (ipc/)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any

from ktrace.agent.syscalls import constants as c
from ktrace.agent.syscalls.buffers import In, InStruct, InStructs, Out
from ktrace.agent.syscalls.frame import Caller, Fault, Frame, Wanted
from ktrace.agent.syscalls.layout import Struct, pack_ints, require_fit, unpack_ints
from ktrace.agent.syscalls.parameter import Address, Int, Long, Offset, Parameter, Values, count_of, ints, pointer_text
from ktrace.agent.syscalls.signature import ADDRESS, IPC, NUMBER, PID, Returns, Signature
from ktrace.agent.syscalls.structs import (
    MSGINFO,
    MSQID_DS,
    SEMBUF,
    SEMID_DS,
    SEMINFO,
    SHM_INFO,
    SHMID_DS,
    SHMINFO,
    TIMESPEC,
)
from ktrace.agent.syscalls.text import Naming, format_struct, quote
from ktrace.agent.syscalls.vocabulary import Vocabulary
from ktrace.errors import UsageError
from ktrace.include.linux.types import s32, s64
from ktrace.state.call import Pointer
from ktrace.suggest import Written
from ktrace.uapi.ipc import IPC_SET
from ktrace.uapi.sem import GETALL, GETPID, SEMMSL, SETALL, SETVAL


def _layouts(vocabulary: Vocabulary, **layouts: Struct) -> dict[int, Struct]:
    return {vocabulary.choices[name]: layout for name, layout in layouts.items()}


_SEM_BUFFERS = _layouts(
    c.SEMCTL,
    IPC_STAT=SEMID_DS,
    SEM_STAT=SEMID_DS,
    SEM_STAT_ANY=SEMID_DS,
    IPC_INFO=SEMINFO,
    SEM_INFO=SEMINFO,
)
_MSG_BUFFERS = _layouts(
    c.MSGCTL,
    IPC_STAT=MSQID_DS,
    MSG_STAT=MSQID_DS,
    MSG_STAT_ANY=MSQID_DS,
    IPC_INFO=MSGINFO,
    MSG_INFO=MSGINFO,
)
_SHM_BUFFERS = _layouts(
    c.SHMCTL,
    IPC_STAT=SHMID_DS,
    SHM_STAT=SHMID_DS,
    SHM_STAT_ANY=SHMID_DS,
    IPC_INFO=SHMINFO,
    SHM_INFO=SHM_INFO,
)
_MEMBERS_OF_PERM = frozenset(("uid", "gid", "mode"))


class ControlBuffer(Parameter):
    """The last argument of msgctl and shmctl: what it is depends on the command.

    :param written: structs that the kernel writes, by command; out value ``buf``
    :param read: the struct that IPC_SET reads
    """

    c_type = "depends on the command: a number, a struct for IPC_SET, nothing where the kernel writes one"

    def __init__(self, name: str, written: Mapping[int, Struct], read: Struct) -> None:
        super().__init__(name, default=None)
        self.written = written
        self.read = read
        self.perm = next(iter(read.fields))

    def coerce(self, value: Any) -> Any:
        if value is None or isinstance(value, (int, Pointer)):
            return value
        if isinstance(value, Mapping) and value.keys() & _MEMBERS_OF_PERM:
            # The members of struct ipc_perm may be written without its braces.
            inner = {name: item for name, item in value.items() if name in _MEMBERS_OF_PERM}
            outer = {name: item for name, item in value.items() if name not in _MEMBERS_OF_PERM}
            value = {self.perm: inner, **outer}
        value = self.read.coerce(value, fill=False)
        # What IPC_SET reads (ipc/util.c: ipc_update_perm(), ipc/msg.c: msgctl_down()) is always there.
        value[self.perm] = {"uid": 0, "gid": 0, "mode": 0} | value.get(self.perm, {})
        if "msg_qbytes" in self.read.fields:
            value.setdefault("msg_qbytes", 0)
        return value

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        value, cmd = values[self.name], values["cmd"]
        if isinstance(value, Pointer):
            return (value.value,)
        if (layout := self.written.get(cmd)) is not None and not isinstance(value, int):
            return (frame.want_fresh(layout.size),)
        if isinstance(value, Mapping):
            return (frame.put(self.read.pack(value)),)
        return (value or 0,)

    later = True

    def recall(self, registers: tuple[int, ...], values: Values, caller: Caller) -> dict[str, Any]:
        addr, cmd = registers[0], values["cmd"]
        value: Any = s64(addr) if addr else None
        if cmd in self.written:
            value = caller.out(self.name, addr).get(self.name)
        elif cmd == IPC_SET:
            try:
                value = self.coerce(self._settable(self.read.unpack(caller.read(addr, self.read.size))))
            except Fault:
                value = Pointer(addr)
        return {self.name: value}

    def _settable(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Return what IPC_SET reads of a struct."""
        perm = {name: item for name, item in found[self.perm].items() if name in _MEMBERS_OF_PERM}
        bytes_of_queue = {"msg_qbytes": found["msg_qbytes"]} if "msg_qbytes" in found else {}
        return {self.perm: perm, **bytes_of_queue}

    def wanted(self, registers: tuple[int, ...], values: Values, caller: Caller) -> list[Wanted]:
        layout = self.written.get(values["cmd"])
        asked = layout is not None and not isinstance(values[self.name], (int, Pointer))
        return [Wanted(((registers[0], layout.size),))] if layout is not None and asked else []

    def decode(self, values: Values, ret: int, take: Iterator[bytes]) -> dict[str, Any]:
        layout = self.written.get(values["cmd"])
        if layout is None or isinstance(values[self.name], (int, Pointer)):
            return {}
        return {"buf": layout.unpack(next(take))}

    def name_actors(self, out: dict[str, Any], values: Values, actors: Mapping[int, str]) -> None:
        if "buf" in out and (layout := self.written.get(values["cmd"])) is not None:
            layout.name_actors(out["buf"], actors)

    def format(self, values: Values, out: Mapping[str, Any], naming: Naming) -> list[str]:
        value, cmd = values[self.name], values["cmd"]
        if isinstance(value, Pointer):
            return [pointer_text(value)]
        if cmd in self.written and not isinstance(value, int):
            return [format_struct(self.written[cmd], out["buf"])] if "buf" in out else []
        if isinstance(value, Mapping):
            return [format_struct(self.read, value)]
        return [] if value is None else [pointer_text(Pointer(value)) if cmd in self._pointed else str(value)]

    @property
    def _pointed(self) -> frozenset[int]:
        """The commands whose argument is an address."""
        return frozenset((*self.written, IPC_SET))


def counts_values(value: Any) -> bool:
    """Tell whether GETALL's argument is a number of values rather than an address."""
    if value is None:
        raise UsageError("semctl(GETALL) needs the number of values to read back", "write semctl(id, 0, GETALL, 4)")
    return isinstance(value, int) and value < 1 << 18


class SemctlArgument(ControlBuffer):
    """semctl's union: a value, an array, or a struct."""

    c_type = "union semun: a value, a list of values, a struct for IPC_SET, how many for GETALL"

    def coerce(self, value: Any) -> Any:
        return ints(self.name, value, "H") if isinstance(value, (tuple, list)) else super().coerce(value)

    def coerce_among(self, value: Any, values: Values) -> Any:
        if values["cmd"] == SETVAL:
            return Int(self.name).coerce(value)
        return self.coerce(value)

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        value, cmd = values[self.name], values["cmd"]
        if isinstance(value, tuple):
            # The kernel reads as many as the set has: what nobody gave is 0.
            return (frame.put(pack_ints("H", value).ljust(2 * SEMMSL, b"\0")),)
        if cmd == GETALL and counts_values(value):
            # A set may be larger than said: the kernel writes all of it, SEMMSL values at most.
            addr = frame.take(2 * max(value, SEMMSL))
            frame.stores.append((addr, bytes(2 * value)))
            frame.want(addr, 2 * value)
            return (addr,)
        return super().encode(values, frame)

    def recall(self, registers: tuple[int, ...], values: Values, caller: Caller) -> dict[str, Any]:
        addr, cmd = registers[0], values["cmd"]
        if cmd == SETVAL:
            return {self.name: s32(addr)}
        count = caller.semaphores(values["semid"])
        if cmd == GETALL:
            return {self.name: count, **caller.out(self.name, addr)}
        if cmd == SETALL:
            try:
                return {self.name: unpack_ints("H", caller.read(addr, 2 * count))}
            except Fault:
                return {self.name: Pointer(addr)}
        return super().recall(registers, values, caller)

    def wanted(self, registers: tuple[int, ...], values: Values, caller: Caller) -> list[Wanted]:
        value = values[self.name]
        if values["cmd"] == GETALL and isinstance(value, int):
            return [Wanted(((registers[0], 2 * value),))]
        return super().wanted(registers, values, caller)

    def decode(self, values: Values, ret: int, take: Iterator[bytes]) -> dict[str, Any]:
        if values["cmd"] == GETALL and counts_values(values[self.name]):
            return {"array": unpack_ints("H", next(take))}
        return super().decode(values, ret, take)

    def format(self, values: Values, out: Mapping[str, Any], naming: Naming) -> list[str]:
        value = values[self.name]
        if "array" in out:
            return ["[" + ", ".join(map(str, out["array"])) + "]"]
        if isinstance(value, tuple):
            return ["[" + ", ".join(map(str, value)) + "]"]
        return super().format(values, out, naming)


_SEMCTL_RETURNS = {GETPID: PID} | {c.SEMCTL.choices[name]: IPC for name in ("SEM_STAT", "SEM_STAT_ANY")}


def _semctl_returns(values: Mapping[str, Any]) -> Returns:
    return _SEMCTL_RETURNS.get(values["cmd"], NUMBER)


class Message(In):
    """A message that msgsnd reads: ``{"mtype": long, "mtext": bytes}``."""

    c_type = "struct msgbuf {long mtype, char mtext[]} *"

    def convert(self, value: Any) -> dict[str, Any]:
        if isinstance(value, (tuple, list)) and len(value) == 2:
            value = {"mtype": value[0], "mtext": value[1]}
        if isinstance(value, Mapping) and value.keys() == {"mtype", "mtext"}:
            mtype, mtext = value["mtype"], value["mtext"]
            if isinstance(mtype, int) and isinstance(mtext, bytes):
                require_fit(f"mtype of {self.name}", "q", mtype)
                return {"mtype": mtype, "mtext": mtext}
        raise UsageError(
            f"{self.name} is a message, its type and its text, not {value!r}",
            Written('write {1, "text"}', 'write (1, b"text")'),
        )

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        value, size = values[self.name], values["msgsz"]
        if isinstance(value, Pointer):
            return (value.value,)
        text: bytes = value["mtext"]
        # A text that is shorter than the call says is followed by zeros.
        return (frame.put(pack_ints("q", (value["mtype"],)) + text.ljust(min(size, _MESSAGE_LIMIT), b"\0")),)

    def read(self, addr: int, values: Values, caller: Caller) -> Any:
        data = caller.read(addr, 8 + min(values["msgsz"], _MESSAGE_LIMIT))
        return {"mtype": unpack_ints("q", data)[0], "mtext": data[8:]}

    def extent(self, values: Values) -> int:
        return 8 + min(max(int(values["msgsz"]), 0), _MESSAGE_LIMIT)

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return f"{{{value['mtype']}, {quote(value['mtext'], naming.width)}}}"


class SemOps(InStructs):
    """The operations of semop; what the call counts beyond them is zeros."""

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        value, count = values[self.name], values["nsops"]
        if isinstance(value, Pointer):
            return (value.value,)
        return (frame.put(self.pack(value, frame).ljust(SEMBUF.size * min(count, 1 << 15), b"\0")),)

    def count(self, values: Values) -> int:
        return int(values["nsops"])


def _message_size(values: Values) -> int:
    if isinstance(values["msgp"], Pointer):
        raise UsageError("msgp is an address", "write msgsnd(msqid, msgp, msgsz, msgflg)")
    return len(values["msgp"]["mtext"])


class MessageOut(Out):
    """A message that msgrcv writes: out values ``mtype`` and ``mtext``."""

    c_type = "struct msgbuf: mtype and mtext"

    def ask(self, values: Values, frame: Frame) -> int:
        size = values["msgsz"]
        size = size if 0 <= size <= _MESSAGE_LIMIT else _MESSAGE_LIMIT
        addr = frame.take(8 + size)
        frame.want(addr, 8)
        frame.want(addr + 8, size, scale=1)
        return addr

    def length(self, values: Values) -> int:
        return 8  # as much of the text is written as the message has

    def wanted(self, registers: tuple[int, ...], values: Values, caller: Caller) -> list[Wanted]:
        addr = registers[0]
        size = min(max(values["msgsz"], 0), _MESSAGE_LIMIT)
        return [] if self.name in values else [Wanted(((addr, 8),)), Wanted(((addr + 8, size),), scale=1)]

    def decode(self, values: Values, ret: int, take: Iterator[bytes]) -> dict[str, Any]:
        if isinstance(values.get(self.name), Pointer):
            return {}
        return {"mtype": struct.unpack("<q", next(take))[0], "mtext": next(take)[:ret]}

    def format(self, values: Values, out: Mapping[str, Any], naming: Naming) -> list[str]:
        if "mtype" in out:
            return [f"{{{out['mtype']}, {quote(out['mtext'], naming.width)}}}"]
        return super().format(values, out, naming)


_MESSAGE_LIMIT = 256 * 1024

SIGNATURES = (
    Signature("semget", 64, Int("key", c.KEY), Int("nsems"), Int("semflg", c.SEMGET, default=0), returns=IPC),
    Signature("semop", 65, Int("semid"), SemOps("sops", SEMBUF), Int("nsops", late=count_of("sops"))),
    Signature(
        "semctl",
        66,
        Int("semid"),
        Int("semnum"),
        Int("cmd", c.SEMCTL),
        SemctlArgument("arg", _SEM_BUFFERS, SEMID_DS),
        returns=_semctl_returns,
    ),
    Signature(
        "semtimedop",
        220,
        Int("semid"),
        SemOps("sops", SEMBUF),
        Int("nsops", late=count_of("sops")),
        InStruct("timeout", TIMESPEC, nullable=True),
    ),
    Signature("msgget", 68, Int("key", c.KEY), Int("msgflg", c.MSGGET, default=0), returns=IPC),
    Signature(
        "msgsnd",
        69,
        Int("msqid"),
        Message("msgp"),
        Long("msgsz", late=_message_size),
        Int("msgflg", c.MSGSND, default=0),
    ),
    Signature(
        "msgrcv",
        70,
        Int("msqid"),
        MessageOut("msgp"),
        Long("msgsz"),
        Offset("msgtyp", default=0),
        Int("msgflg", c.MSGRCV, default=0),
    ),
    Signature("msgctl", 71, Int("msqid"), Int("cmd", c.MSGCTL), ControlBuffer("buf", _MSG_BUFFERS, MSQID_DS)),
    Signature("shmget", 29, Int("key", c.KEY), Long("size"), Int("shmflg", c.SHMGET, default=0), returns=IPC),
    Signature(
        "shmat",
        30,
        Int("shmid"),
        Address("shmaddr", default=0),
        Int("shmflg", c.SHMAT, default=0),
        returns=ADDRESS,
    ),
    Signature("shmctl", 31, Int("shmid"), Int("cmd", c.SHMCTL), ControlBuffer("buf", _SHM_BUFFERS, SHMID_DS)),
    Signature("shmdt", 67, Address("shmaddr")),
)
