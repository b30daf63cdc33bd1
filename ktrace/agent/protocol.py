"""The agent's wire protocol: operations out, reports in, as plain values.

Pure encoding and decoding, no I/O. The numbers are those of ``guest/wire.h``, the layout is
described in ``docs/protocol.md``. Whatever does not decode raises :class:`GuestGarbage`.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from struct import error as StructError

from ktrace.agent.frames import Refusal
from ktrace.agent.ops import (
    Call,
    CopyIn,
    CopyOut,
    Exec,
    Exit,
    Fork,
    Kill,
    Op,
    Peek,
    ReadFile,
    Resume,
    Run,
    RunPoll,
    RunStream,
    Sigaction,
    Spawn,
    Trace,
    Wait,
    WriteFile,
)
from ktrace.agent.reports import (
    SLOTS,
    Completed,
    Event,
    Exited,
    FileResult,
    Hello,
    Job,
    Quiescence,
    RunResult,
    Signalled,
    Spawned,
    StepReport,
    StreamResult,
    Traced,
    TracedKind,
)
from ktrace.errors import GuestGarbage
from ktrace.include.linux.limits import U64_MAX

NO_SLOT = 0xFF

_OP = Struct("<BBHI")
_CALL = Struct("<IHH6Q")
_STORE = Struct("<QI")
_LOAD = Struct("<QIBBHI")
_FORK = Struct("<QI")
_ADDRESS = Struct("<Q")
_COPY_OUT = Struct("<QI")
_NUMBER = Struct("<i")
_COUNTS = Struct("<HH")
_SIGACTION = Struct("<iI")
_READ_FILE = Struct("<QI")
_WRITE_FILE = Struct("<QIIH")
_RUN_POLL = Struct("<QI")
_RUN_STREAM = Struct("<QI")
_BATCH_REPLY = Struct("<IHHi")
_REPORT = Struct("<qqIIQQQIHH")
_EVENT = Struct("<BBHI")
_RET = Struct("<q")
_LENGTH = Struct("<I")
_SIGNALLED = Struct("<iiiiIiqQ")
_RUN = Struct("<qii")
_STREAM = Struct("<qiiII")
_RESUME = Struct("<iII")
_PEEK = Struct("<iQI")
_TRACED = Struct("<iiII7Q")
_HELLO = Struct("<HHI7QIIIiHHHH")
_HELLO_NUMBERS = (
    "version",
    "slots",
    "page_size",
    "arena_base",
    "arena_stride",
    "arena_size",
    "vmcoreinfo_address",
    "vmcoreinfo_size",
    "live",
    "blocked",
    "max_payload",
    "max_event",
    "max_copy",
    "agent_pid",
)
_PIDS = Struct(f"<{SLOTS}i")
_TEXT = Struct("<H")

_NO_ARGS = (0, 0, 0, 0, 0, 0)


def _op(code: int, slot: int, body: bytes) -> bytes:
    return _OP.pack(code, slot, 0, len(body)) + body


def _call(op: Call) -> bytes:
    args = op.args
    if len(args) != 6:
        args = (*args, *_NO_ARGS[len(args) :])
    if min(args) < 0 or max(args) > U64_MAX:
        args = tuple(value & U64_MAX for value in args)
    parts = [b"", _CALL.pack(op.nr & 0xFFFFFFFF, len(op.stores), len(op.loads), *args)]
    for store in op.stores:
        parts.append(_STORE.pack(store.addr, len(store.data)))
        parts.append(store.data)
    for load in op.loads:
        parts.append(_LOAD.pack(load.addr, load.length, load.bound, 0, load.scale, load.extra))
    parts[0] = _OP.pack(3, op.slot, 0, sum(map(len, parts)))
    return b"".join(parts)


def _strings(strings: Sequence[str]) -> bytes:
    encoded = [text.encode("utf-8", "surrogateescape") for text in strings]
    for text in encoded:
        if b"\0" in text:
            raise ValueError(f"NUL inside {text!r}")
    return b"".join(text + b"\0" for text in encoded)


def _path(path: str) -> bytes:
    encoded = path.encode("utf-8", "surrogateescape")
    if not encoded or b"\0" in encoded or len(encoded) >= 4096:
        raise ValueError(f"not a path: {path!r}")
    return encoded


def _exec(op: Exec) -> bytes:
    counts = _COUNTS.pack(len(op.argv), len(op.env))
    return _op(8, op.slot, counts + _strings((op.path, *op.argv, *op.env)))


def _write_file(op: WriteFile) -> bytes:
    path = _path(op.path)
    flags = op.create | op.truncate << 1 | op.append << 2
    return _op(11, NO_SLOT, _WRITE_FILE.pack(op.offset, flags, op.mode, len(path)) + path + op.data)


def _run(op: Run) -> bytes:
    files = (op.cwd, op.stdin, op.stdout, op.stderr)
    counts = _COUNTS.pack(len(op.argv), len(op.env))
    return _op(13, NO_SLOT, counts + _strings((*files, *op.argv, *op.env)))


def encode_op(op: Op) -> bytes:
    """Encode one operation as it stands in a batch.

    :raises ValueError: a string with a NUL in it, or a path that is none
    :raises struct.error: a number that does not fit its field
    """
    match op:
        case Call():
            return _call(op)
        case Spawn():
            return _op(1, op.slot, b"")
        case Fork():
            return _op(2, op.slot, _FORK.pack(op.flags, op.child))
        case CopyIn():
            return _op(4, op.slot, _ADDRESS.pack(op.addr) + op.data)
        case CopyOut():
            return _op(5, op.slot, _COPY_OUT.pack(op.addr, op.length))
        case Exit():
            return _op(6, op.slot, _NUMBER.pack(op.status))
        case Kill():
            return _op(7, op.slot, _NUMBER.pack(op.signo))
        case Exec():
            return _exec(op)
        case Sigaction():
            return _op(9, op.slot, _SIGACTION.pack(op.signo, op.disposition))
        case ReadFile():
            return _op(10, NO_SLOT, _READ_FILE.pack(op.offset, op.limit) + _path(op.path))
        case WriteFile():
            return _write_file(op)
        case Wait():
            return _op(12, NO_SLOT, _ADDRESS.pack(op.timeout_ns))
        case Run():
            return _run(op)
        case RunPoll():
            return _op(14, NO_SLOT, _RUN_POLL.pack(op.timeout_ns, op.signo))
        case RunStream():
            return _op(18, NO_SLOT, _RUN_STREAM.pack(op.timeout_ns, op.end) + op.data)
        case Trace():
            return _op(15, op.slot, b"")
        case Resume():
            return _op(16, NO_SLOT, _RESUME.pack(op.pid, op.request, op.signo))
        case Peek():
            return _op(17, NO_SLOT, _PEEK.pack(op.pid, op.addr, op.length))


def _completed(slot: int, count: int, payload: bytes, at: int, end: int) -> Completed:
    (ret,) = _RET.unpack_from(payload, at)
    at += 8
    if not count:
        if at != end:
            raise GuestGarbage(f"completion of slot {slot} with {end - at} bytes too many")
        return Completed(slot, ret)
    loads = []
    for _ in range(count):
        start = at + 4
        at = start + _LENGTH.unpack_from(payload, at)[0]
        if at > end:
            raise GuestGarbage(f"load of slot {slot} reaches {at - end} bytes beyond its event")
        loads.append(payload[start:at])
    if at != end:
        raise GuestGarbage(f"completion of slot {slot} with {end - at} bytes too many")
    return Completed(slot, ret, tuple(loads))


def _event(kind: int, slot: int, count: int, payload: bytes, at: int, end: int) -> Event:
    size = end - at
    if kind == 2:
        return _completed(slot, count, payload, at, end)
    if kind == 5 and size >= 8:
        return FileResult(_RET.unpack_from(payload, at)[0], payload[at + 8 : end], bool(count))
    if kind == 1 and size == 4:
        return Spawned(slot, _NUMBER.unpack_from(payload, at)[0])
    if kind == 3 and size == _SIGNALLED.size:
        return Signalled(slot, *_SIGNALLED.unpack_from(payload, at))
    if kind == 4 and size == 4:
        return Exited(slot, _NUMBER.unpack_from(payload, at)[0])
    if kind == 7 and size == 4:
        return Job(slot, _NUMBER.unpack_from(payload, at)[0])
    if kind == 6 and size == _RUN.size:
        return RunResult(*_RUN.unpack_from(payload, at))
    if kind == 9 and size >= _STREAM.size:
        return _stream(payload, at, end)
    if kind == 8 and size == _TRACED.size:
        pid, status, why, _, *numbers = _TRACED.unpack_from(payload, at)
        return Traced(pid, status, TracedKind(why), tuple(numbers))
    raise GuestGarbage(f"event of kind {kind} with {size} bytes")


def _stream(payload: bytes, at: int, end: int) -> StreamResult:
    taken, status, state, drained, length = _STREAM.unpack_from(payload, at)
    at += _STREAM.size
    if at + length > end:
        raise GuestGarbage(f"output reaches {at + length - end} bytes beyond its event")
    return StreamResult(taken, status, state, bool(drained), payload[at : at + length], payload[at + length : end])


def _report(payload: bytes, at: int) -> tuple[StepReport, int]:
    before, after, before_ns, after_ns, live, blocked, unsettled, lost, flags, count = _REPORT.unpack_from(payload, at)
    at += _REPORT.size
    events = []
    for _ in range(count):
        kind, slot, number, length = _EVENT.unpack_from(payload, at)
        at += _EVENT.size
        end = at + length
        if end > len(payload):
            raise GuestGarbage(f"event reaches {end - len(payload)} bytes beyond its frame")
        events.append(_event(kind, slot, number, payload, at, end))
        at = end
    report = StepReport(
        before * 1_000_000_000 + before_ns,
        after * 1_000_000_000 + after_ns,
        live,
        blocked,
        unsettled,
        lost,
        bool(flags & 1),
        tuple(events),
    )
    return report, at


def decode_batch(payload: bytes) -> tuple[tuple[StepReport, ...], Refusal, int]:
    """Decode the answer to a batch: its reports, why it stopped, and the detail of that.

    :raises GuestGarbage: the payload is not such an answer
    """
    try:
        count, error, _, detail = _BATCH_REPLY.unpack_from(payload)
        at = _BATCH_REPLY.size
        reports = []
        for _ in range(count):
            report, at = _report(payload, at)
            reports.append(report)
        refusal = Refusal(error)
    except (StructError, ValueError) as failure:
        raise GuestGarbage(f"answer to a batch cut off or out of range: {failure}") from failure
    if at != len(payload):
        raise GuestGarbage(f"{len(payload) - at} bytes after the last report")
    return tuple(reports), refusal, detail


def _texts(payload: bytes, at: int, count: int) -> list[bytes]:
    texts = []
    for _ in range(count):
        start = at + 2
        at = start + _TEXT.unpack_from(payload, at)[0]
        if at > len(payload):
            raise GuestGarbage("hello is cut off")
        texts.append(payload[start:at])
    if at != len(payload):
        raise GuestGarbage(f"{len(payload) - at} bytes after the hello")
    return texts


def decode_hello(payload: bytes) -> Hello:
    """Decode the agent's HELLO.

    :raises GuestGarbage: the payload is no HELLO
    """
    try:
        fields = _HELLO.unpack_from(payload)
        pids = _PIDS.unpack_from(payload, _HELLO.size)
        texts = _texts(payload, _HELLO.size + _PIDS.size, 7)
        quiescence = Quiescence(fields[14])
    except (StructError, ValueError) as failure:
        raise GuestGarbage(f"not a hello: {failure}") from failure
    sysname, release, version, machine = (text.decode("utf-8", "replace") for text in texts[:4])
    numbers = dict(zip(_HELLO_NUMBERS, fields, strict=False))
    return Hello(
        **numbers,
        quiescence=quiescence,
        can_exec=bool(fields[15] & 1),
        cpus=fields[16],
        pids=pids,
        sysname=sysname,
        release=release,
        uname_version=version,
        machine=machine,
        build_id=texts[4],
        boot_id=texts[5].decode("ascii", "replace"),
        exe=texts[6].decode("utf-8", "replace"),
    )
