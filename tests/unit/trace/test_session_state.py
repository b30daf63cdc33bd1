"""What a session knows of one moment: who lives, inside which calls."""

from __future__ import annotations

from ktrace.state.call import Call, Completed, Exited, Outcome, Result
from ktrace.state.process.process import Process
from ktrace.state.ref import Ref, process
from ktrace.state.step import Step
from ktrace.state.world import World
from ktrace.trace.session_state import SessionState

TABLE = Ref("fdtable", "fdtable1")
READ, WRITE = Call("read", (0, 4)), Call("write", (1, b"x", 1))


def world(*names: str) -> World:
    return World({process(name): Process(name, ord(name), TABLE, 0, 0, 0, 0) for name in names})


def step(number: int, actor: str, call: Call, outcome: Outcome, *alive: str, **more: int) -> Step:
    addresses = {Ref("pipe", name): address for name, address in more.items()}
    return Step(
        number=number,
        actor=actor,
        call=call,
        text="",
        answer="",
        outcome=outcome,
        clock=(0, 0),
        world=world(*alive),
        addresses=addresses,
    )


def test_a_blocked_call_is_kept_until_it_returns() -> None:
    state = SessionState(World(), {})
    state.follow(step(1, "B", READ, Outcome((), frozenset("B")), "A", "B", pipe1=16))
    assert (state.number, state.living, state.calls) == (1, {"A": 65, "B": 66}, {"B": READ})
    woken = Outcome((Completed("A", Result(1, None, {})), Completed("B", Result(1, None, {}))))
    state.follow(step(2, "A", WRITE, woken, "A", "B", pipe2=32))
    assert state.calls == {}
    assert state.addresses == {Ref("pipe", "pipe1"): 16, Ref("pipe", "pipe2"): 32}


def test_who_is_gone_keeps_its_name() -> None:
    state = SessionState(World(), {})
    state.follow(step(1, "B", READ, Outcome((), frozenset("B")), "A", "B"))
    state.follow(step(2, "A", Call("kill", (66, 9)), Outcome((Exited("B", None, "SIGKILL"),)), "A"))
    assert (state.living, state.names_by_pid, state.calls) == ({"A": 65}, {65: "A", 66: "B"}, {})
