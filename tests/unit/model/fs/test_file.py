"""The rules of descriptors and files, each as ``fs/file.c`` and ``fs/fcntl.c`` have it."""

from __future__ import annotations

import pytest

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.state.call import Result
from tests.unit.model.bench import Bench, errno

CLOEXEC, NONBLOCK = C["O_CLOEXEC"], C["O_NONBLOCK"]


@pytest.fixture
def bench() -> Bench:
    """An actor with a pipe at 0 and 1."""
    bench = Bench()
    bench.spawn("A")
    bench.step("A", "pipe2", 0)
    return bench


def open_fds(bench: Bench, actor: str = "A") -> list[int]:
    """Return an actor's descriptors."""
    return sorted(bench.kernel.tasks[actor].files.slots)


def test_the_lowest_descriptor_is_taken(bench: Bench) -> None:
    """alloc_fd(): the lowest free one; F_DUPFD: from a number on."""
    assert bench.step("A", "dup", 1) == Result(2)
    bench.step("A", "close", 0)
    assert bench.step("A", "dup", 1) == Result(0)
    assert bench.step("A", "fcntl", 1, C["F_DUPFD"], 7) == Result(7)
    assert errno(bench.step("A", "fcntl", 1, C["F_DUPFD"], 1024)) == "EINVAL"


def test_dup3_says_what_dup2_lets_pass(bench: Bench) -> None:
    """ksys_dup3(): -EINVAL for the same descriptor or other flags; dup2 of itself only checks it."""
    assert bench.step("A", "dup2", 1, 1) == Result(1)
    assert errno(bench.step("A", "dup2", 9, 9)) == "EBADF"
    assert errno(bench.step("A", "dup3", 1, 1, 0)) == "EINVAL"
    assert errno(bench.step("A", "dup3", 1, 5, NONBLOCK)) == "EINVAL"
    assert errno(bench.step("A", "dup2", 1, 1024)) == "EBADF"
    assert bench.step("A", "dup3", 1, 5, CLOEXEC) == Result(5)
    assert bench.step("A", "fcntl", 5, C["F_GETFD"]) == Result(1)


def test_a_table_grows_before_the_old_descriptor_is_looked_at(bench: Bench) -> None:
    """ksys_dup3(): expand_files() comes first, alloc_fdtable() rounds up to a power of two."""
    assert errno(bench.step("A", "dup2", 9, 200)) == "EBADF"
    assert bench.kernel.tasks["A"].files.max_fds == 256


def test_dup2_closes_what_was_there(bench: Bench) -> None:
    """do_dup2(): filp_close() of the old file."""
    pipe = bench.pipe("A", 0)
    bench.step("A", "dup2", 1, 0)
    assert (pipe.readers, pipe.writers, pipe.files) == (0, 1, 1)


def test_a_reserved_descriptor_is_busy(bench: Bench) -> None:
    """do_dup2(): -EBUSY while an open() that shares the table has not finished; close() sees nothing there."""
    bench.step("A", "mknod", b"/tmp/f", 0o10600, 0)
    bench.step("A", "fork", "B", C["CLONE_FILES"])
    bench.step("B", "open", b"/tmp/f", C["O_RDONLY"])
    assert bench.blocked == {"B"}
    assert errno(bench.step("A", "dup2", 0, 2)) == "EBUSY"
    assert errno(bench.step("A", "close", 2)) == "EBADF"
    assert bench.step("A", "dup", 0) == Result(3)


def test_a_shared_table_is_closed_by_its_last_user(bench: Bench) -> None:
    """exit_files(): put_files_struct() counts the tasks."""
    pipe = bench.pipe("A", 0)
    bench.step("A", "fork", "B", C["CLONE_FILES"])
    bench.step("A", "exit", 0)
    assert pipe.files == 2
    bench.step("B", "exit", 0)
    assert pipe.files == 0 and bench.kernel.pipes.pipe_bufs == {0: 0}


def test_a_call_holds_the_file_only_where_the_table_is_shared(bench: Bench) -> None:
    """__fget_light(): no reference for the only user; with two, a close cannot end a read under way."""
    file = bench.kernel.tasks["A"].files.get(0)
    bench.step("A", "fork", "B", C["CLONE_FILES"])
    bench.step("B", "read", 0, 10)
    assert file.count == 2
    bench.step("A", "close", 0)
    assert file.count == 1 and bench.blocked == {"B"}
    bench.step("A", "write", 1, b"x")
    assert bench.result("B") == Result(1, None, {"buf": b"x"}) and file.count == 0


