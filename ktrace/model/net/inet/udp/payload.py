"""What a datagram carries: bytes, pages of the sender or of a pipe (``net/ipv4/udp.c``, ``net/ipv4/ip_output.c``)."""

from __future__ import annotations

from ktrace.include.linux.skbuff import MAX_SKB_FRAGS
from ktrace.include.linux.socket import MSG_SPLICE_PAGES
from ktrace.model.kernel import Kernel
from ktrace.model.mm.iov import PageSource
from ktrace.model.net.core.proto_ops import OutMessage
from ktrace.model.net.core.scm import for_each_cmsghdr
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock_cmsg import cmsg_bytes
from ktrace.model.net.inet.ip_append import Room, make_skb
from ktrace.model.net.inet.route import LOOPBACK_MTU
from ktrace.model.net.inet.udp.udp import Udp
from ktrace.model.net.inet.zerocopy import msg_zerocopy_alloc, zerocopy_skb
from ktrace.model.task import Errno, Task
from ktrace.uapi.in_ import IPPROTO_UDP
from ktrace.uapi.ipv6 import SIZEOF_IPV6HDR
from ktrace.uapi.socket import MSG_ZEROCOPY, SOL_UDP
from ktrace.uapi.udp import SIZEOF_UDPHDR, UDP_SEGMENT


def wants_zerocopy(task: Task, sk: Udp, msg: OutMessage, more: bool) -> bool:
    """Tell whether the pages of the sender go into a datagram (``__ip_append_data()``).

    :raises Errno: ENOBUFS
    :raises NotImplementedError: the datagram is corked, or too large for one packet
    """
    if not (msg.flags & MSG_ZEROCOPY and sk.flag("SOCK_ZEROCOPY")):
        return False
    if more or sk.pending is not None or msg.source.count > LOOPBACK_MTU - SIZEOF_IPV6HDR - SIZEOF_UDPHDR:
        raise NotImplementedError("the model does not know MSG_ZEROCOPY of a datagram that is not sent at once")
    msg_zerocopy_alloc(task, msg.source.count + SIZEOF_UDPHDR)
    return True


def udp_cmsg_send(msg: OutMessage) -> None:
    """Refuse control messages of SOL_UDP that are none (``__udp_cmsg_send()``).

    :raises Errno: EINVAL
    :raises NotImplementedError: UDP_SEGMENT
    """
    for message in for_each_cmsghdr(msg):
        if message["cmsg_level"] != SOL_UDP:
            continue
        if message["cmsg_type"] != UDP_SEGMENT or len(cmsg_bytes(message["cmsg_data"])) != 2:
            raise Errno("EINVAL")
        raise NotImplementedError("the model does not know datagrams that are cut into segments (UDP_SEGMENT)")


def new_skb(task: Task, sk: Udp, msg: OutMessage, room: Room) -> SkBuff:
    """Return the packet of a message that is sent at once (``ip_make_skb()``, ``ip6_make_skb()``)."""
    zerocopy = wants_zerocopy(task, sk, msg, more=False)
    shared = shares_pages(sk, msg)
    data = first_payload(task.kernel, sk, msg)
    if zerocopy:
        return zerocopy_skb(task.kernel, sk, data, room)
    return make_skb(task.kernel, data, room=room, shared=shared)


def shares_pages(sk: Udp, msg: OutMessage) -> bool:
    """Tell whether a message shares a pipe's pages; UDP-Lite, which sums them up, copies (``__ip_append_data()``)."""
    shares = msg.flags & MSG_SPLICE_PAGES and msg.source.count and sk.protocol == IPPROTO_UDP
    return bool(shares) and isinstance(msg.source, PageSource)


def first_payload(kernel: Kernel, sk: Udp, msg: OutMessage) -> bytes:
    """Take the bytes that a packet begins with; where that fails, it is freed, and there is room (``sock_wfree()``).

    :raises Errno: as :func:`payload` does
    """
    try:
        return payload(sk, msg)
    except Errno:
        sk.call_write_space(kernel)
        raise


def payload(sk: Udp, msg: OutMessage) -> bytes:
    """Take the bytes of a message; packets hold the pages that they share (``MSG_SPLICE_PAGES``).

    :raises Errno: EFAULT; EMSGSIZE for more pages than a packet holds
    """
    source = msg.source
    if not (shares_pages(sk, msg) and isinstance(source, PageSource)):
        return source.copy_all()
    pieces = source.take(source.count)
    if len(pieces) > MAX_SKB_FRAGS:
        raise Errno("EMSGSIZE")
    for page, _, _ in pieces:
        page.lent += 1
    return b"".join([bytes(page.data[offset : offset + size]) for page, offset, size in pieces])
