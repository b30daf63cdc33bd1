"""The registers of a guest's CPU, as QEMU's monitor tells them."""

from __future__ import annotations

import re

from ktrace.errors import GuestGarbage
from ktrace.machine.machine import Machine

GENERAL = (
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip", "rfl",
)  # fmt: skip
SEGMENTS = ("cs", "ss", "ds", "es", "fs", "gs")

_GENERAL = re.compile(r"\b(R[A-Z0-9]{1,2}|RIP|RFL) ?= ?([0-9a-f]{8,16})\b")
_SEGMENT = re.compile(r"^([CSDEFG]S) ?= ?([0-9a-f]{4}) ([0-9a-f]{8,16})", re.MULTILINE)


def read_registers(machine: Machine) -> dict[str, int]:
    """Return general registers, selectors (``cs``, ...), and the bases of ``fs`` and ``gs``.

    :raises GuestGarbage: QEMU tells something else
    """
    text = str(machine.command("human-monitor-command", **{"command-line": "info registers"}))
    found = {name.lower(): int(value, 16) for name, value in _GENERAL.findall(text)}
    for name, selector, base in _SEGMENT.findall(text):
        found[name.lower()] = int(selector, 16)
        if name in ("FS", "GS"):
            found[f"{name.lower()}_base"] = int(base, 16)
    if missing := {*GENERAL, *SEGMENTS} - found.keys():
        raise GuestGarbage(f"QEMU tells no {min(missing)!r} among the CPU's registers: {text[:80]!r}")
    return found
