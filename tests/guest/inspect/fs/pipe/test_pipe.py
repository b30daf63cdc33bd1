"""Pipes in a live guest: second readers, one poked byte after the other, and invariants that trust nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import drgn
import pytest

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.agent.syscalls import make_call
from ktrace.inspect.invariants.fs.pipe.pipe import validate_pipe
from ktrace.state.call import Call, Completed, Result
from ktrace.state.compare import compare
from ktrace.state.fs.file import open_flags
from ktrace.state.fs.inode import mode_name
from ktrace.state.fs.pipe.pipe import Pipe
from ktrace.state.ref import Ref
from ktrace.state.world import World
from ktrace.verify.lab import Lab
from tests.guest.poke import poke


def do(lab: Lab, actor: str | None, name: str, *args: Any) -> Result:
    """Have *actor* make a call and return its result."""
    call = make_call(name, *args)
    performed = lab.perform(actor, call)
    for event in performed.outcome.events:
        if isinstance(event, Completed) and event.actor == actor:
            return event.result
    return Result(0)


def only_pipe(world: World) -> Pipe:
    """Return the World's only pipe."""
    (pipe,) = world.of_kind("pipe").values()
    assert isinstance(pipe, Pipe)
    return pipe


def info(lab: Lab, index: int = 0) -> drgn.Object:
    """Return a ``struct pipe_inode_info``, as drgn sees it."""
    inodes = [ref.key for ref in lab.inspector.observe().objects if ref.kind == "pipe"]
    return drgn.Object(lab.kernel.prog, "struct inode *", value=inodes[index]).i_pipe


@pytest.fixture
def filled(lab: Lab) -> Lab:
    """A lab with one pipe: two buffers, the first half read, one slot used up."""
    do(lab, None, "spawn", "A", {})
    do(lab, "A", "pipe2", 0)
    do(lab, "A", "write", 1, b"x" * 4096)
    do(lab, "A", "write", 1, b"y" * 4096)
    do(lab, "A", "write", 1, b"z" * 100)
    do(lab, "A", "read", 0, 5000)
    return lab


def test_second_readers_agree(filled: Lab) -> None:
    """F_GETPIPE_SZ, FIONREAD and fstat read the same structures by other ways (``pipe_fcntl()``, ``pipe_ioctl()``)."""
    pipe = only_pipe(filled.look())
    assert do(filled, "A", "fcntl", 0, C["F_GETPIPE_SZ"]).value == pipe.max_usage * 4096
    occupied = [pipe.bufs[index % pipe.ring_size] for index in range(pipe.tail, pipe.head)]
    assert do(filled, "A", "ioctl", 0, C["FIONREAD"]).out["arg"] == sum(buf.len for buf in occupied) == 3292
    assert b"".join(buf.data for buf in occupied) == b"y" * 3192 + b"z" * 100
    stat = do(filled, "A", "fstat", 0).out["statbuf"]
    inode = filled.look().objects[pipe.inode]
    assert inode.i_mode == "S_IFIFO|0600" and stat["st_mode"] == 0o10600
    assert (stat["st_uid"], stat["st_nlink"]) == (inode.i_uid, inode.i_nlink)


@pytest.fixture
def varied(filled: Lab) -> Lab:
    """A lab with packets, a FIFO at both ends, files in between, flags of all kinds, and a table that two share."""
    do(filled, "A", "pipe2", C["O_DIRECT"] | C["O_NONBLOCK"])
    do(filled, "A", "write", 3, b"packet")
    do(filled, "A", "mknod", b"/tmp/fifo", 0o10640, 0)
    do(filled, "A", "open", b"/tmp/fifo", C["O_RDWR"] | C["O_NONBLOCK"])
    do(filled, "A", "write", 4, b"f" * 9000)
    do(filled, "A", "open", b"/tmp/file", C["O_RDWR"] | C["O_CREAT"], 0o600)
    do(filled, "A", "write", 5, b"0123456789" * 700)
    do(filled, "A", "splice", 5, 4090, 4, None, 10, 0)
    do(filled, "A", "fcntl", 1, C["F_SETPIPE_SZ"], 20000)
    do(filled, "A", "fcntl", 0, C["F_SETFL"], C["FASYNC"])
    do(filled, "A", "dup3", 4, 70, C["O_CLOEXEC"])
    do(filled, "A", "fork", "B", C["CLONE_FILES"])
    do(filled, "A", "fork", "C", 0)
    do(filled, "C", "close", 0)
    return filled


def test_fdinfo_agrees(varied: Lab) -> None:
    """/proc/PID/fdinfo tells of every descriptor its flags, close-on-exec among them, and the file's offset."""
    world = varied.look()
    seen = 0
    for process in world.of_kind("process").values():
        table = world.objects[process.files]
        for fd, descriptor in table.fds.items():
            text = varied.guest.agent.read_file(f"/proc/{process.pid}/fdinfo/{fd}").decode()
            told = dict(line.split(":\t") for line in text.splitlines())
            file = world.objects[descriptor.file]
            flags = int(told["flags"], 8)
            assert int(told["pos"]) == file.f_pos
            assert bool(flags & C["O_CLOEXEC"]) == descriptor.cloexec
            assert open_flags(flags & ~C["O_CLOEXEC"]) == file.f_flags
            assert {0: "r", 1: "w", 2: "rw"}[flags & 3] == file.f_mode
            seen += 1
    assert seen == 7 + 7 + 6


