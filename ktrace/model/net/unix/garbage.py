"""Sockets that only travel towards each other (``net/unix/garbage.c``)."""

from __future__ import annotations

from functools import partial

from ktrace.model.fs.file import FilesStruct, release_file
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.socket import run
from ktrace.model.net.unix.graph import Vertex, is_cyclic
from ktrace.model.net.unix.skb import kfree_skb
from ktrace.model.net.unix.sock import Unix
from ktrace.model.task import Task


def is_dead(scc: list[Vertex]) -> bool:
    """Tell whether nobody can receive what a component is of (``unix_scc_dead()``).

    Every file in it is held by messages alone, and all of those wait within it: which the kernel tells by one number,
    ``scc_index``.
    """
    return all(_is_closed(vertex) and all(_within(vertex, edge.target()) for edge in vertex.edges) for vertex in scc)


def _is_closed(vertex: Vertex) -> bool:
    socket = vertex.sk.socket
    return socket is not None and socket.file is not None and socket.file.count == len(vertex.edges)


def _within(vertex: Vertex, target: Vertex | None) -> bool:
    return target is not None and target.scc_index == vertex.scc_index


def _is_forgotten(scc: list[Vertex]) -> bool:
    """Tell whether a component is dead that its own numbers say is not one."""
    return all(_is_closed(vertex) and all(edge.target() in scc for edge in vertex.edges) for vertex in scc)


def unix_gc(kernel: Kernel) -> None:
    """Free what waits at dead sockets, if a release asked for it (``__unix_gc()``)."""
    own = kernel.net.unix
    if not own.gc_wanted:
        return
    own.gc_wanted = False
    graph = own.graph
    if not graph.maybe_cyclic:
        return
    components = graph.known() if graph.grouped else graph.walk(unique=kernel.changes.unix_scc_unique is not False)
    graph.maybe_cyclic = False
    hitlist: list[SkBuff] = []
    for scc in components:
        if is_dead(scc):
            _collect(scc, hitlist)
            continue
        if _is_forgotten(scc):
            kernel.known_bug("unix-gc-forgets")
        graph.max_scc_index = max(graph.max_scc_index, scc[0].scc_index)
        graph.maybe_cyclic |= is_cyclic(scc)
    for skb in hitlist:
        skb.dead = True
    worker = _kthread(kernel)
    for skb in hitlist:
        kfree_skb(worker, skb)
    _drop(kernel, worker)


def _collect(scc: list[Vertex], hitlist: list[SkBuff]) -> None:
    """Take what waits at each of them (``unix_collect_skb()``)."""
    for vertex in scc:
        sk = vertex.sk
        queues = [skb.sk for skb in sk.receive_queue] if sk.state == "TCP_LISTEN" else [sk]
        for queue in queues:
            if isinstance(queue, Unix):
                hitlist[:0] = queue.receive_queue  # skb_queue_splice_init(): before those of others
                queue.receive_queue.clear()


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
