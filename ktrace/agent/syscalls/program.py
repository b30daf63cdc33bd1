"""Signatures of what only a program does: scripts have operations instead, or no use for them."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any

from ktrace.agent.syscalls import constants as c
from ktrace.agent.syscalls.buffers import In, InOutInt, InStruct, OutInts, OutStruct, Path
from ktrace.agent.syscalls.frame import Caller, Frame, Wanted
from ktrace.agent.syscalls.operations import Name, Operation
from ktrace.agent.syscalls.parameter import (
    Address,
    Const,
    Directory,
    Fd,
    Int,
    Long,
    Offset,
    Parameter,
    Pid,
    Values,
    pointer_text,
)
from ktrace.agent.syscalls.passed_over import PASSED_OVER
from ktrace.agent.syscalls.signature import Signature
from ktrace.agent.syscalls.structs import FILE_TIMES, ITIMERSPEC, SIGEVENT, SIGINFO, TIMESPEC
from ktrace.agent.syscalls.text import Naming, quote
from ktrace.agent.syscalls.vectors import SignalMask
from ktrace.state.call import Pointer
from ktrace.state.passed_over import NUMBERED, UNKNOWN
from ktrace.uapi.signal import SA_RESTORER, SIG_DFL, SIG_IGN

MOST_STRINGS = 4096
SIGACTION = struct.Struct("<QQQQ")
"""``struct kernel_sigaction`` of x86-64: handler, flags, restorer, mask (``arch/x86/include/asm/signal.h``)."""


class Strings(In):
    """An array of strings with NULL behind them, as execve takes two."""

    def pack(self, value: Any, frame: Frame) -> bytes:
        addresses = [frame.put(item + b"\0") for item in value]
        return struct.pack(f"<{len(addresses) + 1}Q", *addresses, 0)

    def read(self, addr: int, values: Values, caller: Caller) -> tuple[bytes, ...]:
        found: list[bytes] = []
        while len(found) < MOST_STRINGS:
            place = int.from_bytes(caller.read(addr + 8 * len(found), 8), "little")
            if not place:
                break
            found.append(caller.read_string(place))
        return tuple(found)

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        if self.name == "envp":
            return f"/* {len(value)} variables */"
        return "[" + ", ".join(quote(item, naming.width) for item in value) + "]"


class SignalAction(Parameter):
    """What rt_sigaction sets: a handler's address, SIG_DFL or SIG_IGN, its flags and its mask."""

    later = True

    def coerce(self, value: Any) -> Any:
        return value

    def recall(self, registers: tuple[int, ...], values: Values, caller: Caller) -> dict[str, Any]:
        addr = registers[0]
        if not addr:
            return {self.name: None}
        data = caller.read_or_none(addr, SIGACTION.size)
        if data is None:
            return {self.name: Pointer(addr)}
        handler, flags, _, mask = SIGACTION.unpack(data)
        return {self.name: {"sa_handler": handler, "sa_flags": flags & ~SA_RESTORER, "sa_mask": mask}}

    def format(self, values: Values, out: Mapping[str, Any], naming: Naming) -> list[str]:
        value = values[self.name]
        if value is None:
            return ["NULL"]
        if isinstance(value, Pointer):
            return [pointer_text(value)]
        return [_action(value)]


