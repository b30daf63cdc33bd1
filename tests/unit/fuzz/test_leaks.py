"""What is left when all actors are dead: exact where nobody else allocates, with slack where the kernel does."""

from __future__ import annotations

import pytest

from ktrace.fuzz.leaks import SLACK, Kept, leaked

BEFORE = {
    "UNIX": 3, "filp": 20, "kmalloc-64": 50, "dentry": 900, "shmem_inode_cache": 25, "unix_tot_inflight": 0,
    "tcp_bind2_bucket": 0, "tw_sock_TCP": 1, "uid_cache": 0, "file_lock_ctx": 0, "pid_namespace": 0,
}  # fmt: skip
NOTHING = Kept()


def test_nothing_is_left() -> None:
    assert leaked(BEFORE, dict(BEFORE), NOTHING) == {}


@pytest.mark.parametrize("name", ["UNIX", "filp", "unix_tot_inflight", "pid_namespace"])
@pytest.mark.parametrize("more", [1, -1])
def test_one_object_is_noticed(name: str, more: int) -> None:
    assert leaked(BEFORE, {**BEFORE, name: BEFORE[name] + more}, NOTHING) == {name: more}


def test_what_others_use_has_slack() -> None:
    assert leaked(BEFORE, {**BEFORE, "kmalloc-64": 50 + SLACK, "dentry": 2000}, NOTHING) == {}
    assert leaked(BEFORE, {**BEFORE, "kmalloc-64": 51 + SLACK}, NOTHING) == {"kmalloc-64": 1 + SLACK}


def test_inodes_with_a_name_may_stay() -> None:
    after = {**BEFORE, "shmem_inode_cache": 27, "file_lock_ctx": 2}
    assert leaked(BEFORE, after, Kept(named=2)) == {}
    assert leaked(BEFORE, after, Kept(named=1)) == {"shmem_inode_cache": 1, "file_lock_ctx": 1}
    assert leaked(BEFORE, BEFORE, Kept(named=1)) == {"shmem_inode_cache": -1}


def test_segments_have_files_which_keep_their_openers() -> None:
    after = {**BEFORE, "shmem_inode_cache": 27, "filp": 22, "uid_cache": 1, "kmalloc-64": 500}
    assert leaked(BEFORE, after, Kept(segments=2, objects=2)) == {}
    assert leaked(BEFORE, after, Kept(objects=2)) == {"shmem_inode_cache": 2, "filp": 2, "uid_cache": 1}


def test_a_port_may_be_held_by_who_waits_in_time_wait() -> None:
    after = {**BEFORE, "tcp_bind2_bucket": 30, "tw_sock_TCP": 31}
    assert leaked(BEFORE, after, NOTHING) == {}
    assert leaked(BEFORE, {**after, "tw_sock_TCP": 1}, NOTHING) == {"tcp_bind2_bucket": 30}
