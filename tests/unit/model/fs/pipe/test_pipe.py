"""The rules of pipes, each as ``fs/pipe.c`` has it."""

from __future__ import annotations

import pytest

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.state.call import BAD, Result
from ktrace.state.changes import Changes
from ktrace.state.fs.pipe.pipe import PipeFacts
from tests.unit.model.bench import Bench, errno

NONBLOCK, DIRECT, CLOEXEC = C["O_NONBLOCK"], C["O_DIRECT"], C["O_CLOEXEC"]


@pytest.fixture
def bench() -> Bench:
    """Two actors that share a pipe: 0 reads, 1 writes."""
    bench = Bench()
    bench.spawn("A")
    bench.step("A", "pipe2", 0)
    bench.step("A", "fork", "B", 0)
    return bench


def lengths(bench: Bench, actor: str = "A", fd: int = 0) -> list[tuple[int, int]]:
    """Return offset and length of each occupied slot, tail first."""
    pipe = bench.pipe(actor, fd)
    slots = [pipe.slot(pipe.tail + index) for index in range(pipe.occupancy())]
    return [(slot.offset, slot.len) for slot in slots]


def test_small_writes_share_a_page(bench: Bench) -> None:
    """pipe_write(): what fits behind the last buffer goes there, PIPE_BUF_FLAG_CAN_MERGE."""
    for size in (100, 200, 3796):
        bench.step("A", "write", 1, b"x" * size)
    assert lengths(bench) == [(0, PAGE_SIZE)]
    bench.step("A", "write", 1, b"y")
    assert lengths(bench) == [(0, PAGE_SIZE), (0, 1)]


def test_only_what_does_not_fill_a_page_is_merged(bench: Bench) -> None:
    """pipe_write(): chars = total_len & (PAGE_SIZE-1) goes first, whole pages after it."""
    bench.step("A", "write", 1, b"a" * 10)
    bench.step("A", "write", 1, b"b" * 20 + b"c" * PAGE_SIZE)
    assert lengths(bench) == [(0, 30), (0, PAGE_SIZE)]
    assert bench.step("A", "read", 0, 30) == Result(30, None, {"buf": b"a" * 10 + b"b" * 20})


def test_a_merge_does_not_reuse_what_was_read(bench: Bench) -> None:
    """pipe_write(): merging counts from offset + len, not from the start of the page."""
    bench.step("A", "write", 1, b"x" * 4000)
    bench.step("A", "read", 0, 3999)
    bench.step("A", "write", 1, b"y" * 100)
    assert lengths(bench) == [(3999, 1), (0, 100)]


def test_packets_are_not_merged_and_read_one_by_one(bench: Bench) -> None:
    """pipe_write(): O_DIRECT gives PIPE_BUF_FLAG_PACKET; pipe_read() drops what the reader leaves."""
    bench.step("A", "pipe2", DIRECT)
    bench.step("A", "write", 3, b"first packet")
    bench.step("A", "write", 3, b"second")
    assert lengths(bench, fd=2) == [(0, 12), (0, 6)]
    assert bench.step("A", "read", 2, 5) == Result(5, None, {"buf": b"first"})
    assert bench.step("A", "read", 2, 100) == Result(6, None, {"buf": b"second"})


def test_one_page_is_kept_for_the_next_write(bench: Bench) -> None:
    """anon_pipe_buf_release(): tmp_page takes the first page that comes free, and no second."""
    bench.step("A", "write", 1, b"x" * (2 * PAGE_SIZE))
    pipe = bench.pipe("A", 0)
    first = pipe.slot(0).page
    bench.step("A", "read", 0, 2 * PAGE_SIZE)
    assert pipe.kept.pages == [first]
    bench.step("A", "write", 1, b"y")
    assert pipe.kept.pages == [None] and pipe.slot(2).page is first


