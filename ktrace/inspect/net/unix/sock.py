"""Read ``struct unix_sock`` and what AF_UNIX keeps in its buffers (``include/net/af_unix.h``)."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

from ktrace.include.net.scm import SCM_MAX_FD
from ktrace.inspect.fs.file import FileReader
from ktrace.inspect.fs.inode import InodeReader
from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.members import offset_of, type_of
from ktrace.inspect.memory import KernelMemory, Place
from ktrace.inspect.net.core.family import SockPart, plain_buffer, plain_buffers
from ktrace.inspect.net.core.skbuff import Packet
from ktrace.inspect.process.pid import Pids
from ktrace.inspect.wait_queue import WaitQueues
from ktrace.state.net.skbuff import Buffer, UnixBuffer
from ktrace.state.net.unix import UnixSock
from ktrace.state.process.process import Credentials
from ktrace.state.ref import Ref
from ktrace.uapi.un import SIZEOF_SOCKADDR_UN, SUN_PATH


class UnixReader:
    """Read what only an AF_UNIX sock has.

    :param queues: reads who waits for room
    :param pids: names who sent
    :param inodes: reads the inodes that bound names made
    :param files: reads the files that travel in messages
    """

    def __init__(
        self, kernel: LiveKernel, queues: WaitQueues, pids: Pids, inodes: InodeReader, files: FileReader
    ) -> None:
        prog = kernel.prog
        self.queues = queues
        self.pids = pids
        self.inodes = inodes
        self.files = files
        self.unix = layout_of(
            prog, "struct unix_sock", "addr", "peer", "listener", "?oob_skb",
            dentry="path.dentry", wait_first="peer_wq.wait.head.next", nr_fds="scm_stat.nr_fds.counter",
        )  # fmt: skip
        self.wait_head = self.unix.offsets["wait_first"]
        self.address = layout_of(prog, "struct unix_address", "len")
        self.address_name = offset_of(prog, "struct unix_address", "name")
        self.dentry = layout_of(prog, "struct dentry", "d_inode")
        self.cb = layout_of(prog, "struct unix_skb_parms", "pid", "fp", "consumed", uid="uid.val", gid="gid.val")
        self.scm_fp_list = layout_of(prog, "struct scm_fp_list", "count")
        self.fp = offset_of(prog, "struct scm_fp_list", "fp")
        self.dead = 1 << dict(type_of(prog, "enum sock_flags").enumerators)["SOCK_DEAD"]

    def read(
        self, observation: Observation, address: int, sock: Any, received: list[Packet], unsent: list[Packet]
    ) -> SockPart:
        """Return the part of AF_UNIX of the sock at *address*."""
        memory = observation.memory
        found = self.unix.read(memory, address)
        # unix_release_sock() leaves the listener of an embryo that dies with it as it was.
        listener = 0 if sock.flags & self.dead else found.listener
        name, places = self._name(memory, found.addr) if found.addr else (None, [])
        peer_wait = self.queues.waiters(observation, address + self.wait_head, "unix_sock.peer_wq", found.wait_first)
        part = UnixSock(
            addr=name,
            path=self._inode(observation, found.dentry) if found.dentry else None,
            peer=Ref("sock", found.peer) if found.peer else None,
            listener=Ref("sock", listener) if listener else None,
            peer_wait=peer_wait,
            nr_fds=found.nr_fds,
            oob=next((index for index, packet in enumerate(received) if packet.address == found.oob_skb), None),
        )
        leads_to = [other for other in (found.peer, listener) if other]
        leads_to += [packet.skb.sk for packet in received if packet.skb.sk]
        return SockPart(
            members={"unix": part},
            size=self.unix.size,
            receive_queue=tuple([self._buffer(observation, packet) for packet in received]),
            write_queue=plain_buffers(unsent),
            leads_to=leads_to,
            # An inode is added to the World each time.
            places=None if found.dentry or peer_wait else places,
        )

    def _inode(self, observation: Observation, dentry: int) -> Ref:
        return self.inodes.observe(observation, self.dentry.read(observation.memory, dentry).d_inode)

    def _name(self, memory: KernelMemory, address: int) -> tuple[bytes, list[Place]]:
        """Return the ``sun_path`` of the ``struct unix_address`` at *address*."""
        length = self.address.read(memory, address).len
        length = max(SUN_PATH, min(length, SIZEOF_SOCKADDR_UN + 1))
        data = memory.read(address, self.address_name + length)
        return data[self.address_name + SUN_PATH :], [(address, data)]

    def _buffer(self, observation: Observation, packet: Packet) -> Buffer:
        """Return a packet with its ``UNIXCB()``."""
        skb = packet.skb
        cb = self.cb.unpack(skb.cb, 0)
        return replace(
            plain_buffer(packet),
            unix=UnixBuffer(
                creds=Credentials(pid=self.pids.name(observation, cb.pid), uid=cb.uid, gid=cb.gid),
                fp=self._descriptors(observation, cb.fp),
                consumed=cb.consumed,
            ),
        )

    def _descriptors(self, observation: Observation, fp: int) -> tuple[Ref, ...]:
        """Return the files of the ``struct scm_fp_list`` at *fp*."""
        if not fp:
            return ()
        memory = observation.memory
        count = min(max(self.scm_fp_list.read(memory, fp).count, 0), SCM_MAX_FD)
        files = struct.unpack(f"<{count}Q", memory.read(fp + self.fp, 8 * count))
        return tuple(self.files.observe(observation, file) for file in files)
