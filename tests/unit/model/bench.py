"""A model's kernel to call into, without a guest."""

from __future__ import annotations

from typing import Any

from ktrace.agent.syscalls import make_call
from ktrace.model.build import build_model
from ktrace.model.fs.pipe.pipe import PipeInode
from ktrace.model.observed import Evidence
from ktrace.state.call import Completed, Exited, Outcome, Result, Signalled
from ktrace.state.changes import Changes
from ktrace.state.fs.inode import TreeFacts
from ktrace.state.fs.pipe.pipe import PipeFacts
from ktrace.state.ipc.namespace import IpcFacts
from ktrace.state.net.facts import SocketFacts
from ktrace.state.net.sock import Sock
from ktrace.state.ref import Ref
from ktrace.state.world import World
from ktrace.uapi.socket import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    SOCK_STREAM,
)
from tests.unit.model.facts import IPC, NET

CLOCK = 100, 101
"""Seconds of the guest's clock around a step, where a test says nothing of it."""


def unix(path: bytes) -> dict[str, Any]:
    """Return an AF_UNIX address."""
    return {"sa_family": AF_UNIX, "sun_path": path}


def inet(port: int, address: str = "127.0.0.1") -> dict[str, Any]:
    """Return an AF_INET address."""
    return {"sa_family": AF_INET, "sin_port": port, "sin_addr": address}


def inet6(port: int, address: str = "::1", **members: int) -> dict[str, Any]:
    """Return an AF_INET6 address."""
    members = {"sin6_flowinfo": 0, "sin6_scope_id": 0, **members}
    return {"sa_family": AF_INET6, "sin6_port": port, "sin6_addr": address, **members}


def op(sem_num: int, sem_op: int, sem_flg: int = 0) -> dict[str, int]:
    """Return one ``struct sembuf``."""
    return {"sem_num": sem_num, "sem_op": sem_op, "sem_flg": sem_flg}


class Bench:
    """Make calls and look at what came of them.

    :param actors: a letter for each of root's actors that there are at the start; U is a user without rights
    :param pipe: facts about pipes; *ipc* and *net* likewise
    :param changes: what the kernel has of the known changes
    """

    def __init__(
        self,
        actors: str = "",
        *,
        pipe: PipeFacts | None = None,
        tree: TreeFacts | None = None,
        ipc: IpcFacts = IPC,
        net: SocketFacts = NET,
        changes: Changes | None = None,
    ) -> None:
        facts = {
            "pipe": pipe or PipeFacts(),
            "tree": tree or TreeFacts(),
            "sysv": ipc,
            "socket": net,
            "changes": changes or Changes(),
        }
        self.kernel = build_model(facts)
        self.outcome = Outcome(())
        for name in actors:
            self.spawn(name, **({"uid": 1000, "gid": 1000} if name == "U" else {}))

    def act(self, actor: str | None, name: str, *args: Any, clock: tuple[int, int] = CLOCK, **named: Any) -> Outcome:
        """Do one step."""
        self.outcome = self.kernel.act(actor, make_call(name, *args, **named), Evidence(clock=clock))
        return self.outcome

    def step(self, actor: str | None, name: str, *args: Any, **named: Any) -> Result | None:
        """Do one step; the actor's result, ``None`` where it is blocked or gone."""
        self.act(actor, name, *args, **named)
        return self.result(actor)

    def call(self, actor: str, name: str, *args: Any, evidence: Evidence | None = None, **named: Any) -> Any:
        """Do a call; its value, its errno's name, ``"blocked"``, or ``None`` where the actor is gone."""
        if evidence is not None:
            self.outcome = self.kernel.act(actor, make_call(name, *args, **named), evidence)
        else:
            self.act(actor, name, *args, **named)
        if actor in self.outcome.blocked:
            return "blocked"
        return self.answers.get(actor)

    def spawn(self, *names: str, **credentials: Any) -> None:
        """Bring up actors."""
        for name in names:
            self.act(None, "spawn", name, credentials)

    def kill(self, name: str, signal: int) -> None:
        """Send a signal from outside."""
        self.act(None, "kill", name, signal)

    def sysctl(self, path: str, value: str) -> None:
        """Set a limit from outside."""
        self.act(None, "sysctl", path, value)

    # -- what the last step brought --------------------------------------------------------------

    def result(self, actor: str | None) -> Result | None:
        """Return the result that the last step had for *actor*."""
        return None if actor is None else self.results.get(actor)

    @property
    def results(self) -> dict[str, Result]:
        """The results by actor, in the order in which they came."""
        return {event.actor: event.result for event in self.outcome.events if isinstance(event, Completed)}

    @property
    def answers(self) -> dict[str, Any]:
        """Values and errnos by actor, in the order in which they came."""
        return {actor: result.value if result.errno is None else result.errno for actor, result in self.results.items()}

    def out(self, actor: str, name: str) -> Any:
        """Return an out value of an actor's call that the last step completed."""
        return self.results[actor].out[name]

    @property
    def blocked(self) -> set[str]:
        """Who is inside a call."""
        return set(self.outcome.blocked)

    @property
    def completed(self) -> list[str]:
        """Whose calls returned, in their order."""
        return list(self.results)

    @property
    def signals(self) -> list[tuple[str, str]]:
        """Whose handlers ran, and for what."""
        return [(event.actor, event.signal) for event in self.outcome.events if isinstance(event, Signalled)]

    @property
    def ends(self) -> list[tuple[str, int | None, str | None]]:
        """Who ended, with exit status or signal."""
        return [(event.actor, event.status, event.signal) for event in self.outcome.events if isinstance(event, Exited)]

    # -- what there is ---------------------------------------------------------------------------

    @property
    def world(self) -> World:
        """The World as it is now, with raw references."""
        return self.kernel.world()

    def object(self, kind: str, key: str | int) -> Any:
        """Return one object of the World."""
        return self.world.objects[Ref(kind, key)]

    def sems(self, semid: int) -> list[int]:
        """Return the values of an array."""
        return [sem.semval for sem in self.object("sem", str(semid)).sems]

    def pipe(self, actor: str, fd: int) -> PipeInode:
        """Return the model's pipe behind a descriptor."""
        found: PipeInode = self.kernel.tasks[actor].files.get(fd).private
        return found

    def pair(self, actor: str = "A", type_: int = SOCK_STREAM) -> tuple[int, int]:
        """Make a pair of AF_UNIX sockets."""
        assert self.call(actor, "socketpair", AF_UNIX, type_, 0) == 0
        first, second = self.out(actor, "sv")
        return int(first), int(second)

    def sock(self, actor: str, fd: int) -> Sock:
        """Return the World's view of the sock behind a descriptor."""
        value = self.world.objects[self.kernel.tasks[actor].files.get(fd).private.sk.ref]
        assert isinstance(value, Sock)
        return value


def errno(result: Result | None) -> str | None:
    """Return how a call failed."""
    assert result is not None
    return result.errno
