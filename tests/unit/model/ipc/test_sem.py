"""Semaphore operations and their order: ``ipc/sem.c``."""

from __future__ import annotations

from dataclasses import replace

from ktrace.uapi.ipc import IPC_NOWAIT, IPC_RMID
from ktrace.uapi.sem import GETALL, GETNCNT, GETPID, GETVAL, GETZCNT, SEM_UNDO, SETALL, SETVAL
from tests.unit.model.bench import Bench, op


def array(bench: Bench, *values: int) -> int:
    semid = bench.call("A", "semget", 0, len(values), 0o666)
    assert bench.call("A", "semctl", semid, 0, SETALL, values) == 0
    return int(semid)


def semop(bench: Bench, actor: str, semid: int, *ops: dict[str, int]) -> object:
    return bench.call(actor, "semop", semid, ops)


def test_all_or_nothing() -> None:
    """perform_atomic_semop(): two passes, the first only looks."""
    bench = Bench("ABCD")
    semid = array(bench, 5, 0)
    assert semop(bench, "A", semid, op(0, -5), op(1, -1, IPC_NOWAIT)) == "EAGAIN"
    assert bench.sems(semid) == [5, 0]
    assert semop(bench, "A", semid, op(0, -5), op(1, 3)) == 0
    assert bench.sems(semid) == [0, 3]
    assert bench.call("A", "semctl", semid, 0, GETPID) == bench.kernel.tasks["A"].pid


def test_duplicates_see_what_came_before() -> None:
    """perform_atomic_semop_slow(): one by one, taken back on failure."""
    bench = Bench("ABCD")
    semid = array(bench, 0)
    assert semop(bench, "A", semid, op(0, 2), op(0, -2), op(0, 0)) == 0
    assert semop(bench, "A", semid, op(0, 2, SEM_UNDO), op(0, -3, IPC_NOWAIT | SEM_UNDO)) == "EAGAIN"
    assert bench.sems(semid) == [0]
    undo = next(iter(bench.world.of_kind("undo").values()))
    assert undo.semadj == (0,)


def test_numbers_64_apart_count_as_duplicates() -> None:
    """__do_semtimedop(): the detection looks at ``sem_num % BITS_PER_LONG``."""
    bench = Bench("ABCD")
    semid = array(bench, *[0] * 65)
    assert semop(bench, "B", semid, op(0, 1), op(64, -1)) == "blocked"
    assert bench.object("sem", str(semid)).pending_alter[0].dupsop is True
    assert semop(bench, "C", semid, op(0, 1), op(63, -1)) == "blocked"
    assert bench.object("sem", str(semid)).pending_alter[1].dupsop is False


def test_values_and_adjustments_have_a_range() -> None:
    """SEMVMX, SEMAEM: a value to 32767, an adjustment from -32768 to 32767."""
    bench = Bench("ABCD")
    semid = array(bench, 32767)
    assert semop(bench, "A", semid, op(0, 1)) == "ERANGE"
    assert semop(bench, "A", semid, op(0, -32767, SEM_UNDO)) == 0
    assert semop(bench, "A", semid, op(0, 1)) == 0
    assert semop(bench, "A", semid, op(0, -1, SEM_UNDO)) == "ERANGE"
    assert bench.call("A", "semctl", semid, 0, SETVAL, 32768) == "ERANGE"
    assert bench.call("A", "semctl", semid, 0, SETVAL, -1) == "ERANGE"