def test_a_write_keeps_what_it_has_left_of_its_own_pages() -> None:
    """anon_pipe_get_page_prealloc(), anon_pipe_refill_tmp_pages(): more than a page, at most eight, two stay."""
    bench = Bench("A", pipe=PipeFacts(kept_pages=2, own_pages=8), changes=Changes(pipe_write_whole=True))
    bench.step("A", "pipe2", NONBLOCK)
    kept = bench.pipe("A", 0).kept
    bench.step("A", "write", 1, b"x" * PAGE_SIZE)
    assert len(kept) == 0
    bench.step("A", "write", 1, b"y" * (2 * PAGE_SIZE))
    assert len(kept) == 0
    bench.step("A", "write", 1, b"z" * (13 * PAGE_SIZE))
    assert bench.pipe("A", 0).full() and len(kept) == 0
    assert errno(bench.step("A", "write", 1, b"z" * (PAGE_SIZE + 1))) == "EAGAIN"
    assert len(kept) == 2
    first, second = kept.pages
    bench.step("A", "read", 0, 2 * PAGE_SIZE)
    assert kept.pages == [first, second]
    bench.step("A", "write", 1, b"w")
    assert kept.pages == [None, second] and bench.pipe("A", 0).slot(16).page is first


def test_a_bad_address_leaves_an_empty_buffer(bench: Bench) -> None:
    """pipe_write(): the slot is taken before the copy; pipe_read() eats it and goes on waiting."""
    assert errno(bench.step("A", "write", 1, BAD, 10)) == "EFAULT"
    assert lengths(bench) == [(0, 0)]
    bench.step("B", "read", 0, 10)
    assert bench.blocked == {"B"} and bench.pipe("A", 0).tail == 1


def test_a_merge_that_faults_changes_no_length(bench: Bench) -> None:
    """pipe_write(): -EFAULT before buf->len grows."""
    bench.step("A", "write", 1, b"abc")
    assert errno(bench.step("A", "write", 1, BAD, 10)) == "EFAULT"
    assert lengths(bench) == [(0, 3)]


def test_a_full_pipe_takes_what_fits(bench: Bench) -> None:
    """pipe_write(): a partial count with O_NONBLOCK, -EAGAIN for nothing."""
    bench.step("A", "fcntl", 1, C["F_SETFL"], NONBLOCK)
    assert bench.step("A", "write", 1, b"x" * (20 * PAGE_SIZE)) == Result(16 * PAGE_SIZE)
    assert errno(bench.step("A", "write", 1, b"y")) == "EAGAIN"


def test_readers_wake_one_after_the_other(bench: Bench) -> None:
    """pipe_read(): exclusive waits at the tail; the first takes all, so the next is not woken."""
    bench.step("A", "fork", "C", 0)
    for reader in "BC":
        bench.step(reader, "read", 0, 100)
    queue = bench.pipe("A", 0).rd_wait.entries
    assert [(entry.task.name, entry.exclusive) for entry in queue if entry.task] == [("B", True), ("C", True)]
    bench.step("A", "write", 1, b"x")
    assert bench.completed == ["A", "B"] and bench.blocked == {"C"}


def test_a_reader_that_leaves_data_wakes_the_next(bench: Bench) -> None:
    """pipe_read(): wake_next_reader where the pipe is not empty afterwards."""
    bench.step("A", "fork", "C", 0)
    bench.step("B", "read", 0, 1)
    bench.step("C", "read", 0, 1)
    bench.step("A", "write", 1, b"xyz")
    assert bench.completed == ["A", "B", "C"]


def test_a_writer_sleeps_until_a_slot_is_free(bench: Bench) -> None:
    """pipe_read(): writers are woken only if the pipe was full; a slot must have been emptied."""
    bench.step("B", "write", 1, b"x" * (16 * PAGE_SIZE))
    bench.step("B", "write", 1, b"y" * 10)
    assert bench.blocked == {"B"}
    bench.step("A", "read", 0, 100)
    assert bench.completed == ["A"] and bench.blocked == {"B"}
    bench.step("A", "read", 0, PAGE_SIZE - 100)
    assert bench.completed == ["A", "B"]


def test_no_reader_is_epipe_and_sigpipe(bench: Bench) -> None:
    """pipe_write(): send_sig(SIGPIPE, current, 0) in the writer's own name."""
    bench.step("A", "close", 0)
    bench.step("B", "close", 0)
    assert errno(bench.step("A", "write", 1, b"x")) == "EPIPE"
    assert bench.signals == [("A", "SIGPIPE")]


