"""Small sessions, written as a run writes them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from ktrace.state.call import Call, Completed, Outcome, Result, Signalled
from ktrace.state.compare import Difference
from ktrace.state.fs.inode import Inode
from ktrace.state.ipc.msg import MsgMsg, MsgQueue
from ktrace.state.ref import Ref
from ktrace.state.rule import Choice, Rule
from ktrace.state.step import Step
from ktrace.state.trace.probe import Hit
from ktrace.state.trace.tracepoint import EventTrace, TraceEvent
from ktrace.state.world import World
from ktrace.trace.session import FILE_NAME, Choices, End, Header, Verdict
from ktrace.trace.session_writer import NUMBER, SessionWriter
from tests.unit.report.worlds import (
    MSG,
    PIPE,
    buffer,
    msg_world,
    pipe,
    pipe_world,
    process,
    sem_world,
    shm_world,
    socket_world,
    waiting,
)

HOSTILE = (
    '</script><script>window.pwned=1;alert(1)</script><img src=x onerror="window.pwned=2">\'"`${pwned}&amp;\x00\u2028'
)

ANY_PAGE = Rule("mm/swap.c", "lru_cache_add", "batches hold pages")

MANIFEST = {"image": "lab-6.1", "release": "6.1", "accelerator": "tcg"}


def small_session(directory: Path, steps: int = 12) -> Path:
    """Write a session in which B fills a pipe and A empties it, over and over."""
    before = pipe_world(pipe())
    with SessionWriter(directory) as writer:
        writer.header(Header("a small session", {}, MANIFEST, before))
        for number in range(1, steps + 1):
            writer.step(_pipe_step(number))
        writer.end(End("agreed", steps, steps, steps))
    return directory


def lines_of(session: Path) -> list[str]:
    """Return the lines of a session."""
    return (session / FILE_NAME).read_text().splitlines()


def put_lines(session: Path, lines: list[str]) -> None:
    """Write *lines* as the session's, numbered as they stand now."""
    events = [json.loads(line) for line in lines]
    for number, event in enumerate(events[1:], 2):
        event[NUMBER] = number
    (session / FILE_NAME).write_text("".join(json.dumps(event, separators=(",", ":")) + "\n" for event in events))


def _pipe_step(number: int) -> Step:
    turn, data = (number - 1) % 6, f"step {number}".encode()
    if turn < 4:
        bufs = {slot: buffer(data) for slot in range(turn + 1)}
        result = Result(len(data))
        world = pipe_world(pipe(head=turn + 1, bufs=bufs))
        return _step(number, "B", Call("write", (4, data)), f'write(4, "step {number}")', result, world)
    bufs = {slot: buffer(data) for slot in range(4)}
    if turn == 4:
        world = pipe_world(pipe(head=4, bufs=bufs, wr_wait=waiting("B")))
        call = Call("write", (4, b"more"))
        return Step(
            number=number,
            actor="B",
            call=call,
            text='write(4, "more")',
            answer="blocked",
            outcome=Outcome((), frozenset({"B"})),
            clock=(0, 0),
            world=world,
            sleeps={"B": ("pipe_write", "vfs_write")},
            line=0,
            comment="a comment",
        )
    world = pipe_world(pipe(head=4, tail=4))
    return _step(number, "A", Call("read", (3,)), "read(3)", Result(-1, "EAGAIN"), world)


def _step(number: int, actor: str, call: Call, text: str, result: Result, world: World) -> Step:
    answer = f"{result.value} {result.errno}" if result.errno else str(result.value)
    return Step(
        number=number,
        actor=actor,
        call=call,
        text=text,
        answer=answer,
        outcome=Outcome((Completed(actor, result),)),
        clock=(0, 0),
        world=world,
    )


def every_picture(directory: Path) -> Path:
    """Write a session whose one step makes an object of every kind, and diverges."""
    objects = {}
    for world in (
        msg_world(),
        shm_world(),
        socket_world(),
        sem_world(),
        pipe_world(pipe(head=1, bufs={0: buffer(b"x")})),
    ):
        objects.update(world.objects)
    directory.mkdir(exist_ok=True)
    with SessionWriter(directory) as writer:
        writer.header(Header("every picture", {}, MANIFEST, World()))
        writer.step(_step(1, "A", Call("getpid"), "getpid()", Result(2), World(objects)))
        writer.verdict(Verdict(1, (Difference("pipe1.head", 1, 2),), ("fs/pipe.c: pipe_write()",), ("a complaint",)))
        writer.end(End("diverged", 1, 1, 1))
    return directory


