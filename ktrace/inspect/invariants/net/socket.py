"""Check sockets: files, ``struct socket`` and ``struct sock`` against each other (``net/socket.c``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from drgn.helpers.linux.pid import for_each_task

from ktrace.errors import KtraceError
from ktrace.include.linux.err import MAX_ERRNO
from ktrace.inspect.corrupt import NONSENSE, CorruptStructure
from ktrace.inspect.fs.file import FileReader
from ktrace.inspect.fs.inode import InodeReader
from ktrace.inspect.invariants.net.core.skbuff import Buffers, Charges
from ktrace.inspect.invariants.net.inet.sock import InetChecks
from ktrace.inspect.invariants.net.unix.sock import UnixChecks
from ktrace.inspect.invariants.violation import Violation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.lib.list import each_once
from ktrace.inspect.members import offset_of
from ktrace.inspect.net.core.sock_names import mask_names
from ktrace.inspect.process.process import MAX_FDS
from ktrace.state.net.sock import FAMILIES, SHUTDOWN
from ktrace.state.net.socket import SOCKET_STATES
from ktrace.uapi.socket import AF_INET, AF_INET6, AF_NETLINK, AF_UNIX
from ktrace.uapi.stat import S_IFMT, S_IFSOCK

MAX_SOCKS = 1 << 16
GARBAGE = (KtraceError, *NONSENSE)
"""What reading memory that makes no sense raises."""


@dataclass
class SocketCensus:
    """Collect what all tasks have open.

    :ivar sockets: file by the address of its ``struct socket``
    :ivar socks: every ``struct sock`` that was met, in the order in which it is looked at
    """

    violations: list[Violation] = field(default_factory=list)
    sockets: dict[int, int] = field(default_factory=dict)
    socks: dict[int, None] = field(default_factory=dict)
    tables: set[int] = field(default_factory=set)

    def add(self, where: str, what: str) -> None:
        """Note a violation."""
        self.violations.append(Violation(where, what))


def validate_socket(kernel: LiveKernel) -> list[Violation]:
    """Return everything about sockets that contradicts itself, on any kernel that runs anything.

    Checked is every socket that a process has open, that AF_UNIX has in its table, and that either leads to:
    file, ``struct socket`` and ``struct sock`` against each other; queues against their lengths and both of
    their chains; lengths of buffers against their pages; what is charged to a socket against the buffers that
    say so; peers, listeners and embryos from both sides; descriptors in flight against AF_UNIX's accounts;
    TCP's sequence numbers against its queues.

    :param kernel: at rest: on a running guest what is in flight is reported, too
    """
    return _Validator(kernel).run()


class _Validator:
    def __init__(self, kernel: LiveKernel) -> None:
        prog = kernel.prog
        self.kernel = kernel
        self.census = SocketCensus()
        self.files = FileReader(kernel, InodeReader(kernel))
        self.files_struct = layout_of(prog, "struct files_struct", "fdt")
        self.fdtable = layout_of(prog, "struct fdtable", "max_fds", "fd")
        self.inode = layout_of(prog, "struct inode", "i_mode", "i_sb", "i_ino")
        self.sock_mnt = int(kernel.variable("sock_mnt").mnt_sb.value_())
        self.numbers: dict[int, int] = {}
        self.socket_inode = offset_of(prog, "struct socket_alloc", "vfs_inode")
        self.socket = layout_of(prog, "struct socket", "state", "type", "file", "sk", "ops")
        self.socket_wq = offset_of(prog, "struct socket", "wq")
        self.sock = layout_of(
            prog, "struct sock", "sk_type", "sk_protocol", "sk_err", "sk_err_soft", "sk_shutdown", "sk_socket",
            "sk_ack_backlog", "sk_max_ack_backlog", "sk_rcvbuf", "sk_sndbuf", "sk_wq", backlog="sk_backlog.len",
            family="__sk_common.skc_family", state="__sk_common.skc_state", prot="__sk_common.skc_prot",
            refcnt="__sk_common.skc_refcnt.refs.counter", flags="__sk_common.skc_flags",
            rmem_alloc="sk_backlog.rmem_alloc.counter", wmem_alloc="sk_wmem_alloc.refs.counter",
        )  # fmt: skip
        self.dead = 1 << int(prog.constant("SOCK_DEAD"))
        self.buffers = Buffers(kernel)
        self.unix = UnixChecks(kernel, self.buffers, self.dead)
        self.inet = InetChecks(kernel, self.buffers)

    def run(self) -> list[Violation]:
        census = self.census
        for task in each_once(for_each_task(self.kernel.prog), "the list of tasks"):
            owner = f"pid {int(task.pid)}"
            try:
                if address := int(task.files.value_()):
                    self._count_table(address, owner)
            except GARBAGE as error:
                census.add("files_struct", f"of {owner} cannot be read: {error}")
        for address, file in census.sockets.items():
            self._guarded(f"socket {address:#x}", self._check_socket, address, file)
        try:
            hashed = self.unix.hashed()
            census.socks.update(dict.fromkeys(hashed))
        except GARBAGE as error:
            census.add("unix_table", f"cannot be read: {error}")
            hashed = None
        charges = Charges()
        looked_at: dict[int, Any] = {}
        # Looking at one may lead to others.
        while left := [address for address in census.socks if address not in looked_at]:
            if len(looked_at) > MAX_SOCKS:
                census.add("sockets", f"are more than {MAX_SOCKS}")
                break
            for address in left:
                looked_at[address] = None
                self._guarded(f"sock {address:#x}", self._check_sock, address, charges, looked_at)
        known = {address: sock for address, sock in looked_at.items() if sock is not None}
        if hashed is not None:
            unix = {address: sock for address, sock in known.items() if sock.family == AF_UNIX}
            census.violations += self.unix.accounts(unix, hashed, charges)
        return census.violations

    def _guarded(self, where: str, check: Any, *args: Any) -> None:
        try:
            for violation in check(where, *args):
                self.census.violations.append(violation)
        except CorruptStructure as error:
            self.census.add(where, error.message)
        except GARBAGE as error:
            self.census.add(where, f"cannot be read: {error}")

    def _count_table(self, address: int, owner: str) -> None:
        if address in self.census.tables:
            return
        self.census.tables.add(address)
        memory = self.kernel.memory
        fdt = self.fdtable.read(memory, self.files_struct.read(memory, address).fdt)
        if not 0 < fdt.max_fds <= MAX_FDS:
            raise CorruptStructure("fdtable.max_fds", address, f"{fdt.max_fds} descriptors of {owner}")
        data = memory.read(fdt.fd, 8 * fdt.max_fds)
        for at in range(0, len(data), 8):
            file = int.from_bytes(data[at : at + 8], "little")
            if not file:
                continue
            raw = self.files.file.read(memory, file)
            if self.kernel.symbol(raw.f_op) != "socket_file_ops":
                continue
            other = self.census.sockets.setdefault(raw.private_data, file)
            if other != file:
                self.census.add(f"socket {raw.private_data:#x}", f"has two files, {other:#x} and {file:#x}")
            if raw.f_inode != raw.private_data + self.socket_inode:
                self.census.add(f"socket {raw.private_data:#x}.file", f"has inode {raw.f_inode:#x}, not its own")

    def _check_socket(self, where: str, address: int, file: int) -> Iterator[Violation]:
        """Check a ``struct socket`` against its file and its sock."""
        memory = self.kernel.memory
        found = self.socket.read(memory, address)
        if found.file != file:
            yield Violation(f"{where}.file", f"is {found.file:#x}, but the file {file:#x} leads here")
        inode = self.inode.read(memory, address + self.socket_inode)
        mode = inode.i_mode
        if inode.i_sb != self.sock_mnt:
            yield Violation(f"{where}.inode", f"is on {inode.i_sb:#x}, not on sock_mnt's {self.sock_mnt:#x}")
        if (other := self.numbers.setdefault(inode.i_ino, address)) != address:
            yield Violation(f"{where}.inode", f"has number {inode.i_ino}, as socket {other:#x} has")
        if mode & S_IFMT != S_IFSOCK:
            yield Violation(f"{where}.inode", f"has mode {mode:#o}, which is no socket's")
        if not found.state < len(SOCKET_STATES):
            yield Violation(f"{where}.state", f"is {found.state}")
        if not found.ops or not found.sk:
            yield Violation(f"{where}.{'sk' if found.ops else 'ops'}", "is NULL, though the file is open")
        if not found.sk:
            return
        self.census.socks[found.sk] = None
        sock = self.sock.read(memory, found.sk)
        if sock.sk_socket != address:
            yield Violation(f"{where}.sk", f"{found.sk:#x} has sk_socket {sock.sk_socket:#x}")
        if sock.sk_wq != address + self.socket_wq:
            yield Violation(f"{where}.wq", f"is not the sk_wq of {found.sk:#x}, which is {sock.sk_wq:#x}")
        if sock.sk_type != found.type:
            yield Violation(f"{where}.type", f"is {found.type}, but sk_type is {sock.sk_type}")
        if sock.flags & self.dead:
            yield Violation(f"{where}.sk", f"{found.sk:#x} is SOCK_DEAD, though the file is open")
        if sock.family == AF_UNIX:
            yield from self.unix.check_state(where, found, sock)

    def _check_sock(self, where: str, address: int, charges: Charges, looked_at: dict[int, Any]) -> Iterator[Violation]:
        """Check a ``struct sock`` and its queues, and note where it leads."""
        memory = self.kernel.memory
        sock = looked_at[address] = self.sock.read(memory, address)
        if sock.family not in FAMILIES:
            yield Violation(f"{where}.sk_family", f"is {sock.family}")
            return
        if not sock.prot or self.kernel.symbol(sock.prot).startswith("0x"):
            yield Violation(f"{where}.sk_prot", f"{sock.prot:#x} is no struct proto")
        if sock.refcnt < 1 and not sock.flags & self.dead:
            yield Violation(f"{where}.sk_refcnt", f"is {sock.refcnt}")
        if sock.sk_shutdown >= 1 << len(SHUTDOWN):
            yield Violation(f"{where}.sk_shutdown", f"is {mask_names(sock.sk_shutdown, SHUTDOWN)}")
        for name in ("sk_err", "sk_err_soft"):
            if not 0 <= getattr(sock, name) <= MAX_ERRNO:
                yield Violation(f"{where}.{name}", f"is {getattr(sock, name)}, which is no errno")
        for name in ("sk_rcvbuf", "sk_sndbuf", "rmem_alloc"):
            if getattr(sock, name) < 0:
                yield Violation(f"{where}.{name}", f"is {getattr(sock, name)}")
        if sock.sk_socket and sock.sk_socket not in self.census.sockets:
            # Its file is under way in a message, or its socket has no file (the kernel's own).
            back = self.socket.read(memory, sock.sk_socket).sk
            if back != address:
                yield Violation(f"{where}.sk_socket", f"{sock.sk_socket:#x} has sk {back:#x}")
        if sock.backlog:
            yield Violation(f"{where}.sk_backlog", f"holds {sock.backlog} bytes, and nobody has the sock locked")
        packets, found = self.buffers.queue(where, "sk_receive_queue", address)
        yield from found
        yield from self.buffers.queue(where, "sk_write_queue", address)[1]
        errors, found = self.buffers.queue(where, "sk_error_queue", address)
        yield from found
        if sock.family == AF_UNIX:
            more: list[int] = []
            yield from self.unix.check(where, address, sock, packets, charges, more)
            self.census.socks.update(dict.fromkeys(more))
        elif sock.family in (AF_INET, AF_INET6):
            yield from self.inet.check(where, address, sock, packets, self.buffers.charged(errors))
        elif sock.family == AF_NETLINK:
            charged = sum(packet.skb.truesize for packet in packets)
            if sock.rmem_alloc != charged:
                yield Violation(f"{where}.sk_rmem_alloc", f"is {sock.rmem_alloc}, but the queue makes it {charged}")
