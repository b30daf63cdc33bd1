"""``rawv6_prot``, ``pingv6_prot`` and ``inet6_sockraw_ops`` (``net/ipv6/raw.c``, ``ping.c``)."""

from __future__ import annotations

from typing import Any

from ktrace.model.inet6_option import get_ipv6_option, set_ipv6_option
from ktrace.model.inet6_socket import Inet6Ops
from ktrace.model.inet_raw import PingProto, RawOps, RawProto
from ktrace.model.inet_sock import Inet
from ktrace.model.inet_socket import register
from ktrace.model.kernel import Kernel
from ktrace.model.task import Task


class Raw6Proto(RawProto):
    """``rawv6_prot``."""

    def setsockopt(self, kernel: Kernel, task: Task, sk: Inet, level: int, optname: int, optval: bytes) -> int:
        """``rawv6_setsockopt()``."""
        return set_ipv6_option(kernel, task, sk, level, optname, optval)

    def getsockopt(self, kernel: Kernel, task: Task, sk: Inet, level: int, optname: int, optlen: int) -> Any:
        """``rawv6_getsockopt()``."""
        return get_ipv6_option(kernel, sk, level, optname, optlen)


class Ping6Proto(PingProto):
    """``pingv6_prot``."""


class Raw6Ops(Inet6Ops, RawOps):
    """``inet6_sockraw_ops``."""

    name = "inet6_sockraw_ops"


RAW6_OPS = Raw6Ops()
register("rawv6_prot", Raw6Proto(), RAW6_OPS)
register("pingv6_prot", Ping6Proto(), RAW6_OPS)
