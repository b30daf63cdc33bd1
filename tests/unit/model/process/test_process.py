"""The rules of processes: birth, end, signals, credentials."""

from __future__ import annotations

import pytest

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.model.observed import Evidence
from ktrace.state.call import Call, Result
from ktrace.state.process.process import Process
from ktrace.state.ref import Ref
from ktrace.state.world import World
from tests.unit.model.bench import Bench, errno


@pytest.fixture
def bench() -> Bench:
    """Two actors."""
    bench = Bench()
    bench.spawn("A", "B")
    return bench


def test_a_pid_is_the_kernels_choice(bench: Bench) -> None:
    """alloc_pid(): any that is free; what was observed is taken over, unless it cannot be."""
    seen = World({Ref("process", "C"): Process("C", 42, Ref("fdtable", 1), 0, 0, 0, 0)})
    outcome = bench.kernel.step("A", Call("fork", ("C", 0)), Evidence(world=seen))
    assert outcome.events[0].result == Result(42, None, {"actor": "C"})  # type: ignore[union-attr]
    again = World({Ref("process", "D"): Process("D", 42, Ref("fdtable", 1), 0, 0, 0, 0)})
    outcome = bench.kernel.step("A", Call("fork", ("D", 0)), Evidence(world=again))
    assert outcome.events[0].result.value == 0  # type: ignore[union-attr]


def test_signals_run_lowest_number_first(bench: Bench) -> None:
    """next_signal(): in the order of their numbers, however they came."""
    mask = 1 << C["SIGUSR1"] - 1 | 1 << C["SIGHUP"] - 1
    bench.step("B", "rt_sigprocmask", C["SIG_BLOCK"], mask)
    for signal in ("SIGUSR1", "SIGHUP", "SIGUSR1"):
        bench.step("A", "kill", "B", C[signal])
        assert bench.signals == []
    assert bench.step("B", "rt_sigprocmask", C["SIG_UNBLOCK"], mask) == Result(0, None, {"oldset": mask})
    assert bench.signals == [("B", "SIGHUP"), ("B", "SIGUSR1")]


def test_a_fatal_signal_comes_before_handlers(bench: Bench) -> None:
    """complete_signal(): a signal that kills does so at once."""
    bench.step("B", "sigaction", C["SIGTERM"], "DFL")
    bench.step("A", "kill", "B", C["SIGTERM"])
    assert bench.ends == [("B", None, "SIGTERM")] and bench.signals == []


def test_ignored_signals_vanish(bench: Bench) -> None:
    """prepare_signal(): sig_ignored(); one that is blocked is kept."""
    bench.step("B", "sigaction", C["SIGUSR1"], "IGN")
    bench.step("A", "kill", "B", C["SIGUSR1"])
    assert bench.kernel.tasks["B"].shared_pending == [] and bench.signals == []


def test_what_is_sent_to_the_thread_comes_first(bench: Bench) -> None:
    """dequeue_signal(): its own queue, by number, then what is shared; either may hold the same signal."""
    mask = (1 << C["SIGHUP"] - 1) | (1 << C["SIGUSR1"] - 1) | (1 << C["SIGPIPE"] - 1)
    bench.step("B", "rt_sigprocmask", C["SIG_BLOCK"], mask)
    bench.step("A", "kill", "B", C["SIGUSR1"])
    bench.step("A", "kill", "B", C["SIGHUP"])
    for signal in ("SIGUSR1", "SIGPIPE", "SIGPIPE"):
        bench.step("A", "tgkill", "B", "B", C[signal])
    bench.step("B", "rt_sigprocmask", C["SIG_UNBLOCK"], mask)
    assert [signal for _, signal in bench.signals] == ["SIGUSR1", "SIGPIPE", "SIGHUP", "SIGUSR1"]


def test_exec_forgets_handlers_but_not_what_is_ignored(bench: Bench) -> None:
    """flush_signal_handlers(); the agent then records again what is not ignored."""
    bench.step("B", "sigaction", C["SIGUSR1"], "IGN")
    bench.step("B", "sigaction", C["SIGUSR2"], "DFL")
    bench.step("B", "exec")
    task = bench.kernel.tasks["B"]
    assert (task.disposition("SIGUSR1"), task.disposition("SIGUSR2")) == ("ignore", "record")


def test_who_may_kill(bench: Bench) -> None:
    """kill_ok_by_cred(): by real or effective id, or CAP_KILL; -ESRCH comes before -EINVAL."""
    bench.spawn("U", uid=1000)
    assert errno(bench.step("U", "kill", "A", 0)) == "EPERM"
    assert errno(bench.step("U", "kill", "U", 99)) == "EINVAL"
    assert errno(bench.step("U", "kill", 99999, 99)) == "ESRCH"
    assert bench.step("A", "kill", "U", 0) == Result(0)


def test_capabilities_go_with_the_root_id(bench: Bench) -> None:
    """cap_emulate_setxuid(): cleared for good when no id is root's, restored when only euid had left."""
    bench.step("A", "setresuid", -1, 1000, -1)
    cred = bench.kernel.tasks["A"].cred
    assert not cred.capabilities and cred.permitted
    assert bench.step("A", "setresuid", -1, 0, -1) == Result(0)
    assert bench.kernel.tasks["A"].cred.capable("CAP_SYS_ADMIN")
    bench.step("A", "setresuid", 1000, 1000, 1000)
    assert errno(bench.step("A", "setresuid", 0, -1, -1)) == "EPERM"
    assert not bench.kernel.tasks["A"].cred.permitted


def test_limits(bench: Bench) -> None:
    """do_prlimit(): -EINVAL above the hard limit, -EPERM to raise that without CAP_SYS_RESOURCE."""
    bench.spawn("U", uid=1000)
    number = C["RLIMIT_NOFILE"]
    assert errno(bench.step("U", "setrlimit", number, {"rlim_cur": 9, "rlim_max": 8})) == "EINVAL"
    assert errno(bench.step("U", "setrlimit", number, {"rlim_cur": 9, "rlim_max": 5000})) == "EPERM"
    old = {"rlim_cur": 1024, "rlim_max": 4096}
    assert bench.step("U", "prlimit64", 0, number, {"rlim_cur": 0, "rlim_max": 9}) == Result(
        0, None, {"old_limit": old}
    )
    assert errno(bench.step("U", "pipe2", 0)) == "EMFILE"


def test_the_end_closes_the_highest_descriptor_first(bench: Bench) -> None:
    """put_files_struct() puts the last fput off; task_work_run() is last in, first out."""
    bench.step("A", "pipe2", 0)
    bench.step("A", "fork", "C", 0)
    bench.step("B", "exit", 3)
    assert bench.ends == [("B", 3, None)]
    bench.step("C", "close", 1)
    bench.step("C", "read", 0, 1)
    assert bench.blocked == {"C"}
    bench.step("A", "exit", 256)
    assert bench.result("C") == Result(0, None, {"buf": b""}) and bench.ends == [("A", 0, None)]


def test_a_signal_that_exec_itself_causes_finds_no_handler(bench: Bench) -> None:
    """begin_new_exec(): do_close_on_exec() before flush_signal_handlers(), get_signal() after both."""
    bench.step("A", "pipe2", 0)
    bench.step("A", "fcntl", 0, C["F_SETOWN"], "A")
    bench.step("A", "fcntl", 0, C["F_SETFL"], C["FASYNC"])
    bench.step("A", "fcntl", 1, C["F_SETFD"], 1)
    bench.step("A", "exec")
    assert bench.ends == [("A", None, "SIGIO")] and bench.signals == []
