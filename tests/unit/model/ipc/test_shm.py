"""Shared memory segments and their mappings: ``ipc/shm.c``, ``mm/mmap.c``."""

from __future__ import annotations

from typing import Any

import pytest

from ktrace.state.config import ConfigFacts
from ktrace.uapi.ipc import IPC_CREAT, IPC_RMID
from ktrace.uapi.shm import (
    SHM_EXEC,
    SHM_HUGETLB,
    SHM_INFO,
    SHM_LOCK,
    SHM_NORESERVE,
    SHM_RDONLY,
    SHM_REMAP,
    SHM_RND,
    SHM_UNLOCK,
)
from tests.unit.model.bench import Bench

BASE = 0x20000000


def segment(bench: Bench, size: int = 12288, mode: int = 0o666) -> int:
    return int(bench.call("A", "shmget", 0, size, mode))


def shm(bench: Bench, shmid: int) -> Any:
    return bench.object("shm", str(shmid))


def mappings(bench: Bench, actor: str) -> list[tuple[int, int, int, str]]:
    process = bench.object("process", actor)
    return [(item.start, item.size, item.pgoff, item.protection) for item in process.mappings]


@pytest.mark.parametrize(
    ("size", "flags", "answer"),
    [
        (0, 0o600, "EINVAL"),
        (1, 0o600, 0),
        (8192 << 12, 0o600, 0),
        ((8192 << 12) + 1, 0o600, "ENOMEM"),
        ((8192 << 12) + 1, 0o600 | SHM_NORESERVE, 0),
        (1, 0o600 | SHM_HUGETLB, "EINVAL"),
        (-1, 0o600, "EINVAL"),
        (1 << 63, 0o600 | SHM_NORESERVE, "EINVAL"),
    ],
)
def test_sizes(size: int, flags: int, answer: object) -> None:
    """newseg(), __shmem_file_setup(), __vm_enough_memory()."""
    assert Bench("ABCD").call("A", "shmget", 0, size, flags) == answer


def test_limits() -> None:
    """newseg(): shmmax, shmall in pages, shmmni."""
    bench = Bench("ABCD")
    bench.sysctl("kernel/shmmax", "8192")
    assert bench.call("A", "shmget", 0, 8193, 0o600) == "EINVAL"
    bench.sysctl("kernel/shmall", "2")
    assert bench.call("A", "shmget", 0, 4097, 0o600) == 0
    assert bench.call("A", "shmget", 0, 1, 0o600) == "ENOSPC"
    bench.sysctl("kernel/shmall", "100")
    bench.sysctl("kernel/shmmni", "1")
    assert bench.call("A", "shmget", 0, 1, 0o600) == "ENOSPC"
    assert bench.object("ipc_ns", "init").shm_tot == 2


def test_an_existing_segment_must_be_large_enough() -> None:
    """shm_more_checks()."""
    bench = Bench("ABCD")
    bench.call("A", "shmget", 7, 100, IPC_CREAT | 0o600)
    assert bench.call("A", "shmget", 7, 101, 0) == "EINVAL"
    assert bench.call("A", "shmget", 7, 100, 0) == 0
    assert bench.call("A", "shmget", 7, 0, 0) == 0


def test_the_kernel_maps_from_the_top() -> None:
    """arch_get_unmapped_area_topdown(): the highest gap below mmap_base that is large enough."""
    bench = Bench("ABCD")
    shmid = segment(bench)
    first = bench.call("A", "shmat", shmid)
    assert first == 0x7FFFF7FF9000 - 12288
    second = bench.call("A", "shmat", shmid)
    assert second == first - 12288
    bench.call("A", "shmdt", first)
    assert bench.call("A", "shmat", shmid) == first
    seen = shm(bench, shmid)
    assert (seen.shm_nattch, seen.shm_lprid, seen.shm_cprid) == (2, "A", "A")