def test_close_range_unshares(bench: Bench) -> None:
    """__close_range(): CLOSE_RANGE_UNSHARE copies first, CLOSE_RANGE_CLOEXEC only marks."""
    bench.step("A", "fork", "B", C["CLONE_FILES"])
    assert bench.step("B", "close_range", 0, 0, C["CLOSE_RANGE_UNSHARE"]) == Result(0)
    assert (open_fds(bench, "A"), open_fds(bench, "B")) == ([0, 1], [1])
    assert bench.step("A", "close_range", 1, 99, C["CLOSE_RANGE_CLOEXEC"]) == Result(0)
    assert bench.step("A", "fcntl", 1, C["F_GETFD"]) == Result(1)
    assert errno(bench.step("A", "close_range", 2, 1)) == "EINVAL"
    assert errno(bench.step("A", "close_range", 0, 1, 1)) == "EINVAL"


def test_exec_closes_what_is_marked(bench: Bench) -> None:
    """do_close_on_exec(), after unshare_files()."""
    bench.step("A", "pipe2", CLOEXEC)
    bench.step("A", "fork", "B", C["CLONE_FILES"])
    bench.step("B", "exec")
    assert (open_fds(bench, "A"), open_fds(bench, "B")) == ([0, 1, 2, 3], [0, 1])


def test_setfl_keeps_what_it_may_not_change(bench: Bench) -> None:
    """setfl(): SETFL_MASK; O_NOATIME is the owner's."""
    assert bench.step("A", "fcntl", 1, C["F_SETFL"], C["O_RDWR"] | NONBLOCK | C["O_APPEND"]) == Result(0)
    assert bench.step("A", "fcntl", 1, C["F_GETFL"]) == Result(C["O_WRONLY"] | NONBLOCK | C["O_APPEND"])
    bench.step("A", "fork", "B", 0)
    bench.step("B", "setresuid", 1000, 1000, 1000)
    assert errno(bench.step("B", "fcntl", 1, C["F_SETFL"], C["O_NOATIME"])) == "EPERM"


def test_wrong_ends_and_positions(bench: Bench) -> None:
    """vfs_read(): -EBADF; ksys_pread64(): -EINVAL before -EBADF before -ESPIPE; lseek: -ESPIPE."""
    assert errno(bench.step("A", "read", 1, 1)) == "EBADF"
    assert errno(bench.step("A", "write", 0, b"x")) == "EBADF"
    assert errno(bench.step("A", "pread64", 9, 1, offset=-1)) == "EINVAL"
    assert errno(bench.step("A", "pread64", 9, 1, offset=0)) == "EBADF"
    assert errno(bench.step("A", "pread64", 0, 1, offset=0)) == "ESPIPE"
    assert errno(bench.step("A", "lseek", 0, 0, 0)) == "ESPIPE"
    assert errno(bench.step("A", "lseek", 0, 0, 9)) == "EINVAL"


def test_path_only_files_do_nothing(bench: Bench) -> None:
    """fdget(): O_PATH is EBADF; F_GETFL and F_DUPFD are let through (``check_fcntl_cmd()``)."""
    bench.step("A", "mknod", b"/tmp/f", 0o10600, 0)
    assert bench.step("A", "open", b"/tmp/f", C["O_PATH"]) == Result(2)
    assert errno(bench.step("A", "read", 2, 1)) == "EBADF"
    assert errno(bench.step("A", "fcntl", 2, C["F_SETFL"], 0)) == "EBADF"
    assert bench.step("A", "fcntl", 2, C["F_GETFL"]) == Result(C["O_PATH"])
    assert bench.step("A", "close", 2) == Result(0)


# -- poll, select, epoll -------------------------------------------------------------------------


def test_poll_waits_on_both_ends(bench: Bench) -> None:
    """__pollwait(): not exclusive, and each entry holds the file."""
    bench.step("A", "fork", "B", 0)
    file = bench.kernel.tasks["A"].files.get(0)
    bench.step("B", "poll", ({"fd": 0, "events": 1}, {"fd": 77, "events": 0}), timeout=-1)
    assert bench.result("B") == Result(1, None, {"revents": (0, 0x20)})
    bench.step("B", "poll", ({"fd": 0, "events": 1},), timeout=-1)
    assert bench.blocked == {"B"} and file.count == 3
    bench.step("A", "write", 1, b"x")
    assert bench.result("B") == Result(1, None, {"revents": (1,)}) and file.count == 2


