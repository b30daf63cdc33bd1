"""Calls on any descriptor, for the families that make descriptors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.agent.syscalls import make_call
from ktrace.fuzz.chance import Chance
from ktrace.fuzz.family import Generator
from ktrace.fuzz.model_view import ModelView, free_fds, open_fds
from ktrace.include.linux.types import s32
from ktrace.model.fs.file import File
from ktrace.model.task import Task
from ktrace.state.call import Call
from ktrace.uapi.signal import SIGNAL_NUMBERS

Wanted = Callable[[File], bool]
EVENTS = (C["POLLIN"], C["POLLOUT"], C["POLLIN"] | C["POLLOUT"], 0, C["POLLPRI"])
_O_FLAGS = (C["O_NONBLOCK"], C["FASYNC"], C["O_DIRECT"], C["O_APPEND"], C["O_NOATIME"])


def pick_fd(choose: Chance, task: Task, wanted: Wanted, sloppy: float = 0.06) -> int | None:
    """Return a descriptor of *task* whose file is as *wanted*; now and then any, or one that is not open.

    :returns: ``None`` if there is none
    """
    found = [fd for fd, file in open_fds(task) if wanted(file)]
    if choose.chance(sloppy if found else sloppy / 4):
        if choose.chance(0.5) and (fds := open_fds(task)):
            return choose.one(fds)[0]
        return choose.one((-1, 999, 1024, 1 << 31, *free_fds(task, range(4))))
    return choose.one(found) if found else None


class Descriptors:
    """Generate calls that duplicate, mark, ask and poll descriptors whose files are as *wanted*."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted

    def generators(self) -> Sequence[tuple[float, Generator]]:
        """Return what may be done with any descriptor."""
        return [
            (3, self.dup),
            (3, self.close),
            (4, self.setfl),
            (1, self.getfl),
            (2, self.setown),
            (1, self.getown),
            (1, self.setsig),
            (1, self.setfd),
            (1, self.ioctl),
            (1, self.fstat),
            (1, self.lseek),
            (4, self.poll),
            (1, self.select),
            (2, self.epoll_create),
            (8, self.epoll_ctl),
            (6, self.epoll_wait),
        ]

    def _fd(self, choose: Chance, task: Task) -> int | None:
        return pick_fd(choose, task, self._wanted)

    def dup(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        """Duplicate a descriptor in any of the five ways."""
        if (fd := self._fd(choose, task)) is None:
            return None
        fds = [fd for fd, _ in open_fds(task)]
        new = choose.one((*fds, *free_fds(task, range(len(fds) + 2)), 40, -1, task.rlimit_nofile))
        match choose.integer(0, 4):
            case 0:
                return make_call("dup", fd)
            case 1:
                return make_call("dup2", fd, new)
            case 2:
                return make_call("dup3", fd, new, choose.one((0, C["O_CLOEXEC"], C["O_NONBLOCK"])))
            case 3:
                return make_call("fcntl", fd, C["F_DUPFD"], choose.one((0, new, 1 << 32)))
        return make_call("fcntl", fd, C["F_DUPFD_CLOEXEC"], new)

    def close(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        """Close a descriptor."""
        fd = self._fd(choose, task)
        return None if fd is None else make_call("close", fd)

    def setfl(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        """Change the flags of an open file, most often O_NONBLOCK."""
        fd = self._fd(choose, task)
        return None if fd is None else make_call("fcntl", fd, C["F_SETFL"], choose.flags(0.3, *_O_FLAGS))

    def getfl(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        """Ask for the flags of a file or of its descriptor."""
        fd = self._fd(choose, task)
        return None if fd is None else make_call("fcntl", fd, choose.one((C["F_GETFL"], C["F_GETFD"], 99)))

    def setown(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        """Say who gets SIGIO."""
        if (fd := self._fd(choose, task)) is None:
            return None
        whom = choose.one(state.tasks()).name
        if choose.chance(0.2):
            owner = {"type": choose.one((0, 1, 1, 3)), "pid": whom}
            return make_call("fcntl", fd, C["F_SETOWN_EX"], owner)
        return make_call("fcntl", fd, C["F_SETOWN"], choose.one((whom, whom, 0)))

    def getown(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        """Ask who gets SIGIO."""
        command = choose.one(("F_GETOWN", "F_GETSIG", "F_GETOWN_EX"))
        fd = self._fd(choose, task)
        return None if fd is None else make_call("fcntl", fd, C[command])

    def setsig(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        """Choose another signal than SIGIO."""
        fd = self._fd(choose, task)
        signo = choose.one((0, SIGNAL_NUMBERS["SIGUSR1"], SIGNAL_NUMBERS["SIGIO"], 34, 65))
        return None if fd is None else make_call("fcntl", fd, C["F_SETSIG"], signo)

    def setfd(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        """Mark a descriptor close-on-exec, or not."""
        fd = self._fd(choose, task)
        return None if fd is None else make_call("fcntl", fd, C["F_SETFD"], choose.integer(0, 1))

    def ioctl(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        """Make an ioctl that every file knows."""
        if (fd := self._fd(choose, task)) is None:
            return None
        request = choose.one(("FIONREAD", "FIONREAD", "FIONBIO", "FIOASYNC", "FIOCLEX", "FIONCLEX", "TCGETS"))
        return make_call("ioctl", fd, C[request], choose.integer(0, 1) if request in ("FIONBIO", "FIOASYNC") else 0)

    def fstat(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        """Ask what a descriptor is."""
        fd = self._fd(choose, task)
        return None if fd is None else make_call("fstat", fd)

    def lseek(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        """Move the offset."""
        fd = self._fd(choose, task)
        return None if fd is None else make_call("lseek", fd, choose.one((0, 0, 5, -1)), choose.integer(0, 5))

    def poll(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        """Poll some descriptors; wait only where somebody is left to end it."""
        fds = [self._fd(choose, task) for _ in range(choose.integer(1, 3))]
        given = tuple({"fd": s32(fd), "events": choose.one(EVENTS)} for fd in fds if fd is not None)
        if not given:
            return None
        timeout = -1 if may_block(state, choose, 0.4) else 0
        if choose.chance(0.7):
            return make_call("poll", given, timeout)
        return make_call("ppoll", given, None if timeout else {"tv_sec": 0, "tv_nsec": 0})

    def select(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        """Ask the same with select."""
        fds = [fd for fd, _ in open_fds(task)][:30]
        if not fds:
            return None
        reading = tuple(sorted(choose.some(fds, 0, 3)))
        writing = tuple(sorted(choose.some(fds, 0, 2)))
        timeout = None if may_block(state, choose, 0.3) else {"tv_sec": 0, "tv_usec": 0}
        return make_call("select", max([*reading, *writing, 0]) + 1, reading, writing, None, timeout)

    def epoll_create(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        """Make an epoll instance, if there is none yet."""
        if any(is_epoll(file) for _, file in open_fds(task)) and choose.chance(0.9):
            return None
        return make_call("epoll_create1", choose.one((0, 0, C["EPOLL_CLOEXEC"], 1)))

    def epoll_ctl(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        """Watch a descriptor, or no longer."""
        epfd = pick_fd(choose, task, is_epoll)
        if epfd is None:
            return None
        op = choose.one((1, 1, 1, 2, 3, 3, 9)) if choose.chance(0.3) else 1
        slot = task.files.slots.get(epfd)
        watched = [item.fd for item in slot.file.private.items] if slot is not None and is_epoll(slot.file) else []
        if watched and op == 1 and choose.chance(0.3):
            op = choose.one((2, 3, 3))
        fd = choose.one(watched) if watched and op in (2, 3) else self._fd(choose, task)
        if choose.chance(0.05):
            fd = pick_fd(choose, task, is_epoll)
        if fd is None:
            return None
        events = choose.one((C["EPOLLIN"], C["EPOLLOUT"], C["EPOLLIN"] | C["EPOLLOUT"]))
        events |= choose.flags(0.2, C["EPOLLET"], C["EPOLLONESHOT"], C["EPOLLEXCLUSIVE"])
        return make_call("epoll_ctl", epfd, op, fd, None if op == 2 else {"events": events, "data": fd & 0xFFFFFFFF})

    def epoll_wait(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        """Ask an epoll instance what happened."""
        if (epfd := pick_fd(choose, task, is_epoll)) is None:
            return None
        return make_call("epoll_wait", epfd, choose.one((1, 2, 8, 8, 0)), -1 if may_block(state, choose, 0.3) else 0)


def is_epoll(file: File) -> bool:
    """Tell whether *file* is an epoll instance."""
    return file.ops.name == "eventpoll_fops"


def may_block(state: ModelView, choose: Chance, probability: float) -> bool:
    """Decide whether the next call may sleep: two actors at least must stay awake."""
    return len(state.free()) > 2 and choose.chance(probability)
