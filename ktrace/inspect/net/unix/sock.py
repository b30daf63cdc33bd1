"""Read ``struct unix_sock`` and what AF_UNIX keeps in its buffers (``include/net/af_unix.h``)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ktrace.include.net.scm import SCM_MAX_FD
from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import Layout
from ktrace.inspect.members import offset_of
from ktrace.inspect.net.core.skbuff import Packet
from ktrace.state.net.skbuff import Buffer, UnixBuffer
from ktrace.state.net.unix import UnixSock
from ktrace.state.process.process import Credentials
from ktrace.state.ref import Ref
from ktrace.uapi.un import SIZEOF_SOCKADDR_UN, SUN_PATH

if TYPE_CHECKING:
    from ktrace.inspect.net.core.sock import SockReader


class UnixReader:
    """Read the AF_UNIX part of a socket.

    :param socks: who reads a ``struct sock``
    """

    def __init__(self, kernel: LiveKernel, socks: SockReader) -> None:
        prog = kernel.prog
        self.socks = socks
        self.unix = Layout(
            prog, "struct unix_sock", "addr", "peer", "listener", "?oob_skb",
            dentry="path.dentry", wait_first="peer_wq.wait.head.next", nr_fds="scm_stat.nr_fds.counter",
        )  # fmt: skip
        self.wait_head = self.unix.offsets["wait_first"]
        self.address = Layout(prog, "struct unix_address", "refcnt.refs.counter", "len")
        self.address_name = offset_of(prog, "struct unix_address", "name")
        self.dentry = Layout(prog, "struct dentry", "d_inode", "d_parent")
        self.cb = Layout(prog, "struct unix_skb_parms", "pid", "fp", "consumed", uid="uid.val", gid="gid.val")
        self.files = Layout(prog, "struct scm_fp_list", "count", "max")
        self.files_fp = offset_of(prog, "struct scm_fp_list", "fp")

    def read(
        self, observation: Observation, address: int, packets: list[Packet], more: list[int], dead: bool
    ) -> UnixSock:
        """Return the part of ``struct unix_sock`` at *address* behind its ``struct sock``.

        :param packets: its receive queue
        :param more: gets the addresses of the socks it points at
        :param dead: SOCK_DEAD is set
        """
        memory = observation.memory
        found = self.unix.read(memory, address)
        # unix_release_sock() leaves the listener of an embryo that dies with it as it was.
        listener = 0 if dead else found.listener
        more.extend(other for other in (found.peer, listener) if other)
        oob = next((index for index, packet in enumerate(packets) if packet.address == found.oob_skb), None)
        return UnixSock(
            addr=self._path(observation, found.addr) if found.addr else None,
            path=self._inode(observation, found.dentry) if found.dentry else None,
            peer=Ref("sock", found.peer) if found.peer else None,
            listener=Ref("sock", listener) if listener else None,
            peer_wait=self.socks.waiters(observation, address + self.wait_head, found.wait_first),
            nr_fds=found.nr_fds,
            oob=oob,
        )

    def _inode(self, observation: Observation, dentry: int) -> Ref:
        inode = int(self.dentry.read(observation.memory, dentry).d_inode)
        reader = self.socks.inodes
        return reader.observe(observation, inode) if reader is not None else Ref("inode", inode)

    def _path(self, observation: Observation, address: int) -> bytes:
        length = self.address.read(observation.memory, address).len
        length = max(SUN_PATH, min(length, SIZEOF_SOCKADDR_UN + 1))
        return observation.memory.read(address + self.address_name + SUN_PATH, length - SUN_PATH)

    def buffer(self, observation: Observation, packet: Packet, more: list[int]) -> Buffer:
        """Return a packet with its ``UNIXCB()``."""
        skb = packet.skb
        cb = self.cb.unpack(skb.cb, 0)
        if skb.sk:
            more.append(skb.sk)
        return Buffer(
            skb.len,
            skb.data_len,
            skb.truesize,
            packet.data,
            Ref("sock", skb.sk) if skb.sk else None,
            UnixBuffer(
                Credentials(self.socks.actor(observation, cb.pid), cb.uid, cb.gid),
                self._descriptors(observation, cb.fp),
                cb.consumed,
            ),
        )

    def _descriptors(self, observation: Observation, fp: int) -> tuple[Ref, ...]:
        if not fp:
            return ()
        memory = observation.memory
        count = min(max(self.files.read(memory, fp).count, 0), SCM_MAX_FD)
        files = struct.unpack(f"<{count}Q", memory.read(fp + self.files_fp, 8 * count))
        if (reader := self.socks.files) is not None:
            return tuple(reader.observe(observation, file) for file in files)
        return tuple(Ref("file", file) for file in files)
