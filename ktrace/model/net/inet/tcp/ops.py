"""``tcp_prot`` and ``inet_stream_ops`` (``net/ipv4/tcp_ipv4.c``, ``af_inet.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ktrace.include.net.sock import RCV_SHUTDOWN, SEND_SHUTDOWN, SHUTDOWN_MASK
from ktrace.include.net.tcp import TCP_URG_VALID
from ktrace.model.fs.pipe.pipe import PipeInode
from ktrace.model.kernel import Kernel
from ktrace.model.mm.page import Page
from ktrace.model.net.core.proto_ops import InMessage, OptionValue, OutMessage
from ktrace.model.net.core.sock import Socket, sock_rcvlowat
from ktrace.model.net.core.sock_callbacks import data_ready
from ktrace.model.net.inet.option import get_ip_option, set_ip_option
from ktrace.model.net.inet.sock import Answered, Proto
from ktrace.model.net.inet.socket import InetOps, register
from ktrace.model.net.inet.tcp import connect as tcp_connect
from ktrace.model.net.inet.tcp import inet_connection_sock, tcp, tcp_timer
from ktrace.model.net.inet.tcp import io as tcp_io
from ktrace.model.net.inet.tcp import splice as tcp_splice
from ktrace.model.net.inet.tcp.inet_hashtables import inet_lookup_listener
from ktrace.model.net.inet.tcp.option import get_tcp_option, set_tcp_option
from ktrace.model.net.inet.tcp.pktoptions import keep_packet_options
from ktrace.model.net.inet.tcp.segment import tcp_push_pending_frames, tcp_send_fin
from ktrace.model.net.inet.tcp.sock import Tcp, tcp_sk
from ktrace.model.net.inet.tcp.space import poll_space, tcp_check_space
from ktrace.model.net.inet.tcp.tcp_state import tcp_close_state
from ktrace.model.net.socket import ELAPSE_WORK, IDLE_WORK
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps
from ktrace.state.allowed import Between
from ktrace.state.call import Result
from ktrace.uapi.eventpoll import EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP, EPOLLRDNORM, EPOLLWRNORM
from ktrace.uapi.limits import INT_MAX
from ktrace.uapi.mman import PROT_EXEC, PROT_WRITE
from ktrace.uapi.socket import SOL_TCP
from ktrace.uapi.sockios import SIOCATMARK, SIOCINQ, SIOCOUTQ, SIOCOUTQNSD

if TYPE_CHECKING:
    from ktrace.model.observed import Observed


class TcpProto(Proto[Tcp]):
    """``tcp_prot``."""

    sock = Tcp
    no_autobind = True

    def init(self, task: Task, sk: Tcp) -> None:
        """``tcp_init_sock()``."""
        own = task.kernel.net
        sk.flags.add("SOCK_USE_WRITE_QUEUE")
        sk.quickack = own.facts.quickack
        sk.ca_ops = own.facts.default_congestion
        sk.sndbuf = own.setting("ipv4/tcp_wmem/1")
        sk.rcvbuf = own.setting("ipv4/tcp_rmem/1")
        assert sk.socket is not None
        sk.socket.flags.add("SOCK_SUPPORT_ZC")

    def connect(self, kernel: Kernel, sk: Tcp, addr: bytes) -> Answered | None:
        """``tcp_v4_connect()``."""
        return tcp_connect.tcp_v4_connect(kernel, sk, addr)

    def get_port(self, kernel: Kernel, sk: Tcp, port: int) -> None:
        """``inet_csk_get_port()``."""
        inet_connection_sock.inet_csk_get_port(kernel, sk, port)

    def close(self, task: Task, sk: Tcp, timeout: int | None) -> Sleeps[None]:
        """``tcp_close()``."""
        return tcp.tcp_close(task, sk, timeout)

    def disconnect(self, kernel: Kernel, sk: Tcp) -> None:
        """``tcp_disconnect()``."""
        tcp.tcp_disconnect(kernel, sk)

    def shutdown(self, kernel: Kernel, sk: Tcp, how: int) -> None:
        """``tcp_shutdown()``."""
        if not how & SEND_SHUTDOWN or sk.state not in ("TCP_ESTABLISHED", "TCP_SYN_SENT", "TCP_CLOSE_WAIT"):
            return
        if tcp_close_state(kernel, sk):
            tcp_send_fin(kernel, sk)

    def sendmsg(self, task: Task, sk: Tcp, msg: OutMessage) -> Sleeps[int]:
        """``tcp_sendmsg()``."""
        return tcp_io.tcp_sendmsg(task, sk, msg)

    def recvmsg(self, task: Task, sk: Tcp, msg: InMessage, flags: int) -> Sleeps[int]:
        """``tcp_recvmsg()``."""
        return tcp_io.tcp_recvmsg(task, sk, msg, flags)

    def poll(self, kernel: Kernel, sk: Tcp) -> int:
        """``tcp_poll()``."""
        if sk.state == "TCP_LISTEN":
            return EPOLLIN | EPOLLRDNORM if sk.accept_queue else 0
        mask = 0
        if sk.shutdown == SHUTDOWN_MASK or sk.state == "TCP_CLOSE":
            mask |= EPOLLHUP
        if sk.shutdown & RCV_SHUTDOWN:
            mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP
        if sk.state not in ("TCP_SYN_SENT", "TCP_SYN_RECV"):
            target = sock_rcvlowat(sk, 0, INT_MAX)
            if sk.urg_data and sk.urg_seq == sk.copied_seq() and not sk.flag("SOCK_URGINLINE"):
                target += 1
            if len(sk.rx) + (sk.fin == "queued") >= target:
                mask |= EPOLLIN | EPOLLRDNORM
            if poll_space(kernel, sk):
                mask |= EPOLLOUT | EPOLLWRNORM
            if sk.urg_data & TCP_URG_VALID:
                mask |= EPOLLPRI
        if sk.err or sk.error_queue:
            mask |= EPOLLERR
        return mask

    def ioctl(self, kernel: Kernel, sk: Tcp, cmd: int, arg: Any) -> Result:
        """``tcp_ioctl()``."""
        if cmd == SIOCATMARK:
            return Result(0, None, {"arg": int(bool(sk.urg_data) and sk.urg_seq == sk.copied_seq())})
        if cmd not in (SIOCINQ, SIOCOUTQ, SIOCOUTQNSD):
            raise Errno("ENOIOCTLCMD")
        if sk.state == "TCP_LISTEN":
            raise Errno("EINVAL")
        answer: int | Between = len(sk.rx) if sk.state not in ("TCP_SYN_SENT", "TCP_SYN_RECV") else 0
        if sk.urg_data and not sk.flag("SOCK_URGINLINE") and sk.copied_seq() <= sk.urg_seq < sk.rcv_total:
            answer = sk.urg_seq - sk.copied_seq()  # tcp_inq()
        if cmd != SIOCINQ:
            answer = sk.outq(cmd == SIOCOUTQ)
        return Result(0, None, {"arg": answer})

    def setsockopt(self, task: Task, sk: Tcp, level: int, optname: int, optval: bytes) -> int:
        """``tcp_setsockopt()``."""
        if level == SOL_TCP:
            return set_tcp_option(task, sk, optname, optval)
        return set_ip_option(task, sk, level, optname, optval)

    def getsockopt(self, task: Task, sk: Tcp, level: int, optname: int, optlen: int) -> OptionValue:
        """``tcp_getsockopt()``."""
        kernel = task.kernel
        if level == SOL_TCP:
            return get_tcp_option(kernel, sk, optname, optlen)
        return get_ip_option(kernel, sk, level, optname, optlen)


class StreamOps(InetOps):
    """``inet_stream_ops``."""

    name = "inet_stream_ops"

    def mmap(self, task: Task, sock: Socket, prot: int) -> None:
        """Refuse what would be written (``tcp_mmap()``)."""
        if prot & (PROT_WRITE | PROT_EXEC):
            raise Errno("EPERM")
        if task.mm.known:
            raise NotImplementedError("the model does not know TCP_ZEROCOPY_RECEIVE, which a mapped socket is for")

    def has_peek_off(self, kernel: Kernel) -> bool:
        """They have, where MSG_PEEK of TCP knows an offset."""
        return bool(kernel.changes.tcp_peek_off)

    def set_peek_off(self, kernel: Kernel, sock: Socket, value: int) -> None:
        """``sk_set_peek_off()``."""
        if not self.has_peek_off(kernel):
            raise Errno("EOPNOTSUPP")
        tcp_sk(sock.sk).peek_off = value

    def sendpage(self, task: Task, sock: Socket, page: Page, offset: int, size: int, flags: int) -> Sleeps[int]:
        """``inet_sendpage()``, ``tcp_sendpage()``."""
        return tcp_splice.tcp_sendpage(task, tcp_sk(sock.sk), page, offset, size, flags)

    def splice_read(self, task: Task, sock: Socket, pipe: PipeInode, length: int, flags: int) -> Sleeps[int]:
        """``tcp_splice_read()``."""
        return tcp_splice.tcp_splice_read(task, sock, pipe, length)

    def splice_eof(self, kernel: Kernel, sock: Socket) -> None:
        """``inet_splice_eof()``, ``tcp_splice_eof()``."""
        tcp_splice.tcp_splice_eof(kernel, tcp_sk(sock.sk))

    def connect(self, task: Task, sock: Socket, addr: bytes, flags: int) -> Sleeps[int]:
        """``inet_stream_connect()``."""
        return tcp_connect.inet_stream_connect(task, sock, addr, flags)

    def listen(self, task: Task, sock: Socket, backlog: int) -> int:
        """``inet_listen()``."""
        return inet_connection_sock.inet_listen(task.kernel, tcp_sk(sock.sk), sock, backlog)

    def accept(self, task: Task, sock: Socket, newsock: Socket, flags: int) -> Sleeps[int]:
        """``inet_accept()``."""
        return inet_connection_sock.inet_csk_accept(task, sock, newsock, flags)

    def set_rcvlowat(self, kernel: Kernel, sock: Socket, value: int) -> None:
        """``tcp_set_rcvlowat()``."""
        sk = tcp_sk(sock.sk)
        locked = "SOCK_RCVBUF_LOCK" in sk.userlocks
        cap = (sk.rcvbuf if locked else kernel.net.setting("ipv4/tcp_rmem/2")) >> 1
        value = min(value, cap)
        sk.rcvlowat = value or 1
        if (sk.rx and len(sk.rx) >= sk.rcvlowat) or sk.flag("SOCK_DONE"):
            data_ready(kernel, sk)
        if not locked and value << 1 > sk.rcvbuf:
            sk.rcvbuf = value << 1


def elapse(kernel: Kernel) -> None:
    """Take SYNs at their listeners that were sent again before this step (``tcp_retransmit_timer()``).

    Between two steps or within one: that is seen by who returned before the step's own actor did.
    """
    kernel.net.inet.bhash.expire(kernel)
    for socket in list(kernel.net.sockets.values()):
        sk = socket.sk
        if isinstance(sk, Tcp) and sk.state == "TCP_SYN_SENT":

            def find(seen: Observed, sk: Tcp = sk) -> bool:
                early = _early(kernel, seen)
                listener = inet_lookup_listener(kernel, sk) if early else None
                queues = [end.wq for end in (sk, listener) if end is not None and end.wq is not None]
                return any(entry.task in early for queue in queues for entry in queue.entries if entry.task)

            if kernel.choose(tcp_timer.SECOND_SYN, find, lambda answered: True, otherwise=False):
                tcp_timer.retransmit_syn(kernel, sk)


def _early(kernel: Kernel, seen: Observed) -> list[Task]:
    """Return the sleepers that returned before an actor that did not sleep."""
    early: list[Task] = []
    for name in seen.results:
        task = kernel.tasks.get(name)
        if task is None or not task.sleeping:
            return early
        early.append(task)
    return []


def progress(kernel: Kernel) -> None:
    """Send what may go by now, and wake writers that have room again (``tcp_data_snd_check()``)."""
    tcp_timer.retransmit_syns(kernel)
    for orphan in list(kernel.net.inet.orphans):
        if orphan.lost or orphan.fin_lost:
            tcp_timer.tcp_retransmit_skb(kernel, orphan)
        if orphan.out or orphan.fin_out == "queued":
            tcp_push_pending_frames(kernel, orphan, late=True)
        if orphan.state == "TCP_CLOSE" or not tcp.is_sending(orphan):
            kernel.net.inet.orphans.remove(orphan)
    for socket in list(kernel.net.sockets.values()):
        sk = socket.sk
        if not isinstance(sk, Tcp):
            continue
        if sk.requests and sk.state == "TCP_LISTEN":
            inet_connection_sock.reqsk_timer_handler(kernel, sk)
        if sk.lost or sk.fin_lost:
            tcp_timer.tcp_retransmit_skb(kernel, sk)
        if sk.out or sk.fin_out == "queued":
            tcp_push_pending_frames(kernel, sk, late=sk.quickack or not isinstance(sk.peer, Tcp))
        tcp_check_space(kernel, sk)
        if sk.pinet6 is not None and sk.pinet6.rxopt:
            keep_packet_options(kernel, sk)


ELAPSE_WORK.append(elapse)
IDLE_WORK.append(progress)
TCP = TcpProto()
STREAM_OPS = StreamOps()
register("tcp_prot", TCP, STREAM_OPS)
