"""Values of a World as short text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from ktrace.state.call import UNWRITTEN
from ktrace.state.compare import ABSENT
from ktrace.state.ref import Ref
from ktrace.uapi.socket import AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX, AF_UNSPEC

TEXT_LIMIT = 24


_FAMILIES = {
    AF_UNSPEC: "AF_UNSPEC",
    AF_UNIX: "AF_UNIX",
    AF_INET: "AF_INET",
    AF_INET6: "AF_INET6",
    AF_NETLINK: "AF_NETLINK",
    AF_PACKET: "AF_PACKET",
}
_OCTAL = frozenset({"mode"})
"""Members that everybody writes in octal."""


_UNWRITTEN = {
    int.from_bytes(bytes([UNWRITTEN]) * size, "little", signed=signed) for size in (2, 4, 8) for signed in (True, False)
}


def is_unwritten(value: int | bytes) -> bool:
    """Tell whether an out value is what its buffer held before the call: the kernel has not written it."""
    if isinstance(value, int):
        return value in _UNWRITTEN
    return len(value) > 1 and value == bytes([UNWRITTEN]) * len(value)


def short(value: Any, zeros: bool = True) -> str:
    """Return *value* on one line: structs as ``{name value ...}`` without what is empty, bytes as a C string.

    :param zeros: whether members that are 0 are shown
    """
    if value is ABSENT:
        return "absent"
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Ref):
        return str(value.key)
    if isinstance(value, (int, bytes)) and is_unwritten(value):
        return f"{len(value)} bytes that were not written" if isinstance(value, bytes) else f"{value} (not written)"
    if isinstance(value, bytes):
        return quoted(value)
    if is_dataclass(value) and not isinstance(value, type):
        if hasattr(value, "admits"):
            return str(value)
        parts = [(field.name, getattr(value, field.name)) for field in fields(value)]
        shown = [
            f"{name} {item:04o}" if name in _OCTAL and isinstance(item, int) else f"{name} {short(item, zeros)}"
            for name, item in parts
            if not _empty(item) and (zeros or item != 0)
        ]
        return "{" + " ".join(shown) + "}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{short(key)}: {_member(key, item, zeros)}" for key, item in value.items()) + "}"
    if isinstance(value, (tuple, list)):
        if value and all(isinstance(item, str) for item in value):
            return "|".join(value)
        return "[" + ", ".join(run_lengths([short(item, zeros) for item in value])) + "]"
    return str(value)


def _member(name: Any, value: Any, zeros: bool) -> str:
    """Return a member of a struct, which has a word where everybody writes one."""
    if name == "sa_family" and isinstance(value, int):
        return _FAMILIES.get(value, str(value))
    return short(value, zeros)


def run_lengths(items: list[str]) -> list[str]:
    """Return *items* with equal neighbours folded: ``NULL x 15``."""
    folded: list[str] = []
    index = 0
    while index < len(items):
        end = index
        while end < len(items) and items[end] == items[index]:
            end += 1
        count = end - index
        folded.append(f"{items[index]} x {count}" if count > 2 else ", ".join(items[index:end]))
        index = end
    return folded


def quoted(data: bytes, limit: int = TEXT_LIMIT) -> str:
    """Return *data* as a C string, abbreviated like strace does, with its length where it was cut."""
    out = []
    for byte in data[:limit]:
        char = chr(byte)
        if char in '"\\':
            out.append("\\" + char)
        elif 32 <= byte < 127:
            out.append(char)
        else:
            out.append({9: "\\t", 10: "\\n", 13: "\\r", 0: "\\0"}.get(byte, f"\\x{byte:02x}"))
    text = '"' + "".join(out) + '"'
    return text if len(data) <= limit else f"{text}...({len(data)})"


def _empty(value: Any) -> bool:
    if value is None or value is False:
        return True
    if isinstance(value, (tuple, list, Mapping, bytes)):
        return not value or (isinstance(value, tuple) and all(item is None for item in value))
    return False
