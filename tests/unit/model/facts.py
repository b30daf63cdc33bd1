"""Facts of a kernel to build a model from, without a guest: what lab-6.1 says of itself, as far as tests need it."""

from __future__ import annotations

from ktrace.state.ipc.namespace import IdsFacts, IpcFacts
from ktrace.state.mm.address_space import MmFacts
from ktrace.state.net.facts import ProtocolSwitch, SocketFacts
from ktrace.state.net.netlink import NetlinkTable

BOOT = IdsFacts(seq=0, idr_next=0, max_idx=-1, last_idx=-1, next_id=-1)
IPC = IpcFacts(
    ipc_mni=32768,
    ipc_mni_shift=15,
    ipc_min_cycle=64,
    page_size=4096,
    datalen_msg=4048,
    datalen_seg=4088,
    sem_ids=BOOT,
    msg_ids=BOOT,
    shm_ids=BOOT,
    sem_ctls=(32000, 1024000000, 500, 32000),
    msg_ctlmax=8192,
    msg_ctlmnb=16384,
    msg_ctlmni=32000,
    shm_ctlmax=(1 << 64) - 1 - (1 << 24),
    shm_ctlall=(1 << 64) - 1 - (1 << 24),
    shm_ctlmni=4096,
    shm_rmid_forced=0,
    mm=MmFacts(
        birth=((0x400000, 0x41C000, 7), (0x7FFFF7FF9000, 0x7FFFF7FFF000, 1), (0x7FFFFFFDE000, 0x7FFFFFFFF000, 3)),
        mmap_base=0x7FFFF7FFF000,
        task_size=0x7FFFFFFFF000,
        mmap_min_addr=4096,
        totalram_pages=8192,
        overcommit_memory=0,
        special=(0x7FFFF7FF9000,),
    ),
)

PERMANENT, ICSK, REUSE = "INET_PROTOSW_PERMANENT", "INET_PROTOSW_ICSK", "INET_PROTOSW_REUSE"
NET = SocketFacts(
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
