"""The host's end of the protocol: one agent, spoken to over a byte stream."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from types import TracebackType

from ktrace.agent.frames import (
    HEADER_SIZE,
    FrameHeader,
    FrameType,
    Refusal,
    Refused,
    check_payload,
    decode_error,
    decode_header,
    encode_frame,
)
from ktrace.agent.ops import MAX_EVENT, Op, ReadFile, RunPoll, RunStream, Wait, WriteFile
from ktrace.agent.protocol import decode_batch, decode_hello, encode_op
from ktrace.agent.reports import FileResult, Hello, StepReport, Traced
from ktrace.agent.stream import Stream, StreamTimeout
from ktrace.errors import GuestDied, GuestError, GuestFileError, GuestGarbage, GuestHang, HostError

TIMEOUT = 10.0
"""seconds an answer may take"""
LOOK_EVERY = 0.25
"""seconds between two looks at whether the guest still lives, while waiting"""


class Agent:
    """An agent at the other end of a stream.

    Every wait has a deadline. When it passes, ``check_alive`` may raise what it knows (a panic, with the
    console's tail); else :class:`GuestHang` is raised, and :class:`GuestDied` at the end of the stream. After
    such a failure the stream is out of step, and every later request raises the same error again.

    :param stream: closed by :meth:`close`
    :param timeout: seconds per request, besides the time a ``Wait``, ``RunPoll`` or ``RunStream`` itself asks for
    :ivar traced: what became of traced tasks, with whatever report it came, until somebody takes it
    :param check_alive: called now and then while waiting, and before giving up; raises if the guest is dead
    """

    def __init__(self, stream: Stream, timeout: float = TIMEOUT, check_alive: Callable[[], None] | None = None) -> None:
        self._stream = stream
        self._timeout = timeout
        self._check_alive = check_alive
        self._sequence = 0
        self._buffer = b""
        self.traced: list[Traced] = []
        self._failure: BaseException | None = None
        self._owned = ExitStack()
        self._owned.callback(stream.close)

    @classmethod
    def of_socket(
        cls, connection: socket.socket, timeout: float = TIMEOUT, check_alive: Callable[[], None] | None = None
    ) -> Agent:
        """Speak over a connected socket, which is taken over."""
        return cls(Stream.of_socket(connection), timeout, check_alive)

    @classmethod
    def local(cls, binary: Path, *options: str, timeout: float = TIMEOUT) -> Agent:
        """Run the static binary on this machine's own kernel; it ends with :meth:`close`.

        It also ends, with all its actors, when this process dies: its input ends then.

        :raises HostError: the binary cannot be run
        """
        from ktrace.agent.local import start

        child = start(binary, options)
        agent = cls(Stream.of_socket(child.connection), timeout, child.check_alive)
        agent._owned.pop_all()
        agent._owned.callback(child.end)
        agent._owned.callback(agent._stream.close)
        return agent

    def close(self) -> None:
        """Close the stream; a local agent and its actors end."""
        self._owned.close()

    def __enter__(self) -> Agent:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- frames -----------------------------------------------------------------------------------

    def _look(self) -> None:
        if self._check_alive is not None:
            self._check_alive()

    def _send(self, frame: bytes, deadline: float) -> None:
        while frame:
            try:
                frame = frame[self._stream.write(frame, min(deadline, monotonic() + LOOK_EVERY)) :]
            except StreamTimeout:
                self._look()
                if monotonic() >= deadline:
                    raise GuestHang("the agent does not take what it is sent") from None
            except OSError as error:
                self._look()
                raise GuestDied(f"the way to the agent is closed: {error.strerror}") from error

    def _more(self, deadline: float) -> None:
        while True:
            try:
                data = self._stream.read(min(deadline, monotonic() + LOOK_EVERY))
            except StreamTimeout:
                self._look()
                if monotonic() >= deadline:
                    raise GuestHang("the agent did not answer before its deadline") from None
                continue
            if not data:
                self._look()
                inside = f" inside an answer of which {len(self._buffer)} bytes came" if self._buffer else ""
                raise GuestDied(f"the agent is gone{inside}")
            self._buffer = self._buffer + data if self._buffer else data
            return

    def _receive(self, deadline: float) -> tuple[FrameHeader, bytes]:
        while len(self._buffer) < HEADER_SIZE:
            self._more(deadline)
        header = decode_header(self._buffer)
        whole = HEADER_SIZE + header.length
        if len(self._buffer) < whole:
            self._gather(whole, deadline)
        payload = self._buffer[HEADER_SIZE:whole]
        self._buffer = self._buffer[whole:]
        check_payload(header, payload)
        return header, payload

    def _gather(self, whole: int, deadline: float) -> None:
        parts = [self._buffer]
        have = len(self._buffer)
        while have < whole:
            self._buffer = b""
            self._more(deadline)
            parts.append(self._buffer)
            have += len(self._buffer)
        self._buffer = b"".join(parts)

    def _exchange(self, frame_type: FrameType, payload: bytes, timeout: float) -> bytes:
        if self._failure is not None:
            raise self._failure
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        frame = encode_frame(frame_type, self._sequence, payload)
        deadline = monotonic() + timeout
        try:
            self._send(frame, deadline)
            header, answer = self._receive(deadline)
            if header.sequence != self._sequence and header.type != FrameType.ERROR:
                raise GuestGarbage(f"answer number {header.sequence} to request {self._sequence}")
            if header.type == FrameType.ERROR:
                refusal = decode_error(answer)
            elif header.type != frame_type | FrameType.REPLY:
                raise GuestGarbage(f"frame of type {header.type:#x} as answer to {frame_type.name}")
            else:
                return answer
        except GuestError as error:
            self._failure = error
            raise
        except BaseException:
            self._failure = HostError("a request to the agent was interrupted", "start a new session")
            raise
        raise Refused(refusal)

    # --- requests ---------------------------------------------------------------------------------

    def hello(self, timeout: float | None = None) -> Hello:
        """Ask who the agent is, where it runs, and which actors live; may be asked at any time.

        :param timeout: seconds, where it has to boot first
        """
        return decode_hello(self._exchange(FrameType.HELLO, b"", self._timeout if timeout is None else timeout))

    def batch(self, ops: Sequence[Op]) -> tuple[StepReport, ...]:
        """Do operations in order, as many as fit in one round trip, and report each.

        :raises Refused: the agent refused one; those before it are done, see ``reports``
        :raises GuestHang, GuestDied, GuestGarbage: there is no answer, or none that makes sense
        """
        done: tuple[StepReport, ...] = ()
        while True:
            rest = ops[len(done) :]
            patience = self._timeout + sum(_asked_for(op) for op in rest)
            answer = self._exchange(FrameType.BATCH, b"".join(map(encode_op, rest)), patience)
            reports, refusal, detail = decode_batch(answer)
            self._hear(reports)
            done += reports
            if refusal is Refusal.NONE and len(reports) == len(rest):
                return done
            if len(reports) >= len(rest):
                raise GuestGarbage(f"{len(reports)} reports for {len(rest)} operations")
            if refusal is not Refusal.ROOM or not reports:
                raise Refused(refusal, detail, rest[len(reports)], done)

    def step(self, op: Op, timeout: float | None = None) -> StepReport:
        """Do one operation; see :meth:`batch`.

        :param timeout: seconds, where the kernel itself may take long
        """
        patience = self._timeout if timeout is None else timeout
        answer = self._exchange(FrameType.BATCH, encode_op(op), patience + _asked_for(op))
        reports, refusal, detail = decode_batch(answer)
        self._hear(reports)
        if refusal is not Refusal.NONE:
            raise Refused(refusal, detail, op)
        if len(reports) != 1:
            raise GuestGarbage(f"{len(reports)} reports for one operation")
        return reports[0]

    def _hear(self, reports: Sequence[StepReport]) -> None:
        for report in reports:
            self.traced += [event for event in report.events if isinstance(event, Traced)]

    def read_file(self, path: str, offset: int = 0, limit: int | None = None) -> bytes:
        """Read a file of the guest as the agent sees it, in pieces of at most 1 MiB.

        :raises GuestFileError: the guest's kernel refused
        """
        parts: list[bytes] = []
        while limit is None or limit > 0:
            size = MAX_EVENT if limit is None else min(limit, MAX_EVENT)
            result = _file_result(self.step(ReadFile(path, offset, size)), path)
            parts.append(result.data)
            offset += len(result.data)
            limit = None if limit is None else limit - len(result.data)
            if result.at_end or not result.data:
                break
        return b"".join(parts)

    def write_file(
        self, path: str, data: bytes, *, create: bool = False, mode: int = 0o644, timeout: float | None = None
    ) -> None:
        """Write a file of the guest, in one write where it fits a frame; create: make it, or empty it first.

        :param timeout: seconds a write may take, where the kernel does more than to store what is written
        :raises GuestFileError: the guest's kernel refused
        """
        offset = 0
        while True:
            piece = data[offset : offset + MAX_EVENT]
            first = create and offset == 0
            op = WriteFile(path, piece, offset, create=first, truncate=first, mode=mode)
            result = _file_result(self.step(op, timeout), path)
            offset += result.ret
            if offset >= len(data):
                return
            if result.ret == 0:
                raise GuestFileError(path, 28)


def _asked_for(op: Op) -> float:
    return op.timeout_ns / 1e9 if isinstance(op, (Wait, RunPoll, RunStream)) else 0.0


def _file_result(report: StepReport, path: str) -> FileResult:
    for event in report.events:
        if isinstance(event, FileResult):
            if event.ret < 0:
                raise GuestFileError(path, -event.ret)
            return event
    raise GuestGarbage(f"no result for {path!r}")
