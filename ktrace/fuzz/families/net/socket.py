"""What the socket families share: making, naming, connecting, sending, receiving, asking, closing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.agent.syscalls import make_call
from ktrace.fuzz.chance import Chance, pattern
from ktrace.fuzz.families.fs.files import Descriptors, may_block, pick_fd
from ktrace.fuzz.families.fs.watchers import watching
from ktrace.fuzz.family import Family, Generator, Scenario
from ktrace.fuzz.model_view import Action, ModelView, open_fds
from ktrace.model.fs.file import File
from ktrace.model.net.core.sock import Sock, Socket
from ktrace.model.task import Task
from ktrace.state.call import BAD, Call
from ktrace.uapi.signal import SIGNAL_NUMBERS
from ktrace.uapi.socket import SOCK_CLOEXEC, SOCK_NONBLOCK

SYN_STEPS = 5
"""How long a connection may wait for its SYN to be sent again."""

_SIZES = (0, 1, 5, 100, 1000, 3000)
_NAMES = (
    *("SO_REUSEADDR", "SO_REUSEPORT", "SO_SNDBUF", "SO_SNDBUF", "SO_RCVBUF", "SO_RCVBUF", "SO_KEEPALIVE"),
    *("SO_OOBINLINE", "SO_PRIORITY", "SO_LINGER", "SO_PASSCRED", "SO_RCVLOWAT", "SO_SNDBUFFORCE", "SO_RCVBUFFORCE"),
    *("SO_MARK", "SO_PEEK_OFF", "SO_BROADCAST", "SO_DONTROUTE"),
)


def is_socket(file: File) -> bool:
    """Tell whether *file* is a socket."""
    return isinstance(file.private, Socket)


def sock_of(task: Task, fd: int) -> Sock | None:
    """Return the sock of *task*'s socket *fd*, of whichever family it is; ``None`` where that is no socket."""
    slot = task.files.slots.get(fd)
    return slot.file.private.sk if slot is not None and is_socket(slot.file) else None


def is_listener(file: File) -> bool:
    """Tell whether *file* is a listening socket."""
    return is_socket(file) and file.private.sk is not None and file.private.sk.state == "TCP_LISTEN"


def is_talking(file: File) -> bool:
    """Tell whether *file* is a socket that does not listen."""
    return is_socket(file) and not is_listener(file)


def is_fresh(file: File) -> bool:
    """Tell whether *file* is a socket that is not connected and does not listen."""
    return is_talking(file) and file.private.sk is not None and file.private.sk.state == "TCP_CLOSE"


