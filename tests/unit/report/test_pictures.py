"""What the pictures look like, and that nothing found in a guest keeps them from being drawn."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.text import Text

from ktrace.report.pictures import involved, picture, subject
from ktrace.report.pictures.canvas import CHANGED
from ktrace.report.pictures.msg import fresh_from
from ktrace.state.call import Call, Outcome
from ktrace.state.fs.pipe.pipe import Pipe
from ktrace.state.ipc.msg import MsgMsg, MsgQueue
from ktrace.state.ipc.sem import SemUndoList
from ktrace.state.ref import Ref
from ktrace.state.step import Step
from ktrace.state.world import World
from ktrace.trace.changes import changes
from tests.unit.report.worlds import (
    MSG,
    PIPE,
    SEM,
    SHM,
    SOCKS,
    buffer,
    msg_world,
    pipe,
    pipe_world,
    process,
    sem_world,
    shm_world,
    socket_world,
    waiting,
)  # fmt: skip


def drawn(world: World, ref: Ref, before: World | None = None) -> str:
    """Return a picture as plain text."""
    return "\n".join(row.plain for row in picture(world, ref, before))


def did(world: World, call: Call | None = None, actor: str = "A") -> Step:
    """Return a step that left *world*."""
    return Step(
        number=1,
        actor=actor,
        call=call or Call("getpid"),
        text="",
        answer="",
        outcome=Outcome(()),
        clock=(0, 0),
        world=world,
    )


def changed(rows: list[Text]) -> list[str]:
    """Return the pieces of a picture that stand out."""
    return [row.plain[span.start : span.end] for row in rows for span in row.spans if span.style == CHANGED]


def test_a_ring() -> None:
    ring = pipe(
        head=6,
        tail=4,
        bufs={
            0: buffer(b"one"),
            1: buffer(b"two more", flags=("PACKET",)),
            3: buffer(b"", page=None, ops=None, page_count=None),
        },
        wr_wait=waiting("B"),
    )
    assert (
        drawn(pipe_world(ring), PIPE)
        == """\
pipe1  2 of 4 slots in use, 11 bytes   tail 4  head 6
  writers 1 (B:4)  ──▶  ring  ──▶  readers 1 (A:3)
   tail      head
  ┌────┬────┬────┬────┐
  │   3│   8│    │   ·│
  │M   │P   │    │M   │
  └────┴────┴────┴────┘
  [0] "one"  CAN_MERGE  page1+0  anon_pipe_buf_ops
  [1] "two more"  PACKET  page1+0  anon_pipe_buf_ops
  waiting to write: B (exclusive)"""
    )


def test_a_large_ring_is_drawn_where_something_is() -> None:
    ring = pipe(ring_size=256, max_usage=256, head=100, tail=99, bufs={99: buffer(b"x" * 4096)})
    assert (
        drawn(pipe_world(ring), PIPE)
        == """\
pipe1  1 of 256 slots in use, 4096 bytes   tail 99  head 100
  writers 1 (B:4)  ──▶  ring  ──▶  readers 1 (A:3)
    ⋮ slots 0–95, not in use
                  tail head
  ┌────┬────┬────┬────┬────┬────┬────┬────┬────┬────┬────┬────┬────┬────┬────┬────┐
  │    │    │    │4096│    │    │    │    │    │    │    │    │    │    │    │    │
  │    │    │    │M   │    │    │    │    │    │    │    │    │    │    │    │    │
  └────┴────┴────┴────┴────┴────┴────┴────┴────┴────┴────┴────┴────┴────┴────┴────┘
   96   97   98   99   100  101  102  103  104  105  106  107  108  109  110  111
    ⋮ slots 112–255, not in use
  [99] "xxxxxxxxxxxxxxxxxxxxxxxx"...(4096)  CAN_MERGE  page1+0  anon_pipe_buf_ops"""
    )


def test_a_semaphore_set() -> None:
    assert (
        drawn(sem_world(), SEM)
        == """\
sem 3  2 semaphores  one lock for all   key 0x1234  uid 0  mode 0600
   [0]   [1]
  ┌─────┬─────┐
  │    5│    0│
  │    A│     │
  └─────┴─────┘
  waits on the set to change, first: C  [0]+1; [1]-2 SEM_UNDO ← is 0
  waits on [0] for zero, first: D  [0]=0 ← is 5
  at exit A gives back [0]-2   undo1, undo_list1"""
    )


def test_an_undo_list() -> None:
    world = sem_world()
    undo = Ref("undo_list", "undo_list1")
    shared = World({**world.objects, undo: SemUndoList(2, (Ref("undo", "undo1"),))})
    assert drawn(shared, undo) == (
        "undo_list1  of A   2 share it: the last to leave pays\n    sem 3\n  ┌───────┐\n  │ [0]-2 │\n  └───────┘"
    )
    nothing = World({**world.objects, undo: SemUndoList(1, ())})
    assert drawn(nothing, undo) == "undo_list1  of A   paid at exit\n  owes nothing to anybody"


def test_a_message_queue() -> None:
    assert (
        drawn(msg_world(), MSG)
        == """\
msg 5  2 messages   key 0x1234  uid 0  mode 0600
  ███████░░░░░░░░░░░░░░░░░ 5005 of 16384 bytes   last sent by A, last received by nobody
   next out
  ┌─────────┬───────────────────────┐
  │ type 1  │ type 7                │
  │ 5 bytes │ 5000 bytes +1 seg     │
  │ "hello" │ "xxxxxxxxxx"...(5000) │
  └─────────┴───────────────────────┘
  waits to receive, place 1: B  type 9, at most 100 bytes
  waits to send, place 1: C  12000 bytes"""
    )


def test_a_segment() -> None:
    assert (
        drawn(shm_world(), SHM)
        == """\
