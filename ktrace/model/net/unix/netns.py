"""What AF_UNIX keeps for all its sockets (``struct netns_unix``, ``net/unix/garbage.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.model.net.unix.graph import Graph

if TYPE_CHECKING:
    from ktrace.model.fs.file import File
    from ktrace.model.net.unix.sock import Unix


class BoundSockets:
    """The names that AF_UNIX sockets have (``net->unx.table``, ``bsd_socket_buckets``)."""

    def __init__(self) -> None:
        self.by_name: dict[tuple[int, bytes], Unix] = {}
        self.by_inode: dict[int | str, list[Unix]] = {}

    def remove(self, sk: Unix) -> None:
        """Forget *sk* (``unix_remove_socket()``, ``unix_remove_bsd_socket()``)."""
        self.by_name = {key: value for key, value in self.by_name.items() if value is not sk}
        for key, bound_here in list(self.by_inode.items()):
            if sk in bound_here:
                bound_here.remove(sk)
                if not bound_here:
                    del self.by_inode[key]


class NetnsUnix:
    """AF_UNIX in one network namespace.

    :ivar inflight: ``user_struct.unix_inflight`` by user: files that travel in messages
    :ivar graph: of the sockets among them
    :ivar gc_wanted: a release asked for the garbage collector
    :ivar delayed_fput: what a kernel thread dropped (``delayed_fput_list``); *closing*: what another closes by now
    """

    def __init__(self) -> None:
        self.table = BoundSockets()
        self.inflight: dict[int, int] = {}
        self.graph = Graph()
        self.gc_wanted = False
        self.delayed_fput: list[File] = []
        self.closing: list[File] = []
