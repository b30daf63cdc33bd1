"""A model with processes, a directory and sockets, to try rules on."""

from __future__ import annotations

from typing import Any

from ktrace.agent.syscalls import make_call
from ktrace.model import build  # noqa: F401  (its import registers every rule)
from ktrace.model.fs.tree import Tree
from ktrace.model.kernel import Advice, Kernel
from ktrace.model.net.socket import SocketSubsystem
from ktrace.model.process.process import Processes
from ktrace.state.call import Completed, Outcome, Result
from ktrace.state.net.facts import ProtocolSwitch, SocketFacts
from ktrace.state.net.netlink import NetlinkTable
from ktrace.state.net.sock import Sock
from ktrace.state.world import World

PERMANENT, ICSK, REUSE = "INET_PROTOSW_PERMANENT", "INET_PROTOSW_ICSK", "INET_PROTOSW_REUSE"
FACTS = SocketFacts(
    net_families={1: "unix_create", 2: "inet_create", 10: "inet6_create", 16: "netlink_create", 17: "packet_create"},
    inetsw=(
        ProtocolSwitch(1, 6, "tcp_prot", "inet_stream_ops", (PERMANENT, ICSK)),
        ProtocolSwitch(2, 17, "udp_prot", "inet_dgram_ops", (PERMANENT,)),
        ProtocolSwitch(2, 1, "ping_prot", "inet_sockraw_ops", (REUSE,)),
        ProtocolSwitch(3, 0, "raw_prot", "inet_sockraw_ops", (REUSE,)),
    ),
    inetsw6=(
        ProtocolSwitch(1, 6, "tcpv6_prot", "inet6_stream_ops", (PERMANENT, ICSK)),
        ProtocolSwitch(2, 17, "udpv6_prot", "inet6_dgram_ops", (PERMANENT,)),
        ProtocolSwitch(2, 58, "pingv6_prot", "inet6_sockraw_ops", (REUSE,)),
        ProtocolSwitch(3, 0, "rawv6_prot", "inet6_sockraw_ops", (REUSE,)),
    ),
    sizes={
        "sk_buff": 208, "skb_shared_info": 320, "max_skb_frags": 17, "smp_cache_bytes": 64, "page_size": 4096,
        "kmalloc_max_cache": 8192,
    },
    sysctl={
        "core/rmem_default": 212992, "core/wmem_default": 212992, "core/rmem_max": 212992, "core/wmem_max": 212992,
        "core/optmem_max": 20480, "core/somaxconn": 4096, "unix/max_dgram_qlen": 10,
        "ipv4/ip_unprivileged_port_start": 1024, "ipv4/ip_nonlocal_bind": 0, "ipv4/ip_default_ttl": 64,
        "ipv4/tcp_rmem/1": 131072, "ipv4/tcp_rmem/2": 6291456, "ipv4/tcp_wmem/1": 16384, "ipv4/tcp_wmem/2": 4194304,
        "ipv4/ping_group_range/low": 1, "ipv4/ping_group_range/high": 0,
        "ipv4/ip_local_port_range/low": 32768, "ipv4/ip_local_port_range/high": 60999,
    },
    netlink=(0, 2, 4, 16),
    netlink_tables={0: NetlinkTable(36, 1, "rtnetlink_bind", True), 2: NetlinkTable(32, 2, None, False)},
    inet_protos={1: "icmp_rcv", 6: "tcp_v4_rcv", 17: "udp_rcv"},
    inet6_protos={6: "tcp_v6_rcv", 17: "udpv6_rcv", 58: "icmpv6_rcv"},
)  # fmt: skip
AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10
STREAM, DGRAM, RAW, SEQPACKET = 1, 2, 3, 5
NONBLOCK, CLOEXEC = 0o4000, 0o2000000
SOL_SOCKET = 1


def unix(path: bytes) -> dict[str, Any]:
    """Return an AF_UNIX address."""
    return {"sa_family": AF_UNIX, "sun_path": path}


def inet(port: int, address: str = "127.0.0.1") -> dict[str, Any]:
    """Return an AF_INET address."""
    return {"sa_family": AF_INET, "sin_port": port, "sin_addr": address}


def inet6(port: int, address: str = "::1", **members: int) -> dict[str, Any]:
    """Return an AF_INET6 address."""
    members = {"sin6_flowinfo": 0, "sin6_scope_id": 0, **members}
    return {"sa_family": AF_INET6, "sin6_port": port, "sin6_addr": address, **members}


class Bench:
    """Run calls of root's actors A and B, and of U, who is nobody special."""

    def __init__(self) -> None:
        self.sockets = SocketSubsystem(FACTS)
        self.kernel = Kernel({"process": Processes(), "tree": Tree(), "socket": self.sockets})
        self.outcome = Outcome(())
        self.results: dict[str, Result] = {}
        for name in "AB":
            self.kernel.act(None, make_call("spawn", name))
        self.kernel.act(None, make_call("spawn", "U", {"uid": 1000, "gid": 1000}))

    def call(self, actor: str, name: str, *args: Any, advice: Advice | None = None, **named: Any) -> int | str:
        """Do a call; return its value, its errno's name, or ``blocked``."""
        self.outcome = self.kernel.act(actor, make_call(name, *args, **named), advice)
        self.results = {event.actor: event.result for event in self.outcome.events if isinstance(event, Completed)}
        result = self.results.get(actor)
        if result is None:
            return "blocked"
        return result.errno if result.errno is not None else result.value

    def out(self, actor: str, name: str) -> Any:
        """Return an out value of an actor's call that the last step completed."""
        return self.results[actor].out[name]

    def pair(self, actor: str = "A", type_: int = STREAM) -> tuple[int, int]:
        """Make a pair of AF_UNIX sockets."""
        assert self.call(actor, "socketpair", AF_UNIX, type_, 0) == 0
        first, second = self.out(actor, "sv")
        return int(first), int(second)

    def sock(self, actor: str, fd: int) -> Sock:
        """Return the World's view of the sock behind a descriptor."""
        world: World = self.kernel.world()
        value = world.objects[self.kernel.tasks[actor].files.get(fd).private.sk.ref]
        assert isinstance(value, Sock)
        return value

    def signals(self) -> list[str]:
        """Return the signals that the last step delivered."""
        return [event.signal for event in self.outcome.events if not isinstance(event, Completed)]  # type: ignore[union-attr,misc]
