"""The rules of the splice family, each as ``fs/splice.c`` has it."""

from __future__ import annotations

import pytest

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.pipe_fs_i import PIPE_BUF_FLAG_CAN_MERGE
from ktrace.model.fs.pipe.pipe import PipeBuffer
from ktrace.state.call import Result
from tests.unit.model.bench import Bench, errno

NONBLOCK = C["SPLICE_F_NONBLOCK"]


@pytest.fixture
def bench() -> Bench:
    """One actor with two pipes (0 to 1, 2 to 3) and a file of 5000 bytes at 4."""
    bench = Bench()
    bench.spawn("A")
    bench.step("A", "pipe2", 0)
    bench.step("A", "pipe2", 0)
    bench.step("A", "open", b"/tmp/file", C["O_RDWR"] | C["O_CREAT"], 0o600)
    bench.step("A", "write", 4, b"f" * 5000)
    bench.step("A", "lseek", 4, 0, 0)
    return bench


def slots(bench: Bench, fd: int) -> list[PipeBuffer]:
    """Return the slots in use of a pipe of A's, tail first."""
    pipe = bench.pipe("A", fd)
    return [pipe.slot(pipe.tail + index) for index in range(pipe.occupancy())]


def test_whole_buffers_move(bench: Bench) -> None:
    """splice_pipe_to_pipe(): *obuf = *ibuf with all its flags; the input's slot is no longer in use."""
    bench.step("A", "write", 1, b"x" * 10)
    page = slots(bench, 0)[0].page
    assert bench.step("A", "splice", 0, None, 3, None, 100, 0) == Result(10)
    assert slots(bench, 0) == [] and bench.pipe("A", 0).bufs[0].ops is None
    (moved,) = slots(bench, 2)
    assert moved.page is page and moved.flags == PIPE_BUF_FLAG_CAN_MERGE and page is not None and page.count == 1


def test_a_part_of_a_buffer_is_shared(bench: Bench) -> None:
    """splice_pipe_to_pipe(): a reference more, and neither GIFT nor CAN_MERGE go along."""
    bench.step("A", "write", 1, b"abcdef")
    assert bench.step("A", "splice", 0, None, 3, None, 2, 0) == Result(2)
    (left,), (taken,) = slots(bench, 0), slots(bench, 2)
    assert left.page is taken.page and left.page is not None and left.page.count == 2
    assert (left.offset, left.len, taken.offset, taken.len, taken.flags) == (2, 4, 0, 2, 0)


def test_tee_shares_and_leaves_the_input(bench: Bench) -> None:
    """link_pipe(): the output's copy cannot be merged into, the input's still can."""
    bench.step("A", "write", 1, b"abcdef")
    assert bench.step("A", "tee", 0, 3, 4, 0) == Result(4)
    (left,), (copy,) = slots(bench, 0), slots(bench, 2)
    assert (left.len, copy.len, copy.flags, left.flags) == (6, 4, 0, PIPE_BUF_FLAG_CAN_MERGE)
    assert bench.step("A", "read", 2, 10) == Result(4, None, {"buf": b"abcd"})
    # anon_pipe_buf_release(): a page that somebody else has is not kept.
    assert len(bench.pipe("A", 2).kept) == 0


def test_a_page_of_the_cache_is_shared_without_can_merge(bench: Bench) -> None:
    """copy_page_to_iter_pipe(): flags are set to 0 (CVE-2022-0847), so the next write takes a page of its own."""
    assert bench.step("A", "splice", 4, None, 1, None, 5000, 0) == Result(5000)
    assert [(slot.ops, slot.flags, slot.len) for slot in slots(bench, 0)] == [
        ("page_cache_pipe_buf_ops", 0, PAGE_SIZE),
        ("page_cache_pipe_buf_ops", 0, 904),
    ]
    bench.step("A", "write", 1, b"x")
    assert len(slots(bench, 0)) == 3
    bench.step("A", "pwrite64", 4, b"!", offset=0)
    assert bench.step("A", "read", 0, 1) == Result(1, None, {"buf": b"!"})


