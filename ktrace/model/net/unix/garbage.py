"""Sockets that only travel towards each other (``net/unix/garbage.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ktrace.model.fs.file import FilesStruct
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock import Socket
from ktrace.model.net.socket import run
from ktrace.model.net.unix.skb import kfree_skb
from ktrace.model.net.unix.sock import Unix, unix_sk
from ktrace.model.task import Task
from ktrace.state.net.sock import Sock as ObservedSock
from ktrace.state.rule import Rule

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

DELAYED_FPUT = Rule("fs/file_table.c", "delayed_fput", "a jiffy after the collector dropped a file")
FPUT_STEPS = 4
"""Steps after which dropped files are closed for sure."""


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
    # A kernel thread: what it drops last goes to delayed_fput().
    worker = Task(kernel, "kworker", FilesStruct(0), kernel.mm.born(), kernel.fs.born(), exiting=True)
    hitlist: list[SkBuff] = []
    for socket in dead(kernel):
        sk = unix_sk(socket.sk)
        queues = [skb.sk for skb in sk.receive_queue] if sk.state == "TCP_LISTEN" else [sk]
        for queue in queues:
            if isinstance(queue, Unix):
                hitlist.extend(queue.receive_queue)
                queue.receive_queue.clear()
    for skb in hitlist:
        kfree_skb(worker, skb)
    own.delayed_fput.extend((kernel.step_number, work) for work in worker.task_works)


def delayed_fput(kernel: Kernel) -> None:
    """Close what a kernel thread dropped, a jiffy later (``fs/file_table.c``).

    Whether it was before the agent looked shows in the peers. Where nothing shows it was some steps later at the
    latest: each takes more than a jiffy with the way to the host and back, but perhaps not the first one.
    """
    waiting = kernel.net.unix.delayed_fput
    if not waiting:
        return

    def find(seen: Observed) -> bool | None:
        dead = sum("SOCK_DEAD" in sock.sk_flags for sock in seen.socks() if sock.unix is not None)
        return None if seen.blind else dead > _visible_dead(kernel)

    now = kernel.choose(DELAYED_FPUT, find, lambda closed: True, otherwise=None)
    late = kernel.step_number - (0 if now is None else FPUT_STEPS)
    due = [work for step, work in waiting if now or step < late]
    kernel.net.unix.delayed_fput = [] if now else [item for item in waiting if item[0] >= late]
    for work in due:
        run(work())


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
