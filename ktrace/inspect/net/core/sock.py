"""Read ``struct sock`` and follow it to its peer, its listener and its queues (``include/net/sock.h``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ktrace.inspect.fs.file import FileReader
from ktrace.inspect.fs.inode import InodeReader
from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.members import type_of
from ktrace.inspect.memory import KernelMemory, Place
from ktrace.inspect.net.core.family import FamilyReader, SockPart, plain_buffers
from ktrace.inspect.net.core.skbuff import BufferReader, Packet
from ktrace.inspect.net.core.sock_names import bit_names, enum_name, jiffies, mask_names, name_of, unnamed
from ktrace.inspect.net.inet.sock import InetReader
from ktrace.inspect.net.netlink.sock import NetlinkReader
from ktrace.inspect.net.packet.sock import PacketReader
from ktrace.inspect.net.unix.sock import UnixReader
from ktrace.inspect.process.pid import Pids
from ktrace.inspect.remembered import Remembered
from ktrace.inspect.unread import UNREADABLE, absence
from ktrace.inspect.wait_queue import WaitQueues
from ktrace.state.net.sock import FAMILIES, SHUTDOWN, SOCK_TYPES, TCP_STATES, USERLOCKS, Sock
from ktrace.state.process.process import Credentials
from ktrace.state.ref import Ref
from ktrace.state.unread import Unread
from ktrace.uapi.socket import AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX


class _Known(NamedTuple):
    """A sock, the socks that it points at, and the ``struct pid`` of its peer."""

    sock: Sock
    leads_to: Sequence[int]
    peer: int


class SockReader:
    """Read every ``struct sock`` that can be reached from a given one.

    :param inodes: reads the inodes that bound names made
    :param files: reads the files that travel in messages
    """

    def __init__(self, kernel: LiveKernel, inodes: InodeReader, files: FileReader) -> None:
        prog = kernel.prog
        self.kernel = kernel
        self.queues = WaitQueues(kernel)
        self.pids = Pids(kernel)
        self.buffers = BufferReader(kernel)
        self.sock = layout_of(
            prog, "struct sock", "sk_rcvlowat", "sk_rcvbuf", "sk_sndbuf", "sk_peek_off", "sk_sndtimeo", "sk_priority",
            "sk_mark", "sk_type", "sk_protocol", "sk_lingertime", "sk_err", "sk_err_soft", "sk_ack_backlog",
            "sk_max_ack_backlog", "sk_peer_pid", "sk_peer_cred", "sk_rcvtimeo", "sk_shutdown", "sk_socket",
            family="__sk_common.skc_family", state="__sk_common.skc_state", dev="__sk_common.skc_bound_dev_if",
            prot="__sk_common.skc_prot", flags="__sk_common.skc_flags", uid="sk_uid.val",
            rmem_alloc="sk_backlog.rmem_alloc.counter", wmem_alloc="sk_wmem_alloc.refs.counter",
            receive_first="sk_receive_queue.next", receive_qlen="sk_receive_queue.qlen",
            write_first="sk_write_queue.next", error_first="sk_error_queue.next", backlog="sk_backlog.head",
        )  # fmt: skip
        self.bits = layout_of(
            prog, "struct sock", "sk_userlocks", "sk_no_check_tx",
            reuse="__sk_common.skc_reuse", reuseport="__sk_common.skc_reuseport",
        )  # fmt: skip
        self.receive_queue = self.sock.offsets["receive_first"]
        self.write_queue = self.sock.offsets["write_first"]
        self.error_queue = self.sock.offsets["error_first"]
        self.cred = layout_of(prog, "struct cred", euid="euid.val", egid="egid.val")
        self.sock_flags = {value: name for name, value in type_of(prog, "enum sock_flags").enumerators}
        inet = InetReader(kernel, self.buffers)
        self.families: dict[int, FamilyReader] = {
            AF_UNIX: UnixReader(kernel, self.queues, self.pids, inodes, files),
            AF_INET: inet,
            AF_INET6: inet,
            AF_NETLINK: NetlinkReader(kernel),
            AF_PACKET: PacketReader(kernel),
        }
        self._remembered: Remembered[_Known] = Remembered()

    def add(self, observation: Observation, address: int) -> Ref:
        """Add the ``struct sock`` at *address* and all it leads to; return its reference."""
        pending = [address]
        objects = observation.objects
        while pending:
            at = pending.pop()
            ref = Ref("sock", at)
            if ref not in objects:
                known = self._remembered.find(observation.memory, at)
                if known is None or not self._has_same_peer(observation, known):
                    try:
                        known = self._read(observation, at)
                    except UNREADABLE as error:
                        objects[ref] = absence(self.kernel.prog, error)
                        continue
                objects[ref] = known.sock
                pending.extend(known.leads_to)
        return Ref("sock", address)

    def _has_same_peer(self, observation: Observation, known: _Known) -> bool:
        """Tell whether the peer of a remembered sock still has its name, which is not in the kernel's memory."""
        peer = known.sock.sk_peer
        return peer is None or peer.pid == self.pids.name(observation, known.peer)

    def _read(self, observation: Observation, address: int) -> _Known:
        """Decode the ``struct sock`` at *address*."""
        memory = observation.memory
        raw = memory.read(address, self.sock.size)
        found, bits = self.sock.unpack(raw, 0), self.bits.unpack(raw, 0)
        received = self._queue(memory, address + self.receive_queue, found.receive_first)
        unsent = self._queue(memory, address + self.write_queue, found.write_first)
        errors = self._queue(memory, address + self.error_queue, found.error_first)
        backlog = list(self.buffers.backlog(memory, found.backlog))
        family = self.families.get(int(found.family))  # which structure it is
        if family is not None:
            part = family.read(observation, address, found, received, unsent)
        else:
            part = SockPart({}, self.sock.size, plain_buffers(received), plain_buffers(unsent))
        peer, peer_places = self._peer(observation, found.sk_peer_pid, found.sk_peer_cred)
        sock = Sock(
            sk_family=name_of(found.family, FAMILIES),
            sk_state=enum_name(found.state, TCP_STATES),
            sk_reuse=bits.reuse,
            sk_reuseport=bits.reuseport,
            sk_bound_dev_if=found.dev,
            sk_prot=self.kernel.symbol(found.prot),
            sk_rcvlowat=found.sk_rcvlowat,
            sk_receive_queue=part.receive_queue,
            sk_receive_qlen=None if part.merges else found.receive_qlen,
            sk_write_queue=part.write_queue,
            sk_error_queue=plain_buffers(errors),
            sk_backlog=plain_buffers(backlog),
            sk_rmem_alloc=None if part.merges else found.rmem_alloc,
            sk_rcvbuf=found.sk_rcvbuf,
            sk_sndbuf=found.sk_sndbuf,
            sk_wmem_alloc=None if part.merges else found.wmem_alloc,
            sk_peek_off=found.sk_peek_off,
            sk_sndtimeo=jiffies(found.sk_sndtimeo),
            sk_priority=found.sk_priority,
            sk_mark=found.sk_mark,
            sk_userlocks=mask_names(bits.sk_userlocks, USERLOCKS),
            sk_no_check_tx=bits.sk_no_check_tx,
            sk_type=name_of(found.sk_type, SOCK_TYPES),
            sk_protocol=found.sk_protocol,
            sk_lingertime=jiffies(found.sk_lingertime),
            sk_flags=bit_names(found.flags, self.sock_flags),
            sk_err=found.sk_err,
            sk_err_soft=found.sk_err_soft,
            sk_ack_backlog=found.sk_ack_backlog,
            sk_max_ack_backlog=found.sk_max_ack_backlog,
            sk_uid=found.uid,
            sk_peer=peer,
            sk_rcvtimeo=jiffies(found.sk_rcvtimeo),
            sk_shutdown=mask_names(found.sk_shutdown, SHUTDOWN),
            sk_socket=Ref("socket", found.sk_socket) if found.sk_socket else None,
            **part.members,
        )
        places: Sequence[Place] | None = None
        # What is on a queue may change without the sock.
        if part.places is not None and not (received or unsent or errors or backlog):
            places = ((address, memory.read(address, part.size)), *part.places, *peer_places)
        return self._remembered.keep(address, _Known(sock, part.leads_to, found.sk_peer_pid), places)

    def _queue(self, memory: KernelMemory, head: int, first: int) -> list[Packet]:
        return list(self.buffers.for_each_skb(memory, head, first)) if first != head else []

    def _peer(self, observation: Observation, pid: int, cred: int) -> tuple[Credentials | None, list[Place]]:
        """Return who listened or connected at the other end."""
        for number in (pid, cred):
            if isinstance(number, Unread):
                return unnamed(number), []
        if not pid and not cred:
            return None, []
        uid, gid, places = 0, 0, []
        if cred:
            places.append((cred, observation.memory.read(cred, self.cred.size)))
            uid, gid = self.cred.unpack(places[0][1], 0)
        return Credentials(pid=self.pids.name(observation, pid), uid=uid, gid=gid), places
