"""Sockets that only travel towards each other (``net/unix/garbage.c``)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ktrace.include.net.sock import RCV_SHUTDOWN
from ktrace.model.fs.epoll import EventPoll
from ktrace.model.fs.file import File, FilesStruct, release_file
from ktrace.model.fs.pipe.pipe import PipeInode
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock import Socket
from ktrace.model.net.inet.tcp.sock import Tcp
from ktrace.model.net.socket import run
from ktrace.model.net.unix.skb import kfree_skb
from ktrace.model.net.unix.sock import Unix, unix_sk
from ktrace.model.process.timer import TICKS
from ktrace.model.task import Task
from ktrace.state.net.sock import Sock as ObservedSock
from ktrace.state.rule import Rule

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

DELAYED_FPUT = Rule("fs/file_table.c", "delayed_fput", "a jiffy after the collector dropped a file")
FPUT_STEPS = 4
"""Steps after which dropped files are closed for sure."""


@dataclass
class Dropped:
    """Hold a file on ``delayed_fput_list``.

    :param step: number of the step in which it was dropped
    :param waited: milliseconds that the agent had waited by then
    """

    step: int
    waited: int
    file: File

    def due(self, kernel: Kernel) -> bool:
        """Tell whether more than a jiffy has passed for sure."""
        return kernel.step_number - self.step > FPUT_STEPS or kernel.processes.waited - self.waited >= TICKS


def in_flight(kernel: Kernel) -> dict[Socket, list[Unix]]:
    """Return every AF_UNIX socket whose file travels, with the socks it travels to (``unix_vertex.edges``).

    What is queued on an embryo counts for its listener (``unix_edge_successor()``).
    """
    found: dict[Socket, list[Unix]] = {}
    for receiver in receivers(kernel):
        for skb in receiver.receive_queue:
            for file in skb.fp:
                if isinstance(file.private, Socket) and isinstance(file.private.sk, Unix):
                    successor = receiver.listener or receiver
                    found.setdefault(file.private, []).append(successor)
    return found


def receivers(kernel: Kernel) -> list[Unix]:
    """Return every sock that may hold a message: those with a socket, and the embryos of listeners."""
    socks = [socket.sk for socket in kernel.net.sockets.values() if isinstance(socket.sk, Unix)]
    embryos = [
        skb.sk for sk in socks if sk.state == "TCP_LISTEN" for skb in sk.receive_queue if isinstance(skb.sk, Unix)
    ]
    return socks + embryos


def dead(kernel: Kernel) -> list[Socket]:
    """Return the sockets that nobody can receive any more (``unix_scc_dead()``).

    The kernel looks at strongly connected components: one is dead if every file in it is held by
    messages alone and all of those wait within it.
    """
    edges = in_flight(kernel)
    candidates = {
        socket
        for socket, successors in edges.items()
        if socket.file is not None and socket.file.count == len(successors)
    }
    found: list[Socket] = []
    for component in components(candidates, edges):
        inside = {socket.sk for socket in component}
        if all(successor in inside for socket in component for successor in edges[socket]):
            found.extend(component)
    return found


def components(candidates: set[Socket], edges: dict[Socket, list[Unix]]) -> list[list[Socket]]:
    """Return the strongly connected components among *candidates*."""
    reach: dict[Socket, set[Socket]] = {}
    for start in candidates:
        seen: set[Socket] = set()
        pending = [start]
        while pending:
            for successor in edges.get(pending.pop(), ()):
                socket = successor.socket
                if socket is not None and socket in edges and socket not in seen:
                    seen.add(socket)
                    pending.append(socket)
        reach[start] = seen
    done: set[Socket] = set()
    result = []
    for start in sorted(candidates, key=lambda socket: socket.key):
        if start not in done and start in reach[start]:
            group = [other for other in reach[start] if start in reach.get(other, ()) or other is start]
            done.update(group)
            if all(other in candidates for other in group):
                result.append(sorted(group, key=lambda socket: socket.key))
    return result


def unix_gc(kernel: Kernel) -> None:
    """Free what waits at dead sockets, if a release asked for it (``__unix_gc()``)."""
    own = kernel.net.unix
    if not own.gc_wanted:
        return
    own.gc_wanted = False
    worker = _kthread(kernel)
    hitlist: list[SkBuff] = []
    for socket in dead(kernel):
        sk = unix_sk(socket.sk)
        queues = [skb.sk for skb in sk.receive_queue] if sk.state == "TCP_LISTEN" else [sk]
        for queue in queues:
            if isinstance(queue, Unix):
                hitlist[:0] = queue.receive_queue  # skb_queue_splice_init(): before those of others
                queue.receive_queue.clear()
    for skb in hitlist:
        kfree_skb(worker, skb)
    _drop(kernel, worker)


def _kthread(kernel: Kernel) -> Task:
    """Return a kernel thread: what it drops last goes to ``delayed_fput()``."""
    return Task(kernel, "kworker", FilesStruct(0), kernel.mm.born(), kernel.fs.born())


def _drop(kernel: Kernel, worker: Task) -> None:
    """Put files whose last reference a kernel thread dropped on the list (``fput()``)."""
    works, worker.task_works = worker.task_works, []
    kernel.net.unix.delayed_fput.extend(
        Dropped(kernel.step_number, kernel.processes.waited, work.args[1])
        for work in works
        if isinstance(work, partial)
    )


def delayed_fput(kernel: Kernel) -> None:
    """Close what a kernel thread dropped, a jiffy later, the last dropped first (``fs/file_table.c``).

    Whether it was before the agent looked shows in what the files led to. Where nothing shows it was some steps later
    at the latest: each takes more than a jiffy with the way to the host and back, but perhaps not the first one.
    What a close drops in turn waits for another jiffy.
    """
    own = kernel.net.unix
    while own.delayed_fput:
        waiting = own.delayed_fput

        def find(seen: Observed, waiting: list[Dropped] = waiting) -> bool | None:
            return None if seen.blind else any(_shows(kernel, seen, dropped.file) for dropped in waiting)

        now = kernel.choose(DELAYED_FPUT, find, lambda closed: True, otherwise=None)
        due = waiting if now or now is None else [dropped for dropped in waiting if dropped.due(kernel)]
        if not due:
            return
        own.delayed_fput = [dropped for dropped in waiting if dropped not in due]
        worker = _kthread(kernel)
        for dropped in reversed(due):
            run(release_file(worker, dropped.file))
        _drop(kernel, worker)


def _shows(kernel: Kernel, seen: Observed, file: File) -> bool:
    """Tell whether *file* was seen to be closed, in what it led to."""
    private = file.private
    if isinstance(private, PipeInode):
        twin = seen.pipe(private)
        return twin is not None and twin.files < private.files
    if isinstance(private, EventPoll):
        return any(_watchers(seen, item.file) < _watching(item.file) for item in private.items)
    sk = private.sk if isinstance(private, Socket) else None
    if isinstance(sk, Unix):
        return sum("SOCK_DEAD" in sock.sk_flags for sock in seen.socks() if sock.unix is not None) > _visible_dead(
            kernel
        )
    peer = sk.peer if isinstance(sk, Tcp) and isinstance(sk.peer, Tcp) else None
    found = seen.sock(peer) if peer is not None and peer.socket is not None else None
    if found is None or peer is None:
        return False
    gone = found.sk_state == "TCP_CLOSE" and peer.state != "TCP_CLOSE"
    return gone or ("RCV_SHUTDOWN" in found.sk_shutdown and not peer.shutdown & RCV_SHUTDOWN)


def _watching(file: File) -> int:
    """Count the epoll sets that wait on a pipe or a socket."""
    private = file.private
    if isinstance(private, PipeInode):
        queues = [private.rd_wait, private.wr_wait]
    else:
        queues = [private.wq] if isinstance(private, Socket) else []
    return sum(entry.kind == "ep_poll_callback" for queue in queues for entry in queue.entries)


def _watchers(seen: Observed, file: File) -> int:
    """Count those that were seen to; as many as the model has where nobody saw."""
    private = file.private
    if isinstance(private, PipeInode):
        pipe = seen.pipe(private)
        waiters = (*pipe.rd_wait, *pipe.wr_wait) if pipe is not None else None
    else:
        socket = seen.socket(private) if isinstance(private, Socket) else None
        waiters = socket.wait if socket is not None else None
    return _watching(file) if waiters is None else sum(waiter.func == "ep_poll_callback" for waiter in waiters)


def waits_for_fput(kernel: Kernel) -> bool:
    """Tell whether the collector has dropped files that are still to be closed, or may have to."""
    return has_dropped(kernel) or bool(in_flight(kernel))


def has_dropped(kernel: Kernel) -> bool:
    """Tell whether there are files that the collector has dropped and that are still to be closed."""
    return bool(kernel.net.unix.delayed_fput)


def _visible_dead(kernel: Kernel) -> int:
    """Count the dead AF_UNIX socks that the model shows."""
    objects: dict[Any, Any] = {}
    kernel.net.observe(kernel, objects)
    socks = (value for value in objects.values() if isinstance(value, ObservedSock))
    return sum("SOCK_DEAD" in sock.sk_flags for sock in socks if sock.unix is not None)
