"""What a session was about: counted from its records, as they are read."""

from __future__ import annotations

from typing import Any

from ktrace.report.overview import Overview


def record(number: int, actor: str | None, name: str, answer: str, **more: Any) -> dict[str, Any]:
    """Return a step as a session's file has it."""
    blocked = [actor] if answer == "blocked" else []
    outcome = {"events": more.pop("events", []), "blocked": {"items": blocked}}
    call = {"name": name, "args": []}
    host = [number * 1000, number * 1000 + 10]
    return {
        "step": number, "actor": actor, "call": call, "text": f"{name}()", "answer": answer, "outcome": outcome,
        "host": host, **more,
    }  # fmt: skip


def test_what_is_counted() -> None:
    overview = Overview(["inode:1"])
    completed = {"$": "call.Completed", "actor": "A", "result": {}}
    exited = {"$": "call.Exited", "actor": "B", "signal": "SIGKILL", "status": None}
    pipe = "fs/pipe.c: pipe_write()"
    overview.step(record(1, None, "spawn", "0"), ["process:A"], [], ())
    overview.step(record(2, "A", "pipe2", "0", comment="a pipe", events=[completed]), ["pipe:1", "inode:2"], [], ())
    overview.step(record(3, "A", "write", "-1 EAGAIN"), ["pipe:1"], [], (pipe,))
    overview.step(record(4, "A", "read", "blocked", comment="nothing is there"), [], [], ())
    overview.step(record(5, "B", "write", "1", events=[completed]), ["pipe:1"], [], (pipe,))
    overview.step(record(6, None, "kill", "0", events=[exited]), [], ["pipe:1", "inode:2", "process:A"], ())
    overview.choices([["mm/swap.c", "lru_cache_add", "holds pages", [["page1.count", "7", True], ["", "1", True]]]])
    found = overview.as_dict()
    assert found["calls"] == [
        ["write", 2, 1, 20], ["kill", 1, 0, 10], ["pipe2", 1, 0, 10], ["read", 1, 0, 10], ["spawn", 1, 0, 10]
    ]  # fmt: skip
    assert found["actors"] == [["A", 3, 1, 1], ["B", 1, 0, 0]]
    assert found["errors"] == [("EAGAIN", 1)]
    assert dict(found["events"]) == {"woken": 1, "killed by SIGKILL": 1}
    assert found["scenes"] == [(2, "a pipe"), (4, "nothing is there")]
    assert [item[0] for item in found["notable"]] == [3, 4]
    assert found["kinds"] == [["inode", 1, 2, 1], ["pipe", 0, 1, 0], ["process", 0, 1, 0]]
    assert found["rules"] == [(pipe, 2)]
    assert found["choices"] == [("mm/swap.c: lru_cache_add() holds pages", 2)]