def test_the_last_reader_leaves_a_blocked_writer_with_epipe(bench: Bench) -> None:
    """pipe_release(): wakes both sides where only one of them is left."""
    bench.step("A", "close", 0)
    bench.step("A", "write", 1, b"x" * (17 * PAGE_SIZE))
    bench.step("B", "exit", 0)
    assert bench.result("A") == Result(16 * PAGE_SIZE) and bench.signals == [("A", "SIGPIPE")]
    assert bench.ends == [("B", 0, None)]


def test_a_signal_ends_a_wait_without_data(bench: Bench) -> None:
    """pipe_read(): -ERESTARTSYS, which a handler without SA_RESTART turns into EINTR."""
    bench.step("B", "read", 0, 10)
    bench.step(None, "kill", "B", C["SIGUSR1"])
    assert bench.result("B") == Result(-1, "EINTR")
    bench.step("B", "sigaction", C["SIGUSR1"], "RECORD_RESTART")
    bench.step("B", "read", 0, 10)
    bench.step(None, "kill", "B", C["SIGUSR1"])
    assert bench.signals == [("B", "SIGUSR1")] and bench.blocked == {"B"}


def test_vectors_fill_pages_across_their_parts(bench: Bench) -> None:
    """do_iter_readv_writev(): one write for all parts; a bad one ends it with what came before it."""
    parts = (b"a" * 3000, b"b" * 3000, {"iov_base": BAD.value, "iov_len": 5})
    assert bench.step("A", "writev", 1, parts) == Result(PAGE_SIZE)
    assert lengths(bench) == [(0, PAGE_SIZE), (0, 0)]


def test_flags_that_pipe2_does_not_know(bench: Bench) -> None:
    """__do_pipe_flags(): -EINVAL; do_pipe2(): -EFAULT, and nothing stays open."""
    assert errno(bench.step("A", "pipe2", 1)) == "EINVAL"
    assert errno(bench.step("A", "pipe2", BAD, 0)) == "EFAULT"
    assert sorted(bench.kernel.tasks["A"].files.slots) == [0, 1]
    assert bench.kernel.pipes.pipe_bufs == {0: 16}


def test_the_first_descriptor_is_given_back(bench: Bench) -> None:
    """__do_pipe_flags(): err_fdr where RLIMIT_NOFILE leaves room for one only."""
    bench.step("A", "setrlimit", C["RLIMIT_NOFILE"], {"rlim_cur": 3, "rlim_max": 4096})
    assert errno(bench.step("A", "pipe2", 0)) == "EMFILE"
    assert bench.step("A", "dup", 0) == Result(2)


# -- size and limits -----------------------------------------------------------------------------


def test_resize_moves_the_ring_to_its_start(bench: Bench) -> None:
    """pipe_resize_ring(): head = n, tail = 0, whatever wrapped around."""
    bench.step("A", "write", 1, b"x" * (3 * PAGE_SIZE))
    bench.step("A", "read", 0, 2 * PAGE_SIZE)
    assert bench.step("A", "fcntl", 1, C["F_SETPIPE_SZ"], 5000) == Result(8192)
    pipe = bench.pipe("A", 0)
    assert (pipe.head, pipe.tail, pipe.ring_size, pipe.max_usage, pipe.nr_accounted) == (1, 0, 2, 2, 2)
    assert bench.kernel.pipes.pipe_bufs == {0: 2}


def test_resize_refuses_to_lose_data(bench: Bench) -> None:
    """pipe_resize_ring(): -EBUSY, and the account is as before."""
    bench.step("A", "write", 1, b"x" * (3 * PAGE_SIZE))
    assert errno(bench.step("A", "fcntl", 1, C["F_SETPIPE_SZ"], PAGE_SIZE)) == "EBUSY"
    assert bench.kernel.pipes.pipe_bufs == {0: 16}


def test_a_larger_ring_wakes_a_writer(bench: Bench) -> None:
    """pipe_resize_ring(): "This might have made more room for writers"."""
    bench.step("B", "write", 1, b"x" * (17 * PAGE_SIZE))
    assert bench.blocked == {"B"}
    bench.step("A", "fcntl", 0, C["F_SETPIPE_SZ"], 32 * PAGE_SIZE)
    assert bench.completed == ["A", "B"]