def test_refusals_in_their_order() -> None:
    """do_semtimedop(), __do_semtimedop()."""
    bench = Bench("ABCD")
    semid = array(bench, 1)
    bench.sysctl("kernel/sem", "32000 1024000000 2 32000")
    assert semop(bench, "A", semid, op(0, 1), op(0, 1), op(0, 1)) == "E2BIG"
    assert semop(bench, "A", semid) == "EINVAL"
    assert semop(bench, "A", -1, op(0, 1)) == "EINVAL"
    assert semop(bench, "A", semid, op(1, 1)) == "EFBIG"
    assert semop(bench, "A", semid + 1, op(1, 1)) == "EINVAL"
    assert bench.call("A", "semtimedop", semid, (op(0, 1),), {"tv_sec": 0, "tv_nsec": 1_000_000_000}) == "EINVAL"
    assert bench.call("A", "semget", 0, 32001, 0) == "EINVAL"
    bench.sysctl("kernel/sem", "32000 3 500 32000")
    assert bench.call("A", "semget", 0, 3, 0) == "ENOSPC"


def test_first_come_first_served_but_who_can_goes() -> None:
    """update_queue(): in the order of arrival, who still cannot go on is passed over."""
    bench = Bench("ABCD")
    semid = array(bench, 0)
    assert semop(bench, "B", semid, op(0, -2)) == "blocked"
    assert semop(bench, "C", semid, op(0, -1)) == "blocked"
    assert semop(bench, "D", semid, op(0, -1)) == "blocked"
    assert bench.call("A", "semctl", semid, 0, GETNCNT) == 3
    assert semop(bench, "A", semid, op(0, 1)) == 0
    assert list(bench.answers) == ["A", "C"]
    semop(bench, "A", semid, op(0, 3))
    assert list(bench.answers) == ["A", "B", "D"]


def test_waiting_for_zero_comes_before_waiting_for_more() -> None:
    """do_smart_update(): do_smart_wakeup_zero() first."""
    bench = Bench("ABCD")
    semid = array(bench, 1, 0)
    assert semop(bench, "B", semid, op(0, -2)) == "blocked"
    assert semop(bench, "C", semid, op(0, 0)) == "blocked"
    assert bench.call("A", "semctl", semid, 0, GETZCNT) == 1
    semop(bench, "A", semid, op(0, -1))
    assert list(bench.answers) == ["A", "C"]


def test_one_who_is_woken_wakes_the_next() -> None:
    """update_queue(): a completed operation's own effects count at once (check_restart())."""
    bench = Bench("ABCD")
    semid = array(bench, 0, 0)
    semop(bench, "B", semid, op(1, -1))
    semop(bench, "C", semid, op(0, -1), op(1, 1))
    semop(bench, "A", semid, op(0, 1))
    assert list(bench.answers) == ["A", "C", "B"]
    assert bench.sems(semid) == [0, 0]


def test_complex_operations_gather_all_sleepers() -> None:
    """merge_queues(): the last semaphore's queue comes to stand first; unmerge_queues() puts all back."""
    bench = Bench("ABCD")
    semid = array(bench, 0, 0)
    semop(bench, "B", semid, op(0, -1))
    semop(bench, "C", semid, op(1, -1))
    assert [len(sem.pending_alter) for sem in bench.object("sem", str(semid)).sems] == [1, 1]
    semop(bench, "D", semid, op(0, -9), op(1, -9))
    seen = bench.object("sem", str(semid))
    assert [queue.pid for queue in seen.pending_alter] == ["C", "B", "D"]
    assert (seen.complex_count, seen.use_global_lock) == (1, 10)
    assert bench.call("A", "semctl", semid, 0, GETNCNT) == 2
    bench.kill("D", 10)
    assert bench.answers == {"D": "EINTR"}
    seen = bench.object("sem", str(semid))
    assert [len(sem.pending_alter) for sem in seen.sems] == [1, 1]
    assert (seen.pending_alter, seen.complex_count) == ((), 0)


def test_the_global_lock_is_left_after_ten_calls() -> None:
    """complexmode_enter(), complexmode_tryleave(): USE_GLOBAL_LOCK_HYSTERESIS."""
    bench = Bench("ABCD")
    semid = bench.call("A", "semget", 0, 1, 0o600)
    assert bench.object("sem", str(semid)).use_global_lock == 9
    for _ in range(9):
        semop(bench, "A", semid, op(0, 1))
    assert bench.object("sem", str(semid)).use_global_lock == 0
    semop(bench, "A", semid, op(0, 1))
    assert bench.object("sem", str(semid)).use_global_lock == 0
    bench.call("A", "semctl", semid, 0, GETVAL)
    assert bench.object("sem", str(semid)).use_global_lock == 9


