"""What a program is about to do, from its registers and its memory."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

import ktrace.model.build  # noqa: F401 - its import brings every rule
from ktrace.agent.program_calls import call_of
from ktrace.agent.syscalls import PROGRAM_SIGNATURES, SIGNATURES, Caller, Fault, format_call
from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.model.calls import SYSTEM_CALLS
from ktrace.model.process.program import SLICE_US
from ktrace.state.call import Call, Pointer
from ktrace.state.passed_over import NAMES
from ktrace.uapi.sched import CLONE_THREAD, CLONE_VFORK, CLONE_VM

BASE = 0x1000


def caller(memory: bytes = b"") -> Caller:
    memory = memory.ljust(PAGE_SIZE, b"\0") if memory else b""

    def read(addr: int, length: int) -> bytes:
        if not BASE <= addr <= addr + length <= BASE + len(memory):
            raise Fault
        return memory[addr - BASE : addr - BASE + length]

    return Caller(read)


def called(number: int, *registers: int, memory: bytes = b"") -> Call:
    padded = (*registers, *(0,) * (6 - len(registers)))
    call, _ = call_of(number, padded, caller(memory), lambda: "child")
    return call


def test_births_and_ends() -> None:
    assert called(57) == Call("fork", ("child", 0))
    assert called(58) == Call("fork", ("child", CLONE_VM | CLONE_VFORK))
    assert called(56, CLONE_VM | CLONE_THREAD | 17) == Call("fork", ("child", CLONE_VM | CLONE_THREAD))
    clone_args = struct.pack("<8Q", CLONE_VM | CLONE_VFORK, 0, 0, 0, 17, 0, 0, 0)
    assert called(435, BASE, 64, memory=clone_args) == Call("fork", ("child", CLONE_VM | CLONE_VFORK))
    assert called(231, 3) == Call("exit", (3,))
    assert called(60, 2**32 - 1) == Call("exit_thread", (-1,))


def test_execve_reads_strings() -> None:
    texts = b"/bin/ls\0ls\0-l\0A=b\0"
    at = BASE + 64
    arrays = struct.pack("<6Q", at + 8, at + 11, 0, at + 14, 0, 0)
    call = called(59, at, BASE, BASE + 24, memory=arrays.ljust(64, b"\0") + texts)
    assert call == Call("execve", (b"/bin/ls", (b"ls", b"-l"), (b"A=b",)))
    assert format_call(call) == 'execve("/bin/ls", ["ls", "-l"], /* 1 variables */)'


def test_what_is_not_mapped_stays_an_address() -> None:
    assert called(59, 8, 0x5000, 0).args[:2] == (Pointer(8), Pointer(0x5000))
    assert called(13, 10, 0x5000, 0).args == (10, Pointer(0x5000))


def test_sigaction() -> None:
    action = struct.pack("<4Q", 0x4000, 0x14000000, 0x7000, 1 << 1)
    call = called(13, 10, BASE, 0, memory=action)
    assert call.args == (10, {"sa_handler": 0x4000, "sa_flags": 0x10000000, "sa_mask": 2})
    assert format_call(call) == "rt_sigaction(SIGUSR1, {0x4000, SA_RESTART, 0x2}, NULL)"


def test_an_unknown_number() -> None:
    call = called(425, 4, BASE)
    assert call.name == "io_uring_setup"
    assert format_call(call) == "io_uring_setup(0x4, 0x1000, NULL, NULL, NULL, NULL)"


@pytest.mark.parametrize("name", sorted({*PROGRAM_SIGNATURES, *NAMES} - {"trace"}))
def test_the_model_knows_what_programs_call(name: str) -> None:
    assert name in SYSTEM_CALLS
    assert name not in SIGNATURES


def test_the_slice_of_time_is_the_agents() -> None:
    source = (Path(__file__).parents[3] / "guest" / "agent_traced.c").read_text()
    assert f"#define SLICE_US {SLICE_US} " in source