def test_sizes_that_cannot_be(bench: Bench) -> None:
    """round_pipe_size(): 0 above 2 GiB, a page at least."""
    assert errno(bench.step("A", "fcntl", 1, C["F_SETPIPE_SZ"], (1 << 31) + 1)) == "EINVAL"
    assert bench.step("A", "fcntl", 1, C["F_SETPIPE_SZ"], 0) == Result(PAGE_SIZE)


@pytest.mark.parametrize(("unsigned_int", "answer"), [(False, "EINVAL"), (True, 8192)])
def test_a_size_is_as_wide_as_pipe_fcntl_takes_it(unsigned_int: bool, answer: object) -> None:
    bench = Bench("A", changes=Changes(pipe_size_unsigned_int=unsigned_int))
    bench.step("A", "pipe2", 0)
    assert bench.call("A", "fcntl", 1, C["F_SETPIPE_SZ"], (1 << 32) + 5000) == answer


def test_pages_are_made_beforehand_where_pipes_have_a_pool() -> None:
    bench = Bench("A", pipe=PipeFacts(kept_pages=8), changes=Changes(pipe_prealloc=True))
    bench.step("A", "pipe2", NONBLOCK)
    kept = bench.pipe("A", 0).kept
    for _ in range(16):
        bench.step("A", "write", 1, b"x" * PAGE_SIZE)
    assert bench.call("A", "write", 1, b"x" * 3 * PAGE_SIZE) == "EAGAIN" and len(kept) == 2


def test_pipe_max_size_binds_those_without_cap_sys_resource() -> None:
    """pipe_set_size(): -EPERM; alloc_pipe_info(): a new pipe is made smaller."""
    bench = Bench(pipe=PipeFacts(pipe_max_size=8192))
    bench.spawn("R")
    bench.spawn("U", uid=1000)
    bench.step("R", "pipe2", 0)
    bench.step("U", "pipe2", 0)
    assert (bench.pipe("R", 0).ring_size, bench.pipe("U", 0).ring_size) == (16, 2)
    assert errno(bench.step("U", "fcntl", 0, C["F_SETPIPE_SZ"], 16384)) == "EPERM"
    assert bench.step("R", "fcntl", 0, C["F_SETPIPE_SZ"], 131072) == Result(131072)


def test_soft_limit_shrinks_and_hard_limit_refuses() -> None:
    """alloc_pipe_info(): PIPE_MIN_DEF_BUFFERS over the soft limit, -ENFILE over the hard one."""
    bench = Bench(pipe=PipeFacts(pipe_user_pages_soft=20, pipe_user_pages_hard=24))
    bench.spawn("U", uid=1000)
    sizes = []
    for first in (0, 2, 4, 6, 8):
        bench.step("U", "pipe2", 0)
        sizes.append(bench.pipe("U", first).ring_size)
    assert sizes == [16, 2, 2, 2, 2]
    assert errno(bench.step("U", "pipe2", 0)) == "ENFILE"
    assert bench.kernel.pipes.pipe_bufs[1000] == 24
    assert errno(bench.step("U", "fcntl", 2, C["F_SETPIPE_SZ"], 16384)) == "EPERM"
    bench.spawn("R")
    assert bench.step("R", "pipe2", 0) == Result(0, None, {"pipefd": (0, 1)})


# -- FIFOs ---------------------------------------------------------------------------------------


@pytest.fixture
def fifo() -> Bench:
    """Two actors and a FIFO that nobody has open."""
    bench = Bench()
    bench.spawn("A", "B")
    bench.step("A", "mknod", b"/tmp/f", 0o10666, 0)
    return bench


def test_a_reader_waits_for_a_writer(fifo: Bench) -> None:
    """fifo_open(): wait_for_partner() on rd_wait, not exclusive; the descriptor is taken already."""
    fifo.step("A", "open", b"/tmp/f", C["O_RDONLY"])
    assert fifo.blocked == {"A"} and fifo.kernel.tasks["A"].files.reserved == {0: False}
    fifo.step("B", "open", b"/tmp/f", C["O_WRONLY"])
    assert fifo.completed == ["B", "A"] and fifo.result("A") == Result(0)


