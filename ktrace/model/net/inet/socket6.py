"""AF_INET6 sockets: creation, addresses, names (``net/ipv6/af_inet6.c``)."""

from __future__ import annotations

from ktrace.include.net.ip import LOOPBACK_IFINDEX
from ktrace.include.net.ipv6 import SIN6_LEN_RFC2133
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.sock import Socket
from ktrace.model.net.inet.addr4 import ANY
from ktrace.model.net.inet.addr6 import (
    ANY6,
    LOOPBACK4_IPV6,
    LOOPBACK6,
    inet6_address,
    is_multicast,
    mapped_v4,
    needs_scope_id,
    sockaddr_in6,
)
from ktrace.model.net.inet.sock import Inet, Pinet6, inet_sk
from ktrace.model.net.inet.socket import InetOps, address_type, make_sock, not_local
from ktrace.model.net.socket import family
from ktrace.model.task import Errno, Task
from ktrace.uapi.in6 import SIZEOF_SOCKADDR_IN6
from ktrace.uapi.socket import AF_INET6, PF_INET6, SOCK_STREAM


@family("inet6_create")
def inet6_create(task: Task, socket: Socket, protocol: int) -> None:
    """Make an AF_INET6 socket (``inet6_create()``)."""
    sk = make_sock(task, socket, protocol, "AF_INET6")
    sk.pinet6 = Pinet6()
    sk.ipv6only = bool(task.kernel.net.facts.sysctl.get("ipv6/bindv6only", 0))
    # inet_sock.mc_all is set by inet_create() alone.
    sk.bits.discard("mc_all")
    sk.proto.init(task, sk)


class Inet6Ops(InetOps):
    """What ``inet6_stream_ops``, ``inet6_dgram_ops`` and ``inet6_sockraw_ops`` have in common."""

    family = PF_INET6

    def bind(self, task: Task, sock: Socket, addr: bytes) -> int:
        """``inet6_bind()``, ``__inet6_bind()``."""
        kernel = task.kernel
        sk = inet_sk(sock.sk)
        proto = sk.proto
        if proto.has_bind:
            return proto.bind(task, sk, addr)
        if len(addr) < SIN6_LEN_RFC2133:
            raise Errno("EINVAL")
        family_, address, port, _, scope = inet6_address(addr)
        if family_ != AF_INET6:
            raise Errno("EAFNOSUPPORT")
        if is_multicast(address) and sk.type == SOCK_STREAM:
            raise Errno("EINVAL")
        privileged = port and port < kernel.net.setting("ipv4/ip_unprivileged_port_start")
        if privileged and not task.cred.capable("CAP_NET_BIND_SERVICE"):
            raise Errno("EACCES")
        if sk.state != "TCP_CLOSE" or sk.inet_num:
            raise Errno("EINVAL")
        v4addr = self._check_address(kernel, sk, address, scope if len(addr) >= SIZEOF_SOCKADDR_IN6 else 0)
        sk.rcv_saddr = sk.saddr = v4addr
        sk.v6_rcv_saddr = address
        if not is_multicast(address):
            sk.np.saddr = address
        saved = sk.ipv6only
        if address != ANY6 and mapped_v4(address) is None:
            sk.ipv6only = True
        if port or "bind_address_no_port" not in sk.bits:
            try:
                proto.get_port(kernel, sk, port)
            except Errno:
                sk.ipv6only = saved
                sk.reset_saddr()
                raise
        if address != ANY6:
            sk.userlocks.add("SOCK_BINDADDR_LOCK")
        if port:
            sk.userlocks.add("SOCK_BINDPORT_LOCK")
        sk.sport = sk.inet_num
        sk.daddr, sk.dport = ANY, 0
        return 0

    def _check_address(self, kernel: Kernel, sk: Inet, address: str, scope: int) -> str:
        """Tell whether *address* is this machine's; return what stands for it in the IPv4 members."""
        inside = mapped_v4(address)
        if inside is not None:
            if sk.ipv6only:
                raise Errno("EINVAL")
            if address_type(inside) == "RTN_UNICAST" and not_local(kernel, sk, "ipv4/ip_nonlocal_bind"):
                raise Errno("EADDRNOTAVAIL")
            return inside
        if address == ANY6:
            return ANY
        if needs_scope_id(address):
            if scope:
                sk.bound_dev_if = scope
            if not sk.bound_dev_if:
                raise Errno("EINVAL")
        if sk.bound_dev_if not in (0, LOOPBACK_IFINDEX):
            raise Errno("ENODEV")
        if not is_multicast(address) and address != LOOPBACK6 and not_local(kernel, sk, "ipv6/ip_nonlocal_bind"):
            raise Errno("EADDRNOTAVAIL")
        return LOOPBACK4_IPV6

    def getname(self, kernel: Kernel, sock: Socket, peer: int) -> bytes:
        """``inet6_getname()``."""
        sk = inet_sk(sock.sk)
        if not peer:
            address = sk.v6_rcv_saddr if sk.v6_rcv_saddr != ANY6 else sk.np.saddr
            return sockaddr_in6(address, sk.sport, scope=_iface_scope_id(sk, address))
        if not sk.dport or (sk.state in ("TCP_CLOSE", "TCP_SYN_SENT") and peer == 1):
            raise Errno("ENOTCONN")
        flow = sk.np.flow_label if "sndflow" in sk.np.bits else 0
        return sockaddr_in6(sk.v6_daddr, sk.dport, flow, _iface_scope_id(sk, sk.v6_daddr))


def _iface_scope_id(sk: Inet, address: str) -> int:
    """Return the interface that an address is to be understood with (``ipv6_iface_scope_id()``)."""
    return sk.bound_dev_if if needs_scope_id(address) else 0
