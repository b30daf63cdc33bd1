"""The wire format of protocol buffers, as far as writing needs it."""

from __future__ import annotations

VARINT, LENGTH = 0, 2
"""Wire types."""


def varint(value: int) -> bytes:
    """Return *value* as a varint; negative ones as their 64-bit two's complement."""
    if 0 <= value < 0x80:
        return _SMALL[value]
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


_SMALL = [bytes([value]) for value in range(0x80)]


def tag(field: int, wire: int) -> bytes:
    """Return what stands in front of a field of that number and wire type."""
    return varint(field << 3 | wire)


def integer(field: int, value: int) -> bytes:
    """Return an int, uint, enum or bool field."""
    return tag(field, VARINT) + varint(value)


def text(field: int, value: str) -> bytes:
    """Return a string field; NUL, where some readers stop, and what is no Unicode scalar value are replaced."""
    return message(field, value.replace("\0", "\ufffd").encode("utf-8", "replace"))


def message(field: int, content: bytes) -> bytes:
    """Return a field that holds another message, or bytes."""
    return tag(field, LENGTH) + varint(len(content)) + content
