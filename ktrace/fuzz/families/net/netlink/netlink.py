"""AF_NETLINK sockets that name themselves and talk to each other, and to a kernel that acknowledges."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.agent.syscalls import make_call
from ktrace.fuzz.chance import Chance, pattern
from ktrace.fuzz.families.fs.files import pick_fd
from ktrace.fuzz.families.fs.watchers import watching
from ktrace.fuzz.families.net.socket import SocketFamily, is_socket, is_talking, sock_of
from ktrace.fuzz.family import Scenario
from ktrace.fuzz.model_view import ModelView
from ktrace.model.net.netlink.sock import Netlink
from ktrace.model.task import Task
from ktrace.state.call import Call

_OPTIONS = (
    "NETLINK_ADD_MEMBERSHIP", "NETLINK_DROP_MEMBERSHIP", "NETLINK_PKTINFO", "NETLINK_NO_ENOBUFS", "NETLINK_CAP_ACK",
    "NETLINK_EXT_ACK",
)  # fmt: skip
_ACK = struct.pack("<IHHII", 16, 1, 5, 7, 0)


class NetlinkFamily(SocketFamily):
    """``net/netlink/af_netlink.c``."""

    name = "netlink"
    domain = C["AF_NETLINK"]
    types = (C["SOCK_RAW"], C["SOCK_DGRAM"])

    def prepare(self, state: ModelView, choose: Chance, task: Task) -> Iterator[Call]:
        """Open a socket under a number that others know."""
        yield make_call("socket", self.domain, self.kind(choose), C["NETLINK_USERSOCK"])
        yield make_call("bind", max(task.files.slots, default=0), self.address(state, choose, task))

    def scenarios(self) -> Sequence[tuple[float, Scenario]]:
        """Return what takes several actions: watching with poll and epoll."""
        return [(1, watching(is_socket, lambda state, choose, file: None))]

    def address(self, state: ModelView, choose: Chance, task: Task) -> dict[str, Any]:
        """Return a number that somebody may have."""
        portid = choose.one((0, 500, 500, 501, 502, task.pid))
        return {"sa_family": self.domain, "nl_pid": portid, "nl_groups": 0}

    def option(self, choose: Chance) -> tuple[int, int, Any]:
        """Return an option of netlink."""
        return C["SOL_NETLINK"], C[choose.one(_OPTIONS)], choose.one((0, 1, 2, 30, 33, 100))

    def _socket(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if self.enough(choose, task):
            return None
        protocol = choose.one((C["NETLINK_USERSOCK"], C["NETLINK_USERSOCK"], C["NETLINK_ROUTE"]))
        return make_call("socket", self.domain, self.kind(choose), protocol)

    def _bind(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = pick_fd(choose, task, is_socket)
        if fd is None:
            return None
        address = self.address(state, choose, task)
        if choose.chance(0.3):
            address["nl_groups"] = choose.one((1, 5, 1 << 31))
        return make_call("bind", fd, address)

    def _send(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = pick_fd(choose, task, is_talking)
        if fd is None:
            return None
        sk = sock_of(task, fd)
        if isinstance(sk, Netlink) and sk.protocol == C["NETLINK_ROUTE"]:
            return make_call("sendto", fd, _ACK * choose.one((1, 1, 3)), flags=C["MSG_DONTWAIT"])
        address = self.address(state, choose, task) if choose.chance(0.7) else None
        data = pattern(state.number, self.size(choose))
        return make_call("sendto", fd, data, flags=C["MSG_DONTWAIT"], dest_addr=address)
