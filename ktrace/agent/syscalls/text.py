"""Write values down the way strace does, in a form that a script can read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from ktrace.agent.syscalls.layout import Struct
from ktrace.state.quick import dataclass


@dataclass(frozen=True, slots=True)
class Naming:
    """Say how values are to be written.

    :param descriptors: what the acting process's descriptors are, shown as ``3<r>``
    :param width: bytes of a string to show, like strace's -s; 0 shows all
    """

    descriptors: Mapping[int, str] = field(default_factory=dict)
    width: int = 32

    def descriptor(self, fd: int) -> str:
        """Write a descriptor."""
        name = self.descriptors.get(fd)
        return f"{fd}<{name}>" if name else str(fd)


_ESCAPES = {0x22: '\\"', 0x5C: "\\\\", 0x0A: "\\n", 0x09: "\\t", 0x0D: "\\r"}


def quote(data: bytes, width: int = 0) -> str:
    """Write *data* as a string in quotes; ``...`` behind it where *width* cut it off."""
    cut = data[:width] if width and len(data) > width else data
    text = "".join(_ESCAPES.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}") for byte in cut)
    return f'"{text}"' + ("..." if len(cut) < len(data) else "")


def format_value(value: Any, width: int = 32) -> str:
    """Write a decoded value of any kind."""
    if isinstance(value, bytes):
        return quote(value, width)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}={format_value(item, width)}" for name, item in value.items()) + "}"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(format_value(item, width) for item in value) + "]"
    return "NULL" if value is None else str(value)


def format_struct(layout: Struct, value: Mapping[str, Any]) -> str:
    """Write a struct's members with the names of their flags."""
    parts = []
    for name, item in value.items():
        kind = layout.fields.get(name)
        if isinstance(kind, Struct):
            text = format_struct(kind, item)
        elif name in layout.vocabularies and isinstance(item, int):
            text = layout.vocabularies[name].format(item)
        else:
            text = format_value(item)
        parts.append(f"{name}={text}")
    return "{" + ", ".join(parts) + "}"
