"""SEM_UNDO from both ends: ``ipc/sem.c``."""

from __future__ import annotations

from ktrace.uapi.sched import CLONE_SYSVSEM
from ktrace.uapi.sem import SEM_UNDO, SETALL, SETVAL
from ktrace.uapi.signal import SIGKILL
from tests.unit.model.bench import Bench, op


def test_adjustments_add_up_and_exit_pays() -> None:
    """exit_sem()."""
    bench = Bench("ABCD")
    semid = bench.call("A", "semget", 0, 2, 0o600)
    bench.call("B", "semop", semid, (op(0, 5, SEM_UNDO), op(1, 2)))
    bench.call("B", "semop", semid, (op(0, -2, SEM_UNDO),))
    undo = next(iter(bench.world.of_kind("undo").values()))
    assert (undo.semid, undo.semadj) == (semid, (-3, 0))
    bench.call("B", "exit", 0)
    assert bench.sems(semid) == [0, 2]
    assert bench.object("sem", str(semid)).sems[0].sempid == "B"
    assert not bench.world.of_kind("undo") and not bench.world.of_kind("undo_list")


def test_sigkill_pays_as_well_and_wakes() -> None:
    """do_exit() calls exit_sem() however a process ends; do_smart_update() wakes."""
    bench = Bench("ABCD")
    semid = bench.call("A", "semget", 0, 1, 0o600)
    bench.call("A", "semctl", semid, 0, SETVAL, 1)
    bench.call("B", "semop", semid, (op(0, -1, SEM_UNDO),))
    assert bench.call("C", "semop", semid, (op(0, -1),)) == "blocked"
    bench.kill("B", SIGKILL)
    assert bench.ends == [("B", None, "SIGKILL")] and bench.answers == {"C": 0}


def test_the_result_is_clipped() -> None:
    """exit_sem(): at 0 and at SEMVMX."""
    bench = Bench("ABCD")
    semid = bench.call("A", "semget", 0, 2, 0o600)
    bench.call("B", "semop", semid, (op(0, 5, SEM_UNDO), op(1, 5)))
    bench.call("B", "semop", semid, (op(1, -5, SEM_UNDO),))
    bench.call("A", "semop", semid, (op(0, -4), op(1, 32765)))
    bench.call("B", "exit", 0)
    assert bench.sems(semid) == [0, 32767]


def test_setval_forgets_one_and_setall_forgets_all() -> None:
    """semctl_setval(), semctl_main()."""
    bench = Bench("ABCD")
    semid = bench.call("A", "semget", 0, 2, 0o600)
    bench.call("B", "semop", semid, (op(0, 5, SEM_UNDO), op(1, 6, SEM_UNDO)))
    bench.call("A", "semctl", semid, 0, SETVAL, 1)
    assert next(iter(bench.world.of_kind("undo").values())).semadj == (0, -6)
    bench.call("A", "semctl", semid, 0, SETALL, (1, 1))
    assert next(iter(bench.world.of_kind("undo").values())).semadj == (0, 0)


def test_removal_takes_the_undo_away() -> None:
    """freeary(): the structure is unlinked from both lists; the process keeps its empty list."""
    bench = Bench("ABCD")
    semid = bench.call("A", "semget", 0, 1, 0o600)
    bench.call("B", "semop", semid, (op(0, 5, SEM_UNDO),))
    bench.call("A", "semctl", semid, 0, 0)
    assert not bench.world.of_kind("undo")
    (undo_list,) = bench.world.of_kind("undo_list").values()
    assert (undo_list.refcnt, undo_list.list_proc) == (1, ())
    bench.call("B", "exit", 0)
    assert not bench.world.of_kind("undo_list")


def test_the_latest_used_stands_first() -> None:
    """lookup_undo() moves to the front; a new one starts there (find_alloc_undo())."""
    bench = Bench("ABCD")
    ids = [bench.call("A", "semget", 0, 1, 0o600) for _ in range(3)]
    for semid in (*ids, ids[1]):
        bench.call("B", "semop", semid, (op(0, 1, SEM_UNDO),))
    (undo_list,) = bench.world.of_kind("undo_list").values()
    semids = [bench.world.objects[ref].semid for ref in undo_list.list_proc]
    assert semids == [ids[1], ids[2], ids[0]]
    bench.call("C", "semop", ids[0], (op(0, 1, SEM_UNDO),))
    assert len(bench.object("sem", str(ids[0])).list_id) == 2


def test_a_group_shares_one_list_and_the_last_pays() -> None:
    """copy_semundo(), exit_sem(): refcnt."""
    bench = Bench("ABCD")
    semid = bench.call("A", "semget", 0, 1, 0o600)
    bench.call("A", "fork", "F", CLONE_SYSVSEM)
    bench.call("A", "semop", semid, (op(0, 5, SEM_UNDO),))
    bench.call("F", "semop", semid, (op(0, 1, SEM_UNDO),))
    (undo_list,) = bench.world.of_kind("undo_list").values()
    assert undo_list.refcnt == 2 and len(undo_list.list_proc) == 1
    bench.call("A", "exit", 0)
    assert bench.sems(semid) == [6]
    bench.call("F", "exit", 0)
    assert bench.sems(semid) == [0]


def test_fork_does_not_inherit_and_exec_does_not_pay() -> None:
    """copy_semundo() without CLONE_SYSVSEM; semadj survives execve."""
    bench = Bench("ABCD")
    semid = bench.call("A", "semget", 0, 1, 0o600)
    bench.call("A", "semop", semid, (op(0, 5, SEM_UNDO),))
    bench.call("A", "fork", "F")
    bench.call("F", "exit", 0)
    bench.call("A", "exec")
    assert bench.sems(semid) == [5]
    bench.call("A", "exit", 0)
    assert bench.sems(semid) == [0]


def test_unshare_pays_at_once() -> None:
    """ksys_unshare(): CLONE_SYSVSEM is equivalent to exit_sem()."""
    bench = Bench("ABCD")
    semid = bench.call("A", "semget", 0, 1, 0o600)
    bench.call("B", "semop", semid, (op(0, 5, SEM_UNDO),))
    assert bench.call("B", "unshare", CLONE_SYSVSEM) == 0
    assert bench.sems(semid) == [0]


def test_a_wrong_id_leaves_an_empty_list() -> None:
    """find_alloc_undo(): get_undo_list() comes before the lookup of the array."""
    bench = Bench("ABCD")
    assert bench.call("B", "semop", 5, (op(0, 1, SEM_UNDO),)) == "EINVAL"
    assert len(bench.world.of_kind("undo_list")) == 1


def test_an_undo_that_was_made_for_nothing_stays() -> None:
    """__do_semtimedop(): EFBIG and EACCES come after find_alloc_undo()."""
    bench = Bench("ABCD")
    semid = bench.call("A", "semget", 0, 1, 0o600)
    assert bench.call("B", "semop", semid, (op(3, 1, SEM_UNDO),)) == "EFBIG"
    assert next(iter(bench.world.of_kind("undo").values())).semadj == (0,)