class SignalActionOut(Parameter):
    """What was set before."""

    @property
    def places(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def outs(self) -> tuple[str, ...]:
        return (self.name,)

    argument = False

    def recall(self, registers: tuple[int, ...], values: Values, caller: Caller) -> dict[str, Any]:
        return caller.out(self.name, registers[0])

    def wanted(self, registers: tuple[int, ...], values: Values, caller: Caller) -> list[Wanted]:
        return [] if self.name in values else [Wanted(((registers[0], SIGACTION.size),))]

    def decode(self, values: Values, ret: int, take: Iterator[bytes]) -> dict[str, Any]:
        if self.name in values:
            return {}
        handler, flags, _, mask = SIGACTION.unpack(next(take))
        return {self.name: {"sa_handler": handler, "sa_flags": flags & ~SA_RESTORER, "sa_mask": mask}}

    def format(self, values: Values, out: Mapping[str, Any], naming: Naming) -> list[str]:
        if self.name in out:
            return [_action(out[self.name])]
        return [pointer_text(values[self.name])] if self.name in values else []


CAPABILITIES = struct.Struct("<6I")
"""Two ``struct __user_cap_data_struct``: effective, permitted, inheritable, low halves first."""


class CapabilityData(In):
    """The capabilities that capset sets, as masks of 64 bits."""

    def read(self, addr: int, values: Values, caller: Caller) -> dict[str, int]:
        low = CAPABILITIES.unpack(caller.read(addr, CAPABILITIES.size))
        return {name: low[at] | low[at + 3] << 32 for at, name in enumerate(("effective", "permitted", "inheritable"))}

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return "{" + ", ".join(f"{name}={mask:#x}" for name, mask in value.items()) + "}"


def _action(value: Mapping[str, Any]) -> str:
    handler = {SIG_DFL: "SIG_DFL", SIG_IGN: "SIG_IGN"}.get(value["sa_handler"], f"{value['sa_handler']:#x}")
    return f"{{{handler}, {c.SA.format(value['sa_flags'])}, {value['sa_mask']:#x}}}"


SIGNATURES = (
    Signature("execve", 59, Path("pathname"), Strings("argv"), Strings("envp")),
    Signature("rt_sigaction", 13, Int("signum", c.SIGNAL), SignalAction("act"), SignalActionOut("oldact"), Const(8)),
    Signature("rt_sigreturn", 15),
    Signature("restart_syscall", 219),
    Signature("rt_sigsuspend", 130, SignalMask("mask"), Const(8)),
    Signature(
        "rt_sigtimedwait",
        128,
        SignalMask("set"),
        Address("info"),
        InStruct("timeout", TIMESPEC, nullable=True),
        Const(8),
    ),
    Signature("rt_sigqueueinfo", 129, Pid("pid"), Int("sig", c.SIGNAL), InStruct("info", SIGINFO)),
    Signature("rt_tgsigqueueinfo", 297, Pid("tgid"), Pid("tid"), Int("sig", c.SIGNAL), InStruct("info", SIGINFO)),
    Signature(
        "utimensat",
        280,
        Directory("dirfd"),
        Path("pathname", nullable=True),
        InStruct("times", FILE_TIMES, nullable=True),
        Int("flags", c.AT),
    ),
    Signature("fallocate", 285, Fd("fd"), Int("mode"), Offset("offset"), Offset("len")),
    Signature("getdents64", 217, Fd("fd"), Address("dirp"), Long("count")),
    Signature("getdents", 78, Fd("fd"), Address("dirp"), Long("count")),
    Signature("mlock", 149, Address("addr"), Long("len")),
    Signature("mlock2", 325, Address("addr"), Long("len"), Int("flags")),
    Signature("munlock", 150, Address("addr"), Long("len")),
    Signature("setuid", 105, Int("uid")),
    Signature("setgid", 106, Int("gid")),
    Signature("setreuid", 113, Int("ruid"), Int("euid")),
    Signature("setregid", 114, Int("rgid"), Int("egid")),
    Signature("capset", 126, Address("hdrp"), CapabilityData("datap")),
    Signature(
        "timer_create",
        222,
        Int("clockid", c.CLOCK),
        InStruct("sevp", SIGEVENT, nullable=True),
        OutInts("timerid", "i", 1),
    ),
    Signature(
        "timer_settime",
        223,
        Int("timerid"),
        Int("flags", c.TIMER_FLAGS),
        InStruct("new_value", ITIMERSPEC),
        OutStruct("old_value", ITIMERSPEC),
    ),
    Signature(
        "copy_file_range",
        326,
        *(Fd("fd_in"), InOutInt("off_in"), Fd("fd_out"), InOutInt("off_out")),
        *(Long("len"), Int("flags")),
    ),
    Operation("exit_thread", Int("status")),
    Operation("trace", Name("actor")),
    *PASSED_OVER,
)


def unknown(name: str) -> Signature | None:
    """Return the signature of a call of which nothing but the number is known; ``None`` for any other name."""
    number = UNKNOWN.get(name)
    if number is None:
        text = name.removeprefix(NUMBERED)
        if text == name or not text.isdigit():
            return None
        number = int(text)
    return Signature(name, number, *(Address(f"arg{place}") for place in range(1, 7)))
