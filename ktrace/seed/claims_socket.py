"""What the seed claims of sockets."""

from __future__ import annotations

from typing import Any

from drgn import Object, cast

from ktrace.seed.judgement import Claim, Judgement, verdict
from ktrace.seed.record import Record


def _states(record: Record) -> Judgement:
    type_ = record.prog.type("socket_state").type
    found = [(item.name, item.value) for item in type_.enumerators]
    wanted = ["SS_FREE", "SS_UNCONNECTED", "SS_CONNECTING", "SS_CONNECTED", "SS_DISCONNECTING"]
    return verdict(
        found == [(name, index) for index, name in enumerate(wanted)], ", ".join(f"{n} {v}" for n, v in found)
    )


def _fresh_socket(record: Record) -> Judgement:
    socket = record.only(2, "socket")
    return verdict(
        (socket.state, socket.ops) == ("SS_UNCONNECTED", "inet_stream_ops"),
        f"socket(AF_INET, SOCK_STREAM) left state {socket.state}, ops {socket.ops}",
    )


def _inet_family(record: Record) -> Judgement:
    ops = record.prog["inet_family_ops"]
    create = record.lab.kernel.symbol(ops.create.value_())
    return verdict(
        create == "inet_create" and ops.family.value_() == 2, f"inet_family_ops: family {ops.family.value_()}, {create}"
    )


def _inetsw(record: Record) -> Judgement:
    from drgn.helpers.linux.list import list_for_each_entry

    symbol = record.lab.kernel.symbol
    rows = []
    for index in range(1, record.prog["inetsw"].type_.length):
        head = record.prog["inetsw"][index]
        for entry in list_for_each_entry("struct inet_protosw", head.address_of_(), "list"):
            names = symbol(entry.prot.value_()), symbol(entry.ops.value_())
            rows.append((index, entry.protocol.value_(), *names, entry.flags.value_()))
    reuse, permanent, icsk = 1, 2, 4  # include/net/protocol.h: INET_PROTOSW_*
    wanted = [
        (1, 6, "tcp_prot", "inet_stream_ops", permanent | icsk),
        (2, 17, "udp_prot", "inet_dgram_ops", permanent),
        (2, 1, "ping_prot", "inet_sockraw_ops", reuse),
        (3, 0, "raw_prot", "inet_sockraw_ops", reuse),
    ]
    more = [f"{row[2]} ({row[0]}, {row[1]})" for row in rows if row not in wanted]
    evidence = f"all four are there, with these flags{', and besides ' + ', '.join(more) if more else ''}"
    missing = [row[2] for row in wanted if row not in rows]
    return verdict(not missing, evidence if not missing else f"missing: {', '.join(missing)}")


def _skb_list(record: Record) -> Judgement:
    members = [member.name for member in record.prog.type("struct sk_buff_head").members]
    names = [name or "(next, prev)" for name in members]
    queue = f"sk_receive_queue is a sk_buff_head ({', '.join(names)}), a doubly linked list"
    if not record.prog.type("struct sock").has_member("tcp_rtx_queue"):
        return "right", queue
    return "aged", f"{queue}; but TCP keeps what is not yet acknowledged in tcp_rtx_queue, a red-black tree"


def _ranges(record: Record) -> Judgement:
    family, type_ = record.result(13).errno, record.result(14).errno
    return verdict(
        (family, type_) == ("EAFNOSUPPORT", "EINVAL"), f"socket() of family -1 says {family}, of type 11 {type_}"
    )


def _flags(record: Record) -> Judgement:
    got = record.result(15).errno
    return verdict(got == "EINVAL", f"socket() with another bit beside the type says {got}")


def _raw(record: Record) -> Judgement:
    root, user = record.result(16), record.result(18).errno
    return verdict(
        root.errno is None and user == "EPERM",
        f"root gets descriptor {root.value}, another user {user}",
    )


def _pairs(record: Record) -> Judgement:
    got = record.result(19).errno
    return verdict(got == "EPROTONOSUPPORT", f"socket(AF_INET, SOCK_STREAM, IPPROTO_UDP) says {got}")


def _socket(record: Record, fd: int) -> Any:
    """Return the ``struct socket *`` behind a descriptor of A, which is still there."""
    from drgn.helpers.linux.fs import fget

    task = Object(record.prog, "struct task_struct *", value=record.lab.inspector.tasks["A"])
    return cast("struct socket *", fget(task, fd).private_data)


