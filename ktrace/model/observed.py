"""What was observed of a step, found for rules that leave the kernel a choice; nothing else of the model reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from ktrace.include.linux.time64 import NSEC_PER_SEC
from ktrace.state.call import Result, Signalled
from ktrace.state.fs.epoll import Epoll
from ktrace.state.fs.file import DescriptorTable, File
from ktrace.state.fs.pipe.pipe import Pipe
from ktrace.state.net.inet import TcpSock
from ktrace.state.net.sock import Sock
from ktrace.state.net.socket import Socket
from ktrace.state.process.process import Process
from ktrace.state.ref import Ref
from ktrace.state.unread import Unread
from ktrace.state.world import World

if TYPE_CHECKING:
    from ktrace.model.fs.epoll import EventPoll
    from ktrace.model.fs.pipe.pipe import PipeInode
    from ktrace.model.kernel import Kernel
    from ktrace.model.net.core.sock import Sock as ModelSock
    from ktrace.model.net.core.sock import Socket as ModelSocket
    from ktrace.model.net.inet.tcp.sock import Tcp
    from ktrace.model.task import Task


@dataclass(frozen=True)
class Evidence:
    """Say what was observed of a step, for the places where the kernel may choose.

    :param results: completed calls of the step by actor, in the order in which they returned
    :param world: the observed World, raw or named
    :param clock: seconds of the guest's CLOCK_REALTIME just before and just after the step
    :param alarms: how often an actor heard of its timer's end before the step's actor returned, and in the whole step
    :param left_since_report: actors that are reported inside a call that they had left when somebody looked
    :param stopped_behind: the same of tasks of a program that is traced
    :param signals: what each actor met, in order
    :param times: ns of its CLOCK_REALTIME_COARSE likewise, zeros where they are not known
    """

    results: Mapping[str, Result] = field(default_factory=dict)
    world: World = field(default_factory=World)
    clock: tuple[int, int] = (0, 0)
    left_since_report: frozenset[str] = frozenset()
    alarms: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    times: tuple[int, int] = (0, 0)
    stopped_behind: frozenset[str] = frozenset()
    signals: Mapping[str, tuple[Signalled, ...]] = field(default_factory=dict)

    @property
    def moment(self) -> tuple[int, int]:
        """Return the *times*, the earlier one first: a step may set the clock back."""
        if any(self.times):
            return min(self.times), max(self.times)
        return min(self.clock) * NSEC_PER_SEC, (max(self.clock) + 1) * NSEC_PER_SEC - 1


class Observed:
    """Find what the kernel has in the place of an object of the model.

    :meth:`Kernel.choose` hands it to the rule that asks; there is no other way to it.
    """

    def __init__(self, evidence: Evidence, actor: str | None = None) -> None:
        self._results = evidence.results
        self._left_since_report = evidence.left_since_report
        self._alarms = evidence.alarms
        self._signals = evidence.signals
        self._objects = evidence.world.objects
        self._actor = actor
        self._by_type: dict[type, list[Any]] = {}
        self._connections: dict[tuple[int, int], list[Sock]] | None = None

    @property
    def blind(self) -> bool:
        """Tell whether nobody looked at the kernel's memory."""
        return not self._objects

    def unread(self) -> Unread | None:
        """Return something that could not be read of this kernel, ``None`` where nothing is missing."""
        for value in self._objects.values():
            members = (
                [value, *(getattr(value, item.name) for item in fields(value))] if is_dataclass(value) else [value]
            )
            for member in members:
                if isinstance(member, Unread):
                    return member
        return None

    # -- calls -----------------------------------------------------------------------------------

    @property
    def results(self) -> Mapping[str, Result]:
        """What calls returned in this step, by actor, in their order."""
        return self._results

    @property
    def happened(self) -> bool:
        """Tell whether a call returned in this step, or a timer's signal came."""
        return bool(self._results) or bool(self._alarms)

    def result(self, task: Task) -> Result | None:
        """Return what the call of *task* returned, ``None`` where it did not."""
        return self._results.get(task.name)

    def errno(self, task: Task) -> str | None:
        """Return with which error the call of *task* failed; ``None`` where it did not, or has not returned."""
        result = self._results.get(task.name)
        return result.errno if result is not None else None

    def out(self, task: Task, name: str) -> Any:
        """Return an out value of the call of *task*."""
        result = self._results.get(task.name)
        return result.out.get(name) if result is not None else None

    def returned(self, task: Task) -> bool:
        """Tell whether the call of *task* was reported to have returned."""
        return task.name in self._results

    def left_since_report(self, task: Task) -> bool:
        """Tell whether *task* was reported inside a call and had left it when somebody looked."""
        return task.name in self._left_since_report

    def alarms(self, task: Task, early: bool) -> int:
        """Return how often SIGALRM of its timer came to *task*: before the step's actor returned, or at all."""
        return self._alarms.get(task.name, (0, 0))[not early]

    def signal(self, task: Task, number: int) -> Signalled | None:
        """Return the signal that *task* met as its *number*-th in this step, from 0 on."""
        return next(iter(self._signals.get(task.name, ())[number:]), None)

    def returned_first(self) -> tuple[str, ...]:
        """Return the actors that returned before the actor of the step did; none where that one did not return.

        Where it ended, all may have been before that.
        """
        order = tuple(self._results)
        if self._actor is not None and self._actor not in order and self.process(self._actor) is None:
            return order
        return order[: order.index(self._actor)] if self._actor in order else ()

    # -- objects ---------------------------------------------------------------------------------

    def process(self, name: str) -> Process | None:
        """Return an actor's process."""
        found = self._objects.get(Ref("process", name))
        return found if isinstance(found, Process) else None

    def opened(self, task: Task, fd: int) -> Any:
        """Return what a descriptor leads to: a pipe, a socket, an inode."""
        return self._at(self.target(task, fd))

    def target(self, task: Task, fd: int) -> Ref | None:
        """Return the reference of what a descriptor leads to."""
        process = self.process(task.name)
        table = self._at(process.files) if process is not None else None
        slot = table.fds.get(fd) if isinstance(table, DescriptorTable) else None
        file = self._at(slot.file) if slot is not None else None
        return file.target if isinstance(file, File) else None

    def pipe(self, pipe: PipeInode) -> Pipe | None:
        """Return the kernel's own *pipe*, which some actor has open."""
        for task in pipe.kernel.tasks.values():
            for fd, slot in task.files.slots.items():
                if slot.file.private is pipe and isinstance(found := self.opened(task, fd), Pipe):
                    return found
        return None

    def ready(self, ep: EventPoll, kernel: Kernel) -> tuple[int, ...]:
        """Return the descriptors that are on the ready list of the kernel's own *ep*, which some actor has open."""
        for task in kernel.tasks.values():
            for fd, slot in task.files.slots.items():
                if slot.file.private is ep and isinstance(found := self.opened(task, fd), Epoll):
                    return found.ready
        return ()

    def ipc(self, kind: str, number: int) -> list[Any]:
        """Return the System V objects of a *kind*, in whichever namespace, that have an identifier."""
        found = [value for ref, value in self._objects.items() if ref.kind == kind]
        return [value for value in found if _perm(value).id == number]

    # -- sockets ---------------------------------------------------------------------------------

    def socks(self) -> list[Sock]:
        """Return every sock."""
        return self._of(Sock)

    def sock(self, sk: ModelSock) -> Sock | None:
        """Return *sk*, found by the number of its socket's inode, where that is known."""
        socket = self.socket(sk.socket) if sk.socket is not None else None
        found = self._at(socket.sk) if socket is not None else None
        return found if isinstance(found, Sock) else None

    def socket(self, socket: ModelSocket) -> Socket | None:
        """Return *socket*, found by the number of its inode, where that is known."""
        number = socket.inode.numbers.get("st_ino")
        return next((found for found in self._of(Socket) if number and found.i_ino == number), None)

    def connection(self, sk: Tcp) -> Sock | None:
        """Return the end *sk* of a connection, found by its ports."""
        if self._connections is None:
            self._connections = {}
            for value in self.socks():
                if value.tcp is not None and value.inet is not None:
                    ports = value.inet.inet_sport, value.inet.inet_dport
                    self._connections.setdefault(ports, []).append(value)
        for value in self._connections.get((sk.sport, sk.dport), ()):
            assert value.inet is not None
            if (
                value.inet.inet_daddr == sk.daddr
                and (value.ipv6 is None or value.ipv6.v6_daddr == sk.v6_daddr)
                and value.sk_state not in ("TCP_CLOSE", "TCP_LISTEN")
            ):
                return value
        return None

    def tcp(self, sk: Tcp) -> TcpSock | None:
        """Return the ``struct tcp_sock`` of :meth:`connection`."""
        found = self.connection(sk)
        return found.tcp if found is not None else None

    def listener(self, port: int) -> TcpSock | None:
        """Return the listener at *port*."""
        for value in self.socks():
            known = value.tcp is not None and value.inet is not None and value.sk_state == "TCP_LISTEN"
            if known and value.inet is not None and value.inet.inet_num == port:
                return value.tcp
        return None

    def accepted(self) -> list[int]:
        """Return the peers' ports of what accept() returned in this step, then of what waits for it, oldest first."""
        found: list[int] = []
        for result in self._results.values():
            address = result.out.get("addr")
            if isinstance(address, Mapping):
                found += [address[name] for name in ("sin_port", "sin6_port") if name in address]
        for value in self.socks():
            if value.tcp is not None:
                children = map(self._at, value.tcp.accept_queue)
                found += [child.inet.inet_dport for child in children if isinstance(child, Sock) and child.inet]
        return found

    def packets(self) -> Iterator[bytes]:
        """Yield the bytes that lie in queues of the internet's sockets and that calls returned, oldest first."""
        for value in self.socks():
            if value.inet is not None:
                yield from (skb.data for skb in value.sk_receive_queue)
        for result in self._results.values():
            yield from _buffers(result.out)

    def _at(self, ref: Ref | None) -> Any:
        return None if ref is None else self._objects.get(ref)

    def _of(self, cls: type[Any]) -> list[Any]:
        found = self._by_type.get(cls)
        if found is None:
            found = self._by_type[cls] = [value for value in self._objects.values() if isinstance(value, cls)]
        return found


def _perm(value: Any) -> Any:
    return next(getattr(value, name) for name in ("sem_perm", "q_perm", "shm_perm") if hasattr(value, name))


def _buffers(out: Mapping[str, Any]) -> Iterator[bytes]:
    if isinstance(out.get("buf"), bytes):
        yield out["buf"]
    for message in out.get("msgvec", ()) if isinstance(out.get("msgvec"), tuple) else ():
        yield from _buffers(message)
