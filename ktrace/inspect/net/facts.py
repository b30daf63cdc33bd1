"""Read the facts of sockets: the kernel's tables, sizes and settings."""

from __future__ import annotations

from typing import Any

import drgn
from drgn.helpers.linux.list import hlist_for_each_entry, list_for_each_entry
from drgn.helpers.linux.percpu import per_cpu_ptr

from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.lib.list import each_once
from ktrace.inspect.members import MissingMember, constant, has_member, is_configured, shape_of, type_of
from ktrace.inspect.net.netlink.sock import read_netlink_tables
from ktrace.inspect.net.socket_tables import TablesReader
from ktrace.state.net.facts import SocketFacts
from ktrace.uapi.errno import ENOPROTOOPT
from ktrace.uapi.rtnetlink import RTAX_QUICKACK, RTN_LOCAL

SMP_CACHE_BYTES = 64
"""``1 << CONFIG_X86_L1_CACHE_SHIFT``; in no symbol and no type."""

KMALLOC_MAX_CACHE_SIZE = 8192
"""``1 << KMALLOC_SHIFT_HIGH`` of SLUB: two pages (``include/linux/slab.h``)."""

COOKIE_LOCAL_BATCH = 4096
"""``include/linux/cookie.h``."""

_NO_SUCH_OPTION = (-ENOPROTOOPT).to_bytes(4, "little", signed=True)

_NET_SETTINGS = {
    "core/somaxconn": ("core.sysctl_somaxconn",),
    "core/optmem_max": ("core.sysctl_optmem_max",),
    "unix/max_dgram_qlen": ("unx.sysctl_max_dgram_qlen",),
    "ipv4/ip_unprivileged_port_start": ("ipv4.sysctl_ip_prot_sock",),
    "ipv4/ip_nonlocal_bind": ("ipv4.sysctl_ip_nonlocal_bind",),
    "ipv4/ip_default_ttl": ("ipv4.sysctl_ip_default_ttl",),
    "ipv4/tcp_syncookies": ("ipv4.sysctl_tcp_syncookies",),
    "ipv4/tcp_abort_on_overflow": ("ipv4.sysctl_tcp_abort_on_overflow",),
    "ipv4/tcp_fastopen": ("ipv4.sysctl_tcp_fastopen",),
    "ipv6/bindv6only": ("ipv6.sysctl.bindv6only",),
    "ipv6/ip_nonlocal_bind": ("ipv6.sysctl.ip_nonlocal_bind",),
    "ipv4/tcp_tw_reuse": ("ipv4.sysctl_tcp_tw_reuse",),
    "ipv4/tcp_timestamps": ("ipv4.sysctl_tcp_timestamps",),
    "ipv4/tcp_notsent_lowat": ("ipv4.sysctl_tcp_notsent_lowat",),
}
"""Settings of a network namespace and where ``struct net`` keeps them."""

_GLOBAL_SETTINGS = {
    "core/rmem_default": "sysctl_rmem_default",
    "core/wmem_default": "sysctl_wmem_default",
    "core/rmem_max": "sysctl_rmem_max",
    "core/wmem_max": "sysctl_wmem_max",
    "core/optmem_max": "sysctl_optmem_max",
}


def read_facts(kernel: LiveKernel) -> SocketFacts:
    """Return the facts of *kernel*; its initial network namespace's settings stand for all.

    :raises MissingMember: vmlinux lacks a type that every kernel has
    :raises UsageError: it lacks a variable
    """
    prog = kernel.prog
    net = kernel.variable("init_net")
    sysctl = {name: int(kernel.variable(symbol)) for name, symbol in _GLOBAL_SETTINGS.items() if symbol in prog}
    for name, paths in _NET_SETTINGS.items():
        for path in paths:
            value = _member(net, path)
            if value is not None:
                sysctl[name] = int(value)
    for name in ("tcp_rmem", "tcp_wmem"):
        values = _member(net, f"ipv4.sysctl_{name}")
        if values is not None:
            sysctl.update({f"ipv4/{name}/{index}": int(values[index]) for index in range(3)})
    low, high = _port_range(net)
    sysctl["ipv4/ip_local_port_range/low"] = low
    sysctl["ipv4/ip_local_port_range/high"] = high
    groups = net.ipv4.ping_group_range.range
    sysctl["ipv4/ping_group_range/low"], sysctl["ipv4/ping_group_range/high"] = (int(group.val) for group in groups)
    netlink = read_netlink_tables(kernel)
    tables = TablesReader(kernel).read()
    congestion = kernel.variable("tcp_cong_list")
    return SocketFacts(
        net_families={number: family.create for number, family in tables.net_families.items()},
        inetsw=tuple(entry for entries in tables.inetsw.values() for entry in entries),
        inetsw6=tuple(entry for entries in tables.inetsw6.values() for entry in entries),
        inet_protos=tables.inet_protos,
        inet6_protos=tables.inet6_protos,
        sizes={
            "sk_buff": type_of(prog, "struct sk_buff").size,
            "skb_shared_info": type_of(prog, "struct skb_shared_info").size,
            "max_skb_frags": len(drgn.Object(prog, "struct skb_shared_info", address=0).frags),
            "smp_cache_bytes": SMP_CACHE_BYTES,
            "page_size": 4096,
            "kmalloc_max_cache": KMALLOC_MAX_CACHE_SIZE,
            **_small_heads(kernel),
        },
        sysctl=sysctl,
        congestion={
            ops.name.string_().decode("ascii", "replace"): kernel.symbol(ops.value_())
            for ops in each_once(
                list_for_each_entry("struct tcp_congestion_ops", congestion.address_of_(), "list"), "tcp_cong_list"
            )
        },
        default_congestion=kernel.symbol(net.ipv4.tcp_congestion_control.value_()),
        compat=kernel.has_symbol("__ia32_compat_sys_recvmsg"),
        netdevices=_bindable(kernel),
        security=kernel.has_symbol("security_socket_create"),
        oob=is_configured(prog, "struct unix_sock", "oob_skb", "queue_oob"),
        netlink=tuple(netlink),
        netlink_tables=netlink,
        quickack=_quickack(kernel),
        ping_port_rover=_ping_port_rover(kernel),
        next_cookie=_next_cookie(kernel),
        net_cookie=int(_member(net, "net_cookie") or 0),
    )


