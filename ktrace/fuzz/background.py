"""What goes on besides the calls of a family: births, deaths, signals, credentials, descriptors."""

from __future__ import annotations

from collections.abc import Sequence

from ktrace.agent.syscalls import CONSTANTS, make_call
from ktrace.fuzz.chance import Chance
from ktrace.fuzz.family import Family, Generator
from ktrace.fuzz.model_view import ModelView, open_fds
from ktrace.model.task import Task
from ktrace.state.call import Call
from ktrace.uapi.sched import CLONE_FILES, CLONE_SYSVSEM
from ktrace.uapi.signal import SIGNAL_NUMBERS

USERS = (1000, 1001)
_HANDLED = [SIGNAL_NUMBERS[name] for name in ("SIGUSR1", "SIGUSR2", "SIGTERM", "SIGHUP", "SIGIO", "SIGPIPE")]

SENT_BY_FILES = (SIGNAL_NUMBERS["SIGIO"], SIGNAL_NUMBERS["SIGUSR1"])
"""What an owner of files may get from them, see F_SETSIG."""


def credentials(choose: Chance) -> dict[str, object]:
    """Return who a new actor is: root, or one of two users."""
    if choose.chance(0.5):
        return {}
    uid = choose.one(USERS)
    given: dict[str, object] = {"uid": uid, "gid": choose.one((uid, 50))}
    if choose.chance(0.3):
        given["groups"] = (50,)
    return given


class Background(Family):
    """Births, deaths, signals, credentials, descriptors; always there, never alone.

    :param most: actors alive at once
    """

    name = "background"

    def __init__(self, choose: Chance, most: int) -> None:
        super().__init__(choose)
        self._most = most

    def generators(self) -> Sequence[tuple[float, Generator]]:
        """Return what every process may do."""
        return [
            (3, self._fork),
            (1, self._exit),
            (1, self._exec),
            (2, self._kill),
            (1, self._sigaction),
            (1, self._sigprocmask),
            (1, self._setresuid),
            (1, self._setrlimit),
            (2, self._close),
            (0.3, self._close_range),
        ]

    def _fork(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if len(state.tasks()) >= self._most:
            return None
        return make_call("fork", state.new_name(), choose.flags(0.25, CLONE_FILES, CLONE_SYSVSEM))

    def _exit(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if len(state.free()) < 3:
            return None
        return make_call("exit", choose.integer(0, 3))

    def _exec(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if task.cred.uid != task.cred.euid or task.cred.gid != task.cred.egid:
            # The C library of a program that gained rights opens what is missing of descriptors 0 to 2.
            return None
        return make_call("exec")

    def _kill(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        whom = choose.one(state.blocked() or state.tasks())
        if choose.chance(0.15) and len(state.tasks()) > 2:
            return make_call("kill", whom.name, SIGNAL_NUMBERS["SIGKILL"])
        return make_call("kill", whom.name, choose.one([0, *_HANDLED]))

    def _sigaction(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        signo, handler = choose.one(_HANDLED), choose.one(("IGN", "RECORD", "RECORD_RESTART"))
        if handler == "RECORD_RESTART" and signo in SENT_BY_FILES:
            # A read that signals its own caller on the way to sleep would begin again and again.
            handler = "RECORD"
        return make_call("sigaction", signo, handler)

    def _sigprocmask(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        mask = 0
        for signo in choose.some(_HANDLED, 0, 2):
            mask |= 1 << signo - 1
        return make_call("rt_sigprocmask", choose.one((0, 1, 1, 2)), mask)

    def _setresuid(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        uid = choose.one((0, *USERS))
        return make_call("setresuid", choose.one((-1, uid)), uid, choose.one((-1, 0, uid)))

    def _setrlimit(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        used = len(task.files.slots)
        limit = choose.one((used, used + 1, used + 2, used + 8, 1024))
        rlim = {"rlim_cur": limit, "rlim_max": 4096 if choose.chance(0.9) else limit}
        return make_call("setrlimit", CONSTANTS["RLIMIT_NOFILE"], rlim)

    def _close(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fds = open_fds(task)
        return make_call("close", choose.one(fds)[0]) if fds else None

    def _close_range(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        first = choose.integer(0, 6)
        return make_call("close_range", first, first + choose.integer(-1, 4), choose.flags(0.3, 2, 4))
