"""Bytes through TCP (``net/ipv4/tcp.c``, ``net/core/stream.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.include.linux.socket import MSG_SPLICE_PAGES
from ktrace.include.net.sock import RCV_SHUTDOWN, SEND_SHUTDOWN
from ktrace.include.net.tcp import TCP_NAGLE_PUSH, TCP_URG_READ, TCP_URG_VALID
from ktrace.model.kernel import Kernel
from ktrace.model.mm.iov import PageSource
from ktrace.model.net.core.page_frag import fill_unseen
from ktrace.model.net.core.proto_ops import InMessage, OutMessage
from ktrace.model.net.core.scm import for_each_cmsghdr
from ktrace.model.net.core.sock import (
    raise_sock_error,
    sk_peek_offset,
    sk_peek_offset_bwd,
    sk_peek_offset_fwd,
    sock_error,
    sock_rcvlowat,
)
from ktrace.model.net.core.sock_callbacks import set_wq_bit
from ktrace.model.net.core.sock_cmsg import TIMESTAMP_KINDS, sock_recv_timestamp
from ktrace.model.net.core.sock_wait import Timeo, sleeper, sock_intr_errno, sock_rcvtimeo, sock_sndtimeo
from ktrace.model.net.inet.ip6_error import ipv6_recv_error
from ktrace.model.net.inet.ip_error import ip_recv_error
from ktrace.model.net.inet.tcp.fastopen import tcp_sendmsg_fastopen
from ktrace.model.net.inet.tcp.segment import tcp_cleanup_rbuf, tcp_push_pending_frames
from ktrace.model.net.inet.tcp.sock import SURE, Tcp
from ktrace.model.net.inet.tcp.space import lowat
from ktrace.model.net.inet.tcp.zerocopy import msg_zerocopy_callback
from ktrace.model.net.inet.zerocopy import msg_zerocopy_alloc
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps
from ktrace.state.rule import Rule
from ktrace.uapi.socket import (
    MSG_CTRUNC,
    MSG_DONTWAIT,
    MSG_ERRQUEUE,
    MSG_FASTOPEN,
    MSG_MORE,
    MSG_NOSIGNAL,
    MSG_OOB,
    MSG_PEEK,
    MSG_TRUNC,
    MSG_WAITALL,
    MSG_ZEROCOPY,
    SCM_CREDENTIALS,
    SCM_RIGHTS,
    SOL_SOCKET,
)

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

MEMORY_FREE = Rule("include/net/sock.h", "sk_stream_memory_free", "what page fragments and acknowledgements leave")
STAMPED = Rule("net/core/dev.c", "net_timestamp_check", "some time after the first socket asked")
CONNECTED = ("TCP_ESTABLISHED", "TCP_CLOSE_WAIT")
CONNECTING = ("TCP_SYN_SENT", "TCP_SYN_RECV")


def tcp_sendmsg(task: Task, sk: Tcp, msg: OutMessage) -> Sleeps[int]:
    """Queue bytes and send them (``tcp_sendmsg_locked()``)."""
    kernel = task.kernel
    timeo = sock_sndtimeo(sk, msg.flags & MSG_DONTWAIT)
    copied = 0
    zerocopy = bool(msg.flags & MSG_ZEROCOPY and msg.source.count and sk.flag("SOCK_ZEROCOPY"))
    try:
        if zerocopy:
            msg_zerocopy_alloc(task, msg.source.count)
        if msg.flags & MSG_FASTOPEN:
            yield from tcp_sendmsg_fastopen(task, sk, msg)
        if sk.state not in CONNECTED:
            yield from sk_stream_wait_connect(task, sk, timeo)
        if msg.control:
            check_control(msg)
        set_wq_bit(sk, "SOCKWQ_ASYNC_NOSPACE", False)
        if sk.err or sk.shutdown & SEND_SHUTDOWN:
            raise Errno("EPIPE")
        while msg.source.count:
            size = sk_stream_memory_free(kernel, sk, msg.source.count)
            if size and not sk.out:
                sk.nonagle &= ~TCP_NAGLE_PUSH  # tcp_skb_entail()
            if msg.flags & MSG_SPLICE_PAGES and isinstance(msg.source, PageSource):
                for page, offset, piece in msg.source.take(size):
                    page.lend(sk.most_packets(piece))
                    sk.out.append_page(page, offset, piece)
                copied += size
            else:
                if not zerocopy:
                    fill_unseen(task)
                data = msg.source.copy(size)
                sk.out += data
                copied += len(data)
                if len(data) < size:
                    raise Errno("EFAULT")
            if not msg.source.count:
                break
            if copied:
                _push(kernel, sk, msg.flags)
                if zerocopy:
                    msg_zerocopy_callback(kernel, sk)
            yield from sk_stream_wait_memory(task, sk, timeo)
    except Errno as error:
        if copied:
            _push(kernel, sk, msg.flags)
            if zerocopy:
                msg_zerocopy_callback(kernel, sk)
            return copied
        raise sk_stream_error(task, sk, msg.flags, error) from None
    if copied:
        sk.more = bool(msg.flags & MSG_MORE)
        _push(kernel, sk, msg.flags)
        if zerocopy:
            msg_zerocopy_callback(kernel, sk)
    return copied


def _push(kernel: Kernel, sk: Tcp, flags: int) -> None:
    """Send what may go; with MSG_OOB its last byte is urgent (``tcp_push()``, ``tcp_mark_urg()``)."""
    if flags & MSG_OOB and sk.out:
        sk.snd_up = len(sk.out)
    tcp_push_pending_frames(kernel, sk)


def check_control(msg: OutMessage) -> None:
    """Refuse what ``sock_cmsg_send()`` does not know; SCM_RIGHTS and credentials are ignored."""
    for message in for_each_cmsghdr(msg):
        if message["cmsg_level"] == SOL_SOCKET and message["cmsg_type"] not in (SCM_RIGHTS, SCM_CREDENTIALS):
            raise Errno("EINVAL")


def sk_stream_memory_free(kernel: Kernel, sk: Tcp, size: int) -> int:
    """Return how many of *size* bytes the send buffer takes (``sk_stream_memory_free()``).

    All of them where they are few; of many, as many as the kernel took, which depends on its page
    fragments and on what was acknowledged meanwhile.
    """
    # tcp_stream_memory_free(): TCP_NOTSENT_LOWAT stops a new packet, not one that grows.
    plenty = min(lowat(kernel, sk), sk.sndbuf) >= SURE
    if plenty and size + len(sk.out) <= SURE and "SOCK_SNDBUF_LOCK" not in sk.userlocks:
        return size

    def find(seen: Observed) -> int | None:
        tcp = seen.tcp(sk)
        if tcp is None or tcp.unsent is None:
            return None
        return tcp.bytes_sent + tcp.unsent - (sk.bytes_sent + len(sk.out))

    return kernel.choose(MEMORY_FREE, find, lambda taken: 0 <= taken <= size, size)


def sk_stream_error(task: Task, sk: Tcp, flags: int, error: Errno) -> Errno:
    """``sk_stream_error()``: the sock's own error goes before EPIPE, and SIGPIPE with it."""
    name = error.name
    if name == "EPIPE":
        name = sock_error(sk) or "EPIPE"
    if name == "EPIPE" and not flags & MSG_NOSIGNAL:
        task.kernel.send_signal(task, "SIGPIPE", task, thread=True)
    return Errno(name)


