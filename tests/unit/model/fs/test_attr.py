"""Who may change what of an inode (``fs/attr.c: setattr_prepare()``, ``setattr_copy()``)."""

from __future__ import annotations

import pytest

from ktrace.agent.syscalls import CONSTANTS as C
from tests.unit.model.bench import Bench
from tests.unit.model.fs.test_path_walk import FACTS

SAME = -1


@pytest.fixture
def bench() -> Bench:
    """U has /tmp/mine, of root's group; root has /tmp/plain, and /tmp/suid with S_ISUID and S_ISGID."""
    bench = Bench("AU", tree=FACTS)
    assert bench.call("A", "umask", 0) == 0o22
    assert bench.call("A", "chmod", b"/tmp", 0o2777) == 0
    for actor, path, mode in (("U", b"/tmp/mine", 0o644), ("A", b"/tmp/plain", 0o644), ("A", b"/tmp/suid", 0o6755)):
        fd = bench.call(actor, "open", path, C["O_CREAT"], mode)
        assert bench.call(actor, "close", fd) == 0
        assert bench.call(actor, "chmod", path, mode) == 0
    return bench


def mode(bench: Bench, path: bytes) -> int:
    """Return the permissions of a file."""
    result = bench.step("A", "stat", path)
    assert result is not None
    return int(result.out["statbuf"]["st_mode"]) & 0o7777


def test_the_group_of_a_file_is_set_by_its_members_alone(bench: Bench) -> None:
    assert bench.call("U", "chmod", b"/tmp/mine", 0o2755) == 0
    assert mode(bench, b"/tmp/mine") == 0o755
    assert bench.call("A", "chmod", b"/tmp/mine", 0o2755) == 0
    assert mode(bench, b"/tmp/mine") == 0o2755


def test_an_owner_may_leave_a_foreign_group_as_it_is(bench: Bench) -> None:
    """chgrp_ok(): the same group, or one of the caller's."""
    assert bench.call("U", "chown", b"/tmp/mine", SAME, 0) == 0
    assert bench.call("U", "chown", b"/tmp/mine", SAME, 5) == "EPERM"
    assert bench.call("U", "chown", b"/tmp/mine", SAME, 1000) == 0


def test_to_change_nothing_takes_bits_away_that_only_the_owner_may_take(bench: Bench) -> None:
    """notify_change(): ATTR_KILL_SUID becomes ATTR_MODE."""
    assert bench.call("U", "chown", b"/tmp/plain", SAME, SAME) == 0
    assert bench.call("U", "chown", b"/tmp/suid", SAME, SAME) == "EPERM"
    assert bench.call("A", "chown", b"/tmp/suid", SAME, SAME) == 0
    assert mode(bench, b"/tmp/suid") == 0o755


def test_a_group_bit_without_execution_goes_where_the_caller_is_no_member(bench: Bench) -> None:
    """setattr_should_drop_sgid()."""
    assert bench.call("A", "chmod", b"/tmp/mine", 0o2644) == 0
    assert bench.call("A", "chown", b"/tmp/mine", SAME, SAME) == 0
    assert mode(bench, b"/tmp/mine") == 0o2644
    assert bench.call("U", "chown", b"/tmp/mine", SAME, SAME) == 0
    assert mode(bench, b"/tmp/mine") == 0o644


def test_what_cannot_be_changed_may_be_left_alone(bench: Bench) -> None:
    """may_setattr(): S_IMMUTABLE is asked for mode, owner and group."""
    fd = bench.call("A", "open", b"/proc/self/ns/ipc", 0, 0)
    assert bench.call("A", "fchown", fd, 1, SAME) == "EPERM"
    assert bench.call("A", "fchown", fd, SAME, SAME) == 0


def test_a_path_is_no_file_to_change(bench: Bench) -> None:
    """fdget(), which takes no O_PATH."""
    fd = bench.call("A", "open", b"/dev/tty", C["O_PATH"], 0)
    assert [bench.call("A", "fchmod", fd, 0o600), bench.call("A", "fchown", fd, 1, 1)] == ["EBADF", "EBADF"]
