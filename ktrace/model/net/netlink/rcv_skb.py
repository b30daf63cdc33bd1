"""Messages to the kernel, and its acknowledgements (``net/netlink/af_netlink.c``)."""

from __future__ import annotations

import struct

from ktrace.model.kernel import Kernel
from ktrace.model.net.core.sock_callbacks import error_report
from ktrace.model.net.netlink.sock import Netlink, has_room, make_skb, queue
from ktrace.uapi.errno import ENOBUFS
from ktrace.uapi.netlink import NLM_F_ACK, NLM_F_CAPPED, NLM_F_REQUEST, NLMSG_ERROR, NLMSG_HDRLEN, NLMSG_MIN_TYPE


def netlink_rcv_skb(kernel: Kernel, sk: Netlink, data: bytes) -> None:
    """Have the kernel read messages, of which the model knows those that ask for nothing (``netlink_rcv_skb()``)."""
    while len(data) >= NLMSG_HDRLEN:
        length, kind, flags, seq = struct.unpack_from("<IHHI", data)
        if length < NLMSG_HDRLEN or len(data) < length:
            return
        if flags & NLM_F_REQUEST and kind >= NLMSG_MIN_TYPE:
            raise NotImplementedError(
                f"the model does not know what the kernel answers a netlink message of type {kind}"
            )
        if flags & NLM_F_ACK:
            # netlink_ack()
            head = struct.pack("<IHHII", NLMSG_HDRLEN + 20, NLMSG_ERROR, NLM_F_CAPPED, seq, sk.portid)
            answer = make_skb(kernel, head + bytes(4) + data[:NLMSG_HDRLEN], sk, 0)
            if has_room(sk, answer):
                queue(kernel, sk, answer)
            elif "RECV_NO_ENOBUFS" not in sk.nl_flags and not sk.congested:
                # netlink_overrun()
                sk.congested = True
                sk.err = ENOBUFS
                error_report(kernel, sk)
        data = data[length + 3 & ~3 :]
