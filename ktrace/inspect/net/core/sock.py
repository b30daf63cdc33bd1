"""Read ``struct sock`` and follow it to its peer, its listener and its queues (``include/net/sock.h``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from ktrace.inspect.fs.inode import InodeReader
from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import Layout
from ktrace.inspect.members import offset_of, type_of
from ktrace.inspect.net.core.skbuff import BufferReader
from ktrace.inspect.net.core.sock_names import bit_names, enum_name, jiffies, mask_names
from ktrace.inspect.net.inet.sock import InetReader, plain_buffer
from ktrace.inspect.net.netlink.sock import NetlinkReader
from ktrace.inspect.net.packet.sock import PacketReader
from ktrace.inspect.net.unix.sock import UnixReader
from ktrace.inspect.wait_queue import WaitQueues
from ktrace.state.net.sock import FAMILIES, SHUTDOWN, SOCK_TYPES, TCP_STATES, USERLOCKS, Sock
from ktrace.state.process.process import Credentials
from ktrace.state.ref import Ref
from ktrace.state.wait import Waiter
from ktrace.uapi.socket import AF_NETLINK, AF_PACKET, AF_UNIX


class Files(Protocol):
    """Read an open file."""

    def observe(self, observation: Observation, address: int) -> Ref:
        """Add the ``struct file`` at *address* and return its reference."""


class _Known(NamedTuple):
    """A sock as it was decoded last, and the bytes it was decoded from."""

    raw: bytes
    pid: int
    cred: int
    value: Sock
    more: tuple[int, ...]


class SockReader:
    """Read every ``struct sock`` that can be reached from a given one.

    :param inodes: reads the inodes that bound names made
    """

    def __init__(self, kernel: LiveKernel, inodes: InodeReader | None = None) -> None:
        prog = kernel.prog
        self.kernel = kernel
        self.inodes = inodes
        self.files: Files | None = None
        """Reads the files that travel in messages; set once there is one."""
        self.wait_queues = WaitQueues(kernel)
        self.buffers = BufferReader(kernel)
        self.sock = Layout(
            prog, "struct sock", "sk_rcvlowat", "sk_rcvbuf", "sk_sndbuf", "sk_peek_off", "sk_sndtimeo", "sk_priority",
            "sk_mark", "sk_type", "sk_protocol", "sk_lingertime", "sk_err", "sk_err_soft", "sk_ack_backlog",
            "sk_max_ack_backlog", "sk_peer_pid", "sk_peer_cred", "sk_rcvtimeo", "sk_shutdown", "sk_socket",
            family="__sk_common.skc_family", state="__sk_common.skc_state", dev="__sk_common.skc_bound_dev_if",
            prot="__sk_common.skc_prot", flags="__sk_common.skc_flags", uid="sk_uid.val",
            rmem_alloc="sk_backlog.rmem_alloc.counter", wmem_alloc="sk_wmem_alloc.refs.counter",
            receive_first="sk_receive_queue.next", receive_qlen="sk_receive_queue.qlen",
            write_first="sk_write_queue.next", error_first="sk_error_queue.next", backlog="sk_backlog.head",
        )  # fmt: skip
        self.bits = Layout(
            prog, "struct sock", "sk_userlocks", "sk_no_check_tx",
            reuse="__sk_common.skc_reuse", reuseport="__sk_common.skc_reuseport",
        )  # fmt: skip
        self.receive_queue = self.sock.offsets["receive_first"]
        self.write_queue = self.sock.offsets["write_first"]
        self.error_queue = self.sock.offsets["error_first"]
        self.cred = Layout(prog, "struct cred", euid="euid.val", egid="egid.val")
        self.pid_nr = offset_of(prog, "struct pid", "numbers") + offset_of(prog, "struct upid", "nr")
        self.sock_flags = {value: name for name, value in type_of(prog, "enum sock_flags").enumerators}
        self.dead_bit = next(bit for bit, name in self.sock_flags.items() if name == "SOCK_DEAD")
        self.unix = UnixReader(kernel, self)
        self.inet = InetReader(kernel, self.buffers)
        self.netlink = NetlinkReader(kernel)
        self.packet = PacketReader(kernel)
        self._known: dict[int, _Known] = {}

    def add(self, observation: Observation, address: int) -> Ref:
        """Add the ``struct sock`` at *address* and all it leads to; return its reference."""
        pending = [address]
        objects = observation.objects
        while pending:
            at = pending.pop()
            ref = Ref("sock", at)
            if ref not in objects:
                value, more = self.read(observation, at)
                objects[ref] = value
                pending.extend(more)
        return Ref("sock", address)

    def read(self, observation: Observation, address: int) -> tuple[Sock, Sequence[int]]:
        """Return the ``struct sock`` at *address* and the addresses of those it points at.

        One whose bytes are what they were, and that has nothing behind pointers but its peer's
        credentials, is not decoded again.
        """
        memory = observation.memory
        known = self._known.get(address)
        if (
            known is not None
            and memory.read(address, len(known.raw)) == known.raw
            and (not known.pid or self._peer(observation, known.pid, known.cred) == known.value.sk_peer)
        ):
            return known.value, known.more
        found = self.sock.unpack(memory.read(address, self.sock.size), 0)
        value, more, simple = self._decode(observation, address, found)
        if simple:
            raw = memory.read(address, self._size(value))
            self._known[address] = _Known(raw, found.sk_peer_pid, found.sk_peer_cred, value, tuple(more))
        else:
            self._known.pop(address, None)
        return value, more

    def _size(self, value: Sock) -> int:
        if value.unix is not None:
            return self.unix.unix.size
        if value.ipv6 is not None:
            return self.inet.inet6.sizes[value.tcp is not None, value.udp is not None]
        return self._inet_size(value)

    def _inet_size(self, value: Sock) -> int:
        if value.tcp is not None:
            return self.inet.tcp.size
        if value.udp is not None:
            return self.inet.udp.size
        if value.raw is not None:
            return self.inet.raw.size
        if value.packet is not None:
            return self.packet.packet.size
        return self.inet.inet.size if value.inet is not None else self.sock.size

    def _other(self, observation: Observation, address: int, found: Any, more: list[int]) -> dict[str, Any]:
        if found.family == AF_NETLINK:
            return {"netlink": self.netlink.read(observation, address)}
        if found.family == AF_PACKET:
            return {"packet": self.packet.read(observation, address)}
        return self.inet.read(observation, address, found, more)

    def _decode(self, observation: Observation, address: int, found: Any) -> tuple[Sock, list[int], bool]:
        """Return the sock, what it points at, and whether all of it lies in its own bytes."""
        raw = observation.memory.read(address, self.sock.size)
        bits = self.bits.unpack(raw, 0)
        more: list[int] = []
        packets = list(self.buffers.for_each_skb(observation.memory, address + self.receive_queue, found.receive_first))
        parts: dict[str, Any]
        if found.family == AF_UNIX:
            dead = bool(found.flags >> self.dead_bit & 1)
            parts = {"unix": self.unix.read(observation, address, packets, more, dead)}
            receive = tuple(self.unix.buffer(observation, packet, more) for packet in packets)
        else:
            parts = self._other(observation, address, found, more)
            receive = (
                self.inet.unread(packets, observation, address) if "tcp" in parts else tuple(map(plain_buffer, packets))
            )
        is_tcp = "tcp" in parts
        unsent = list(self.buffers.for_each_skb(observation.memory, address + self.write_queue, found.write_first))
        errors = tuple(
            plain_buffer(packet)
            for packet in self.buffers.for_each_skb(observation.memory, address + self.error_queue, found.error_first)
        )
        value = Sock(
            sk_family=FAMILIES.get(found.family, str(found.family)),
            sk_state=enum_name(found.state, TCP_STATES),
            sk_reuse=bits.reuse,
            sk_reuseport=bits.reuseport,
            sk_bound_dev_if=found.dev,
            sk_prot=self.kernel.symbol(found.prot),
            sk_rcvlowat=found.sk_rcvlowat,
            sk_receive_queue=receive,
            sk_receive_qlen=None if is_tcp else found.receive_qlen,
            sk_write_queue=self.inet.unsent(unsent, is_tcp),
            sk_error_queue=errors,
            sk_backlog=tuple(map(plain_buffer, self.buffers.backlog(observation.memory, found.backlog))),
            sk_rmem_alloc=None if is_tcp else found.rmem_alloc,
            sk_rcvbuf=found.sk_rcvbuf,
            sk_sndbuf=found.sk_sndbuf,
            sk_wmem_alloc=None if is_tcp else found.wmem_alloc,
            sk_peek_off=found.sk_peek_off,
            sk_sndtimeo=jiffies(found.sk_sndtimeo),
            sk_priority=found.sk_priority,
            sk_mark=found.sk_mark,
            sk_userlocks=mask_names(bits.sk_userlocks, USERLOCKS),
            sk_no_check_tx=bits.sk_no_check_tx,
            sk_type=SOCK_TYPES.get(found.sk_type, str(found.sk_type)),
            sk_protocol=found.sk_protocol,
            sk_lingertime=jiffies(found.sk_lingertime),
            sk_flags=bit_names(found.flags, self.sock_flags),
            sk_err=found.sk_err,
            sk_err_soft=found.sk_err_soft,
            sk_ack_backlog=found.sk_ack_backlog,
            sk_max_ack_backlog=found.sk_max_ack_backlog,
            sk_uid=found.uid,
            sk_peer=self._peer(observation, found.sk_peer_pid, found.sk_peer_cred),
            sk_rcvtimeo=jiffies(found.sk_rcvtimeo),
            sk_shutdown=mask_names(found.sk_shutdown, SHUTDOWN),
            sk_socket=Ref("socket", found.sk_socket) if found.sk_socket else None,
            **parts,
        )
        simple = not packets and not unsent and not errors and not (value.tcp is not None and value.tcp.accept_queue)
        simple = simple and value.netlink is None
        if (value.udp is not None and value.udp.reader_queue) or (value.tcp is not None and value.tcp.tcp_rtx_queue):
            simple = False
        if value.unix is not None and (value.unix.addr is not None or value.unix.path or value.unix.peer_wait):
            simple = False
        return value, more, simple

    def waiters(self, observation: Observation, head: int, first: int) -> tuple[Waiter, ...]:
        """Return who sleeps on the wait queue whose list head is at *head* and starts with *first*."""
        if first == head:
            return ()
        return self.wait_queues.waiters(observation, head, "socket_wq.wait")

    def actor(self, observation: Observation, pid: int) -> str | None:
        """Return the actor whose ``struct pid`` is at *pid*, ``pid N`` for a stranger, ``None`` for NULL."""
        if not pid:
            return None
        number = observation.memory.u32(pid + self.pid_nr)
        return observation.actors.get(number, f"pid {number}")

    def _peer(self, observation: Observation, pid: int, cred: int) -> Credentials | None:
        if not pid and not cred:
            return None
        ids = self.cred.read(observation.memory, cred) if cred else None
        return Credentials(self.actor(observation, pid), ids.euid if ids else 0, ids.egid if ids else 0)