def test_a_writer_waits_for_a_reader(fifo: Bench) -> None:
    """fifo_open(): the other way round."""
    fifo.step("A", "open", b"/tmp/f", C["O_WRONLY"])
    fifo.step("B", "open", b"/tmp/f", C["O_RDONLY"] | NONBLOCK)
    assert fifo.completed == ["B", "A"]


def test_a_nonblocking_writer_needs_a_reader(fifo: Bench) -> None:
    """fifo_open(): -ENXIO, and the pipe is freed again."""
    assert errno(fifo.step("A", "open", b"/tmp/f", C["O_WRONLY"] | NONBLOCK)) == "ENXIO"
    assert fifo.kernel.fs.root.entries["f"].pipe is None
    assert fifo.kernel.pipes.pipe_bufs == {0: 0}


def test_a_nonblocking_reader_sees_no_hangup_yet(fifo: Bench) -> None:
    """fifo_open(): f_version = w_counter suppresses EPOLLHUP until there was a writer (``pipe_poll()``)."""
    fifo.step("A", "open", b"/tmp/f", C["O_RDONLY"] | NONBLOCK)
    assert fifo.step("A", "poll", ({"fd": 0, "events": 1},), timeout=0) == Result(0, None, {"revents": (0,)})
    fifo.step("B", "open", b"/tmp/f", C["O_WRONLY"])
    fifo.step("B", "close", 0)
    assert fifo.step("A", "poll", ({"fd": 0, "events": 1},), timeout=0) == Result(1, None, {"revents": (0x10,)})


def test_an_interrupted_open_leaves_nothing(fifo: Bench) -> None:
    """fifo_open(): err_rd; do_sys_openat2(): put_unused_fd()."""
    fifo.step("A", "open", b"/tmp/f", C["O_RDONLY"])
    fifo.step(None, "kill", "A", C["SIGUSR1"])
    assert fifo.result("A") == Result(-1, "EINTR")
    assert fifo.kernel.tasks["A"].files.reserved == {} and fifo.kernel.pipes.pipe_bufs == {0: 0}


def test_read_and_write_at_once_never_waits(fifo: Bench) -> None:
    """fifo_open(): O_RDWR counts as both; O_DIRECT is refused after all that (``do_dentry_open()``)."""
    assert fifo.step("A", "open", b"/tmp/f", C["O_RDWR"]) == Result(0)
    assert errno(fifo.step("A", "open", b"/tmp/f", C["O_RDWR"] | DIRECT)) == "EINVAL"
    pipe = fifo.pipe("A", 0)
    assert (pipe.readers, pipe.writers, pipe.files, pipe.r_counter) == (1, 1, 1, 3)


def test_a_pipe_reopened_through_proc_is_another_file(bench: Bench) -> None:
    """fifo_open() of pipefs: never waits, and the file is a new one."""
    bench.step("A", "close", 0)
    bench.step("B", "close", 0)
    assert bench.step("A", "open", b"/proc/self/fd/1", C["O_RDONLY"]) == Result(0)
    pipe = bench.pipe("A", 0)
    assert (pipe.readers, pipe.writers, pipe.files) == (1, 1, 2)
    assert errno(bench.step("A", "open", b"/proc/self/fd/9", C["O_RDONLY"])) == "ENOENT"


# -- signals -------------------------------------------------------------------------------------


def test_sigio_goes_to_the_owner(bench: Bench) -> None:
    """pipe_fasync(), kill_fasync(): SIGIO from the kernel, or what F_SETSIG chose, with band and descriptor."""
    bench.step("B", "fcntl", 0, C["F_SETOWN"], "B")
    bench.step("B", "fcntl", 0, C["F_SETFL"], C["FASYNC"])
    bench.step("A", "write", 1, b"x")
    assert bench.signals == [("B", "SIGIO")]
    bench.step("B", "fcntl", 0, C["F_SETSIG"], C["SIGRTMIN"])
    bench.step("A", "write", 1, b"y")
    (event,) = [event for event in bench.outcome.events if getattr(event, "signal", "")]
    assert (event.signal, event.code, event.fd, event.band) == ("SIGRTMIN", 1, 0, 0x41)