def test_every_pipe_has_the_same_size_for_all_readers(varied: Lab) -> None:
    """F_GETPIPE_SZ, FIONREAD and fstat, of every pipe through every descriptor of it."""
    world = varied.look()
    pipes = 0
    for fd, descriptor in world.objects[world.of_kind("process")[Ref("process", "A")].files].fds.items():
        pipe = world.objects[world.objects[descriptor.file].target]
        if isinstance(pipe, Pipe):
            assert do(varied, "A", "fcntl", fd, C["F_GETPIPE_SZ"]).value == pipe.max_usage * 4096
            held = [pipe.bufs[index % pipe.ring_size].len for index in range(pipe.tail, pipe.head)]
            assert do(varied, "A", "ioctl", fd, C["FIONREAD"]).out["arg"] == sum(held)
            stat = do(varied, "A", "fstat", fd).out["statbuf"]
            inode = world.objects[pipe.inode]
            assert mode_name(stat["st_mode"]) == inode.i_mode
            assert (stat["st_mtime"], stat["st_size"]) == (inode.i_mtime, inode.i_size)
            pipes += 1
    assert pipes == 6


def test_a_resize_is_seen(filled: Lab) -> None:
    """F_SETPIPE_SZ rounds up and moves what is there to the start (``pipe_resize_ring()``)."""
    assert do(filled, "A", "fcntl", 1, C["F_SETPIPE_SZ"], 100_000).value == 131072
    pipe = only_pipe(filled.look())
    assert (pipe.ring_size, pipe.max_usage, pipe.nr_accounted, pipe.head, pipe.tail) == (32, 32, 32, 2, 0)
    assert do(filled, "A", "fcntl", 1, C["F_SETPIPE_SZ"], 4096) == Result(-1, "EBUSY")


FIELDS: dict[str, Callable[[drgn.Object], drgn.Object]] = {
    "head": lambda pipe: pipe.head,
    "tail": lambda pipe: pipe.tail,
    "max_usage": lambda pipe: pipe.max_usage,
    "nr_accounted": lambda pipe: pipe.nr_accounted,
    "readers": lambda pipe: pipe.readers,
    "writers": lambda pipe: pipe.writers,
    "files": lambda pipe: pipe.files,
    "r_counter": lambda pipe: pipe.r_counter,
    "w_counter": lambda pipe: pipe.w_counter,
    "poll_usage": lambda pipe: pipe.poll_usage,
    "note_loss": lambda pipe: pipe.note_loss,
    "locked": lambda pipe: pipe.mutex.owner.counter,
    "bufs[1].flags[1]": lambda pipe: pipe.bufs[1].flags,
    "bufs[1].private": lambda pipe: pipe.bufs[1].private,
    "bufs[0].offset": lambda pipe: pipe.bufs[0].offset,
    "bufs[1].page_count": lambda pipe: pipe.bufs[1].page._refcount.counter,
}


@pytest.mark.parametrize("field", FIELDS)
def test_a_poked_byte_is_exactly_that_field(filled: Lab, field: str) -> None:
    """Nothing is derived from something else: what changes in memory changes in the World, and alone."""
    before = filled.look()
    poke(filled, FIELDS[field](info(filled)), lambda byte: byte ^ 1)
    assert [item.path for item in compare(filled.look(), before)] == [f"pipe1.{field}"]


ELSEWHERE: dict[str, tuple[Callable[[Lab], drgn.Object], str]] = {
    "s_magic": (lambda lab: lab.kernel.prog["pipe_mnt"].mnt_sb.s_magic, "inode1.i_sb"),
    "file_systems": (lambda lab: lab.kernel.prog["file_systems"], "inode1.i_sb"),
    "pipe_mnt": (lambda lab: lab.kernel.prog["pipe_mnt"].mnt_sb, "inode1.i_sb"),
    "i_mode": (lambda lab: info(lab).fasync_readers.fa_file.f_inode.i_mode, "inode1.i_mode"),
    "f_mode": (lambda lab: info(lab).fasync_readers.fa_file.f_mode, "file1.f_mode"),
    "f_flags": (lambda lab: info(lab).fasync_readers.fa_file.f_flags, "file1.f_flags[1]"),
    "f_count": (lambda lab: info(lab).fasync_readers.fa_file.f_count.counter, "file1.f_count"),
    "f_op": (lambda lab: info(lab).fasync_readers.fa_file.f_op, "file1.f_op"),
    "private_data": (lambda lab: info(lab).fasync_readers.fa_file.private_data, "file1.target"),
    "fa_fd": (lambda lab: info(lab).fasync_readers.fa_fd, "pipe1.fasync_readers[0].fd"),
    "pipe_bufs": (lambda lab: info(lab).user.pipe_bufs.counter, "user 0.pipe_bufs"),
}


