"""Control messages of SOL_SOCKET that every family of the internet knows (``net/core/sock.c``, ``net/socket.c``)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from ktrace.include.linux.time64 import NSEC_PER_SEC
from ktrace.model.elapsed import TICK_NS, Instant, this_step
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.proto_ops import InMessage
from ktrace.model.net.core.scm import put_cmsg
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock import Sock
from ktrace.model.task import Errno, Task
from ktrace.state.allowed import Stays, allowed
from ktrace.state.rule import Rule
from ktrace.uapi.socket import (
    MSG_CTRUNC,
    SCM_CREDENTIALS,
    SCM_RIGHTS,
    SIZEOF_CMSGHDR,
    SO_MARK,
    SO_RXQ_OVFL,
    SO_TIMESTAMP_NEW,
    SO_TIMESTAMP_OLD,
    SO_TIMESTAMPING_NEW,
    SO_TIMESTAMPING_OLD,
    SO_TIMESTAMPNS_NEW,
    SO_TIMESTAMPNS_OLD,
    SOL_SOCKET,
)

TIMESTAMP_KINDS = (SO_TIMESTAMP_OLD, SO_TIMESTAMPNS_OLD, SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW)
SIZEOF_STAMP = 16
RULE = Rule("include/linux/skbuff.h", "__net_timestamp", "when the packet came")


def cmsg_bytes(data: Any) -> bytes:
    """Return what a control message carries as it lies in memory."""
    if isinstance(data, tuple):
        return struct.pack(f"<{len(data)}i", *data)
    return bytes(data) if isinstance(data, bytes) else bytes(12)


def sock_cmsg_send(task: Task, message: Mapping[str, Any]) -> int | None:
    """Read one control message of SOL_SOCKET (``__sock_cmsg_send()``); return a mark, if it is one.

    :raises Errno: EINVAL, EPERM
    """
    kind = message["cmsg_type"]
    if kind in (SCM_RIGHTS, SCM_CREDENTIALS):
        return None  # What AF_UNIX takes is ignored.
    data = cmsg_bytes(message["cmsg_data"])
    if kind == SO_MARK:
        if not (task.cred.capable("CAP_NET_RAW") or task.cred.capable("CAP_NET_ADMIN")):
            raise Errno("EPERM")
        if len(data) != 4:
            raise Errno("EINVAL")
        return int.from_bytes(data, "little")
    if kind in (SO_TIMESTAMPING_OLD, SO_TIMESTAMPING_NEW):
        if len(data) != 4 or int.from_bytes(data, "little") & ~0x303:
            raise Errno("EINVAL")
        return None
    raise Errno("EINVAL")


def net_timestamp(kernel: Kernel, skb: SkBuff) -> None:
    """Stamp a packet (``__net_timestamp()``)."""
    skb.since = this_step(kernel)
    skb.tstamp = Stays(rule=RULE, low=skb.since.low, high=skb.since.high + TICK_NS)


def net_timestamp_check(kernel: Kernel, skb: SkBuff) -> None:
    """Note that a packet came, which is stamped if somebody asked for that long enough ago (``netstamp_work``)."""
    net_timestamp(kernel, skb)
    if not kernel.net.stamping:
        skb.tstamp = 0
    elif isinstance(skb.tstamp, Stays):
        skb.tstamp.also = 0


def sock_recv_cmsgs(kernel: Kernel, sk: Sock, skb: SkBuff, msg: InMessage) -> None:
    """Tell when a packet came, how many were lost before it, and its mark (``__sock_recv_cmsgs()``)."""
    sock_recv_timestamp(kernel, sk, msg, skb.since or this_step(kernel), skb)
    if sk.flag("SOCK_RXQ_OVFL") and skb.dropcount:
        put_cmsg(msg, SOL_SOCKET, SO_RXQ_OVFL, struct.pack("<I", skb.dropcount))
    if sk.flag("SOCK_RCVMARK"):
        put_cmsg(msg, SOL_SOCKET, SO_MARK, struct.pack("<I", skb.mark))


def sock_recv_timestamp(kernel: Kernel, sk: Sock, msg: InMessage, since: Instant | None, skb: SkBuff | None) -> None:
    """Tell when a packet came (``__sock_recv_timestamp()``): at a time that the model does not know exactly.

    One that was not stamped when it came is stamped when it is told of.

    :param since: when it came at the earliest, ``None``: at any time
    :param skb: keeps what is told once; ``None``: the last segment's stamp
    """
    if not sk.flag("SOCK_RCVTSTAMP"):
        return
    new, nanoseconds = sk.flag("SOCK_TSTAMP_NEW"), sk.flag("SOCK_RCVTSTAMPNS")
    kinds = (SO_TIMESTAMPNS_OLD, SO_TIMESTAMPNS_NEW) if nanoseconds else (SO_TIMESTAMP_OLD, SO_TIMESTAMP_NEW)
    kind = kinds[new]
    if msg.controllen is None or msg.controllen < SIZEOF_CMSGHDR + SIZEOF_STAMP:
        put_cmsg(msg, SOL_SOCKET, kind, bytes(SIZEOF_STAMP))
        if msg.control and msg.control[-1]["cmsg_type"] == kind and msg.control[-1]["cmsg_data"]:
            raise NotImplementedError("the model does not know a part of a time")
        msg.flags |= MSG_CTRUNC
        return
    put_cmsg(msg, SOL_SOCKET, kind, bytes(SIZEOF_STAMP))
    fraction = ("tv_nsec", 999_999_999) if nanoseconds else ("tv_usec", 999_999)
    stamp = skb.tstamp.seen if skb is not None and isinstance(skb.tstamp, Stays) else None
    if stamp:
        seconds, past = divmod(stamp, NSEC_PER_SEC)
        msg.control[-1]["cmsg_data"] = {"tv_sec": seconds, fraction[0]: past * (fraction[1] + 1) // NSEC_PER_SEC}
        return
    if skb is not None:
        since = since or this_step(kernel)
        low = since.low if since.clock_set == kernel.clock_set else 0
        skb.tstamp = Stays(rule=RULE, low=low, high=kernel.moment[1] + TICK_NS)
    stamps = skb.stamps if skb is not None else {}
    seconds, past = stamps.setdefault(fraction[0], _stamp(kernel, since, NSEC_PER_SEC // (fraction[1] + 1)))
    msg.control[-1]["cmsg_data"] = {"tv_sec": allowed(seconds), fraction[0]: allowed(past)}


def _stamp(kernel: Kernel, since: Instant | None, unit: int) -> tuple[Stays, Stays]:
    """Return the seconds of a time between *since* and now, and what is past them in *unit* ns."""
    low = since.low if since is not None and since.clock_set == kernel.clock_set else 0
    high = kernel.moment[1] + TICK_NS
    first, last = low // NSEC_PER_SEC, high // NSEC_PER_SEC
    seconds = Stays(rule=RULE, low=first, high=last)
    if first == last:
        return seconds, Stays(rule=RULE, low=low % NSEC_PER_SEC // unit, high=high % NSEC_PER_SEC // unit)
    return seconds, Stays(rule=RULE, low=0, high=NSEC_PER_SEC // unit - 1)