def test_addresses() -> None:
    """do_shmat(): SHM_RND rounds down, an address in use is refused without SHM_REMAP."""
    bench = Bench("ABCD")
    shmid = segment(bench)
    assert bench.call("A", "shmat", shmid, BASE + 1) == "EINVAL"
    assert bench.call("A", "shmat", shmid, BASE + 1, SHM_RND) == BASE
    assert bench.call("A", "shmat", shmid, BASE + 8192) == "EINVAL"
    assert bench.call("A", "shmat", shmid, BASE + 4096, SHM_REMAP) == BASE + 4096
    assert mappings(bench, "A") == [(BASE, 4096, 0, "rw-"), (BASE + 4096, 12288, 0, "rw-")]
    assert bench.call("A", "shmat", shmid, 0, SHM_REMAP) == "EINVAL"
    assert bench.call("A", "shmat", shmid, 5, SHM_RND | SHM_REMAP) == "EINVAL"
    assert bench.call("A", "shmat", shmid, 0x7FFFFFFFE000) == "EINVAL"
    assert bench.call("A", "shmat", shmid, 0x7FFFFFFFF000) == "ENOMEM"
    assert bench.call("A", "shmat", shmid, 5, SHM_RND) == 0
    bench.spawn("U", uid=1000)
    assert bench.call("U", "shmat", shmid, 5, SHM_RND) == "EPERM"
    assert shm(bench, shmid).shm_nattch == 3


def test_protections_and_rights() -> None:
    """do_shmat(): SHM_RDONLY asks for reading only, SHM_EXEC for execution, too."""
    bench = Bench("ABCD")
    shmid = segment(bench, mode=0o604)
    bench.spawn("U", uid=1000, gid=1000)
    assert bench.call("U", "shmat", shmid, BASE) == "EACCES"
    assert bench.call("U", "shmat", shmid, BASE, SHM_RDONLY | SHM_EXEC) == "EACCES"
    assert bench.call("U", "shmat", shmid, BASE, SHM_RDONLY) == BASE
    assert bench.call("U", "store", BASE, b"x") == "EFAULT"
    assert bench.call("U", "mprotect", BASE, 4096, 3) == "EACCES"
    assert bench.call("A", "shmat", shmid, BASE, SHM_EXEC) == BASE
    assert mappings(bench, "A") == [(BASE, 12288, 0, "rwx")]
    assert mappings(bench, "U") == [(BASE, 12288, 0, "r--")]


def test_contents_are_shared_and_pages_come_when_touched() -> None:
    bench = Bench("ABCD")
    shmid = segment(bench)
    bench.call("A", "shmat", shmid, BASE)
    bench.call("B", "shmat", shmid, BASE + 4096)
    assert not shm(bench, shmid).shm_file.pages
    assert bench.call("A", "store", BASE + 4090, b"0123456789") == 0
    assert bench.call("B", "load", BASE + 4096 + 4090, 10) == 0
    assert bench.results["B"].out == {"buf": b"0123456789"}
    assert shm(bench, shmid).shm_file.pages == {0: b"\0" * 4090 + b"012345", 1: b"6789"}
    bench.call("A", "load", BASE + 8192, 1)
    assert shm(bench, shmid).shm_file.nrpages == 3
    assert bench.call("A", "load", BASE + 12288, 1) == "EFAULT"


def test_fork_attaches_and_exit_detaches() -> None:
    """dup_mmap() calls shm_open() in the parent; exit_mmap() calls shm_close()."""
    bench = Bench("ABCD")
    shmid = segment(bench)
    bench.call("B", "shmat", shmid, BASE)
    bench.call("A", "fork", "F")
    assert shm(bench, shmid).shm_nattch == 1
    bench.call("B", "fork", "G")
    seen = shm(bench, shmid)
    assert (seen.shm_nattch, seen.shm_lprid) == (2, "B")
    bench.call("G", "exit", 0)
    seen = shm(bench, shmid)
    assert (seen.shm_nattch, seen.shm_lprid) == (1, "G")
    bench.call("B", "exec")
    assert shm(bench, shmid).shm_nattch == 0


