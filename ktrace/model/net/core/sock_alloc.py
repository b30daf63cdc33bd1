"""Buffers to send, within what a sock may have in flight (``net/core/sock.c``)."""

from __future__ import annotations

from ktrace.include.net.sock import SEND_SHUTDOWN
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock import Sock, raise_sock_error
from ktrace.model.net.core.sock_callbacks import set_wq_bit
from ktrace.model.net.core.sock_wait import Timeo, prepare_to_wait, sleeper, sock_intr_errno, sock_sndtimeo
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps


def sock_alloc_send_pskb(task: Task, sk: Sock, header_len: int, data_len: int, noblock: int) -> Sleeps[SkBuff]:
    """Make a buffer within the send buffer, or wait for room (``sock_alloc_send_pskb()``).

    :raises Errno: the sock's error, EPIPE, EAGAIN, EINTR, EMSGSIZE
    """
    timeo = sock_sndtimeo(sk, noblock)
    while True:
        raise_sock_error(sk)
        if sk.shutdown & SEND_SHUTDOWN:
            raise Errno("EPIPE")
        if sk.wmem_get() < sk.sndbuf:
            break
        set_wq_bit(sk, "SOCKWQ_ASYNC_NOSPACE")
        assert sk.socket is not None
        sk.socket.flags.add("SOCK_NOSPACE")
        if not timeo:
            raise Errno("EAGAIN")
        if task.signal_pending():
            raise sock_intr_errno(timeo)
        yield from sock_wait_for_wmem(task, sk, timeo)
    alloc = task.kernel.net.alloc
    if -(-data_len // alloc.page_size) > alloc.max_frags:
        raise Errno("EMSGSIZE")
    account = sk.family == "AF_UNIX"  # unix_create1(): sk_allocation is GFP_KERNEL_ACCOUNT
    skb = SkBuff(b"", data_len, alloc.truesize(header_len, data_len, account), sk)
    sk.wmem_alloc += skb.truesize
    return skb


def sock_wait_for_wmem(task: Task, sk: Sock, timeo: Timeo) -> Sleeps[None]:
    """Sleep until there is room to send (``sock_wait_for_wmem()``)."""
    set_wq_bit(sk, "SOCKWQ_ASYNC_NOSPACE", False)
    assert sk.wq is not None and sk.socket is not None
    queue, entry = sk.wq, sleeper(task)
    while timeo and not task.signal_pending():
        sk.socket.flags.add("SOCK_NOSPACE")
        prepare_to_wait(queue, entry)
        if sk.wmem_alloc < sk.sndbuf or sk.shutdown & SEND_SHUTDOWN or sk.err:
            break
        yield from timeo.sleep(task)
    queue.remove(entry)
