"""What cannot be told of a kernel is asked for only by what depends on it."""

from __future__ import annotations

from dataclasses import replace

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.state.changes import Changes
from tests.unit.model.bench import Bench, inet

UNTOLD = replace(
    Changes(), select_negative=None, udp_drops_unless_empty=None, eventfd_write_exact=None, busy_poll_for_all=None
)
SECOND = {"tv_sec": 0, "tv_usec": 1}


def test_what_is_the_same_on_every_kernel_is_modelled_on_a_kernel_that_cannot_be_told() -> None:
    bench = Bench("AU", changes=UNTOLD)
    assert bench.call("A", "eventfd2", 0, 0) == 0
    assert bench.call("A", "write", 0, bytes([1, *bytes(7)])) == 8
    assert bench.call("A", "select", 1, [0], None, None, SECOND) == 1
    assert bench.call("A", "socket", C["AF_INET"], C["SOCK_DGRAM"], 0) == 1
    assert bench.call("A", "bind", 1, inet(5000)) == 0
    assert [bench.call("A", "sendto", 1, b"12", 0, inet(5000)) for _ in range(2)] == [2, 2]
    assert bench.call("A", "setsockopt", 1, C["SOL_SOCKET"], C["SO_BUSY_POLL"], 5) == 0
    assert bench.call("U", "socket", C["AF_INET"], C["SOCK_DGRAM"], 0) == 0
    assert bench.call("U", "setsockopt", 0, C["SOL_SOCKET"], C["SO_BUSY_POLL"], 0) == 0
    assert bench.call("U", "setsockopt", 0, C["SOL_SOCKET"], C["SO_PREFER_BUSY_POLL"], 1) == "EPERM"
