"""MSG_ZEROCOPY over TCP (``net/core/skbuff.c``): the notification that the pages of a send are free again.

On the loopback every packet is copied before it is received (``skb_orphan_frags_rx()``), and acknowledged at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ktrace.include.asm.page_types import PAGE_SHIFT
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock_callbacks import error_report
from ktrace.model.net.inet.ip_error import ExtendedError
from ktrace.model.process.user_namespace import memlock_limit
from ktrace.model.task import Errno, Task
from ktrace.uapi.errqueue import SO_EE_CODE_ZEROCOPY_COPIED, SO_EE_ORIGIN_ZEROCOPY

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.model.net.inet.tcp.sock import Tcp


def msg_zerocopy_alloc(task: Task, size: int) -> None:
    """Account the pages of *size* bytes as pinned (``mm_account_pinned_pages()``).

    :raises Errno: ENOBUFS
    """
    if not task.cred.capable("CAP_IPC_LOCK") and (size >> PAGE_SHIFT) + 2 > memlock_limit(task) >> PAGE_SHIFT:
        raise Errno("ENOBUFS")


def msg_zerocopy_callback(kernel: Kernel, sk: Tcp) -> None:
    """Tell that what was just sent is free again; a notification grows by the next (``msg_zerocopy_callback()``).

    :raises NotImplementedError: some of it waits, in pages that the next call writes to
    """
    if sk.out or sk.lost or not (sk.state == "TCP_CLOSE" or sk.acked_at_once()):
        raise NotImplementedError("the model does not know bytes of MSG_ZEROCOPY that wait in pages of the sender")
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
