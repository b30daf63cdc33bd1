"""Signatures of pipe(2) and the splice family."""

from __future__ import annotations

from ktrace.agent.syscalls import constants as c
from ktrace.agent.syscalls.buffers import InOutInt, OutInts
from ktrace.agent.syscalls.parameter import Fd, Int, count_of
from ktrace.agent.syscalls.signature import Signature
from ktrace.agent.syscalls.vectors import IovIn

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
        Int("len"),
        Int("flags", c.SPLICE, default=0),
    ),
    Signature("tee", 276, Fd("fd_in"), Fd("fd_out"), Int("len"), Int("flags", c.SPLICE, default=0)),
    Signature(
        "vmsplice",
        278,
        Fd("fd"),
        IovIn("iov", counted="nr_segs"),
        Int("nr_segs", late=count_of("iov")),
        Int("flags", c.SPLICE, default=0),
    ),
    Signature("sendfile", 40, Fd("out_fd"), Fd("in_fd"), InOutInt("offset"), Int("count")),
)