def _next_cookie(kernel: LiveKernel) -> int:
    """Return what ``gen_cookie_next(&sock_cookie)`` gives next on the first CPU; 0 where that cannot be told.

    ``include/linux/cookie.h``: CPUs take COOKIE_LOCAL_BATCH of them at a time.
    """
    if "sock_cookie" not in kernel.prog:
        return 0
    cookie = kernel.variable("sock_cookie")
    last = int(per_cpu_ptr(cookie.local, 0).last)
    return (last if last % COOKIE_LOCAL_BATCH else int(cookie.forward_last.counter)) + 1


def _small_heads(kernel: LiveKernel) -> dict[str, int]:
    """Return the size of small heads where they have a cache of their own, and whether charged ones do not use it.

    ``net/core/skbuff.c: kmalloc_reserve()``; since 6.3. With CONFIG_MEMCG, __GFP_ACCOUNT is one of
    KMALLOC_NOT_NORMAL_BITS (``include/linux/slab.h``).
    """
    prog = kernel.prog
    for name, member in (("net_hotdata", "skb_small_head_cache"), ("skb_small_head_cache", "")):
        if name not in prog:
            continue
        cache = _member(prog[name], member) if member else prog[name]
        if cache is None:
            raise MissingMember("struct net_hotdata", member)
        normal, charged = constant(prog, "KMALLOC_NORMAL"), constant(prog, "KMALLOC_CGROUP")
        if normal is None or charged is None:
            raise MissingMember("enum kmalloc_cache_type")
        return {"skb_small_head": int(cache.object_size), "charged_apart": int(normal != charged)}
    return {}


def _bindable(kernel: LiveKernel) -> bool:
    """Tell whether sockets can be bound to a device (CONFIG_NETDEVICES): without it, all there is of
    ``sock_bindtoindex()`` is that it returns -ENOPROTOOPT."""
    symbol = kernel.prog.symbol("sock_bindtoindex")
    return _NO_SUCH_OPTION not in kernel.memory.read(symbol.address, symbol.size)


def _member(value: drgn.Object, path: str) -> Any:
    for name in path.split("."):
        try:
            value = value.member_(name)
        except LookupError:
            return None
    return value


def _quickack(kernel: LiveKernel) -> bool:
    """Tell whether every route to a local address asks for quick acknowledgements (``fib_info_hash[]``)."""
    if has_member(kernel.prog, "struct netns_ipv4", "fib_info_hash"):
        ipv4 = kernel.variable("init_net").ipv4
        table, size = ipv4.fib_info_hash, 1 << int(ipv4.fib_info_hash_bits)
    else:
        table, size = kernel.variable("fib_info_hash"), int(kernel.variable("fib_info_hash_size"))
    found = [
        int(route.fib_metrics.metrics[RTAX_QUICKACK - 1])
        for index in range(size)
        for route in each_once(
            hlist_for_each_entry("struct fib_info", table[index].address_of_(), "fib_hash"), "fib_info_hash"
        )
        if int(route.fib_type) == RTN_LOCAL
    ]
    return bool(found) and all(found)


def _ping_port_rover(kernel: LiveKernel) -> int:
    """Return the last identifier that a ping socket was given; per network namespace on later kernels."""
    if has_member(kernel.prog, "struct netns_ipv4", "ping_port_rover"):
        return int(kernel.variable("init_net").ipv4.ping_port_rover)
    return int(kernel.variable("ping_port_rover"))


def _port_range(net: drgn.Object) -> tuple[int, int]:
    """Return ``ip_local_port_range``, an array of two or one word."""
    found = net.ipv4.ip_local_ports.range
    if shape_of(net.prog_, "struct netns_ipv4", "ip_local_ports.range").kind == drgn.TypeKind.ARRAY:
        return int(found[0]), int(found[1])
    return int(found) & 0xFFFF, int(found) >> 16