class SocketFamily(Family):
    """One address family.

    :cvar domain: its number; *types* the kinds of sockets that it has
    """

    domain = 0
    types: Sequence[int] = ()

    def __init__(self, choose: Chance) -> None:
        self._types = choose.some(self.types, 1)
        self._most = choose.one((4, 6, 10))
        self._sizes = choose.one(((1, 5, 100), _SIZES, _SIZES))
        self._syn_sent: dict[int, int] = {}
        self._heard: tuple[int, dict[str, Any]] | None = None
        super().__init__(choose)

    def address(self, state: ModelView, choose: Chance, task: Task) -> dict[str, Any]:
        """Return an address: in use, free, or odd."""
        raise NotImplementedError

    def fit(self, choose: Chance, task: Task, fd: int, address: dict[str, Any]) -> dict[str, Any]:
        """Return *address* as the socket at *fd* takes it."""
        return address

    def address_for(self, state: ModelView, choose: Chance, task: Task, fd: int) -> dict[str, Any]:
        """Return an address for the socket at *fd*."""
        return self.fit(choose, task, fd, self.address(state, choose, task))

    def new_domain(self, choose: Chance) -> int:
        """Return the address family of a new socket."""
        return self.domain

    def option(self, choose: Chance) -> tuple[int, int, Any]:
        """Return level, name and value of an option of this family."""
        raise NotImplementedError

    def generators(self) -> Sequence[tuple[float, Generator]]:
        """Return what can be done with sockets."""
        return [
            (10, self._socket),
            (5, self._bind),
            (4, self._listen),
            (8, self._connect),
            (7, self._accept),
            (14, self._send),
            (16, self._receive),
            (2, self._sendmsg),
            (3, self._recvmsg),
            (1, self._recvmmsg),
            (3, self._shutdown),
            (4, self._close),
            (2, self._names),
            (3, self._setsockopt),
            (2, self._getsockopt),
            (1, self._ioctl),
            (0.5, self._odd_socket),
            *[(weight * 0.3, generator) for weight, generator in Descriptors(is_socket).generators()],
        ]

    def urgent(self, state: ModelView) -> Action | None:
        """Give up a connection that waits for a SYN to be sent again, in a second or so."""
        for task in state.tasks():
            for fd, file in open_fds(task):
                if not is_socket(file) or file.private.sk is None or file.private.sk.state != "TCP_SYN_SENT":
                    continue
                since = self._syn_sent.setdefault(file.private.sk.key, state.number)
                if state.number - since >= SYN_STEPS:
                    if task.running is None:
                        return task.name, make_call("close", fd)
                    return None, make_call("kill", task.name, SIGNAL_NUMBERS["SIGUSR2"])
        return None

    def prepare(self, state: ModelView, choose: Chance, task: Task) -> Iterator[Call]:
        """Have one actor offer a name, and others connect to it."""
        if choose.chance(0.3):
            return
        if self._heard is None:
            self._heard = choose.one(self._types), self.address(state, choose, task)
            server = True
        else:
            server = False
        kind, address = self._heard
        yield make_call("socket", self.new_domain(choose), kind)
        fd = max(task.files.slots, default=0)
        address = self.fit(choose, task, fd, address)
        if not server:
            yield make_call("connect", fd, address)
            return
        yield make_call("bind", fd, address)
        if kind != C["SOCK_DGRAM"]:
            yield make_call("listen", fd, choose.one((0, 1, 5)))

    def scenarios(self) -> Sequence[tuple[float, Scenario]]:
        """Return what takes several actions."""
        return [(1, watching(is_socket, _poke))]

    # -- making ----------------------------------------------------------------------------------

    def kind(self, choose: Chance) -> int:
        """Return a type with its flags."""
        return choose.one(self._types) | choose.flags(0.3, SOCK_NONBLOCK) | choose.flags(0.1, SOCK_CLOEXEC)

    def enough(self, choose: Chance, task: Task) -> bool:
        """Tell whether *task* has sockets enough."""
        return sum(is_socket(file) for _, file in open_fds(task)) >= self._most and choose.chance(0.9)

    def _socket(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if self.enough(choose, task):
            return None
        return make_call("socket", self.new_domain(choose), self.kind(choose), 0)

    def _odd_socket(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        domain = choose.one((0, 1, 2, 3, 10, 45, 46, -1, self.domain))
        return make_call(
            "socket", domain, choose.one((0, 1, 2, 3, 4, 5, 10, 11, 1 | 0x100)), choose.one((0, 1, 6, 17, 255, -1))
        )

    def _bind(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = pick_fd(choose, task, is_fresh)
        if fd is None:
            return None
        address = self.address_for(state, choose, task, fd)
        return make_call("bind", fd, BAD, 16) if choose.chance(0.02) else make_call("bind", fd, address)

    def _listen(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = pick_fd(choose, task, is_listener if choose.chance(0.15) else is_fresh)
        return None if fd is None else make_call("listen", fd, choose.one((0, 0, 1, 2, 5, -1)))

    def _connect(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        calm = not may_block(state, choose, 0.5)
        fd = pick_fd(choose, task, lambda file: is_fresh(file) and not (calm and _sleeps(file)))
        return None if fd is None else make_call("connect", fd, self.address_for(state, choose, task, fd))

    def _accept(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        calm = not may_block(state, choose, 0.4)
        fd = pick_fd(choose, task, lambda file: is_listener(file) and not (calm and _sleeps(file) and _idle(file)))
        if fd is None:
            return None
        flags = choose.flags(0.3, SOCK_NONBLOCK) | choose.flags(0.1, SOCK_CLOEXEC)
        return make_call("accept4", fd, flags if choose.chance(0.98) else 1)

    # -- sending and receiving -------------------------------------------------------------------

    def size(self, choose: Chance) -> int:
        """Return how many bytes to send."""
        return choose.around(*self._sizes, low=0)

    def _send(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = pick_fd(choose, task, is_talking)
        if fd is None:
            return None
        size = self.size(choose)
        if choose.chance(0.2):
            return make_call("write", fd, pattern(state.number, size))
        flags = choose.flags(0.1, C["MSG_OOB"], C["MSG_NOSIGNAL"])
        if not may_block(state, choose, 0.4):
            flags |= C["MSG_DONTWAIT"]
        address = self.address_for(state, choose, task, fd) if choose.chance(0.25) else None
        data: Any = pattern(state.number, size)
        if choose.chance(0.02):
            return make_call("sendto", fd, BAD, flags=flags, dest_addr=address, len=size)
        return make_call("sendto", fd, data, flags=flags, dest_addr=address)

    def _receive_flags(self, state: ModelView, choose: Chance, task: Task, fd: int) -> int:
        flags = choose.flags(0.12, C["MSG_PEEK"], C["MSG_TRUNC"], C["MSG_WAITALL"]) | choose.flags(0.04, C["MSG_OOB"])
        slot = task.files.slots.get(fd)
        empty = slot is None or not is_socket(slot.file) or _idle(slot.file) or bool(flags & C["MSG_WAITALL"])
        if choose.chance(0.15) or (empty and not may_block(state, choose, 0.45)):
            flags |= C["MSG_DONTWAIT"]
        return flags

    def _receive(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        calm = choose.chance(0.6)
        fd = pick_fd(choose, task, lambda file: is_talking(file) and not (calm and _idle(file)))
        if fd is None:
            return None
        length = choose.around(0, 1, 5, 100, 1000, 5000, low=0)
        flags = self._receive_flags(state, choose, task, fd)
        if choose.chance(0.25) and not flags & C["MSG_DONTWAIT"]:
            return make_call("read", fd, length)
        bad = {"buf": BAD} if choose.chance(0.02) else {}
        return make_call("recvfrom", fd, len=length, flags=flags, **bad)

    def control(self, state: ModelView, choose: Chance, task: Task) -> tuple[dict[str, Any], ...]:
        """Return control messages to send along."""
        return ()

    def _sendmsg(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = pick_fd(choose, task, is_talking)
        if fd is None:
            return None
        parts = tuple(pattern(state.number + part, self.size(choose)) for part in range(choose.integer(0, 3)))
        message: dict[str, Any] = {"msg_iov": parts}
        if choose.chance(0.2):
            message["msg_name"] = self.address_for(state, choose, task, fd)
        if control := self.control(state, choose, task):
            message["msg_control"] = control
        return make_call("sendmsg", fd, message, C["MSG_DONTWAIT"] | choose.flags(0.1, C["MSG_NOSIGNAL"]))

    def _recvmsg(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = pick_fd(choose, task, is_talking)
        if fd is None:
            return None
        flags = self._receive_flags(state, choose, task, fd) | choose.flags(0.15, C["MSG_CMSG_CLOEXEC"])
        return make_call("recvmsg", fd, self._room(choose), flags)

    def _recvmmsg(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = pick_fd(choose, task, is_talking)
        if fd is None:
            return None
        rooms = tuple(self._room(choose) for _ in range(choose.integer(1, 3)))
        return make_call("recvmmsg", fd, rooms, C["MSG_DONTWAIT"])

    def _room(self, choose: Chance) -> dict[str, Any]:
        return {
            "msg_iov": tuple(choose.one((0, 1, 5, 100, 5000)) for _ in range(choose.integer(1, 2))),
            "msg_namelen": choose.one((0, 16, 110)),
            "msg_controllen": choose.one((0, 0, 16, 20, 24, 28, 64)),
        }

    # -- the rest --------------------------------------------------------------------------------

    def _shutdown(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = pick_fd(choose, task, is_socket)
        return None if fd is None else make_call("shutdown", fd, choose.one((0, 1, 1, 2, 3)))

    def _close(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = pick_fd(choose, task, is_socket)
        return None if fd is None else make_call("close", fd)

    def _names(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = pick_fd(choose, task, is_socket)
        if fd is None:
            return None
        return make_call(choose.one(("getsockname", "getpeername")), fd, choose.one((128, 128, 128, 3, 0, -1)))

    def _setsockopt(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = pick_fd(choose, task, is_socket)
        if fd is None:
            return None
        level, name, value = self.option(choose) if choose.chance(0.4) else _socket_option(choose)
        return make_call("setsockopt", fd, level, name, value)

    def _getsockopt(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = pick_fd(choose, task, is_socket)
        if fd is None:
            return None
        level, name, _ = self.option(choose) if choose.chance(0.4) else _socket_option(choose)
        if choose.chance(0.3):
            name = C[choose.one(("SO_ERROR", "SO_TYPE", "SO_ACCEPTCONN", "SO_DOMAIN", "SO_PROTOCOL", "SO_PEERCRED"))]
            level = C["SOL_SOCKET"]
        return make_call("getsockopt", fd, level, name)

    def _ioctl(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = pick_fd(choose, task, is_socket)
        return None if fd is None else make_call("ioctl", fd, C[choose.one(("FIONREAD", "TIOCOUTQ", "SIOCATMARK"))])


def _socket_option(choose: Chance) -> tuple[int, int, Any]:
    name = choose.one(_NAMES)
    if name == "SO_LINGER":
        return C["SOL_SOCKET"], C[name], {"l_onoff": choose.integer(0, 1), "l_linger": choose.one((0, 1))}
    values = (0, 1, 100, 2000, 20000, -1) if "BUF" in name or "LOWAT" in name else (0, 1, 1, 2)
    return C["SOL_SOCKET"], C[name], choose.one(values)


def _sleeps(file: File) -> bool:
    return not file.f_flags & C["O_NONBLOCK"]


def _idle(file: File) -> bool:
    """Tell whether nothing waits to be received or accepted."""
    sk = file.private.sk
    return sk is None or (not sk.receive_queue and not sk.ack_backlog and not sk.shutdown)


def _poke(state: ModelView, choose: Chance, file: File) -> Action | None:
    """Send through or receive from *file* or its like, without sleeping."""
    holders = [(task, fd) for task in state.free() for fd, opened in open_fds(task) if is_talking(opened)]
    if not holders:
        return None
    task, fd = choose.one(holders)
    if choose.chance(0.5):
        return task.name, make_call("recvfrom", fd, len=choose.one((1, 5, 1000)), flags=C["MSG_DONTWAIT"])
    return task.name, make_call("sendto", fd, pattern(state.number, choose.one((1, 5, 100))), flags=C["MSG_DONTWAIT"])