def test_clone_vm_shares_the_attachment() -> None:
    """copy_mm(): the mappings are the same, not copies."""
    bench = Bench("ABCD")
    shmid = segment(bench)
    bench.call("B", "shmat", shmid, BASE)
    bench.call("B", "fork", "F", 0x100)
    assert shm(bench, shmid).shm_nattch == 1
    bench.call("B", "exit", 0)
    assert shm(bench, shmid).shm_nattch == 1
    bench.call("F", "shmdt", BASE)
    assert shm(bench, shmid).shm_nattch == 0


def test_a_removed_segment_lives_until_its_last_user_leaves() -> None:
    """do_shm_rmid(): SHM_DEST, the key is gone at once; __shm_close() destroys."""
    bench = Bench("ABCD")
    shmid = bench.call("A", "shmget", 7, 4096, IPC_CREAT | 0o600)
    bench.call("A", "shmat", shmid, BASE)
    bench.call("A", "shmctl", shmid, IPC_RMID)
    seen = shm(bench, shmid)
    assert (seen.shm_perm.mode, seen.shm_perm.key) == (0o1600, 0)
    assert bench.call("A", "shmget", 7, 4096, 0) == "ENOENT"
    assert bench.call("B", "shmat", shmid, BASE) == BASE
    bench.call("A", "shmdt", BASE)
    bench.kill("B", 9)
    assert not bench.world.of_kind("shm")
    assert bench.object("ipc_ns", "init").shm_tot == 0


def test_a_piece_may_be_unmapped() -> None:
    """__split_vma() opens, remove_vma() closes; shmdt takes all pieces (ksys_shmdt())."""
    bench = Bench("ABCD")
    shmid = segment(bench, 5 * 4096)
    bench.call("A", "shmat", shmid, BASE)
    assert bench.call("A", "munmap", BASE + 4096, 4096) == 0
    assert mappings(bench, "A") == [(BASE, 4096, 0, "rw-"), (BASE + 8192, 12288, 2, "rw-")]
    assert shm(bench, shmid).shm_nattch == 2
    assert bench.call("A", "mprotect", BASE + 8192, 4096, 1) == 0
    assert shm(bench, shmid).shm_nattch == 3
    assert bench.call("A", "shmdt", BASE + 8192) == "EINVAL"
    assert bench.call("A", "shmdt", BASE) == 0
    assert mappings(bench, "A") == []
    assert bench.call("A", "shmdt", BASE) == "EINVAL"


def test_what_has_lost_its_head_can_still_be_detached() -> None:
    """ksys_shmdt(): any piece that lies where it was attached counts."""
    bench = Bench("ABCD")
    shmid = segment(bench)
    bench.call("A", "shmat", shmid, BASE)
    bench.call("A", "munmap", BASE, 4096)
    assert bench.call("A", "shmdt", BASE) == 0
    assert shm(bench, shmid).shm_nattch == 0


def test_two_segments_side_by_side_are_not_confused() -> None:
    """ksys_shmdt(): only pieces with the same file go."""
    bench = Bench("ABCD")
    first, second = segment(bench, 8192), segment(bench, 8192)
    bench.call("A", "shmat", first, BASE)
    bench.call("A", "munmap", BASE + 4096, 4096)
    bench.call("A", "shmat", second, BASE + 4096)
    assert bench.call("A", "shmdt", BASE) == 0
    assert mappings(bench, "A") == [(BASE + 4096, 8192, 0, "rw-")]