def told_session(directory: Path) -> Path:
    """Write a session in whose second step a probe stopped the guest twice and the kernel printed something."""
    stack = ("vfs_write", "ksys_write")
    fields = ({"comm": '"B"', "pid": "29"}, {"$retval": "6"})
    names = ("sched:sched_wakeup", "swapper/0", 10_000), ("pipe_write%return", "B", 10_700)
    events = EventTrace(tuple(TraceEvent(*name, field) for name, field in zip(names, fields, strict=True)), 4)
    hits = tuple(Hit("pipe_write", "B", {"iocb": "0xffff"}, {"task->comm": f'"B{time}"'}, stack) for time in (1, 2))
    with SessionWriter(directory) as writer:
        writer.header(Header("a session that tells more", {}, MANIFEST, pipe_world(pipe())))
        for number in (1, 2, 3):
            step = _pipe_step(number)
            more: dict[str, Any] = (
                {"probes": hits, "console": ("[   1.0] watch out",), "events": events} if number == 2 else {}
            )
            writer.step(replace(step, host=(number * 1_000_000, number * 1_000_000 + 500), clock=(0, 86400), **more))
            if number == 2:
                writer.choices(Choices(2, (Choice(ANY_PAGE, "7", True, "page1.count"), Choice(ANY_PAGE, "9", False))))
        writer.end(End("agreed", 3, 3, 3))
    return directory


def hostile_session(directory: Path) -> Path:
    """Write a session in which every string that a guest can make is an attack on the page."""
    raw = HOSTILE.encode()
    queue = msg_world().objects[MSG]
    assert isinstance(queue, MsgQueue)
    objects = {
        MSG: replace(queue, q_messages=(MsgMsg(1, len(raw), 0, raw),), q_lspid=HOSTILE),
        Ref("inode", "/tmp"): Inode("S_IFDIR", 0, 0, 1, 0, HOSTILE, HOSTILE, None, {HOSTILE: Ref("inode", HOSTILE)}),
        Ref("inode", HOSTILE): Inode("S_IFREG", 0, 0, 1, 0, "tmpfs", "x"),
        **pipe_world(pipe(head=1, bufs={0: buffer(raw, flags=(HOSTILE,), ops=HOSTILE)})).objects,
    }
    objects[process(HOSTILE)] = replace(objects[process("A")], name=HOSTILE)
    directory.mkdir(exist_ok=True)
    events = (Completed("B", Result(1, HOSTILE, {HOSTILE: raw})), Signalled(HOSTILE, HOSTILE, 0, HOSTILE))
    with SessionWriter(directory) as writer:
        writer.header(Header(HOSTILE, {}, {"image": HOSTILE, "release": HOSTILE}, World()))
        step = Step(
            number=1,
            actor=HOSTILE,
            call=Call("write", (3, raw)),
            text=HOSTILE,
            answer=HOSTILE,
            outcome=Outcome(events, frozenset({HOSTILE})),
            clock=(0, 0),
            world=World(objects),
            sleeps={HOSTILE: (HOSTILE,)},
            line=1,
            comment=HOSTILE,
            functions=None,
            probes=(Hit(HOSTILE, HOSTILE, {HOSTILE: HOSTILE}, {HOSTILE: HOSTILE}, (HOSTILE,)),),
            console=(HOSTILE,),
            events=EventTrace((TraceEvent(HOSTILE, HOSTILE, 1, {HOSTILE: HOSTILE}),)),
        )
        writer.step(step)
        rule = Rule(HOSTILE, HOSTILE, HOSTILE)
        writer.choices(Choices(1, (Choice(rule, HOSTILE, True, HOSTILE), Choice(rule, HOSTILE, False))))
        writer.verdict(Verdict(1, (Difference(HOSTILE, HOSTILE, HOSTILE),), (HOSTILE,), (HOSTILE,)))
        writer.end(End("diverged", 1, 1, 1, HOSTILE))
    assert PIPE in objects
    return directory
