"""What a program is about to do, from its registers and memory: births and ends are the operations of scripts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ktrace.agent.syscalls import Caller, Fault, Wanted, recall
from ktrace.include.linux.types import s32
from ktrace.state.call import Call
from ktrace.state.passed_over import NUMBERED, UNKNOWN
from ktrace.uapi.sched import CLONE_VFORK, CLONE_VM, CSIGNAL

CLONE, FORK, VFORK, EXIT, EXIT_GROUP, CLONE3 = 56, 57, 58, 60, 231, 435
"""``arch/x86/entry/syscalls/syscall_64.tbl``."""
_UNKNOWN = {number: name for name, number in UNKNOWN.items()}


def call_of(
    number: int, registers: Sequence[int], caller: Caller, child: Callable[[], str]
) -> tuple[Call, tuple[Wanted, ...]]:
    """Return the call that *registers* ask for, and what its answer is made of.

    :param number: of the system call
    :param child: gives a name to what a fork is to bear
    """
    if number in (EXIT, EXIT_GROUP):
        return Call("exit" if number == EXIT_GROUP else "exit_thread", (s32(registers[0]),)), ()
    if number in (CLONE, CLONE3, FORK, VFORK):
        flags = _flags(number, registers, caller)
        if flags is not None:
            return Call("fork", (child(), flags & ~CSIGNAL)), ()
    found = recall(number, registers, caller)
    if found is not None:
        return found
    return Call(_UNKNOWN.get(number, f"{NUMBERED}{number}"), tuple(registers)), ()


def _flags(number: int, registers: Sequence[int], caller: Caller) -> int | None:
    """Return the flags of a birth; ``None`` where they cannot be read."""
    if number == FORK:
        return 0
    if number == VFORK:
        return CLONE_VFORK | CLONE_VM
    if number == CLONE:
        return registers[0]
    try:
        return int.from_bytes(caller.read(registers[0], 8), "little")  # struct clone_args
    except Fault:
        return None