def test_rmid_forced_destroys_what_nobody_uses() -> None:
    """shm_may_destroy(), exit_shm(), shm_destroy_orphaned()."""
    bench = Bench("ABCD")
    kept, used = segment(bench), bench.call("B", "shmget", 0, 4096, 0o666)
    orphan = bench.call("C", "shmget", 0, 4096, 0o666)
    bench.call("C", "exit", 0)
    assert shm(bench, orphan).shm_creator is None
    bench.sysctl("kernel/shm_rmid_forced", "1")
    assert {ref.key for ref in bench.world.of_kind("shm")} == {str(kept), str(used)}
    bench.call("A", "shmat", used, BASE)
    bench.call("B", "exit", 0)
    assert shm(bench, used).shm_creator is None
    bench.call("A", "shmdt", BASE)
    assert {ref.key for ref in bench.world.of_kind("shm")} == {str(kept)}
    bench.call("A", "shmat", kept, BASE)
    bench.call("A", "shmdt", BASE)
    assert not bench.world.of_kind("shm")


def test_a_failed_attach_destroys_as_well_with_rmid_forced() -> None:
    """do_shmat(): out_nattch looks at shm_may_destroy() whatever became of the mapping."""
    bench = Bench("ABCD")
    shmid = segment(bench)
    bench.sysctl("kernel/shm_rmid_forced", "1")
    assert bench.call("A", "shmat", shmid, 0x400000) == "EINVAL"
    assert not bench.world.of_kind("shm")


def test_creators_keep_a_list() -> None:
    """newseg() adds at the head; exit_shm() leaves the segments alone."""
    bench = Bench("ABCD")
    ids = [segment(bench) for _ in range(3)]
    assert [ref.key for ref in bench.object("process", "A").shm_clist] == [str(shmid) for shmid in reversed(ids)]
    bench.call("A", "shmctl", ids[1], IPC_RMID)
    assert len(bench.object("process", "A").shm_clist) == 2


def test_locking() -> None:
    """shmctl_do_lock(), user_shm_lock(): RLIMIT_MEMLOCK binds those without CAP_IPC_LOCK."""
    bench = Bench("ABCD")
    bench.spawn("U", uid=1000, gid=1000)
    bench.spawn("V", uid=2000, gid=2000)
    shmid = bench.call("U", "shmget", 0, 8 << 20, 0o666)
    other = bench.call("U", "shmget", 0, 4096, 0o666)
    assert bench.call("V", "shmctl", shmid, SHM_LOCK) == "EPERM"
    assert bench.call("U", "shmctl", shmid, SHM_LOCK) == 0
    assert (shm(bench, shmid).shm_perm.mode, shm(bench, shmid).mlock_ucounts) == (0o2666, (1000, 2048))
    assert bench.call("U", "shmctl", other, SHM_LOCK) == "ENOMEM"
    assert bench.call("U", "shmctl", shmid, SHM_UNLOCK) == 0
    assert bench.call("U", "shmctl", other, SHM_LOCK) == 0
    assert bench.call("U", "shmctl", other, IPC_RMID) == 0
    assert bench.call("U", "shmctl", shmid, SHM_LOCK) == 0


def test_shm_info_counts_pages() -> None:
    """shmctl_shm_info()."""
    bench = Bench("ABCD")
    shmid = segment(bench)
    bench.call("A", "shmat", shmid, BASE)
    bench.call("A", "store", BASE, b"x")
    bench.call("A", "shmctl", 0, SHM_INFO)
    info = bench.results["A"].out["buf"]
    assert (info["used_ids"], info["shm_tot"], info["shm_rss"]) == (1, 3, 1)


def test_a_segment_keeps_its_namespace_alive() -> None:
    """shm_release(): the attachment holds the namespace (put_ipc_ns())."""
    bench = Bench("ABCD")
    bench.call("A", "unshare", 0x08000000)
    shmid = bench.call("A", "shmget", 0, 4096, 0o600)
    bench.call("A", "shmat", shmid, BASE)
    bench.call("A", "unshare", 0x08000000)
    assert len(bench.world.of_kind("ipc_ns")) == 3
    (seen,) = bench.world.of_kind("shm").values()
    assert (seen.shm_nattch, seen.shm_creator) == (1, None)
    bench.call("A", "shmdt", BASE)
    assert len(bench.world.of_kind("ipc_ns")) == 2
    assert not bench.world.of_kind("shm")


