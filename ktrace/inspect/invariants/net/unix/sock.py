"""Check AF_UNIX: peers, embryos, addresses, and descriptors in flight (``net/unix/*.c``)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any

from drgn.helpers.linux.net import for_each_net

from ktrace.include.net.af_unix import UNIX_HASH_SIZE
from ktrace.include.net.scm import SCM_MAX_FD
from ktrace.include.net.tcp_states import TCP_CLOSE, TCP_ESTABLISHED, TCP_LISTEN
from ktrace.inspect.changes import PROBES
from ktrace.inspect.invariants.net.core.skbuff import Buffers, Charges, Queued
from ktrace.inspect.invariants.violation import Violation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.lib.list import each_once, for_each_hlist_node
from ktrace.inspect.members import offset_of
from ktrace.uapi.net import SS_CONNECTED, SS_UNCONNECTED
from ktrace.uapi.socket import SOCK_DGRAM, SOCK_STREAM
from ktrace.uapi.un import SIZEOF_SOCKADDR_UN, SUN_PATH

MAX_CHAIN = 1 << 16
TOT_INFLIGHT = "unix_tot_inflight"
"""Gone between 6.12 and 7.2: who collects by graph counts the edges of each vertex."""


class UnixChecks:
    """Check AF_UNIX sockets.

    :param dead: the bit SOCK_DEAD
    """

    def __init__(self, kernel: LiveKernel, buffers: Buffers, dead: int) -> None:
        prog = kernel.prog
        self.kernel = kernel
        self.buffers = buffers
        self.dead = dead
        self.unix = layout_of(
            prog, "struct unix_sock", "addr", "peer", "listener", "?vertex", "?oob_skb",
            nr_fds="scm_stat.nr_fds.counter", state="sk.__sk_common.skc_state", family="sk.__sk_common.skc_family",
            flags="sk.__sk_common.skc_flags", sk_type="sk.sk_type", sk_socket="sk.sk_socket",
            wait_first="peer_wq.wait.head.next",
        )  # fmt: skip
        self.counts_in_flight = kernel.has_symbol(TOT_INFLIGHT)
        self.leaves_state = PROBES["unix_socket_state"](kernel)
        self.address = layout_of(prog, "struct unix_address", "refcnt.refs.counter", "len")
        self.cb = layout_of(prog, "struct unix_skb_parms", "fp", "consumed")
        self.fp = layout_of(prog, "struct scm_fp_list", "count", "max", "?count_unix")
        self.fp_offset = offset_of(prog, "struct scm_fp_list", "fp")
        # sk_node is skc_node, an hlist_node.
        self.node = offset_of(prog, "struct sock_common", "skc_node")

    def hashed(self) -> set[int]:
        """Return every AF_UNIX sock in the tables of all network namespaces.

        :raises CorruptStructure: a chain cannot be followed
        """
        memory = self.kernel.memory
        found: set[int] = set()
        for net in each_once(for_each_net(self.kernel.prog), "net_namespace_list"):
            buckets = int(net.unx.table.buckets.value_())
            if not buckets:
                continue
            for number, (first,) in enumerate(struct.iter_unpack("<Q", memory.read(buckets, 8 * UNIX_HASH_SIZE))):
                if first:
                    nodes = for_each_hlist_node(memory, buckets + 8 * number, "unix_table.buckets", MAX_CHAIN)
                    found.update([node - self.node for node in nodes])
        return found

    def check_state(self, where: str, socket: Any, sock: Any) -> Iterator[Violation]:
        """Check ``socket.state`` against ``sk_state``; kernels that do not keep it for AF_UNIX never set it."""
        if socket.state != SS_UNCONNECTED and (self.leaves_state or socket.state != SS_CONNECTED):
            yield Violation(f"{where}.state", f"is {socket.state}, which AF_UNIX never sets")
        if self.leaves_state is not False or sock.sk_type == SOCK_DGRAM:
            return
        if (socket.state == SS_CONNECTED) != (sock.state == TCP_ESTABLISHED):
            yield Violation(f"{where}.state", f"is {socket.state}, but sk_state is {sock.state}")

    def check(
        self, where: str, address: int, sock: Any, packets: list[Queued], charges: Charges, more: list[int]
    ) -> Iterator[Violation]:
        """Check one sock and its queue.

        :param charges: gets what its buffers say about others
        :param more: gets the socks it leads to
        """
        found = self.unix.read(self.kernel.memory, address)
        if sock.state not in (TCP_ESTABLISHED, TCP_CLOSE, TCP_LISTEN):
            yield Violation(f"{where}.sk_state", f"is {sock.state}, which AF_UNIX never sets")
        # unix_wait_for_peer()
        charges.held |= found.wait_first != address + self.unix.offsets["wait_first"]
        if found.peer:
            more.append(found.peer)
        yield from self._check_peer(where, address, sock, found)
        yield from self._check_address(where, found)
        fds = 0
        for index, packet in enumerate(packets):
            place = f"{where}.sk_receive_queue[{index}]"
            if not packet.skb.sk:
                yield Violation(f"{place}.sk", "is NULL")
                continue
            more.append(packet.skb.sk)
            charges.written[packet.skb.sk] += packet.skb.truesize
            if sock.state == TCP_LISTEN:
                yield from self._check_embryo(place, address, packet)
                continue
            cb = self.cb.unpack(packet.skb.cb, 0)
            if sock.sk_type == SOCK_STREAM and cb.consumed > packet.skb.len:
                yield Violation(f"{place}.consumed", f"is {cb.consumed}, more than len, {packet.skb.len}")
            if cb.fp:
                count, violations = self._files(place, cb.fp, charges)
                fds += count
                yield from violations
        uncounted = not packets or not self._counts_back(sock)
        if (found.nr_fds < fds or (found.nr_fds > fds and not uncounted)) and not sock.flags & self.dead:
            yield Violation(f"{where}.scm_stat.nr_fds", f"is {found.nr_fds}, but {fds} descriptors are queued")
        if found.oob_skb and found.oob_skb not in (packet.address for packet in packets):
            yield Violation(f"{where}.oob_skb", f"{found.oob_skb:#x} is not queued")

    def _counts_back(self, sock: Any) -> bool:
        """Tell whether each message that leaves the queue of a living sock goes through ``scm_stat_del()``.

        ``unix_dgram_disconnected()`` purges the queue of who loses its peer; ``manage_oob()`` drops buffers whose
        byte was received out of band or is not wanted. What ``unix_collect_skb()`` drops is the whole queue.
        """
        if sock.sk_type == SOCK_DGRAM:
            return False
        return sock.sk_type != SOCK_STREAM or "oob_skb" not in self.unix.offsets

    def _check_peer(self, where: str, address: int, sock: Any, found: Any) -> Iterator[Violation]:
        if sock.sk_type == SOCK_DGRAM:
            return
        if bool(found.peer) != (sock.state == TCP_ESTABLISHED) and not (found.peer and sock.state == TCP_CLOSE):
            yield Violation(f"{where}.peer", f"is {found.peer:#x}, but sk_state is {sock.state}")
        if not found.peer:
            return
        peer = self.unix.read(self.kernel.memory, found.peer)
        if (peer.family, peer.sk_type) != (sock.family, sock.sk_type):
            yield Violation(f"{where}.peer", f"is of family {peer.family} and type {peer.sk_type}")
        elif not peer.flags & self.dead and not sock.flags & self.dead and peer.peer != address:
            yield Violation(f"{where}.peer", f"{found.peer:#x} has peer {peer.peer:#x}")

    def _check_address(self, where: str, found: Any) -> Iterator[Violation]:
        if not found.addr:
            return
        address = self.address.read(self.kernel.memory, found.addr)
        if not SUN_PATH < address.len <= SIZEOF_SOCKADDR_UN + 1:
            yield Violation(f"{where}.addr.len", f"is {address.len}")
        if address.refcnt_refs_counter < 1:
            yield Violation(f"{where}.addr.refcnt", f"is {address.refcnt_refs_counter}")

    def _check_embryo(self, place: str, listener: int, packet: Queued) -> Iterator[Violation]:
        """Check a connection that nobody accepted yet."""
        child = self.unix.read(self.kernel.memory, packet.skb.sk)
        if child.listener != listener:
            yield Violation(f"{place}.sk", f"{packet.skb.sk:#x} has listener {child.listener:#x}")
        if child.sk_socket:
            yield Violation(f"{place}.sk", f"{packet.skb.sk:#x} has a socket, and is not accepted yet")

    def _files(self, place: str, fp: int, charges: Charges) -> tuple[int, list[Violation]]:
        """Count the descriptors of one message."""
        memory = self.kernel.memory
        found = self.fp.read(memory, fp)
        if not 0 < found.count <= found.max <= SCM_MAX_FD:
            return 0, [Violation(f"{place}.fp.count", f"is {found.count}, with room for {found.max}")]
        violations = []
        files = struct.unpack(f"<{found.count}Q", memory.read(fp + self.fp_offset, 8 * found.count))
        for index, file in enumerate(files):
            if file:
                charges.in_flight[file] += 1
            else:
                violations.append(Violation(f"{place}.fp.fp[{index}]", "is NULL"))
        if found.count_unix is None:
            charges.inflight_sockets = None
        elif charges.inflight_sockets is not None:
            charges.inflight_sockets += found.count_unix
        return found.count, violations

    def accounts(self, socks: Mapping[int, Any], hashed: set[int], charges: Charges) -> Iterator[Violation]:
        """Check sums over all sockets.

        :param socks: every AF_UNIX sock that was met
        :param hashed: those in the tables
        """
        for address, sock in socks.items():
            where = f"sock {address:#x}"
            dead = bool(sock.flags & self.dead)
            if dead == (address in hashed):
                yield Violation(where, "is SOCK_DEAD and in unix_table" if dead else "is alive and not in unix_table")
            # sk_free() gives back the 1 that the sock itself holds.
            due = charges.written[address] + (sock.refcnt > 0)
            if sock.wmem_alloc < due or (sock.wmem_alloc > due and not charges.held):
                yield Violation(f"{where}.sk_wmem_alloc", f"is {sock.wmem_alloc}, but the queued buffers make it {due}")
        total = charges.inflight_sockets
        if total is not None and self.counts_in_flight:
            value = int(self.kernel.variable(TOT_INFLIGHT).value_())
            if value != total:
                yield Violation(TOT_INFLIGHT, f"is {value}, but {total} sockets are in flight")
