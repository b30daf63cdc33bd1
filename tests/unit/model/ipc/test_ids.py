"""Identifiers and permissions: ``ipc/util.c``."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ktrace.state.ipc.namespace import IdsFacts
from ktrace.uapi.ipc import IPC_CREAT, IPC_EXCL
from tests.unit.model.bench import Bench
from tests.unit.model.facts import BOOT, IPC


def test_indices_go_round_and_the_sequence_number_moves_on_only_then() -> None:
    """ipc_idr_alloc(): cyclic, at least ``ipc_min_cycle`` indices, seq counts the wraps."""
    bench = Bench("ABCD")
    for index in range(64):
        assert bench.call("A", "semget", 0, 1, 0o600) == index
        assert bench.call("A", "semctl", index, 0, 0) == 0
    assert bench.call("A", "semget", 0, 1, 0o600) == 1 << 15
    assert bench.object("ipc_ns", "init").sem_ids.seq == 1


def test_an_index_in_use_is_passed_over() -> None:
    """idr_alloc_cyclic()."""
    bench = Bench("ABCD")
    first = bench.call("A", "msgget", 0, 0o600)
    for _ in range(63):
        bench.call("A", "msgctl", bench.call("A", "msgget", 0, 0o600), 0)
    assert bench.call("A", "msgget", 0, 0o600) == (1 << 15) + 1
    assert first == 0


def test_more_objects_widen_the_cycle() -> None:
    """ipc_idr_alloc(): max_idx is in_use * 3 / 2 once that exceeds ipc_min_cycle."""
    bench = Bench("ABCD")
    ids = [bench.call("A", "msgget", 0, 0o600) for _ in range(64)]
    assert ids == list(range(64))
    assert bench.call("A", "msgget", 0, 0o600) == 64


def test_the_sequence_number_rolls_over() -> None:
    """ipc_idr_alloc(): ``ipcid_seq_max()`` is 65535 with 15 bits of index."""
    facts = replace(IPC, sem_ids=IdsFacts(seq=65534, idr_next=64, max_idx=-1, last_idx=63, next_id=-1))
    bench = Bench("ABCD", ipc=facts)
    assert bench.call("A", "semget", 0, 1, 0o600) == 0
    assert bench.object("ipc_ns", "init").sem_ids.seq == 0


def test_a_wanted_id_is_given_once() -> None:
    """ipc_idr_alloc(): next_id is used up, and leaves the cyclic position alone."""
    bench = Bench("ABCD")
    bench.sysctl("kernel/shm_next_id", str((7 << 15) + 5))
    assert bench.call("A", "shmget", 0, 1, 0o600) == (7 << 15) + 5
    assert bench.call("A", "shmget", 0, 1, 0o600) == 0
    ids = bench.object("ipc_ns", "init").shm_ids
    assert (ids.next_id, ids.idr_next, ids.last_idx, ids.max_idx) == (-1, 1, 0, 5)


def test_a_kernel_without_checkpoint_restore_has_no_wanted_ids() -> None:
    none = replace(BOOT, next_id=None)
    bench = Bench("ABCD", ipc=replace(IPC, sem_ids=none, msg_ids=none, shm_ids=none))
    with pytest.raises(NotImplementedError):
        bench.sysctl("kernel/sem_next_id", "5")
    assert bench.call("A", "semget", 0, 1, 0o600) == 0
    assert bench.object("ipc_ns", "init").sem_ids.next_id is None


def test_the_highest_index_is_searched_when_it_goes() -> None:
    """ipc_rmid(), ipc_search_maxidx()."""
    bench = Bench("ABCD")
    ids = [bench.call("A", "semget", 0, 1, 0o600) for _ in range(4)]
    bench.call("A", "semctl", ids[1], 0, 0)
    assert bench.object("ipc_ns", "init").sem_ids.max_idx == 3
    bench.call("A", "semctl", ids[3], 0, 0)
    assert bench.object("ipc_ns", "init").sem_ids.max_idx == 2
    bench.call("A", "semctl", ids[2], 0, 0)
    assert bench.object("ipc_ns", "init").sem_ids.max_idx == 0


def test_an_id_with_an_old_sequence_number_is_refused() -> None:
    """ipc_obtain_object_check(); SEM_STAT looks at the index alone (ipc_obtain_object_idr())."""
    bench = Bench("ABCD")
    bench.call("A", "semget", 0, 1, 0o600)
    stale = 1 << 15
    assert bench.call("A", "semctl", stale, 0, 12) == "EINVAL"
    assert bench.call("A", "semctl", stale, 0, 18) == 0


def test_keys_are_found_created_and_refused() -> None:
    """ipcget_public()."""
    bench = Bench("ABCD")
    assert bench.call("A", "semget", 7, 1, 0) == "ENOENT"
    assert bench.call("A", "semget", 7, 2, IPC_CREAT | 0o600) == 0
    assert bench.call("A", "semget", 7, 2, IPC_CREAT | IPC_EXCL) == "EEXIST"
    assert bench.call("A", "semget", 7, 3, 0) == "EINVAL"
    assert bench.call("A", "semget", 7, 0, 0) == 0
    assert bench.object("ipc_ns", "init").sem_ids.key_ht.keys() == {7}


def test_private_objects_have_no_key() -> None:
    """ipcget_new(); ipc_addid() puts only other keys into the table."""
    bench = Bench("ABCD")
    assert [bench.call("A", "msgget", 0, 0o600) for _ in range(2)] == [0, 1]
    assert not bench.object("ipc_ns", "init").msg_ids.key_ht


def test_no_space_at_the_limit() -> None:
    """ipc_addid(): ENOSPC comes before next_id is used up."""
    bench = Bench("ABCD")
    bench.sysctl("kernel/msgmni", "1")
    bench.sysctl("kernel/msg_next_id", "9")
    bench.call("A", "msgget", 0, 0o600)
    assert bench.call("A", "msgget", 0, 0o600) == "ENOSPC"
    assert bench.object("msg", "9").q_perm.id == 9


@pytest.mark.parametrize(
    ("who", "mode", "answer"),
    [
        ({"uid": 1000, "gid": 9}, 0o400, 0),  # owner
        ({"uid": 1000, "gid": 9}, 0o077, "EACCES"),  # the owner's bits alone count for the owner
        ({"uid": 2000, "gid": 1000}, 0o040, 0),  # group
        ({"uid": 2000, "gid": 9, "groups": (1000,)}, 0o040, 0),  # supplementary group
        ({"uid": 2000, "gid": 1000}, 0o004, "EACCES"),
        ({"uid": 2000, "gid": 9}, 0o004, 0),  # others
        ({"uid": 2000, "gid": 9}, 0o440, "EACCES"),
        ({}, 0o000, 0),  # CAP_IPC_OWNER
    ],
)
def test_permissions(who: dict[str, object], mode: int, answer: object) -> None:
    """ipcperms()."""
    bench = Bench("ABCD")
    bench.spawn("O", uid=1000, gid=1000)
    semid = bench.call("O", "semget", 0, 1, mode)
    bench.spawn("X", **who)
    assert bench.call("X", "semctl", semid, 0, 12) == answer


def test_the_creator_keeps_its_rights_when_the_owner_changes() -> None:
    """ipcctl_obtain_check(), ipc_update_perm(): cuid is never changed."""
    bench = Bench("ABCD")
    bench.spawn("O", uid=1000, gid=1000)
    bench.spawn("N", uid=2000, gid=2000)
    bench.spawn("X", uid=3000, gid=3000)
    semid = bench.call("O", "semget", 0, 1, 0o600)
    perm = {"uid": 2000, "gid": 2000, "mode": 0o7640}
    assert bench.call("X", "semctl", semid, 0, 1, perm) == "EPERM"
    assert bench.call("O", "semctl", semid, 0, 1, perm) == 0
    seen = bench.object("sem", str(semid)).sem_perm
    assert (seen.uid, seen.gid, seen.cuid, seen.cgid, seen.mode) == (2000, 2000, 1000, 1000, 0o640)
    assert bench.call("N", "semctl", semid, 0, 12) == 0
    assert bench.call("O", "semctl", semid, 0, 12) == 0
    assert bench.call("O", "semctl", semid, 0, 1, {"uid": -1, "gid": 0, "mode": 0}) == "EINVAL"
    assert bench.call("N", "semctl", semid, 0, 0) == 0


def test_a_namespace_of_ones_own_begins_empty() -> None:
    """copy_ipcs(), create_ipc_ns(); ids begin anew."""
    bench = Bench("ABCD")
    bench.call("A", "semget", 7, 1, IPC_CREAT | 0o600)
    assert bench.call("B", "unshare", 0x08000000) == 0
    assert bench.call("B", "semget", 7, 1, 0) == "ENOENT"
    assert bench.call("B", "semget", 7, 1, IPC_CREAT | 0o600) == 0
    assert len(bench.world.of_kind("ipc_ns")) == 2
    assert len(bench.world.of_kind("sem")) == 2
    bench.call("B", "exit", 0)
    assert len(bench.world.of_kind("sem")) == 1
    bench.spawn("U", uid=1000)
    assert bench.call("U", "unshare", 0x08000000) == "EPERM"