def test_the_kernels_own_mappings_cannot_be_cut() -> None:
    """special_mapping_split(): EINVAL; mmap_region() makes ENOMEM of it. Found by the fuzzer."""
    bench = Bench("ABCD")
    shmid = segment(bench, 8192)
    assert bench.call("A", "shmat", shmid, 0x7FFFF7FF8000, SHM_REMAP) == "ENOMEM"
    assert shm(bench, shmid).shm_nattch == 0
    assert bench.call("A", "munmap", 0x7FFFF7FFA000, 4096) == "EINVAL"
    assert bench.call("A", "mprotect", 0x7FFFF7FF9000, 4096, 0) == "EINVAL"
    large = segment(bench, 7 * 4096)
    assert bench.call("A", "shmat", large, 0x7FFFF7FF8000, SHM_REMAP) == 0x7FFFF7FF8000


def test_a_faulting_store_leaves_what_came_before() -> None:
    """``guest/agent_actor.c: copy_checked()``: words of eight bytes, the one at fault is lost. Found by the fuzzer."""
    bench = Bench("ABCD")
    shmid = segment(bench, 4096)
    bench.call("A", "shmat", shmid, BASE)
    assert bench.call("A", "store", BASE + 4096 - 13, b"x" * 100) == "EFAULT"
    assert shm(bench, shmid).shm_file.pages == {0: b"\0" * 4083 + b"x" * 8}


def test_mremap_moves_grows_and_duplicates() -> None:
    """move_vma(): copy_vma() opens the new mapping before the old one is closed."""
    bench = Bench("ABCD")
    shmid = segment(bench, 8192)
    bench.call("A", "shmat", shmid, BASE)
    assert bench.call("A", "mremap", BASE, 8192, 12288) == BASE
    assert bench.call("A", "load", BASE + 8192, 1) == "EFAULT"
    assert bench.call("A", "mremap", BASE, 0, 4096) == "ENOMEM"
    copy = bench.call("A", "mremap", BASE, 0, 4096, 1)
    assert mappings(bench, "A") == [(BASE, 12288, 0, "rw-"), (copy, 4096, 0, "rw-")]
    assert bench.call("A", "mremap", BASE + 4096, 4096, 4096, 3, 2 * BASE) == 2 * BASE
    assert mappings(bench, "A")[1:3] == [(BASE + 8192, 4096, 2, "rw-"), (2 * BASE, 4096, 1, "rw-")]
    assert shm(bench, shmid).shm_nattch == 4
    assert bench.call("A", "mremap", BASE, 4096, 4096, 2, 2 * BASE) == "EINVAL"
    assert bench.call("A", "mremap", 3 * BASE, 4096, 4096) == "EFAULT"
    assert bench.call("A", "mremap", BASE, 8192, 12288, 1) == "EFAULT"


@pytest.mark.parametrize(
    ("who", "answer"),
    [
        ({"uid": 1000, "gid": 1000}, "EPERM"),
        ({"uid": 1000, "gid": 0}, "ENOMEM"),
        ({"uid": 1000, "gid": 1000, "groups": (0,)}, "ENOMEM"),
        ({}, "ENOMEM"),
    ],
)
def test_huge_pages_are_for_a_group(who: dict[str, Any], answer: str) -> None:
    """can_do_hugetlb_shm(): CAP_IPC_LOCK, or the group vm.hugetlb_shm_group, which is 0."""
    bench = Bench()
    bench.kernel.config = ConfigFacts(huge_pages=(21,))
    bench.spawn("X", **who)
    assert bench.call("X", "shmget", 0, 1 << 21, 0o600 | SHM_HUGETLB) == answer
