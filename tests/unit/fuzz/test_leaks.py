"""What is left when all actors are dead: exact where nobody else allocates, with slack where the kernel does."""

from __future__ import annotations

import pytest

from ktrace.fuzz.leaks import SLACK, leaked

BEFORE = {"UNIX": 3, "filp": 20, "kmalloc-64": 50, "dentry": 900, "shmem_inode_cache": 25, "unix_tot_inflight": 0}


def test_nothing_is_left() -> None:
    assert leaked(BEFORE, dict(BEFORE), 0) == {}


@pytest.mark.parametrize("name", ["UNIX", "filp", "unix_tot_inflight"])
@pytest.mark.parametrize("more", [1, -1])
def test_one_object_is_noticed(name: str, more: int) -> None:
    assert leaked(BEFORE, {**BEFORE, name: BEFORE[name] + more}, 0) == {name: more}


def test_what_others_use_has_slack() -> None:
    assert leaked(BEFORE, {**BEFORE, "kmalloc-64": 50 + SLACK, "dentry": 2000}, 0) == {}
    assert leaked(BEFORE, {**BEFORE, "kmalloc-64": 51 + SLACK}, 0) == {"kmalloc-64": 1 + SLACK}


def test_inodes_with_a_name_may_stay() -> None:
    after = {**BEFORE, "shmem_inode_cache": 27}
    assert leaked(BEFORE, after, 2) == {}
    assert leaked(BEFORE, after, 1) == {"shmem_inode_cache": 1}