def test_holes_become_pages_of_the_pipe(bench: Bench) -> None:
    """pipe_zero(): default_pipe_buf_ops, and what follows may share the page."""
    bench.step("A", "ftruncate", 4, 0)
    bench.step("A", "ftruncate", 4, 9000)
    assert bench.step("A", "splice", 4, 100, 1, None, 5000, 0) == Result(5000, None, {"off_in": 5100})
    assert [(slot.ops, slot.offset, slot.len) for slot in slots(bench, 0)] == [
        ("default_pipe_buf_ops", 0, PAGE_SIZE),
        ("default_pipe_buf_ops", 0, 904),
    ]


def test_a_pipe_goes_into_a_file(bench: Bench) -> None:
    """iter_file_splice_write(): at the offset given, and the file's own stays."""
    bench.step("A", "write", 1, b"x" * 10)
    assert bench.step("A", "splice", 0, None, 4, 3, 10, 0) == Result(10, None, {"off_out": 13})
    assert bench.step("A", "read", 4, 5) == Result(5, None, {"buf": b"fffxx"})


def test_offsets_of_pipes_and_two_files(bench: Bench) -> None:
    """__do_splice(): -ESPIPE for a pipe's offset; do_splice(): -EINVAL without any pipe, or with one twice."""
    assert errno(bench.step("A", "splice", 0, 1, 4, None, 10, 0)) == "ESPIPE"
    assert errno(bench.step("A", "splice", 4, None, 4, None, 10, 0)) == "EINVAL"
    assert errno(bench.step("A", "splice", 0, None, 1, None, 10, NONBLOCK)) == "EINVAL"
    assert errno(bench.step("A", "splice", 0, None, 0, None, 10, 0)) == "EBADF"
    assert errno(bench.step("A", "splice", 0, None, 3, None, 10, 16)) == "EINVAL"
    assert bench.step("A", "splice", 0, None, 3, None, 0, 16) == Result(0)


def test_nothing_to_splice_sleeps_or_fails(bench: Bench) -> None:
    """ipipe_prep(): -EAGAIN with SPLICE_F_NONBLOCK or O_NONBLOCK, else a wait that is not exclusive."""
    assert errno(bench.step("A", "splice", 0, None, 3, None, 10, NONBLOCK)) == "EAGAIN"
    bench.step("A", "fork", "B", 0)
    bench.step("B", "splice", 0, None, 3, None, 10, 0)
    assert [entry.exclusive for entry in bench.pipe("A", 0).rd_wait.entries] == [False]
    bench.step("A", "write", 1, b"x")
    assert bench.completed == ["A", "B"] and bench.result("B") == Result(1)


def test_vmsplice_of_nothing_mapped(bench: Bench) -> None:
    """iter_to_pipe(): -EFAULT, and no slot is used."""
    assert errno(bench.step("A", "vmsplice", 1, ({"iov_base": 0xBAD000, "iov_len": 5},), 0)) == "EFAULT"
    assert slots(bench, 0) == []


def test_sendfile_keeps_a_pipe_for_the_process(bench: Bench) -> None:
    """splice_direct_to_actor(): current->splice_pipe is charged to the user until the process ends."""
    bench.step("A", "open", b"/tmp/copy", C["O_RDWR"] | C["O_CREAT"], 0o600)
    assert bench.step("A", "sendfile", 5, 4, None, 5000) == Result(5000)
    assert bench.kernel.pipes.pipe_bufs == {0: 48}
    assert bench.step("A", "pread64", 5, 4, offset=4996) == Result(4, None, {"buf": b"ffff"})
    bench.step("A", "exit", 0)
    assert bench.kernel.pipes.pipe_bufs == {0: 0}


def test_sendfile_into_a_pipe(bench: Bench) -> None:
    """do_sendfile(): splice_file_to_pipe() with an offset of one's own."""
    assert bench.step("A", "sendfile", 1, 4, 4990, 100) == Result(10, None, {"offset": 5000})
    assert errno(bench.step("A", "sendfile", 1, 0, None, 10)) == "EINVAL"
    assert errno(bench.step("A", "sendfile", 1, 0, 3, 10)) == "ESPIPE"


def test_a_splice_that_fails_puts_the_offset_back(bench: Bench) -> None:
    """do_splice(): out->f_pos = offset, whatever came of it and whoever moved it meanwhile."""
    bench.step("A", "fork", "B", 0)
    bench.step("A", "splice", 0, None, 4, None, 100, 0)
    assert bench.blocked == {"A"}
    bench.step("B", "lseek", 4, 1000, 0)
    bench.step("B", "kill", "A", 10)
    assert bench.step("B", "lseek", 4, 0, 1) == Result(0)
