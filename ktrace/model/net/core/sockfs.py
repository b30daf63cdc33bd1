"""The inode of a socket, and the number that it gets (``net/socket.c``: ``struct socket_alloc``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ktrace.include.linux.stat import S_IRWXUGO
from ktrace.model.fs.inode import Inode
from ktrace.state.net.socket import Socket as ObservedSocket
from ktrace.state.ref import Ref
from ktrace.uapi.stat import S_IFSOCK

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.model.net.core.sock import Socket
    from ktrace.model.task import Task


class SocketInode(Inode):
    """Mirror the inode in a ``struct socket_alloc``; the World has it within its socket."""

    def __init__(self, socket: Socket, uid: int, gid: int) -> None:
        super().__init__(socket.key, S_IFSOCK | S_IRWXUGO, uid, gid, "sockfs", "no_open_fops", count=1)
        self.socket = socket

    def owner_set(self, uid: int) -> None:
        """Hand the socket on to *uid* (``sockfs_setattr()``)."""
        if self.socket.sk is not None:
            self.socket.sk.uid = uid

    def observe(self, kernel: Kernel, objects: dict[Ref, Any]) -> Ref:
        """Add nothing: :func:`ktrace.model.sock_view.view_socket` tells of it."""
        return self.socket.ref


def number(task: Task, fd: int, socket: Socket, others: set[int]) -> None:
    """Take over the inode number of the *socket* that *fd* opens by now (``fs/inode.c: get_next_ino()``).

    The kernel counts; procfs and others count with it.

    :param others: numbers of the other sockets
    """
    seen = _observed(task, fd)
    ino = task.kernel.choose(
        "get_next_ino(): a number that no other socket has",
        seen.i_ino if seen is not None else None,
        lambda number: number > 0 and number not in others,
        otherwise=0,
    )
    socket.inode.numbers.setdefault("st_ino", ino)


def _observed(task: Task, fd: int) -> ObservedSocket | None:
    """Return the socket that the observed World has behind a descriptor."""
    objects = task.kernel.advice.world.objects
    process = objects.get(Ref("process", task.name))
    table = objects.get(process.files) if process is not None and process.files is not None else None
    slot = table.fds.get(fd) if table is not None else None
    file = objects.get(slot.file) if slot is not None and slot.file is not None else None
    found = objects.get(file.target) if file is not None else None
    return found if isinstance(found, ObservedSocket) else None
