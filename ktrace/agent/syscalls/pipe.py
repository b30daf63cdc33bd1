"""Signatures of pipe(2) and the splice family."""

from __future__ import annotations

from typing import Any

from ktrace.agent.syscalls import constants as c
from ktrace.agent.syscalls.buffers import InOutInt, OutInts
from ktrace.agent.syscalls.frame import Caller
from ktrace.agent.syscalls.parameter import Fd, Int, Long, Values, count_of, sequence
from ktrace.agent.syscalls.signature import Signature
from ktrace.agent.syscalls.vectors import IovIn, vectors
from ktrace.errors import UsageError


class VmspliceIov(IovIn):
    """What vmsplice takes: memory of the caller itself, for a pipe would go on to hold the pages of a text."""

    def convert(self, value: Any) -> tuple[Any, ...]:
        if any(isinstance(item, bytes) for item in sequence(self.name, value)):
            raise UsageError(
                "vmsplice shares the caller's own memory, and a text has none that lasts",
                "map memory with mmap, fill it with store, and write [{address, length}]",
            )
        return super().convert(value)

    def read(self, addr: int, values: Values, caller: Caller) -> Any:
        found = vectors(addr, self.count(values), caller)
        for base, length in found:
            caller.glimpse(base, length)
        return tuple({"iov_base": base, "iov_len": length} for base, length in found)


SIGNATURES = (
    Signature("pipe", 22, OutInts("pipefd", "i", 2, descriptors=True)),
    Signature("pipe2", 293, OutInts("pipefd", "i", 2, descriptors=True), Int("flags", c.PIPE)),
    Signature(
        "splice",
        275,
        Fd("fd_in"),
        InOutInt("off_in"),
        Fd("fd_out"),
        InOutInt("off_out"),
        Long("len"),
        Int("flags", c.SPLICE, default=0),
    ),
    Signature("tee", 276, Fd("fd_in"), Fd("fd_out"), Long("len"), Int("flags", c.SPLICE, default=0)),
    Signature(
        "vmsplice",
        278,
        Fd("fd"),
        VmspliceIov("iov", counted="nr_segs"),
        Long("nr_segs", late=count_of("iov")),
        Int("flags", c.SPLICE, default=0),
    ),
    Signature("sendfile", 40, Fd("out_fd"), Fd("in_fd"), InOutInt("offset"), Long("count")),
)