def sk_stream_wait_connect(task: Task, sk: Tcp, timeo: Timeo) -> Sleeps[None]:
    """Sleep until the connection is there (``sk_stream_wait_connect()``)."""
    while True:
        name = sock_error(sk)
        if name:
            raise Errno(name)
        if sk.state not in CONNECTING:
            raise Errno("EPIPE")
        if not timeo:
            raise Errno("EAGAIN")
        if task.signal_pending():
            raise sock_intr_errno(timeo)
        yield from sk_wait_event(task, sk, timeo)
        if not sk.err and sk.state in CONNECTED:
            return


def sk_stream_wait_memory(task: Task, sk: Tcp, timeo: Timeo) -> Sleeps[None]:
    """Sleep until there is room to send (``sk_stream_wait_memory()``)."""
    assert sk.socket is not None
    set_wq_bit(sk, "SOCKWQ_ASYNC_NOSPACE")
    if sk.err or sk.shutdown & SEND_SHUTDOWN:
        raise Errno("EPIPE")
    sk.socket.flags.add("SOCK_NOSPACE")
    if not timeo:
        raise Errno("EAGAIN")
    if task.signal_pending():
        raise sock_intr_errno(timeo)
    set_wq_bit(sk, "SOCKWQ_ASYNC_NOSPACE", False)
    yield from sk_wait_event(task, sk, timeo)
    if sk.err or sk.shutdown & SEND_SHUTDOWN:
        raise Errno("EPIPE")
    if task.signal_pending():
        raise sock_intr_errno(timeo)


def sk_wait_event(task: Task, sk: Tcp, timeo: Timeo) -> Sleeps[None]:
    """Sleep once on the sock's queue (``sk_wait_event()``, ``wait_woken()``)."""
    assert sk.wq is not None
    queue = sk.wq
    entry = sleeper(task, "woken_wake_function")
    entry.autoremove = False
    queue.add(entry)
    yield from timeo.sleep(task)
    queue.remove(entry)