shm 7  8192 bytes  goes with its last user   key IPC_PRIVATE  uid 0  mode 0600
   page 0
  ┌──────────┐
  │ "shared" │
  └──────────┘
  2 pages, 1 of them never touched
  attached 2   made by A, last user B
  ▐ A 0x20000000–0x20002000 rw-  pages 0–1
  ▐ B 0x20000000–0x20002000 r--  pages 0–1"""
    )


def test_a_connection() -> None:
    assert (
        drawn(socket_world(), SOCKS[0])
        == """\
  ┌────────────────────────────────────────┐         ┌────────────────────────────────────────┐
  │ sock1  AF_UNIX SOCK_STREAM             │ ────▶   │ sock2  AF_UNIX SOCK_STREAM             │
  │ TCP_ESTABLISHED  SS_CONNECTED          │   ╳──   │ TCP_ESTABLISHED  SS_CONNECTED          │
  │ socket1 A:3                            │         │ socket2 A:4                            │
  │ bound to "\\0name"                      │         │ bound to "\\0name"                      │
  │ shut down: RCV_SHUTDOWN                │         │ shut down: SEND_SHUTDOWN               │
  │ receive queue is empty                 │         │ receive queue: 10 bytes                │
  │                                        │         │  1. "hello"                            │
  │                                        │         │  2. "again"                            │
  └────────────────────────────────────────┘         └────────────────────────────────────────┘"""
    )


def test_a_write_that_was_merged_says_so() -> None:
    before = pipe_world(pipe(head=1, bufs={0: buffer(b"abc")}))
    after = pipe_world(pipe(head=1, bufs={0: buffer(b"abcdef")}))
    rows = picture(after, PIPE, before)
    assert rows[-1].plain.endswith("  +3 merged")
    assert changed(rows) == ["6", "  +3 merged"]
    other = pipe_world(pipe(head=2, tail=1, bufs={1: buffer(b"abcdef")}))
    assert "merged" not in drawn(other, PIPE, before)


def test_another_name_of_a_page_is_no_change() -> None:
    before = pipe_world(pipe(head=1, bufs={0: buffer(b"abc", page=Ref("page", "page2"))}))
    after = pipe_world(pipe(head=1, bufs={0: buffer(b"abc")}))
    assert changed(picture(after, PIPE, before)) == []
    assert list(changes(before, after)) == []


def test_new_messages_are_those_at_the_end() -> None:
    queue = msg_world().objects[MSG]
    assert isinstance(queue, MsgQueue)
    first, second = queue.q_messages
    new = MsgMsg(1, 0, 0, b"")
    assert fresh_from(replace(queue, q_messages=(second, new)), queue) == 1
    assert fresh_from(replace(queue, q_messages=(first, second, first)), queue) == 2
    assert fresh_from(replace(queue, q_messages=(first,)), queue) == 1


def test_each_picture_is_drawn_once() -> None:
    world = socket_world()
    assert {subject(world, ref) for ref in (*SOCKS, Ref("socket", "socket1"), Ref("socket", "socket2"))} == {SOCKS[0]}
    assert list(involved(did(world), World())) == [SOCKS[0]]
    assert list(involved(did(sem_world()), World())) == [SEM]
    assert subject(sem_world(), Ref("undo", "undo1")) == SEM


def test_a_call_names_what_is_drawn() -> None:
    world = pipe_world(pipe())
    assert list(involved(did(world, Call("read", (3, 10)), "A"), world)) == [PIPE]
    assert list(involved(did(world, Call("read", (4, 10)), "A"), world)) == []
    assert list(involved(did(world, Call("splice", (9, None, 4, None, 1, 0)), "B"), world)) == [PIPE]
    assert list(involved(did(sem_world(), Call("semctl", (3, 0, 12))), sem_world())) == [SEM]
    assert list(involved(did(sem_world(), Call("semget", (3, 0, 12))), sem_world())) == []
    closed = World({ref: value for ref, value in world.objects.items() if ref != Ref("file", "file2")})
    assert list(involved(did(closed), world)) == [PIPE]


def test_a_new_attachment_shows_its_segment() -> None:
    world = shm_world()
    apart = replace(world.objects[process("B")], mappings=())
    before = World({**world.objects, process("B"): apart})
    assert list(involved(did(world), before)) == [SHM]
    assert changed(picture(world, SHM, before)) == ["0x20000000–0x20002000"]


_ANY = st.integers(0, 2**64 - 1)


@settings(deadline=None, max_examples=60)
@given(
    head=_ANY, tail=_ANY, ring_size=st.one_of(st.integers(0, 64), _ANY), max_usage=_ANY, readers=_ANY,
    bufs=st.dictionaries(_ANY, st.builds(buffer, st.binary(max_size=8), flags=st.just(("0x80",)))),
)  # fmt: skip
def test_garbage_is_drawn_too(**members: object) -> None:
    ring = pipe(**members)
    assert isinstance(ring, Pipe)
    for before in (None, pipe_world(pipe()), pipe_world(ring)):
        text = drawn(pipe_world(ring), PIPE, before)
        assert len(text) < 1_000_000
        assert all(char.isprintable() for char in text.replace("\n", ""))
