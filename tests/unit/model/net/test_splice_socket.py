"""Pages between pipes and sockets, the mutex that such calls sleep with, and bytes that lie in others' pages."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.skbuff import MAX_SKB_FRAGS
from ktrace.model.fs.pipe.pipe import PipeBuffer
from ktrace.model.mm.page import Page
from ktrace.model.net.core.skbuff import SkBuff, fragment_sizes
from ktrace.model.net.inet.tcp.byte_queue import ByteQueue
from ktrace.state.call import Result
from tests.unit.model.bench import Bench

READ, WRITE, FILE, SEND, RECEIVE = range(5)


@pytest.fixture
def bench() -> Bench:
    """One actor with a pipe, a file of 5000 bytes and a pair of AF_UNIX streams."""
    bench = Bench()
    bench.spawn("A")
    bench.step("A", "pipe2", 0)
    bench.step("A", "open", b"/tmp/file", C["O_RDWR"] | C["O_CREAT"], 0o600)
    bench.step("A", "write", FILE, b"f" * 5000)
    bench.step("A", "socketpair", C["AF_UNIX"], C["SOCK_STREAM"], 0)
    return bench


def queue(bench: Bench) -> list[SkBuff]:
    """Return what the second stream has not read."""
    found: list[SkBuff] = bench.kernel.tasks["A"].files.get(RECEIVE).private.sk.receive_queue
    return found


def slots(bench: Bench) -> list[PipeBuffer]:
    """Return the pipe's slots in use, tail first."""
    pipe = bench.pipe("A", READ)
    return [pipe.slot(pipe.tail + index) for index in range(pipe.occupancy())]


def receive(bench: Bench, size: int) -> bytes:
    """Return what the second stream reads."""
    result = bench.step("A", "recvfrom", RECEIVE, size, 0, 0)
    assert result is not None and isinstance(result.out["buf"], bytes)
    return result.out["buf"]


def test_a_stream_takes_pages_that_may_still_change(bench: Bench) -> None:
    """unix_stream_sendpage(): the file's own pages are in the packet, in one packet."""
    assert bench.step("A", "sendfile", SEND, FILE, 0, 5000) == Result(5000, None, {"offset": 5000})
    (skb,) = queue(bench)
    assert [(item.offset, item.size, item.page.count) for item in skb.frags] == [(0, PAGE_SIZE, 2), (0, 904, 2)]
    bench.step("A", "pwrite64", FILE, b"##", 4095)
    assert receive(bench, 5000) == b"f" * 4095 + b"##" + b"f" * 903
    pages = bench.kernel.tasks["A"].files.get(FILE).inode.i_pages.values()
    assert queue(bench) == [] and [page.count for page in pages] == [1, 1]


def test_parts_of_one_page_in_a_row_are_one_fragment(bench: Bench) -> None:
    """skb_can_coalesce(): no reference more."""
    bench.step("A", "write", WRITE, b"abcdef")
    page = slots(bench)[0].page
    assert page is not None
    bench.step("A", "splice", READ, None, SEND, None, 3, 0)
    assert page.count == 2
    bench.step("A", "splice", READ, None, SEND, None, 3, 0)
    (skb,) = queue(bench)
    assert len(skb.frags) == 1 and page.count == 1 and receive(bench, 10) == b"abcdef" and page.count == 0


def test_a_full_packet_makes_the_sender_wait_with_the_pipe_locked(bench: Bench) -> None:
    """MAX_SKB_FRAGS pages fit into a packet; the next one needs room in the send buffer."""
    bench.step("A", "setsockopt", SEND, C["SOL_SOCKET"], C["SO_SNDBUF"], 2048, 4)
    bench.step("A", "fcntl", WRITE, C["F_SETPIPE_SZ"], 32 * PAGE_SIZE)
    for _ in range(MAX_SKB_FRAGS + 1):
        bench.step("A", "write", WRITE, b"x" * PAGE_SIZE)
    for name in ("B", "C"):
        bench.step("A", "fork", name, 0)
    assert bench.step("B", "splice", READ, None, SEND, None, 32 * PAGE_SIZE, 0) is None
    (skb,) = queue(bench)
    assert len(skb.frags) == MAX_SKB_FRAGS and bench.blocked == {"B"}
    mutex = bench.pipe("A", READ).mutex
    assert mutex.owner is bench.kernel.tasks["B"]
    # No signal ends waiting for the mutex.
    assert bench.step("C", "write", WRITE, b"y") is None
    bench.step("A", "kill", "C", C["SIGUSR1"])
    assert bench.blocked == {"B", "C"} and bench.signals == []
    bench.step("A", "kill", "B", C["SIGUSR1"])
    assert bench.result("B") == Result(MAX_SKB_FRAGS * PAGE_SIZE) and bench.result("C") == Result(1)
    assert bench.signals == [("B", "SIGUSR1"), ("C", "SIGUSR1")] and mutex.owner is None


