"""Room in a send buffer: who finds it, and who is told of it (``include/net/sock.h``, ``net/core/stream.c``).

What is under way counts as many bytes as its buffers are large (``sk_wmem_queued``), which depends on how they were
cut and on when the receiver acknowledged them. ``SOCK_NOSPACE`` tells what came of it: whoever finds no room sets it,
and ``tcp_check_space()`` takes it back as soon as an acknowledgement makes room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.include.linux.limits import U32_MAX
from ktrace.include.linux.net import SOCK_WAKE_SPACE
from ktrace.include.net.sock import SEND_SHUTDOWN
from ktrace.model.fs.epoll import EventPoll
from ktrace.model.net.core.sock_callbacks import POLL_WRITE, set_wq_bit, sock_wake_async
from ktrace.model.wait import wake_up
from ktrace.state.rule import Rule
from ktrace.uapi.eventpoll import EPOLLOUT
from ktrace.uapi.siginfo import POLL_OUT

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.model.net.inet.tcp.sock import Tcp
    from ktrace.model.observed import Observed

WRITEABLE = Rule("include/net/sock.h", "__sk_stream_is_writeable", "sk_wmem_queued depends on how packets were cut")
GSO_LEGACY_MAX_SIZE = 65536
"""``include/linux/netdevice.h``: bytes of a packet at most."""
CHECK_SPACE = Rule("net/ipv4/tcp_input.c", "tcp_check_space", "when acknowledgements make room")


def lowat(kernel: Kernel, sk: Tcp) -> int:
    """Return how many bytes may wait without being sent (``tcp_notsent_lowat()``)."""
    return sk.notsent_lowat or kernel.net.facts.sysctl.get("ipv4/tcp_notsent_lowat", U32_MAX)


def sure(kernel: Kernel, sk: Tcp) -> bool | None:
    """Tell whether there is room where bytes alone say so, ``None`` where they do not (``__sk_stream_is_writeable()``).

    Nothing under way takes no room, a buffer is never smaller than the bytes in it, and TCP_NOTSENT_LOWAT counts
    bytes (``tcp_stream_memory_free()``).
    """
    unsent = sk.outq(False)
    if isinstance(unsent, int) and unsent << 1 >= lowat(kernel, sk):
        return False
    if not sk.out and not sk.lost and (sk.state == "TCP_CLOSE" or sk.acked_at_once()):
        return True if isinstance(unsent, int) else None
    least = len(sk.out) + len(sk.lost)
    most = sk.sndbuf if "SOCK_SNDBUF_LOCK" in sk.userlocks else kernel.net.setting("ipv4/tcp_wmem/2")
    return False if most - least < least >> 1 else None


def sk_stream_is_writeable(kernel: Kernel, sk: Tcp) -> bool:
    """Tell whether a third of the send buffer is free (``__sk_stream_is_writeable()``)."""
    known = sure(kernel, sk)
    if known is not None:
        return known

    def find(seen: Observed) -> bool | None:
        # A writer that was woken, too, may have filled it again after whoever looks now did.
        return True if _reported(kernel, seen, sk) else _room_left(seen, sk)

    return kernel.choose(WRITEABLE, find, lambda room: True, otherwise=True)


def poll_space(kernel: Kernel, sk: Tcp) -> bool:
    """Tell whether there is room; without it, ask to be told (``tcp_poll()``)."""
    if sk.shutdown & SEND_SHUTDOWN or sk_stream_is_writeable(kernel, sk):
        return True
    set_wq_bit(sk, "SOCKWQ_ASYNC_NOSPACE")
    if sk.socket is not None:
        sk.socket.flags.add("SOCK_NOSPACE")
    return False


def sk_stream_write_space(kernel: Kernel, sk: Tcp) -> None:
    """Tell those that wait for room, if there is some (``sk_stream_write_space()``)."""
    if sk.socket is None:
        return
    asked = "SOCK_NOSPACE" in sk.socket.flags
    known = sure(kernel, sk)
    if known is None:
        # Nobody found the buffer full: then only how much is under way can tell.
        find = _room_left if asked else _little_under_way
        known = kernel.choose(WRITEABLE, lambda seen: find(seen, sk), lambda room: True, otherwise=True)
    if known:
        tell_writers(kernel, sk)


def tell_writers(kernel: Kernel, sk: Tcp) -> None:
    """Wake those that wait for room (``sk_stream_write_space()``)."""
    assert sk.socket is not None
    sk.socket.flags.discard("SOCK_NOSPACE")
    if sk.wq is not None:
        wake_up(kernel, sk.wq, 1, POLL_WRITE)
    if not sk.shutdown & SEND_SHUTDOWN:
        sock_wake_async(kernel, sk, SOCK_WAKE_SPACE, POLL_OUT)


def tcp_check_space(kernel: Kernel, sk: Tcp) -> None:
    """Tell those that found no room, once what was acknowledged made some (``tcp_check_space()``).

    A writer may have filled it again before anybody looked: that shows in the bytes that the kernel has more.
    """
    assert sk.socket is not None
    if "SOCK_NOSPACE" not in sk.socket.flags:
        return
    known = sure(kernel, sk)
    largest = max(sk.sndbuf, kernel.net.setting("ipv4/tcp_wmem/2")) + GSO_LEGACY_MAX_SIZE
    # A writer that sleeps may have been woken and have filled it again, all within its own call.
    sleeps = sk.wq is not None and any(entry.kind == "woken_wake_function" for entry in sk.wq.entries)

    def find(seen: Observed) -> bool:
        if sleeps and _told(kernel, seen, sk):
            return True
        twin = seen.tcp(sk)
        got = twin.bytes_sent + twin.unsent if twin is not None and twin.unsent is not None else 0
        ours = sk.bytes_sent + len(sk.out) + (sk.fin_out == "queued")
        if sk.told_of == (kernel.steps, got, ours):
            return False  # and nobody took it: it is not the room that the kernel has more of
        sk.told_of = kernel.steps, got, ours
        # No buffer takes more than its size and a packet.
        return 0 < got - ours <= largest or (known is None and bool(_room_left(seen, sk)))

    if known or kernel.choose(CHECK_SPACE, find, lambda made: True, otherwise=False):
        tell_writers(kernel, sk)


def _room_left(seen: Observed, sk: Tcp) -> bool | None:
    """Tell whether nobody waits for room any more."""
    socket = seen.socket(sk.socket) if sk.socket is not None else None
    return None if socket is None else "SOCK_NOSPACE" not in socket.flags


def _reported(kernel: Kernel, seen: Observed, sk: Tcp) -> bool:
    """Tell whether whoever looks now said that there is room, when its call returned."""
    task = kernel.current
    if task is None or task.call is None:
        return False
    own = {fd for fd, slot in task.files.slots.items() if slot.file.private is sk.socket}
    if own & set(seen.out(task, "writefds") or ()):
        return True
    asked = task.call.args[0]
    if revents := seen.out(task, "revents"):
        return any(item["fd"] in own and mask & EPOLLOUT for item, mask in zip(asked, revents, strict=False))
    told = {event["data"] for event in seen.out(task, "events") or () if event["events"] & EPOLLOUT}
    slot = task.files.slots.get(asked) if told else None
    return (
        slot is not None
        and isinstance(ep := slot.file.private, EventPoll)
        and any(item.file.private is sk.socket and item.data in told for item in ep.items)
    )


def _told(kernel: Kernel, seen: Observed, sk: Tcp) -> bool:
    """Tell whether an epoll set heard of room that the model does not know of."""
    for task in kernel.tasks.values():
        for slot in task.files.slots.values():
            ep = slot.file.private
            if not isinstance(ep, EventPoll):
                continue
            for item in ep.items:
                watches = item.file.private is sk.socket and item.events & EPOLLOUT and item not in ep.ready
                if watches and item.fd in seen.ready(ep, kernel):
                    return True
    return False


def _little_under_way(seen: Observed, sk: Tcp) -> bool | None:
    """Tell whether the bytes under way leave a third of the send buffer free."""
    twin = seen.connection(sk)
    if twin is None or twin.tcp is None or twin.tcp.unsent is None:
        return None
    least = twin.tcp.unacked + twin.tcp.unsent
    return bool(twin.sk_sndbuf - least >= least >> 1)