_DEFAULTS = {"uc_ttl": -1, "mc_ttl": 1, "mc_loop": 1, "mc_all": 1, "mc_index": 0}


def _defaults(record: Record) -> Judgement:
    udp, raw = (cast("struct inet_sock *", _socket(record, record.result(line).value).sk) for line in (3, 16))
    here = {name for name in _DEFAULTS if udp.prog_.type("struct inet_sock").has_member(name)}
    found = {name: getattr(udp, name).value_() for name in _DEFAULTS if name in here}
    number = raw.sk.__sk_common.skc_num.value_()
    moved = _DEFAULTS.keys() - here
    return verdict(
        all(found[name] == _DEFAULTS[name] for name in here) and number == 255,
        ", ".join(f"{name} {value}" for name, value in found.items())
        + f"; a raw one has inet_num {number}, its protocol"
        + (f"; {', '.join(sorted(moved))} are bits of inet_flags here" if moved else ""),
    )


def _alloc(record: Record) -> Judgement:
    from drgn.helpers.linux.net import SOCKET_I

    socket = _socket(record, record.result(3).value)
    inode = socket.file.f_inode
    operations = record.lab.kernel.symbol(inode.i_op.value_())
    apart = inode.value_() - socket.value_()
    return verdict(
        SOCKET_I(inode) == socket and operations == "sockfs_inode_ops" and inode.i_mode.value_() == 0o140777,
        f"the inode lies {apart} bytes behind its socket, i_mode {inode.i_mode.value_():o}, i_op {operations}",
    )


def _registered(record: Record) -> Judgement:
    from drgn.helpers.linux.list import list_for_each_entry

    protos = list_for_each_entry("struct proto", record.prog["proto_list"].address_of_(), "node")
    names = [proto.name.string_().decode() for proto in protos]
    symbol = record.lab.kernel.symbol
    handlers = [symbol(record.prog["inet_protos"][number].value_()) for number in (1, 17, 6)]
    wanted = {"TCP", "UDP", "RAW", "PING"}
    have = ", ".join(sorted(wanted & set(names)))
    return verdict(
        wanted <= set(names) and handlers == ["icmp_protocol", "udp_protocol", "tcp_protocol"],
        f"proto_list has {have} among {len(names)}; inet_protos {', '.join(handlers)}",
    )


def _link_layer(record: Record) -> Judgement:
    symbol = record.lab.kernel.symbol
    packet = cast("struct packet_sock *", _socket(record, record.result(22).value).sk)
    raw = _socket(record, record.result(16).value).sk
    hook, prot = symbol(packet.prot_hook.func.value_()), symbol(raw.__sk_common.skc_prot.value_())
    return verdict(
        (hook, prot) == ("packet_rcv", "raw_prot"),
        f"AF_PACKET's prot_hook has {hook}(), which gets a device's packets beside ip_rcv(), link header and all; "
        f"AF_INET's raw socket is of {prot}, which ip_local_deliver() serves",
    )


CLAIMS = (
    Claim("sockets", "socket_state: SS_FREE 0 to SS_DISCONNECTING 4", _states),
    Claim("sockets", "socket() takes SOCK_CLOEXEC and SOCK_NONBLOCK beside the type, and nothing else", _flags),
    Claim("sockets", "__sock_create() refuses a family out of range with EAFNOSUPPORT, a type with EINVAL", _ranges),
    Claim("sockets", "a new TCP socket is SS_UNCONNECTED with inet_stream_ops", _fresh_socket),
    Claim("sockets", "inet_family_ops makes sockets with inet_create()", _inet_family),
    Claim("sockets", "inetsw holds TCP, UDP, ICMP and raw, with these operations and flags", _inetsw),
    Claim("sockets", "inet_create() wants a pair of type and protocol that inetsw has", _pairs),
    Claim("sockets", "SOCK_RAW needs CAP_NET_RAW", _raw),
    Claim("sockets", "inet_create() sets uc_ttl -1, mc_loop 1, mc_ttl 1, mc_all 1, mc_index 0", _defaults),
    Claim("sockets", "sock_alloc() makes a socket_alloc: the socket, and an inode of sockfs beside it", _alloc),
    Claim("sockets", "inet_init() registers TCP, UDP, RAW and PING, and ICMP, UDP and TCP above IP", _registered),
    Claim("sockets", "AF_PACKET sees the link layer, AF_INET only IP and what is above", _link_layer),
    Claim("sockets", "sk_buffs are kept on doubly linked lists", _skb_list),
)
