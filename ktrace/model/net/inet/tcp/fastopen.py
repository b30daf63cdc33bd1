"""TCP Fast Open as a client without a cookie does it (``net/ipv4/tcp_fastopen.c``, ``tcp_output.c``).

A SYN asks for a cookie; a machine that is no server for it (net.ipv4.tcp_fastopen is 1) gives none. So no data goes
with a SYN: MSG_FASTOPEN connects and then sends, TCP_FASTOPEN_CONNECT defers nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.include.net.tcp import TFO_CLIENT_ENABLE
from ktrace.model.net.inet.tcp.connect import inet_stream_connect, tcp_fastopen_cookie_check
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps
from ktrace.uapi.fcntl import O_NONBLOCK
from ktrace.uapi.socket import AF_UNSPEC, MSG_DONTWAIT

if TYPE_CHECKING:
    from ktrace.model.net.core.proto_ops import OutMessage
    from ktrace.model.net.inet.tcp.sock import Tcp


def tcp_sendmsg_fastopen(task: Task, sk: Tcp, msg: OutMessage) -> Sleeps[None]:
    """Connect before bytes are queued (``tcp_sendmsg_fastopen()``, ``tcp_fastopen_cookie_check()``).

    :raises Errno: EOPNOTSUPP, EALREADY, what connect() fails with
    :raises NotImplementedError: cookies are given, or not needed
    """
    setting = task.kernel.net.setting("ipv4/tcp_fastopen")
    unspecified = msg.name is not None and len(msg.name) >= 2 and msg.name[:2] == AF_UNSPEC.to_bytes(2, "little")
    if not setting & TFO_CLIENT_ENABLE or unspecified:
        raise Errno("EOPNOTSUPP")
    if sk.fastopen_req:
        raise Errno("EALREADY")
    assert sk.socket is not None
    if sk.socket.state == "SS_UNCONNECTED" and sk.state == "TCP_CLOSE":
        tcp_fastopen_cookie_check(task.kernel, sk)
    flags = O_NONBLOCK if msg.flags & MSG_DONTWAIT else 0
    yield from inet_stream_connect(task, sk.socket, msg.name, flags)
