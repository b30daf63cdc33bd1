"""Two sessions of one workload, compared."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ktrace.state.call import Call, Completed, Outcome, Result
from ktrace.state.ipc.sem import SemUndo
from ktrace.state.ref import Ref
from ktrace.state.step import Step
from ktrace.state.trace.functions import FunctionTrace, Span
from ktrace.state.world import World
from ktrace.trace.difference import Differing, differences


def spans(text: str) -> tuple[Span, ...]:
    return tuple(Span(len(line) - len(line.lstrip()), line.strip(), 0, 1) for line in text.splitlines())


def step(answer: str = "1", semadj: int = 0, tree: str | None = None, name: str = "read") -> Step:
    world = World({Ref("undo", "undo1"): SemUndo(None, 3, (semadj,))})
    functions = None if tree is None else FunctionTrace({"A": spans(tree)})
    return Step(
        number=1,
        actor="A",
        call=Call(name),
        text=f"{name}()",
        answer=answer,
        outcome=Outcome(()),
        clock=(0, 0),
        world=world,
        functions=functions,
    )


def test_equal_sessions_do_not_differ() -> None:
    assert list(differences([step(tree="a\n b")], [step(tree="a\n b")])) == []


def test_results_structures_and_functions_are_named() -> None:
    one, other = step("1", 0, "a\n b"), step("-1 EAGAIN", 2, "a\n c")
    assert list(differences([one], [other])) == [
        Differing(1, "result", "read()", "1", "-1 EAGAIN"),
        Differing(1, "structure", "undo1.semadj[0]", "0", "2"),
        Differing(1, "functions", "A: a > b", "called", "not called"),
        Differing(1, "functions", "A: a > c", "not called", "called"),
    ]
    assert [item.kind for item in differences([one], [other], functions=False)] == ["result", "structure"]


def test_arguments_and_what_calls_give_back_are_compared() -> None:
    def made(data: bytes, port: int, seconds: int) -> Step:
        out = {"buf": data, "addr": {"sa_family": 2, "sin_port": port}, "left": {"tv_sec": seconds}}
        return replace(
            step("3"), call=Call("read", (len(data),)), outcome=Outcome((Completed("A", Result(3, None, out)),))
        )

    found = list(differences([made(b"abc", 40000, 1)], [made(b"abcd", 50000, 2)], ports=range(32768, 61000)))
    assert found == [
        Differing(1, "call", "read(): arguments[0]", "3", "4"),
        Differing(1, "result", "read(): A.buf", "b'abc'", "b'abcd'"),
    ]
    (other,) = differences([made(b"abc", 5000, 1)], [made(b"abc", 5001, 1)])
    assert (other.kind, other.what) == ("result", "read(): A.addr.sin_port")


def test_after_another_call_nothing_more_is_compared() -> None:
    (found,) = differences([step(name="read"), step("2")], [step(name="write"), step("3")])
    assert (found.kind, found.one, found.other) == ("call", "A: read()", "A: write()")


def test_a_session_that_ends_early_differs() -> None:
    (found,) = differences([step()], [step(), step()])
    assert (found.kind, found.one) == ("call", "absent")


def test_allocator_faults_and_locks_are_not_compared() -> None:
    one = "a\n kmem_cache_alloc\n  get_page_from_freelist\n _raw_spin_lock\n handle_mm_fault\n  x"
    assert list(differences([step(tree=one)], [step(tree="a\n kmem_cache_alloc\n handle_mm_fault")])) == []


def test_what_arrives_is_compared_wherever_it_did() -> None:
    inside = "a\n __local_bh_enable_ip\n  do_softirq\n   net_rx_action\n    tcp_v4_rcv"
    elsewhere = FunctionTrace({"A": spans("a"), "ksoftirqd/0": spans("net_rx_action\n tcp_v4_rcv")})
    thread = replace(step(), functions=elsewhere)
    assert list(differences([step(tree=inside)], [thread])) == []


def test_what_arrives_from_the_backlog_is_compared_with_what_arrives_at_once() -> None:
    late = "a\n release_sock\n  __release_sock\n   tcp_v4_do_rcv\n    tcp_ack"
    at_once = "a\n do_softirq\n  net_rx_action\n   tcp_v4_do_rcv\n    tcp_ack\n release_sock"
    found = list(differences([step(tree=late)], [step(tree=at_once)]))
    assert found == []


@dataclass(frozen=True)
class Bound:
    """As much of a socket as matters here."""

    inet_num: int


def test_a_port_that_the_kernel_chose_may_be_another() -> None:
    def bound(port: int, step_number: int = 1) -> Step:
        return replace(step(), number=step_number, world=World({Ref("sock", "sock1"): Bound(port)}))

    ports = range(32768, 61000)
    assert list(differences([bound(40000), bound(40000, 2)], [bound(50000), bound(50000, 2)], ports=ports)) == []
    changed = list(differences([bound(40000), bound(40000, 2)], [bound(50000), bound(50001, 2)], ports=ports))
    assert [(item.step, item.one, item.other) for item in changed] == [(2, "40000", "50001")]
    assert len(list(differences([bound(5000)], [bound(5001)], ports=ports))) == 1


def test_a_difference_that_stays_is_named_once() -> None:
    one = [step(semadj=1), replace(step(semadj=1), number=2), replace(step(semadj=1), number=3)]
    other = [step(semadj=2), replace(step(semadj=2), number=2), replace(step(semadj=3), number=3)]
    assert [(item.step, item.other) for item in differences(one, other)] == [(1, "2"), (3, "3")]