def test_poll_looks_at_whom_a_wakeup_is_for(bench: Bench) -> None:
    """pollwake(): a key without a wanted event wakes nobody."""
    bench.step("A", "fork", "B", 0)
    bench.step("B", "poll", ({"fd": 0, "events": 2},), timeout=-1)
    bench.step("A", "write", 1, b"x")
    assert bench.blocked == {"B"}


def test_select_refuses_closed_descriptors(bench: Bench) -> None:
    """max_select_fd(): -EBADF; below nfds only."""
    assert errno(bench.step("A", "select", 10, (5,), None, None, {"tv_sec": 0, "tv_usec": 0})) == "EBADF"
    answer = bench.step("A", "select", 10, (0,), (1,), None, {"tv_sec": 0, "tv_usec": 0})
    assert answer == Result(1, None, {"readfds": (), "writefds": (1,)})


def test_epoll_level_and_edge(bench: Bench) -> None:
    """ep_send_events(): level triggered goes back to the ready list, EPOLLET does not, EPOLLONESHOT is disarmed."""
    bench.step("A", "epoll_create1", 0)
    bench.step("A", "epoll_ctl", 2, C["EPOLL_CTL_ADD"], 0, {"events": 1, "data": 7})
    bench.step("A", "write", 1, b"x")
    ready = Result(1, None, {"events": ({"events": 1, "data": 7},)})
    assert bench.step("A", "epoll_wait", 2, 5, 0) == ready == bench.step("A", "epoll_wait", 2, 5, 0)
    bench.step("A", "epoll_ctl", 2, C["EPOLL_CTL_MOD"], 0, {"events": 1 | C["EPOLLET"], "data": 7})
    assert bench.step("A", "epoll_wait", 2, 5, 0) == ready
    assert bench.step("A", "epoll_wait", 2, 5, 0) == Result(0, None, {"events": ()})
    bench.step("A", "write", 1, b"y")
    assert bench.step("A", "epoll_wait", 2, 5, 0) == ready  # poll_usage: every write wakes


def test_epoll_errors(bench: Bench) -> None:
    """do_epoll_ctl(): in the order of its checks."""
    bench.step("A", "epoll_create1", 0)
    event = {"events": 1, "data": 0}
    ctl = ("A", "epoll_ctl")
    assert errno(bench.step(*ctl, 2, C["EPOLL_CTL_ADD"], 9, event)) == "EBADF"
    assert errno(bench.step(*ctl, 2, C["EPOLL_CTL_ADD"], 2, event)) == "EINVAL"
    assert errno(bench.step(*ctl, 0, C["EPOLL_CTL_ADD"], 1, event)) == "EINVAL"
    assert errno(bench.step(*ctl, 2, C["EPOLL_CTL_MOD"], 0, event)) == "ENOENT"
    bench.step("A", "open", b"/tmp/file", C["O_RDWR"] | C["O_CREAT"], 0o600)
    assert errno(bench.step(*ctl, 2, C["EPOLL_CTL_ADD"], 3, event)) == "EPERM"
    bench.step(*ctl, 2, C["EPOLL_CTL_ADD"], 0, event)
    assert errno(bench.step(*ctl, 2, C["EPOLL_CTL_ADD"], 0, event)) == "EEXIST"


def test_the_last_epoll_waiter_is_woken_first(bench: Bench) -> None:
    """ep_poll(): __add_wait_queue_exclusive() puts waiters at the head."""
    bench.step("A", "epoll_create1", 0)
    bench.step("A", "epoll_ctl", 2, C["EPOLL_CTL_ADD"], 0, {"events": 1, "data": 0})
    bench.step("A", "fork", "B", 0)
    bench.step("A", "fork", "C", 0)
    bench.step("B", "epoll_wait", 2, 1, -1)
    bench.step("C", "epoll_wait", 2, 1, -1)
    bench.step("A", "write", 1, b"x")
    assert bench.completed == ["A", "C", "B"]


def test_a_closed_file_leaves_its_sets(bench: Bench) -> None:
    """eventpoll_release_file()."""
    bench.step("A", "epoll_create1", 0)
    bench.step("A", "epoll_ctl", 2, C["EPOLL_CTL_ADD"], 0, {"events": 1, "data": 0})
    bench.step("A", "close", 0)
    assert bench.pipe("A", 1).rd_wait.entries == [] and bench.pipe("A", 2).items == []  # type: ignore[attr-defined]
