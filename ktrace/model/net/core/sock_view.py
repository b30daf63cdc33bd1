"""Show sockets of the model as the World has them."""

from __future__ import annotations

from typing import Any

from ktrace.model.fs.file import observe_file
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.sock import Sock, Socket
from ktrace.model.wait import waiters
from ktrace.state.allowed import allowed
from ktrace.state.fs.inode import mode_name
from ktrace.state.net import sock as state
from ktrace.state.net.socket import Socket as SocketState
from ktrace.state.process.process import Credentials
from ktrace.state.ref import Ref


def view_socket(socket: Socket) -> SocketState:
    """Return *socket* as ``state.socket.Socket``."""
    return SocketState(
        state=socket.state,
        type=state.SOCK_TYPES.get(socket.type, str(socket.type)),
        flags=tuple(sorted(socket.flags)),
        file=socket.file.ref if socket.file is not None else None,
        sk=socket.sk.ref if socket.sk is not None else None,
        ops=socket.ops.name if socket.ops is not None else None,
        wait=waiters(socket.wq),
        wq_flags=tuple(sorted(socket.wq_flags)),
        i_ino=socket.inode.numbers.get("st_ino", 0),
        i_mode=mode_name(socket.inode.i_mode),
        i_uid=socket.inode.i_uid,
        i_gid=socket.inode.i_gid,
    )


def view_open_socket(kernel: Kernel, socket: Socket, objects: dict[Ref, Any]) -> None:
    """Add *socket*, and every sock, file and inode that it leads to."""
    pending: list[Socket | Sock] = [socket]
    while pending:
        item = pending.pop()
        if item.ref in objects:
            continue
        if isinstance(item, Socket):
            objects[item.ref] = view_socket(item)
            if item.sk is not None:
                pending.append(item.sk)
            continue
        objects[item.ref] = view_sock(kernel, item)
        pending.extend(item.neighbours())
        for inode in item.inodes():
            inode.observe(kernel, objects)
        for skb in item.receive_queue:
            for file in skb.fp:
                observe_file(kernel, objects, file)
                if isinstance(file.private, Socket):
                    pending.append(file.private)


def view_sock(kernel: Kernel, sk: Sock) -> state.Sock:
    """Return *sk* as ``state.socket.Sock``."""
    accounted = sk.accounted
    sysctl = kernel.net.facts.sysctl
    rcvbuf, sndbuf = sk.view_buffers(sysctl.get("ipv4/tcp_rmem/2", 0), sysctl.get("ipv4/tcp_wmem/2", 0))
    return state.Sock(
        sk_family=sk.family,
        sk_state=allowed(sk.view_state()),
        sk_reuse=sk.reuse,
        sk_reuseport=sk.reuseport,
        sk_bound_dev_if=sk.bound_dev_if,
        sk_prot=sk.prot,
        sk_rcvlowat=sk.rcvlowat,
        sk_receive_queue=sk.view_receive_queue(),
        sk_receive_qlen=len(sk.receive_queue) if accounted else None,
        sk_write_queue=sk.view_write_queue(),
        sk_backlog=(),
        sk_error_queue=tuple(skb.view() for skb in sk.error_queue),
        sk_rmem_alloc=sk.rmem_alloc if accounted else None,
        sk_rcvbuf=allowed(rcvbuf),
        sk_sndbuf=allowed(sndbuf),
        sk_wmem_alloc=sk.wmem_alloc if accounted else None,
        sk_peek_off=sk.peek_off,
        sk_sndtimeo=sk.sndtimeo,
        sk_priority=sk.priority,
        sk_mark=sk.mark,
        sk_userlocks=tuple(sorted(sk.userlocks)),
        sk_no_check_tx=sk.no_check_tx,
        sk_type=state.SOCK_TYPES.get(sk.type, str(sk.type)),
        sk_protocol=sk.protocol,
        sk_lingertime=sk.lingertime,
        sk_flags=tuple(sorted(sk.flags)),
        sk_err=sk.err,
        sk_err_soft=sk.err_soft,
        sk_ack_backlog=sk.ack_backlog,
        sk_max_ack_backlog=sk.max_ack_backlog,
        sk_uid=sk.uid,
        sk_peer=Credentials(*sk.peer_cred) if sk.peer_cred is not None else None,
        sk_rcvtimeo=sk.rcvtimeo,
        sk_shutdown=tuple(name for mask, name in state.SHUTDOWN.items() if sk.shutdown & mask),
        sk_socket=sk.socket.ref if sk.socket is not None else None,
        **sk.settled_parts(kernel, sk.view_parts()),
    )