def tcp_recvmsg(task: Task, sk: Tcp, msg: InMessage, flags: int) -> Sleeps[int]:
    """Read bytes (``tcp_recvmsg_locked()``)."""
    if flags & MSG_ERRQUEUE:
        return (ip_recv_error if sk.family == "AF_INET" else ipv6_recv_error)(task.kernel, sk, msg)
    if sk.state == "TCP_LISTEN":
        raise Errno("ENOTCONN")
    timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT)
    if flags & MSG_OOB:
        return tcp_recv_urg(task, sk, msg, flags)
    size = msg.destination.count
    target = sock_rcvlowat(sk, flags & MSG_WAITALL, size)
    peeking = bool(flags & MSG_PEEK)
    copied = 0
    at = max(sk_peek_offset(sk, flags), 0)
    while True:
        if sk.urg_data and sk.urg_seq == sk.copied_seq() + at:
            if copied:
                break
            if task.signal_pending():
                raise sock_intr_errno(timeo) if timeo else Errno("EAGAIN")
        if len(sk.rx) > at:
            used = min(len(sk.rx) - at, size)
            if sk.urg_data:
                ahead = sk.urg_seq - sk.copied_seq() - at
                if 0 < ahead < used:
                    used = ahead
                elif ahead == 0 < used and not sk.flag("SOCK_URGINLINE"):
                    used -= 1
                    if peeking:
                        at += 1
                    else:
                        del sk.rx[:1]
            if not flags & MSG_TRUNC and msg.destination.copy(bytes(sk.rx[at : at + used])) < used:
                if not copied:
                    raise Errno("EFAULT")
                break
            copied += used
            size -= used
            if peeking:
                at += used
                sk_peek_offset_fwd(sk, used)
            else:
                del sk.rx[:used]
                sk.reads += 1
                sk_peek_offset_bwd(sk, used)
            if sk.urg_data and sk.copied_seq() > sk.urg_seq:
                sk.urg_data = 0
            if not size:
                break
            continue
        if sk.fin == "queued" and len(sk.rx) <= at:
            if not peeking:
                sk.fin = "read"
            break
        if copied >= target:
            break
        if copied:
            if not timeo or sk.err or sk.state == "TCP_CLOSE" or sk.shutdown & RCV_SHUTDOWN or task.signal_pending():
                break
        else:
            if at_end(sk, timeo):
                break
            if task.signal_pending():
                raise sock_intr_errno(timeo)
        set_wq_bit(sk, "SOCKWQ_ASYNC_WAITDATA")
        yield from sk_wait_event(task, sk, timeo)
        set_wq_bit(sk, "SOCKWQ_ASYNC_WAITDATA", False)
        if not size:
            break
    if flags & MSG_TRUNC and copied:
        msg.destination.skip(copied)
    if copied:
        if not peeking:
            tcp_cleanup_rbuf(task.kernel, sk)
        tcp_recv_timestamp(task, sk, msg)
    return copied


def at_end(sk: Tcp, timeo: Timeo) -> bool:
    """Tell whether nothing more will come (``tcp_recvmsg_locked()``, ``tcp_splice_read()``: with nothing received yet).

    :raises Errno: the pending error; ENOTCONN; EAGAIN where nobody waits
    """
    if sk.flag("SOCK_DONE"):
        return True
    raise_sock_error(sk)
    if sk.shutdown & RCV_SHUTDOWN:
        return True
    if sk.state == "TCP_CLOSE":
        raise Errno("ENOTCONN")
    if not timeo:
        raise Errno("EAGAIN")
    return False


def tcp_recv_timestamp(task: Task, sk: Tcp, msg: InMessage) -> None:
    """Tell when the last segment came (``tcp_recv_timestamp()``), if it was stamped.

    The kernel starts stamping packets some time after the first socket asks (``netstamp_work``).
    """
    kernel = task.kernel
    if not sk.flag("SOCK_RCVTSTAMP"):
        return

    def find(seen: Observed) -> bool:
        result = seen.result(task)
        out = result.out if result is not None else {}
        return any(
            got.get("msg_flags", 0) & MSG_CTRUNC
            or any(entry["cmsg_type"] in TIMESTAMP_KINDS for entry in got.get("msg_control") or ())
            for got in (out, *out.get("msgvec", ()))
        )

    if kernel.choose(STAMPED, find, lambda stamped: True, otherwise=True):
        sock_recv_timestamp(kernel, sk, msg, sk.handshake.at if sk.handshake is not None else None, None)


def tcp_recv_urg(task: Task, sk: Tcp, msg: InMessage, flags: int) -> int:
    """Read the urgent byte (``tcp_recv_urg()``)."""
    if sk.flag("SOCK_URGINLINE") or not sk.urg_data or sk.urg_data == TCP_URG_READ:
        raise Errno("EINVAL")
    if sk.state == "TCP_CLOSE" and not sk.flag("SOCK_DONE"):
        raise Errno("ENOTCONN")
    if not sk.urg_data & TCP_URG_VALID:
        raise Errno("EAGAIN")
    byte = bytes([sk.urg_data & 0xFF])
    if not flags & MSG_PEEK:
        sk.urg_data = TCP_URG_READ
    msg.flags |= MSG_OOB
    if not msg.destination.count:
        msg.flags |= MSG_TRUNC
        return 0
    if flags & MSG_TRUNC:
        msg.destination.skip(1)
    elif not msg.destination.copy(byte):
        raise Errno("EFAULT")
    return 1