def test_removal_ends_all_sleep() -> None:
    """freeary(): constant operations of the array first, then each semaphore's."""
    bench = Bench("ABCD")
    semid = array(bench, 1, 0)
    semop(bench, "B", semid, op(1, -1))
    semop(bench, "C", semid, op(0, 0))
    bench.call("A", "semctl", semid, 0, IPC_RMID)
    assert bench.answers == {"A": 0, "C": "EIDRM", "B": "EIDRM"}
    assert bench.call("A", "semctl", semid, 0, GETVAL) == "EINVAL"


def test_a_range_error_while_asleep_is_told() -> None:
    """update_queue(): an error completes the operation as well."""
    bench = Bench("ABCD")
    semid = array(bench, 0, 32767)
    assert semop(bench, "B", semid, op(0, -1), op(1, 1)) == "blocked"
    semop(bench, "A", semid, op(0, 1))
    assert bench.answers == {"A": 0, "B": "ERANGE"}
    assert bench.sems(semid) == [1, 32767]


def test_a_signal_ends_sleep_only_for_who_still_sleeps() -> None:
    """__do_semtimedop(): queue.status decides."""
    bench = Bench("ABCD")
    semid = array(bench, 0)
    assert semop(bench, "B", semid, op(0, -1)) == "blocked"
    bench.kill("B", 10)
    assert bench.answers == {"B": "EINTR"}
    assert bench.object("sem", str(semid)).sems[0].pending_alter == ()


def test_times_are_set_where_the_kernel_sets_them() -> None:
    """set_semotime() notes it in the first operation's semaphore; semctl_setval() sets sem_ctime."""
    bench = Bench("ABCD")
    semid = array(bench, 0, 0)
    bench.call("A", "semop", semid, (op(1, 1),), clock=(500, 501))
    seen = bench.object("sem", str(semid))
    assert seen.sems[0].sem_otime == 0
    assert (seen.sems[1].sem_otime.low, seen.sems[1].sem_otime.high) == (500, 501)
    bench.call("A", "semctl", semid, 0, SETVAL, 3, clock=(600, 600))
    assert bench.object("sem", str(semid)).sem_ctime.low == 600
    bench.call("A", "semctl", semid, 0, 2)
    buf = bench.results["A"].out["buf"]
    assert (buf["sem_otime"].low, buf["sem_ctime"].low, buf["sem_nsems"]) == (500, 600, 2)


def test_what_the_array_gives_back() -> None:
    """semctl_main()."""
    bench = Bench("ABCD")
    semid = array(bench, 3, 4)
    bench.call("A", "semctl", semid, 0, GETALL, 2)
    assert bench.results["A"].out == {"array": (3, 4)}
    assert bench.call("A", "semctl", semid, 2, GETVAL) == "EINVAL"
    assert bench.call("A", "semctl", semid, 0, SETALL, (1, 40000)) == "ERANGE"
    assert bench.call("A", "semctl", semid, 0, 99) == "EINVAL"
    assert bench.call("A", "semctl", -1, 0, GETVAL) == "EINVAL"


def test_the_world_says_on_what_each_sleeps() -> None:
    bench = Bench("ABCD")
    semid = array(bench, 0, 1)
    semop(bench, "B", semid, op(0, 0), op(1, 0, SEM_UNDO))
    queue = bench.object("sem", str(semid)).pending_const[0]
    assert (queue.sleeper.key, queue.pid, queue.status, queue.blocking, queue.nsops) == ("B", "B", -4, 1, 2)
    assert (queue.alter, queue.dupsop) == (False, False)
    assert queue.sops[1].sem_flg == ("SEM_UNDO",)
    assert replace(queue, undo=None) != queue
