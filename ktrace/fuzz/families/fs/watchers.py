"""Scenarios of watching: what is watched, what happens to it, and whether the watcher hears of it, once or again."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.agent.syscalls import make_call
from ktrace.fuzz.chance import Chance
from ktrace.fuzz.families.fs.files import Wanted, is_epoll, may_block
from ktrace.fuzz.family import Scenario
from ktrace.fuzz.model_view import Action, ModelView, open_fds
from ktrace.model.fs.file import File
from ktrace.uapi.signal import SIGNAL_NUMBERS

Poke = Callable[[ModelView, Chance, File], Action | None]
"""Think of a call, by anybody, that happens to a file and does not sleep."""

KEPT_FLAGS = C["O_NONBLOCK"] | C["O_DIRECT"] | C["O_APPEND"]
EVENTS = (C["EPOLLIN"], C["EPOLLOUT"], C["EPOLLIN"] | C["EPOLLOUT"], C["EPOLLIN"] | C["EPOLLRDHUP"])


def watching(wanted: Wanted, poke: Poke) -> Scenario:
    """Return the scenario in which files that are as *wanted* are watched and poked."""

    def scenario(state: ModelView, choose: Chance) -> Iterator[Action]:
        watchers = [task for task in state.free() if any(wanted(file) for _, file in open_fds(task))]
        if not watchers:
            return
        task = choose.one(watchers)
        if not any(is_epoll(file) for _, file in open_fds(task)):
            yield task.name, make_call("epoll_create1", 0)
        epfd = next((fd for fd, file in open_fds(task) if is_epoll(file)), None)
        if epfd is None:
            return
        watched = choose.some([(fd, file) for fd, file in open_fds(task) if wanted(file)], 1, 2)
        if not watched:
            return
        for fd, _ in watched:
            events = choose.one(EVENTS) | choose.flags(0.5, C["EPOLLET"]) | choose.flags(0.2, C["EPOLLONESHOT"])
            yield task.name, make_call("epoll_ctl", epfd, 1, fd, {"events": events, "data": fd})
        for _ in range(choose.integer(1, 3)):
            sleeps = may_block(state, choose, 0.25)
            yield task.name, make_call("epoll_wait", epfd, choose.one((1, 8)), -1 if sleeps else 0)
            for _ in range(choose.integer(1, 3)):
                action = poke(state, choose, choose.one(watched)[1])
                if action is not None:
                    yield action

    return scenario


def signalled(wanted: Wanted, poke: Poke) -> Scenario:
    """Return the scenario in which somebody asks for signals from files that are as *wanted*, and these are poked."""

    def scenario(state: ModelView, choose: Chance) -> Iterator[Action]:
        ends = [(task, fd, file) for task in state.free() for fd, file in open_fds(task) if wanted(file)]
        for task, fd, file in choose.some(ends, 1, 2):
            if task.files.slots.get(fd) is None or task.running is not None:
                return
            yield task.name, make_call("fcntl", fd, C["F_SETOWN"], choose.one(state.tasks()).name)
            if choose.chance(0.3):
                signo = choose.one((0, SIGNAL_NUMBERS["SIGUSR1"], SIGNAL_NUMBERS["SIGIO"], 34))
                yield task.name, make_call("fcntl", fd, C["F_SETSIG"], signo)
            flags = file.f_flags & KEPT_FLAGS | C["FASYNC"]
            yield task.name, make_call("fcntl", fd, C["F_SETFL"], flags)
        for _ in range(choose.integer(1, 4)) if ends else ():
            if (action := poke(state, choose, choose.one(ends)[2])) is not None:
                yield action

    return scenario