@pytest.mark.parametrize("what", ELSEWHERE)
def test_a_poked_byte_elsewhere_is_told(filled: Lab, what: str) -> None:
    """The inode, its file system, the open file, what a user is charged: each is held against the model."""
    do(filled, "A", "fcntl", 0, C["F_SETFL"], C["FASYNC"])
    before = filled.look()
    member, path = ELSEWHERE[what]
    poke(filled, member(filled), lambda byte: byte ^ (0x40 if what == "f_flags" else 0x01))
    assert path in [item.path for item in compare(filled.look(), before)]


def test_payload_byte(filled: Lab) -> None:
    """A byte of the page itself is compared, too."""
    before = filled.look()
    page = info(filled).bufs[2].page
    memory = filled.kernel.memory
    guest: Any = filled.guest.memory
    guest.write((memory.pfn(int(page)) << 12) + 7, b"!")
    assert [item.path for item in compare(filled.look(), before)] == ["pipe1.bufs[2].data"]


def test_a_fifo_that_only_waits_is_found(lab: Lab) -> None:
    """Its opener has no descriptor yet; the directory leads to it (``fifo_open()``, ``wait_for_partner()``)."""
    do(lab, None, "spawn", "A", {})
    do(lab, "A", "mknod", b"/tmp/fifo", 0o10600, 0)
    lab.perform("A", Call("open", (b"/tmp/fifo", 0, 0)))
    pipe = only_pipe(lab.look())
    assert (pipe.readers, pipe.writers, pipe.files) == (1, 0, 1)
    assert [(waiter.process.key, waiter.exclusive) for waiter in pipe.rd_wait if waiter.process] == [("A", False)]


# -- invariants ----------------------------------------------------------------------------------


def test_a_healthy_guest_has_no_violations(filled: Lab) -> None:
    """Whatever pipes went through, they agree with themselves."""
    do(filled, "A", "fork", "B", 0)
    do(filled, "B", "pipe2", C["O_DIRECT"])
    do(filled, "B", "write", 3, b"packet")
    do(filled, "A", "open", b"/tmp/file", C["O_RDWR"] | C["O_CREAT"], 0o600)
    do(filled, "A", "write", 2, b"f" * 5000)
    do(filled, "A", "lseek", 2, 0, 0)
    do(filled, "A", "splice", 2, None, 1, None, 5000, 0)
    do(filled, "A", "tee", 0, 1, 10, C["SPLICE_F_NONBLOCK"])
    assert validate_pipe(filled.kernel) == []


BREAKS: dict[str, tuple[Callable[[drgn.Object], drgn.Object], int, str]] = {
    "head": (lambda pipe: pipe.head, 0x40, "head: is"),
    "ring_size": (lambda pipe: pipe.ring_size, 0x02, "ring_size: is 18"),
    "max_usage": (lambda pipe: pipe.max_usage, 0x40, "max_usage: is"),
    "readers": (lambda pipe: pipe.readers, 0x01, "readers: is 0"),
    "files": (lambda pipe: pipe.files, 0x03, "files: is 1"),
    "mutex": (lambda pipe: pipe.mutex.owner.counter, 0x08, "mutex: is held"),
    "ops": (lambda pipe: pipe.bufs[1].ops, 0x08, "bufs[1].ops"),
    "flags": (lambda pipe: pipe.bufs[1].flags, 0x80, "bufs[1].flags: is 0x90"),
    "len": (lambda pipe: pipe.bufs[2].len, 0x00, ""),
    "page_count": (lambda pipe: pipe.bufs[1].page._refcount.counter, 0x01, "bufs[1].page: has 0 references"),
    "user": (lambda pipe: pipe.user.pipe_bufs.counter, 0x10, "pipe_bufs: is 0"),
    "tail": (lambda pipe: pipe.tail, 0x08, "head: is"),
}


@pytest.mark.parametrize("what", BREAKS)
def test_a_broken_pipe_is_told(filled: Lab, what: str) -> None:
    """One flipped bit of a structure contradicts another one."""
    member, bits, expected = BREAKS[what]
    poke(filled, member(info(filled)), lambda byte: byte ^ bits)
    found = [str(violation) for violation in validate_pipe(filled.kernel)]
    assert any(expected in text for text in found) if expected else found == [], found


def test_a_page_of_the_cache_that_may_be_merged_into(lab: Lab) -> None:
    """CVE-2022-0847: a buffer that shares a file's page must not have PIPE_BUF_FLAG_CAN_MERGE."""
    do(lab, None, "spawn", "A", {})
    do(lab, "A", "pipe2", 0)
    do(lab, "A", "open", b"/tmp/file", C["O_RDWR"] | C["O_CREAT"], 0o600)
    do(lab, "A", "write", 2, b"secret")
    do(lab, "A", "splice", 2, 0, 1, None, 6, 0)
    assert only_pipe(lab.look()).bufs[0].ops == "page_cache_pipe_buf_ops"
    assert validate_pipe(lab.kernel) == []
    poke(lab, info(lab).bufs[0].flags, lambda byte: byte | 0x10)
    assert any("CAN_MERGE" in str(violation) for violation in validate_pipe(lab.kernel))
