"""The inode of a socket, and the number that it gets (``net/socket.c``: ``struct socket_alloc``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ktrace.include.linux.stat import S_IRWXUGO
from ktrace.model.fs.inode import Inode, before
from ktrace.state.net.socket import Socket as ObservedSocket
from ktrace.state.ref import Ref
from ktrace.state.rule import Rule
from ktrace.uapi.stat import S_IFSOCK

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.model.net.core.sock import Socket
    from ktrace.model.observed import Observed
    from ktrace.model.task import Task

NEXT_INO = Rule("fs/inode.c", "get_next_ino", "a number that no other socket has")


class SocketInode(Inode):
    """Mirror the inode in a ``struct socket_alloc``; the World has it within its socket."""

    def __init__(self, socket: Socket, uid: int, gid: int) -> None:
        super().__init__(socket.key, S_IFSOCK | S_IRWXUGO, uid, gid, "sockfs", "no_open_fops", count=1)
        self.socket = socket

    def times_set(self, kernel: Kernel) -> None:
        """Leave times behind for whoever gets its memory next."""
        kernel.net.times_left = True

    def born(self, kernel: Kernel) -> Inode:
        """Have no times, as nobody sets any: what stands in memory that no socket had is 0 (``inode_init_once()``)."""
        if not kernel.net.times_left:
            self.i_atime = self.i_mtime = self.i_ctime = before(0, 0)
        return self

    def owner_set(self, uid: int) -> None:
        """Hand the socket on to *uid* (``sockfs_setattr()``)."""
        if self.socket.sk is not None:
            self.socket.sk.uid = uid

    def observe(self, kernel: Kernel, objects: dict[Ref, Any]) -> Ref:
        """Add nothing: the World has this inode within its socket."""
        return self.socket.ref

    def observe_by_path(self, kernel: Kernel, objects: dict[Ref, Any]) -> Ref:
        """Add it, where a file is open by its name only (O_PATH): nobody knows that as a socket's."""
        if "st_ino" in self.numbers:
            self.i_ino.seen = self.numbers["st_ino"]
        return super().observe(kernel, objects)


def number(task: Task, fd: int, socket: Socket, others: set[int]) -> None:
    """Take over the kernel's inode number of the *socket* at *fd* (``fs/inode.c: get_next_ino()``).

    The kernel counts; procfs and others count with it.

    :param others: numbers of the other sockets
    """

    def find(seen: Observed) -> int | None:
        found = seen.opened(task, fd)
        return found.i_ino if isinstance(found, ObservedSocket) else None

    ino = task.kernel.choose(NEXT_INO, find, lambda number: number > 0 and number not in others, otherwise=0)
    socket.inode.numbers.setdefault("st_ino", ino)
