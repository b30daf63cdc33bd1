"""Sockets that only travel towards each other (``net/unix/garbage.c``)."""

from __future__ import annotations

from functools import partial

from ktrace.model.fs.file import FilesStruct, release_file
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock import Socket
from ktrace.model.net.socket import run
from ktrace.model.net.unix.skb import kfree_skb
from ktrace.model.net.unix.sock import Unix, unix_sk
from ktrace.model.task import Task


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
    """Put files whose last reference a kernel thread dropped on ``delayed_fput_list`` (``fput()``)."""
    works, worker.task_works = worker.task_works, []
    kernel.net.unix.delayed_fput.extend(work.args[1] for work in works if isinstance(work, partial))


def delayed_fput(kernel: Kernel) -> None:
    """Close what a kernel thread dropped, a jiffy later, the last dropped first (``fs/file_table.c``).

    A step is not over before that is done (``inspect.fs.delayed_fput``). Whoever a close wakes runs at once, before the
    kernel thread goes on; what a close drops in turn waits for another jiffy, and the collector comes before it.
    """
    own = kernel.net.unix
    if not own.closing:
        own.closing, own.delayed_fput = own.delayed_fput, []
    if not own.closing:
        return
    worker = _kthread(kernel)
    while own.closing and not kernel.has_woken:
        run(release_file(worker, own.closing.pop()))
        _drop(kernel, worker)


def is_busy(kernel: Kernel) -> bool:
    """Tell whether the collector or ``delayed_fput()`` have something left to do."""
    own = kernel.net.unix
    return own.gc_wanted or bool(own.closing or own.delayed_fput)