def test_what_is_not_in_pages_is_copied_into_the_task_s_fragment(bench: Bench) -> None:
    """linear_to_page(): one page after the other of 32 KiB, shared by what was copied before."""
    for text in (b"first", b"second"):
        bench.step("A", "write", SEND, text)
        assert bench.step("A", "splice", RECEIVE, None, WRITE, None, 100, 0) == Result(len(text))
    first, second = slots(bench)
    assert first.page is second.page and first.page is not None and first.page.count == 3
    assert (first.offset, first.len, second.offset, second.len) == (0, 5, 5, 6)
    assert first.ops == "nosteal_pipe_buf_ops" and first.flags == 0
    assert bench.step("A", "read", READ, 100) == Result(11, None, {"buf": b"firstsecond"})
    # Nobody else holds it any more: it is used from its beginning again.
    bench.step("A", "write", SEND, b"third")
    bench.step("A", "splice", RECEIVE, None, WRITE, None, 100, 0)
    assert [(item.page is first.page, item.offset) for item in slots(bench)] == [(True, 0)]


def test_packets_are_copied_into_pages_of_the_pipe(bench: Bench) -> None:
    """generic_file_splice_read(), append_pipe(): one packet a call, what does not fit is lost."""
    bench.step("A", "socketpair", C["AF_UNIX"], C["SOCK_DGRAM"], 0)
    bench.step("A", "write", 5, b"a" * 5000)
    bench.step("A", "write", 5, b"b" * 10)
    assert bench.step("A", "splice", 6, None, WRITE, None, 65536, 0) == Result(5000)
    assert bench.step("A", "splice", 6, None, WRITE, None, 4, 0) == Result(4)
    assert [item.len for item in slots(bench)] == [PAGE_SIZE, 904, 4]
    assert {item.ops for item in slots(bench)} == {"default_pipe_buf_ops"}


def test_who_exits_waits_for_the_pipe(bench: Bench) -> None:
    """pipe_release(): the last close of an end takes the mutex; the process is still there, without its files."""
    bench.step("A", "fork", "B", 0)
    bench.step("A", "close", READ)
    bench.step("B", "close", WRITE)
    assert bench.step("A", "splice", RECEIVE, None, WRITE, None, 10, 0) is None
    bench.step("B", "exit", 3)
    assert bench.ends == [] and bench.blocked == {"A", "B"} and bench.kernel.tasks["B"].exiting
    bench.step(None, "kill", "A", C["SIGUSR1"])
    assert bench.ends == [("B", 3, None)] and bench.pipe("A", WRITE).readers == 0


@pytest.mark.parametrize(
    ("size", "sizes"),
    [
        (0, []),
        (1, [1]),
        (4097, [4097]),
        (5 * PAGE_SIZE, [4 * PAGE_SIZE, PAGE_SIZE]),
        (15 * PAGE_SIZE, [8 * PAGE_SIZE, 4 * PAGE_SIZE, 2 * PAGE_SIZE, PAGE_SIZE]),
    ],
)
def test_pages_of_the_largest_orders(size: int, sizes: list[int]) -> None:
    """alloc_skb_with_frags()."""
    assert fragment_sizes(size) == sizes


@given(
    st.lists(st.one_of(st.binary(max_size=20), st.tuples(st.integers(0, 50), st.integers(1, 40))), max_size=20),
    st.data(),
)
def test_a_byte_queue_is_bytes(pieces: list[bytes | tuple[int, int]], data: st.DataObject) -> None:
    """Whatever is put in and cut off, it says what bytes would; parts of pages say what is there now."""
    page = Page(1)
    page.data[:] = bytes(index % 251 for index in range(PAGE_SIZE))
    found, expected = ByteQueue(), b""
    for piece in pieces:
        if isinstance(piece, bytes):
            found += piece
            expected += piece
        else:
            found.append_page(page, *piece)
            expected += bytes(page.data[piece[0] : sum(piece)])
        if data.draw(st.booleans()):
            cut = data.draw(st.integers(0, len(expected)))
            assert bytes(found[:cut]) == expected[:cut] and bytes(found[cut:]) == expected[cut:]
            del found[:cut]
            expected = expected[cut:]
        assert (bytes(found), len(found)) == (expected, len(expected))
    copies = [part.page is None for part in found.parts]
    assert not any(first and second for first, second in pairwise(copies))
