"""AF_UNIX sockets: streams, packets, datagrams, names of three kinds, descriptors in flight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.agent.syscalls import make_call
from ktrace.fuzz.chance import Chance
from ktrace.fuzz.families.fs.files import pick_fd
from ktrace.fuzz.families.net.options import OPTIONS
from ktrace.fuzz.families.net.scenarios import crowd, options, signalled, spliced, talking
from ktrace.fuzz.families.net.socket import SocketFamily, is_socket, is_talking
from ktrace.fuzz.families.net.unix.dgram_scenarios import (
    many_to_one,
    mutual,
    named,
    peeking_at_offsets,
    waiting_for_room,
)
from ktrace.fuzz.families.net.unix.rights_scenarios import by_name, garbage, introduced, names, pair, passing, stream
from ktrace.fuzz.families.net.unix.scenarios import full_queue, peeking, urgent
from ktrace.fuzz.family import Generator, Scenario
from ktrace.fuzz.model_view import ModelView, open_fds
from ktrace.model.task import Task
from ktrace.state.call import Call

NAMES = (b"/tmp/s1", b"/tmp/s2", b"\0one", b"\0two")
ODD_NAMES = (b"", b"/tmp/none/x", b"/tmp", b"\0", b"/tmp/" + b"n" * 102, b"\0" + b"a" * 107)


def _somewhere(state: ModelView, choose: Chance) -> dict[str, Any]:
    return named(state) if choose.chance(0.7) else {"sa_family": C["AF_UNIX"], "sun_path": b"/tmp/c%d" % state.number}


class UnixFamily(SocketFamily):
    """``net/unix/``."""

    name = "unix"
    domain = C["AF_UNIX"]
    types = (C["SOCK_STREAM"], C["SOCK_STREAM"], C["SOCK_DGRAM"], C["SOCK_SEQPACKET"])
    scenario_share = 0.4

    def __init__(self, choose: Chance) -> None:
        self._large = choose.chance(0.3)
        super().__init__(choose)

    def generators(self) -> Sequence[tuple[float, Generator]]:
        """Return what sockets can do, and what only these can."""
        return [
            *super().generators(),
            (7, self._socketpair),
            (1, self._unlink),
            (4, self._send_rights),
            (1, self._fork_off),
        ]

    def scenarios(self) -> Sequence[tuple[float, Scenario]]:
        """Return what takes several actions."""
        return [
            *super().scenarios(),
            (2, full_queue),
            (2, urgent),
            (1, peeking),
            (1, peeking_at_offsets),
            (3, many_to_one),
            (2, mutual),
            (2, waiting_for_room),
            (3, passing),
            (2, introduced),
            (2, garbage),
            (1.5, names),
            (4, talking(stream, (1, 5, 100, 1000), urgent=True)),
            (3, crowd(self.domain, (C["SOCK_STREAM"], C["SOCK_SEQPACKET"]), _somewhere)),
            (1.5, spliced(stream)),
            (1.5, signalled(stream, (1, 5, 100))),
            (5, options(OPTIONS, (pair, by_name))),
        ]

    def limits(self, choose: Chance) -> Iterator[Call]:
        """Let few packets wait, so that receivers are full soon."""
        if choose.chance(0.8):
            yield make_call("sysctl", "net/unix/max_dgram_qlen", str(choose.one((0, 1, 1, 2, 3))))

    def address(self, state: ModelView, choose: Chance, task: Task) -> dict[str, Any]:
        """Return one of a few names, or an odd one."""
        name = choose.one(NAMES) if choose.chance(0.93) else choose.one(ODD_NAMES)
        return {"sa_family": C["AF_UNIX"], "sun_path": name}

    def option(self, choose: Chance) -> tuple[int, int, Any]:
        """Return an option; this family has none of its own."""
        return choose.one((C["SOL_SOCKET"], C["SOL_TCP"])), C["SO_PASSCRED"], choose.integer(0, 1)

    def size(self, choose: Chance) -> int:
        """Return how many bytes to send, more than a buffer holds now and then."""
        if self._large and choose.chance(0.1):
            return choose.one((20000, 40000, 70000, 120000))
        return super().size(choose)

    def _socketpair(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if self.enough(choose, task):
            return None
        return make_call("socketpair", C["AF_UNIX"], self.kind(choose), 0)

    def _unlink(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        return make_call("unlink", choose.one(NAMES[:2]))

    def control(self, state: ModelView, choose: Chance, task: Task) -> tuple[dict[str, Any], ...]:
        """Send credentials along, true ones or false."""
        if choose.chance(0.7):
            return ()
        whom = choose.one(state.tasks())
        given = {
            "pid": whom.name if choose.chance(0.2) else task.name,
            "uid": choose.one((task.cred.uid, 0)),
            "gid": task.cred.gid,
        }
        return ({"cmsg_level": C["SOL_SOCKET"], "cmsg_type": C["SCM_CREDENTIALS"], "cmsg_data": given},)

    def _send_rights(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = pick_fd(choose, task, is_talking)
        fds = [fd for fd, _ in open_fds(task)]
        if fd is None or not fds:
            return None
        given = tuple(choose.one((*fds, 999) if choose.chance(0.05) else fds) for _ in range(choose.integer(1, 3)))
        rights = {"cmsg_level": C["SOL_SOCKET"], "cmsg_type": C["SCM_RIGHTS"], "cmsg_data": given}
        return make_call("sendmsg", fd, {"msg_iov": (b"fd",), "msg_control": (rights,)}, C["MSG_DONTWAIT"])

    def _fork_off(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        """Close what is left in one go, so that what is in flight becomes garbage."""
        if not any(is_socket(file) for _, file in open_fds(task)):
            return None
        return make_call("close_range", choose.integer(0, 3), 1000)
