"""``raw_prot``, ``ping_prot`` and ``inet_sockraw_ops`` (``net/ipv4/raw.c``, ``ping.c``)."""

from __future__ import annotations

from typing import Any

from ktrace.model.inet_option import get_ip_option, set_ip_option
from ktrace.model.inet_sock import Inet, Proto
from ktrace.model.inet_socket import InetOps, register
from ktrace.model.kernel import Kernel
from ktrace.model.sock import Socket, sock_orphan
from ktrace.model.task import Errno, Task


class RawProto(Proto):
    """``raw_prot``."""

    has_bind = True
    no_autobind = False

    def init(self, kernel: Kernel, task: Task, sk: Inet) -> None:
        """``raw_hash_sk()``, which ``inet_create()`` calls for it, and ``raw_sk_init()``."""
        sk.flags.add("SOCK_RCU_FREE")

    def close(self, kernel: Kernel, task: Task, sk: Inet, timeout: int | None) -> int:
        """``raw_close()``, ``ping_close()``."""
        sock_orphan(sk)
        return 0

    def setsockopt(self, kernel: Kernel, task: Task, sk: Inet, level: int, optname: int, optval: bytes) -> int:
        """``raw_setsockopt()``."""
        return set_ip_option(task, sk, level, optname, optval)

    def getsockopt(self, kernel: Kernel, task: Task, sk: Inet, level: int, optname: int, optlen: int) -> bytes:
        """``raw_getsockopt()``."""
        return get_ip_option(kernel, sk, level, optname, optlen)


class PingProto(RawProto):
    """``ping_prot``."""

    def init(self, kernel: Kernel, task: Task, sk: Inet) -> None:
        """Refuse groups outside of ``ping_group_range``, which is empty (``ping_init_sock()``).

        :raises Errno: EACCES
        """
        raise Errno("EACCES")


class RawOps(InetOps):
    """``inet_sockraw_ops``."""

    name = "inet_sockraw_ops"

    def listen(self, kernel: Kernel, task: Task, sock: Socket, backlog: int) -> Any:
        """``sock_no_listen()``."""
        raise Errno("EOPNOTSUPP")


PING = PingProto()
RAW = RawProto()
RAW_OPS = RawOps()
register("raw_prot", RAW, RAW_OPS)
register("ping_prot", PING, RAW_OPS)
