"""Signatures of calls that are passed over."""

from __future__ import annotations

from ktrace.agent.syscalls.parameter import Address, Fd, Long
from ktrace.agent.syscalls.signature import ADDRESS, NUMBER, Signature
from ktrace.state.passed_over import CALLS


def _signature(line: str) -> Signature:
    name, number, *places = line.split()
    numbers = _NUMBERS.split()
    params = [Fd(place) if place == "fd" else Long(place) if place in numbers else Address(place) for place in places]
    return Signature(name, int(number), *params, returns=ADDRESS if name == "brk" else NUMBER)


_NUMBERS = """
    len rseq_len flags sig op futex_op val val3 buflen count clockid who which dirfd mask pid cpusetsize policy size
    prio cmd cpu_id mode maxnode access_rights pkey persona offset advice nbytes type operation length ioprio timerid
    pid1 pid2 idx1 idx2
"""

PASSED_OVER = tuple(map(_signature, CALLS.strip().splitlines()))
