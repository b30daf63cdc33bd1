"""Tasks, their credentials and pending signals."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ktrace.state.call import Call, Result, Signalled

if TYPE_CHECKING:
    from ktrace.model.file import FilesStruct

NR_OPEN_DEFAULT_LIMIT = 1024
"""Soft RLIMIT_NOFILE of a process that nobody changed (``include/asm-generic/resource.h``: INR_OPEN_CUR)."""


class Errno(Exception):
    """End a system call with an error.

    :param name: the errno's name, such as ``EAGAIN``; ``ERESTARTSYS`` becomes EINTR or a restart on the way out
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


CAPABILITIES_OF_ROOT = frozenset(
    {"CAP_SYS_RESOURCE", "CAP_SYS_ADMIN", "CAP_IPC_OWNER", "CAP_IPC_LOCK", "CAP_NET_RAW", "CAP_NET_ADMIN",
     "CAP_NET_BIND_SERVICE", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_SETUID", "CAP_SETGID",
     "CAP_CHECKPOINT_RESTORE", "CAP_MKNOD"}
)  # fmt: skip


@dataclass(frozen=True)
class Cred:
    """Mirror the part of ``struct cred`` that IPC looks at; ids are those of the initial user namespace."""

    uid: int = 0
    gid: int = 0
    euid: int = 0
    egid: int = 0
    suid: int = 0
    sgid: int = 0
    groups: tuple[int, ...] = ()
    capabilities: frozenset[str] = CAPABILITIES_OF_ROOT

    def capable(self, capability: str) -> bool:
        """Tell whether *capability* is in the effective set."""
        return capability in self.capabilities


@dataclass(eq=False)
class Task:
    """Mirror one ``task_struct``, as far as IPC goes.

    Subsystems keep what is theirs in :attr:`sub` under their own name (``"sysvsem"``, ``"sysvshm"``, ...).
    """

    name: str
    files: FilesStruct
    cred: Cred = field(default_factory=Cred)
    rlimit_nofile: int = NR_OPEN_DEFAULT_LIMIT
    sub: dict[str, Any] = field(default_factory=dict)
    call: Call | None = None
    running: Generator[None, None, Result | int] | None = None
    sleeping: bool = False
    pending: list[Signalled] = field(default_factory=list)
    dispositions: dict[str, str] = field(default_factory=dict)
    task_works: list[Callable[[], None]] = field(default_factory=list)
    exiting: bool = False

    def signal_pending(self) -> bool:
        """Tell whether a signal waits for delivery (``signal_pending()``)."""
        return bool(self.pending)

    def fatal_signal_pending(self) -> bool:
        """Tell whether SIGKILL, or a signal with a fatal default action, waits (``fatal_signal_pending()``)."""
        return any(self.disposition(signal.signal) == "kill" for signal in self.pending)

    def disposition(self, signal: str) -> str:
        """Return what *signal* would do: ``record``, ``restart``, ``ignore`` or ``kill``."""
        if signal in ("SIGKILL",):
            return "kill"
        return self.dispositions.get(signal, DEFAULT_DISPOSITIONS.get(signal, "kill"))


DEFAULT_DISPOSITIONS = {
    # The agent installs recording handlers, without SA_RESTART, in every actor at birth.
    **dict.fromkeys(
        ("SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGURG", "SIGIO"),
        "record",
    ),
    "SIGCHLD": "ignore",
    "SIGWINCH": "record",
    "SIGCONT": "ignore",
}
