"""MSG_ZEROCOPY (``net/core/skbuff.c``): the notification that the pages of a send are free again.

On the loopback every packet is copied before it is received (``skb_orphan_frags_rx()``): the notification says so, and
is there when the call returns.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ktrace.include.asm.page_types import PAGE_SHIFT, PAGE_SIZE
from ktrace.include.linux.skbuff import MAX_SKB_FRAGS
from ktrace.model.mm.address_space import page_align
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock_callbacks import error_report
from ktrace.model.net.inet.ip_append import Room, make_skb
from ktrace.model.net.inet.ip_error import ExtendedError
from ktrace.model.process.user_namespace import memlock_limit
from ktrace.model.task import Errno, Task
from ktrace.state.rule import Rule
from ktrace.uapi.errqueue import SO_EE_CODE_ZEROCOPY_COPIED, SO_EE_ORIGIN_ZEROCOPY

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.model.net.inet.sock import Inet
    from ktrace.model.observed import Observed

SG_FROM_ITER = Rule("net/core/datagram.c", "__zerocopy_sg_from_iter", "where in its pages the sender's buffer lies")


def msg_zerocopy_alloc(task: Task, size: int) -> None:
    """Account the pages of *size* bytes as pinned (``mm_account_pinned_pages()``).

    :raises Errno: ENOBUFS
    """
    if not task.cred.capable("CAP_IPC_LOCK") and (size >> PAGE_SHIFT) + 2 > memlock_limit(task) >> PAGE_SHIFT:
        raise Errno("ENOBUFS")


def msg_zerocopy_callback(kernel: Kernel, sk: Inet) -> None:
    """Tell that what was just sent is free again; a notification grows by the next (``msg_zerocopy_callback()``)."""
    number, sk.zckey = sk.zckey, sk.zckey + 1
    if sk.flag("SOCK_DEAD"):
        return
    tail = sk.error_queue[-1] if sk.error_queue else None
    error = tail.error if tail is not None else None
    if tail is not None and error is not None and error.origin == SO_EE_ORIGIN_ZEROCOPY and error.data + 1 == number:
        tail.error = replace(error, data=number)
    else:
        skb = SkBuff(b"", 0, kernel.net.alloc.truesize(0), sk)
        skb.error = ExtendedError(
            0, SO_EE_ORIGIN_ZEROCOPY, 0, SO_EE_CODE_ZEROCOPY_COPIED, number, "", 0, None, data=number
        )
        sk.error_queue.append(skb)
    error_report(kernel, sk)


def zerocopy_skb(kernel: Kernel, sk: Inet, data: bytes, room: Room) -> SkBuff:
    """Return a datagram that has the sender's pages, as its receiver gets it, and notify the sender.

    ``__ip_append_data()``, ``skb_zerocopy_iter_dgram()``, ``skb_copy_ubufs()``: the copies count as the pages did.
    """
    skb = make_skb(kernel, b"", room=room)
    base, least = skb.truesize, page_align(len(data))

    def find(seen: Observed) -> int | None:
        queued = [buffer for value in seen.socks() for buffer in value.sk_receive_queue if buffer.data == data]
        return queued[-1].truesize - base if queued and isinstance(queued[-1].truesize, int) else None

    def allowed(pages: int) -> bool:
        # Each piece of a buffer may begin and end inside of pages.
        return pages % PAGE_SIZE == 0 and least <= pages <= least + PAGE_SIZE * MAX_SKB_FRAGS

    filled = SkBuff(data, len(data), base + kernel.choose(SG_FROM_ITER, find, allowed, least))
    filled.tail_room = skb.tail_room
    msg_zerocopy_callback(kernel, sk)
    return filled
