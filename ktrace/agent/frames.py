"""Frames: magic, version, type, sequence, length and checksum around a payload; and refusals."""

from __future__ import annotations

import zlib
from enum import IntEnum
from struct import Struct
from struct import error as StructError

from ktrace.agent.ops import Op
from ktrace.agent.reports import StepReport
from ktrace.errors import GuestGarbage, HostError
from ktrace.state.quick import dataclass

MAGIC = 0x4741544B
VERSION = 1
MAX_PAYLOAD = 4 << 20

_HEAD = Struct("<IHHII")
_CRC = Struct("<I")
HEADER_SIZE = _HEAD.size + _CRC.size


class FrameType(IntEnum):
    """What a frame is; an answer has ``REPLY`` added."""

    HELLO = 1
    BATCH = 2
    REPLY = 0x8000
    ERROR = 0xFFFF


class Refusal(IntEnum):
    """Why the agent refused a frame or an operation (``enum wire_error``)."""

    NONE = 0
    MAGIC = 1
    OVERSIZE = 2
    VERSION = 3
    CRC = 4
    TYPE = 5
    PAYLOAD = 6
    OP = 7
    SLOT = 8
    DEAD = 9
    LIVE = 10
    BLOCKED = 11
    RANGE = 12
    ROOM = 13
    HOST = 14


_REASONS = {
    Refusal.MAGIC: "not a frame",
    Refusal.OVERSIZE: "frame too large",
    Refusal.VERSION: "another version of the protocol",
    Refusal.CRC: "checksum does not match",
    Refusal.TYPE: "unknown type of frame",
    Refusal.PAYLOAD: "lengths in the payload disagree",
    Refusal.OP: "unknown operation, or a call that only an operation may make",
    Refusal.SLOT: "no such slot",
    Refusal.DEAD: "no actor in this slot",
    Refusal.LIVE: "the slot is in use",
    Refusal.BLOCKED: "the actor is inside an unfinished call",
    Refusal.RANGE: "address outside the arenas, too much data or a bad flag",
    Refusal.ROOM: "no room left in the reply",
    Refusal.HOST: "a system call of the agent itself failed",
}


class Refused(HostError):
    """The agent refused what we asked; nothing was done for the operation refused.

    :ivar reason: why
    :ivar detail: the errno behind ``Refusal.HOST``, else 0
    :ivar op: the operation, or ``None`` when the whole frame was refused
    :ivar reports: of the operations of the same batch that came before it
    """

    def __init__(
        self, reason: Refusal, detail: int = 0, op: Op | None = None, reports: tuple[StepReport, ...] = ()
    ) -> None:
        errno = f", errno {detail}" if detail else ""
        what = "the frame" if op is None else repr(op)[:200]
        super().__init__(f"the agent refused {what}: {_REASONS[reason]}{errno}")
        self.reason = reason
        self.detail = detail
        self.op = op
        self.reports = reports


def encode_frame(frame_type: int, sequence: int, payload: bytes = b"") -> bytes:
    """Wrap a payload into a frame; sequence: u32, returned by the answer."""
    if len(payload) > MAX_PAYLOAD:
        raise Refused(Refusal.OVERSIZE)
    head = _HEAD.pack(MAGIC, VERSION, frame_type, sequence, len(payload))
    return b"".join((head, _CRC.pack(zlib.crc32(payload, zlib.crc32(head))), payload))


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """A frame's fixed part, checked but for the checksum."""

    type: int
    sequence: int
    length: int
    seed: int
    crc: int


def decode_header(head: bytes) -> FrameHeader:
    """Decode and check a frame's first ``HEADER_SIZE`` bytes.

    :raises GuestGarbage: wrong magic, version or size
    """
    if len(head) < HEADER_SIZE:
        raise GuestGarbage(f"frame header of {len(head)} bytes")
    magic, version, frame_type, sequence, length = _HEAD.unpack_from(head)
    if magic != MAGIC:
        raise GuestGarbage(f"not a frame: {head[:HEADER_SIZE]!r}")
    if version != VERSION:
        raise GuestGarbage(f"the agent speaks version {version} of the protocol, not {VERSION}")
    if length > MAX_PAYLOAD:
        raise GuestGarbage(f"frame of {length} bytes announced")
    (crc,) = _CRC.unpack_from(head, _HEAD.size)
    return FrameHeader(frame_type, sequence, length, zlib.crc32(head[: _HEAD.size]), crc)


def check_payload(header: FrameHeader, payload: bytes) -> None:
    """Compare a payload with its header's length and checksum.

    :raises GuestGarbage: they disagree
    """
    if len(payload) != header.length:
        raise GuestGarbage(f"payload of {len(payload)} bytes, announced {header.length}")
    if zlib.crc32(payload, header.seed) != header.crc:
        raise GuestGarbage("checksum of a frame does not match")


def decode_error(payload: bytes) -> Refusal:
    """Decode the payload of an error frame."""
    try:
        (code,) = _CRC.unpack(payload)
        return Refusal(code)
    except (ValueError, StructError) as error:
        raise GuestGarbage(f"error frame that means nothing: {payload[:32]!r}") from error
