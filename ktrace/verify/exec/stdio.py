"""Standard input and output of a program: pipes of the guest, at whose other ends an actor of ours reads and writes."""

from __future__ import annotations

import os
import select
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ktrace.agent.syscalls import make_call
from ktrace.state.call import Call, Completed
from ktrace.state.fs.file import DescriptorTable, File
from ktrace.state.fs.pipe.pipe import Pipe
from ktrace.state.ref import Ref
from ktrace.state.step import Step
from ktrace.state.world import World

NAME = "stdio"
"""The actor that has the other ends."""
CHUNK = 65536
ENOUGH = 4096
"""Bytes that are fetched at once, where the program could go on without."""

IN, OUT, ERR = 1, 2, 4
"""Its descriptors: where it writes the program's input, and reads its output and its errors."""


@dataclass
class Stdio:
    """Carry what a program reads and says.

    :param source: descriptor of what it reads; ``None``: nothing
    :ivar given: what was read there, and it has not taken
    :ivar said: what came of its output and of its errors since this was asked last
    """

    source: int | None = None
    given: bytes = b""
    said: tuple[list[bytes], list[bytes]] = field(default_factory=lambda: ([], []))
    open: set[int] = field(default_factory=lambda: {IN, OUT, ERR})

    def prelude(
        self, program: str, cwd: str, brought: Iterable[Call] = (), user: tuple[int, int] | None = None
    ) -> Iterator[tuple[str | None, Call]]:
        """Yield the steps that make *program*, an actor whose standard files are pipes.

        :param user: user and group that it becomes
        :param brought: what is to be done before, by who has no descriptor yet
        """
        yield None, make_call("spawn", NAME)
        for call in brought:
            yield NAME, call
        for _ in range(3):
            yield NAME, make_call("pipe2", 0)
        yield NAME, make_call("fork", program)
        yield program, make_call("setsid")
        yield program, make_call("dup2", 3, 1)
        yield program, make_call("dup2", 5, 2)
        yield program, make_call("close_range", 3, (1 << 32) - 1, 0)
        yield program, make_call("chdir", cwd.encode("utf-8", "surrogateescape"))
        if user is not None:
            uid, gid = user
            yield program, make_call("setgroups", ())
            yield program, make_call("setresgid", gid, gid, gid)
            yield program, make_call("setresuid", uid, uid, uid)
        for fd in (0, 3, 5):
            yield NAME, make_call("close", fd)
        yield None, Call("trace", (program,))

    def next(self, world: World, idle: bool) -> Call | None:
        """Return what is to be done now, if anything.

        :param idle: nobody else has anything to do
        """
        for fd in (OUT, ERR):
            if fd in self.open:
                pipe = _pipe(world, fd)
                waits = _length(pipe)
                if waits >= ENOUGH or (idle and waits):
                    return make_call("read", fd, CHUNK)
        if IN in self.open and idle:
            pipe = _pipe(world, IN)
            if pipe is not None and pipe.head == pipe.tail:
                self._fetch()
                if self.given:
                    return make_call("write", IN, self.given)
                if self.source is None:
                    return make_call("close", IN)
        return None

    def _fetch(self) -> None:
        """Read what is there by now; whoever writes it may take his time."""
        if self.given or self.source is None or not select.select([self.source], [], [], 0)[0]:
            return
        self.given = os.read(self.source, CHUNK)
        if not self.given:
            self.source = None

    def rest(self, world: World) -> Call | None:
        """Return what is to be done once nobody is left who could say more."""
        return self.next(world, idle=True) if any(fd in self.open for fd in (OUT, ERR)) else None

    def hear(self, step: Step) -> None:
        """Take what a step of ours brought."""
        for event in step.outcome.events:
            if not isinstance(event, Completed) or event.actor != NAME:
                continue
            name, fd, value = step.call.name, step.call.args[0], event.result.value
            if name == "read" and value > 0:
                self.said[fd == ERR].append(event.result.out["buf"])
            elif name == "write":
                if value < 0:
                    self.given, self.source = b"", None  # nobody reads it any more
                else:
                    self.given = self.given[value:]
            elif name == "close":
                self.open.discard(fd)

    def take(self) -> tuple[bytes, bytes]:
        """Return what was said since this was asked last: output, errors."""
        out, err = (b"".join(parts) for parts in self.said)
        self.said = ([], [])
        return out, err


def _length(pipe: Pipe | None) -> int:
    """Return how many bytes are in *pipe*."""
    return 0 if pipe is None else sum(buffer.len for buffer in pipe.bufs.values() if buffer.page is not None)


def _pipe(world: World, fd: int) -> Pipe | None:
    process = world.objects.get(Ref("process", NAME))
    table = world.objects.get(process.files) if process is not None else None
    if not isinstance(table, DescriptorTable) or fd not in table.fds:
        return None
    place = table.fds[fd].file
    file = world.objects.get(place) if place is not None else None
    pipe = world.objects.get(file.target) if isinstance(file, File) and file.target is not None else None
    return pipe if isinstance(pipe, Pipe) else None
