"""Read ``struct socket`` behind a file, and the ``struct sock`` behind that (``net/socket.c``)."""

from __future__ import annotations

from ktrace.inspect.fs.file import FileReader
from ktrace.inspect.fs.inode import InodeReader
from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.net.core.sock import SockReader
from ktrace.inspect.net.core.sock_names import bit_names, enum_name, name_of
from ktrace.inspect.net.socket_flags import SocketFlags
from ktrace.inspect.net.socket_tables import TablesReader
from ktrace.inspect.remembered import Remembered
from ktrace.inspect.unread import kept
from ktrace.inspect.wait_queue import WaitQueues
from ktrace.state.fs.inode import mode_name
from ktrace.state.net.sock import SOCK_TYPES
from ktrace.state.net.socket import SOCKET_STATES, SOCKWQ_FLAGS, Socket
from ktrace.state.ref import Ref


class SocketReader:
    """Read sockets behind files, and every ``struct sock`` that can be reached from there.

    It is a ``FileTargets`` provider for ``socket_file_ops``.

    :param inodes: reads the inodes that bound names made
    :param files: reads the files that travel in messages
    """

    f_ops = frozenset({"socket_file_ops"})
    kind = "socket"
    by_inode = False

    def __init__(self, kernel: LiveKernel, inodes: InodeReader, files: FileReader) -> None:
        self.kernel = kernel
        self.socks = SockReader(kernel, inodes, files)
        self.queues = WaitQueues(kernel)
        self.tables = TablesReader(kernel)
        self.flags = SocketFlags(kernel)
        self.socket = layout_of(
            kernel.prog, "struct socket_alloc",
            state="socket.state", type="socket.type", flags="socket.flags", file="socket.file", sk="socket.sk",
            ops="socket.ops", wait_first="socket.wq.wait.head.next", wq_flags="socket.wq.flags",
            i_ino="vfs_inode.i_ino", i_mode="vfs_inode.i_mode", i_uid="vfs_inode.i_uid.val",
            i_gid="vfs_inode.i_gid.val",
        )  # fmt: skip
        self.wait_head = self.socket.offsets["wait_first"]
        self._remembered: Remembered[Socket] = Remembered()

    def file_target(self, observation: Observation, file: int, private_data: int, f_inode: int) -> Ref:
        """Add the ``struct socket`` at *private_data* and all it leads to."""
        ref = Ref("socket", private_data)
        if ref not in observation.objects:
            self.tables.observe(observation)
            value = self.read(observation, private_data)
            observation.objects[ref] = value
            if value.sk is not None:
                self.socks.add(observation, int(value.sk.key))
        return ref

    def read(self, observation: Observation, address: int) -> Socket:
        """Return the ``struct socket`` at *address*."""
        memory = observation.memory
        known = self._remembered.find(memory, address)
        if known is not None:
            return known
        raw = memory.read(address, self.socket.size)
        found = self.socket.unpack(raw, 0)
        flags, more = self.flags.read(memory, found.flags, found.sk)
        value = Socket(
            state=enum_name(found.state, SOCKET_STATES),
            type=name_of(found.type, SOCK_TYPES),
            flags=flags,
            file=Ref("file", found.file) if found.file else None,
            sk=Ref("sock", found.sk) if found.sk else None,
            ops=self.kernel.symbol(found.ops) if found.ops else None,
            wait=self.queues.waiters(observation, address + self.wait_head, "socket_wq.wait", found.wait_first),
            wq_flags=bit_names(found.wq_flags, SOCKWQ_FLAGS),
            i_ino=found.i_ino,
            i_mode=kept(found.i_mode, mode_name),
            i_uid=found.i_uid,
            i_gid=found.i_gid,
        )
        return self._remembered.keep(address, value, None if value.wait else ((address, raw), *more))
