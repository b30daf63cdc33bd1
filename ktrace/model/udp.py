"""``udp_prot`` and ``inet_dgram_ops`` (``net/ipv4/udp.c``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ktrace.model.inet_option import get_ip_option, set_ip_option
from ktrace.model.inet_sock import Inet, Proto
from ktrace.model.inet_socket import InetOps, register
from ktrace.model.kernel import Kernel
from ktrace.model.sock import Socket, sock_orphan
from ktrace.model.task import Errno, Task
from ktrace.state.socket import UdpSock


@dataclass(eq=False)
class Udp(Inet):
    """Mirror one ``struct udp_sock``."""

    pending: int = 0
    corkflag: bool = False

    def view_parts(self) -> dict[str, Any]:
        """Return the parts behind the ``struct sock``."""
        return {**Inet.view_parts(self), "udp": UdpSock(self.pending, self.corkflag, 0)}


class UdpProto(Proto):
    """``udp_prot``."""

    sock = Udp

    def init(self, kernel: Kernel, task: Task, sk: Udp) -> None:
        """``udp_init_sock()``."""
        assert sk.socket is not None
        sk.socket.flags.add("SOCK_SUPPORT_ZC")

    def close(self, kernel: Kernel, task: Task, sk: Udp, timeout: int | None) -> int:
        """``udp_lib_close()``."""
        sock_orphan(sk)
        return 0

    def setsockopt(self, kernel: Kernel, task: Task, sk: Udp, level: int, optname: int, optval: bytes) -> int:
        """``udp_setsockopt()``."""
        return set_ip_option(task, sk, level, optname, optval)

    def getsockopt(self, kernel: Kernel, task: Task, sk: Udp, level: int, optname: int, optlen: int) -> bytes:
        """``udp_getsockopt()``."""
        return get_ip_option(kernel, sk, level, optname, optlen)


class DgramOps(InetOps):
    """``inet_dgram_ops``."""

    name = "inet_dgram_ops"
    has_peek_off = True

    def set_peek_off(self, kernel: Kernel, sock: Socket, value: int) -> None:
        """``sk_set_peek_off()``."""
        sock.sk.peek_off = value

    def accept(self, kernel: Kernel, task: Task, sock: Socket, newsock: Socket, flags: int) -> Any:
        """``sock_no_accept()``."""
        raise Errno("EOPNOTSUPP")


UDP = UdpProto()
DGRAM_OPS = DgramOps()
register("udp_prot", UDP, DGRAM_OPS)
