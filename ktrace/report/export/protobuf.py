"""The wire format of protocol buffers, as far as writing needs it."""

from __future__ import annotations

_VARINT, _LENGTH = 0, 2


def varint(value: int) -> bytes:
    """Return *value* as a varint; negative ones as their 64-bit two's complement."""
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def integer(field: int, value: int) -> bytes:
    """Return an int, uint, enum or bool field."""
    return varint(field << 3 | _VARINT) + varint(value)


def text(field: int, value: str) -> bytes:
    """Return a string field; what is no Unicode scalar value is replaced."""
    return message(field, value.encode("utf-8", "replace"))


def message(field: int, content: bytes) -> bytes:
    """Return a field that holds another message, or bytes."""
    return varint(field << 3 | _LENGTH) + varint(len(content)) + content
