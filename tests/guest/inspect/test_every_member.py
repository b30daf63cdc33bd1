"""A kernel that lacks any one member, or has something else in its place: it is partly read, or the member is named.

Nothing is ever told of such a kernel that is not so: what was read of it is what the whole kernel has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import drgn
import pytest

from ktrace.errors import KernelLacks
from ktrace.image.image import Image
from ktrace.inspect import layout, members
from ktrace.inspect.build import build_inspector, read_facts
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.members import allow_unread
from ktrace.machine.machine import Machine
from ktrace.model.build import build_model
from ktrace.state.compare import compare
from ktrace.state.naming import Namer
from ktrace.state.world import World
from ktrace.verify.lab import Lab
from ktrace.verify.run import run_script
from ktrace.workload.parser import parse_script
from tests.sinks import Record

SCRIPT = """
A: pipe2([r, w], 0)
A: write(w, "data")
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [x, y])
A: send(x, "abc", 0)
A: socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) -> n
A: socket(AF_INET, SOCK_STREAM, 0) -> l
A: bind(l, inet("127.0.0.1", 5000))
A: listen(l, 5)
A: socket(AF_INET, SOCK_STREAM, 0) -> c
A: connect(c, inet("127.0.0.1", 5000))
A: send(c, "hello", 0)
A: socket(AF_INET6, SOCK_DGRAM, 0) -> u
A: bind(u, inet6("::1", 6000))
A: epoll_create1(0) -> e
A: epoll_ctl(e, EPOLL_CTL_ADD, r, {EPOLLIN, 1})
A: eventfd2(3, 0) -> ev
A: semget(IPC_PRIVATE, 2, 0600) -> s
A: semop(s, [{0, 1, SEM_UNDO}])
A: msgget(IPC_PRIVATE, 0600) -> q
A: msgsnd(q, {1, "message"}, 0)
A: shmget(IPC_PRIVATE, 8192, 0600) -> m
A: shmat(m, NULL, 0) -> at
B: semop(s, [{1, -1, 0}])
A: open("/tmp/f", O_CREAT|O_RDWR, 0600) -> f
A: write(f, "file")
"""

Found = tuple[Any, int, int | None] | None
Member = tuple[str, str]
TOLD_BY = {
    # Without it socket.flags are read as they were numbered once; the model is told so by the same member.
    "struct sock.sk_scm_recv_flags",
    # CONFIG_CHECKPOINT_RESTORE: the model is told so by the same member.
    "struct ipc_ids.next_id",
}
"""Members that say themselves whether a kernel has a change: nothing is unread without them."""


@contextmanager
def finding(prog: drgn.Program, find: Callable[[Any, str], Found]) -> Iterator[None]:
    """Have *find* say where members are; what was compiled otherwise is forgotten, before and after."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(members, "find_member", find)
        patch.setattr(layout, "find_member", find)
        compiled = prog.cache.pop(layout.LAYOUTS)
        try:
            yield
        finally:
            prog.cache[layout.LAYOUTS] = compiled


def asked_for(prog: drgn.Program, look: Callable[[], object]) -> list[Member]:
    """Return every member that *look* asks for: type and path."""
    real, found = members.find_member, set()

    def find(type_: Any, path: str) -> Found:
        member = real(type_, path)
        if member is not None:
            found.add((type_.type_name(), path))
        return member

    with finding(prog, find):
        look()
    return sorted(found)


@contextmanager
def without(prog: drgn.Program, member: Member, array: bool) -> Iterator[None]:
    """Have a kernel lack *member*, or have an *array* in its place."""
    real, (structure, path) = members.find_member, member

    def find(type_: Any, asked: str) -> Found:
        found = real(type_, asked)
        if found is None or asked != path or type_.type_name() != structure:
            return found
        return (prog.array_type(found[0], 2), found[1], None) if array else None

    with finding(prog, find):
        yield


def forget(kernel: LiveKernel) -> None:
    """Forget what was unread of another kernel."""
    allow_unread(kernel.prog).clear()


@pytest.mark.parametrize("array", [False, True], ids=["gone", "array"])
def test_what_is_read_without_it_is_what_there_is(lab: Lab, array: bool) -> None:
    record = Record()
    assert run_script(parse_script(SCRIPT), lab, record, {}).status == "agreed"
    kernel = lab.kernel

    def look() -> World:
        inspector = build_inspector(kernel)
        inspector.tasks, inspector.names_by_pid = lab.inspector.tasks, lab.inspector.names_by_pid
        return inspector.observe()

    whole = Namer().name(look())
    asked = asked_for(kernel.prog, look)
    assert len(asked) > 350
    partly = named = 0
    for member in asked:
        forget(kernel)
        name = ".".join(member)
        try:
            with without(kernel.prog, member, array):
                seen = look()
        except KernelLacks as error:
            named += 1
            # Where it was renamed, the name of before is missed.
            assert member[0] in error.message, name
            continue
        partly += bool(allow_unread(kernel.prog))
        if name not in TOLD_BY or array:
            assert compare(Namer().name(seen), whole) == [], name
    assert partly > 3 * named


@pytest.mark.parametrize("array", [False, True], ids=["gone", "array"])
def test_what_the_model_is_told_without_it(machine: Machine, image: Image, lab: Lab, array: bool) -> None:
    kernel = lab.kernel
    told = 0
    for member in asked_for(kernel.prog, lambda: read_facts(kernel)):
        forget(kernel)
        try:
            with without(kernel.prog, member, array):
                facts = read_facts(kernel)
            build_model(facts)
            told += 1
        except KernelLacks as error:
            assert member[0].removeprefix("struct ") in error.message, member
    assert told > 100
