"""Buffers of AF_UNIX that nobody will read, and the end of a sock with them (``net/unix/af_unix.c``)."""

from __future__ import annotations

from ktrace.include.linux.net import SOCK_WAKE_WAITD
from ktrace.include.net.sock import SHUTDOWN_MASK
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock import sock_orphan, sock_put, sock_wfree
from ktrace.model.net.core.sock_callbacks import error_report, sock_wake_async, state_change
from ktrace.model.net.unix.scm import unix_destruct_scm
from ktrace.model.net.unix.sock import CONNECTED_TYPES, Unix, unix_dgram_peer_wake_disconnect, unix_skb_len
from ktrace.model.task import Task
from ktrace.model.wait import wake_up
from ktrace.uapi.errno import ECONNRESET
from ktrace.uapi.siginfo import POLL_HUP


def kfree_skb(task: Task, skb: SkBuff) -> None:
    """Free a buffer: what travels in it first, then its charge (``unix_wfree()``, ``sock_wfree()``)."""
    unix_destruct_scm(task, skb)
    skb.put_pages()
    if skb.sk is not None:
        sock_wfree(task.kernel, skb)


def unix_release_sock(task: Task, sk: Unix, embryo: bool) -> None:
    """End *sk*, tell its peer, drop what it never read (``unix_release_sock()``).

    :param embryo: it was connected and never accepted
    """
    kernel = task.kernel
    table = kernel.net.unix.table
    table.remove(sk)
    sock_orphan(sk)
    sk.shutdown = SHUTDOWN_MASK
    path, sk.path = sk.path, None
    was_listening = sk.state == "TCP_LISTEN"
    sk.state = "TCP_CLOSE"
    pair, sk.peer = sk.peer, None
    sk.oob_skb = None
    wake_up(kernel, sk.peer_wait, 0)
    if pair is not None:
        if sk.type in CONNECTED_TYPES:
            first = sk.receive_queue[0] if sk.receive_queue else None
            if first is not None and kernel.net.facts.oob and not unix_skb_len(first):
                first = sk.receive_queue[1] if len(sk.receive_queue) > 1 else None
            pair.shutdown = SHUTDOWN_MASK
            if first is not None or embryo:
                pair.err = ECONNRESET
            state_change(kernel, pair)
            sock_wake_async(kernel, pair, SOCK_WAKE_WAITD, POLL_HUP)
        unix_dgram_peer_wake_disconnect(sk, pair)
        sock_put(kernel, pair)
    while sk.receive_queue:
        skb = sk.receive_queue.pop(0)
        if was_listening:
            assert isinstance(skb.sk, Unix)
            unix_release_sock(task, skb.sk, True)
        skb.consumed = len(skb)
        kfree_skb(task, skb)
    if path is not None:
        path.put(kernel)
    sock_put(kernel, sk)
    # unix_gc(), if anything is in flight: a kernel thread looks for garbage once the actors sleep.
    own = kernel.net.unix
    own.gc_wanted |= any(own.inflight.values())


def unix_dgram_disconnected(task: Task, sk: Unix, other: Unix) -> None:
    """Drop what arrived from a peer that is no longer ours (``unix_dgram_disconnected()``)."""
    kernel = task.kernel
    if not sk.receive_queue:
        return
    while sk.receive_queue:
        kfree_skb(task, sk.receive_queue.pop(0))
    wake_up(kernel, sk.peer_wait, 0)
    if not other.flag("SOCK_DEAD") and other.peer is sk:
        other.err = ECONNRESET
        error_report(kernel, other)
