"""Tasks, their credentials and pending signals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ktrace.state.call import Call, Result, Signalled
from ktrace.uapi.signal import SIGRTMAX, signal_name, signal_number

if TYPE_CHECKING:
    from ktrace.model.calls import Answer
    from ktrace.model.fs.file import FilesStruct
    from ktrace.model.fs.fs_struct import FsStruct
    from ktrace.model.fs.inode import Inode
    from ktrace.model.fs.pipe.pipe import PipeInode
    from ktrace.model.ipc.nsproxy import NsProxy
    from ktrace.model.ipc.sem_array import SemUndoList
    from ktrace.model.ipc.shm_segment import ShmidKernel
    from ktrace.model.kernel import Kernel
    from ktrace.model.mm.address_space import AddressSpace
    from ktrace.model.net.core.page_frag import PageFrag
    from ktrace.model.process.itimer import RealTimer
    from ktrace.model.process.traced import Traced
    from ktrace.model.process.user_namespace import UserNamespace
    from ktrace.model.timer import Timer
    from ktrace.model.wait import MaySleep, Sleeps

NR_OPEN_DEFAULT_LIMIT = 1024
"""Soft RLIMIT_NOFILE of a process that nobody changed (``include/asm-generic/resource.h``: INR_OPEN_CUR)."""

NR_OPEN_HARD_LIMIT = 4096
"""Its hard RLIMIT_NOFILE (INR_OPEN_MAX)."""

SYNCHRONOUS = frozenset({"SIGSEGV", "SIGBUS", "SIGILL", "SIGTRAP", "SIGFPE", "SIGSYS"})
"""Delivered before others (``kernel/signal.c: SYNCHRONOUS_MASK``)."""


class Errno(Exception):
    """End a system call with an error.

    :param name: the errno's name, such as ``EAGAIN``; ``ERESTARTSYS`` becomes EINTR or a restart on the way out
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


_CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
    "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
    "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
)
CAPABILITIES = tuple(f"CAP_{name}" for name in _CAPABILITIES.split())
"""By number."""
CAPABILITIES_OF_ROOT = frozenset(CAPABILITIES)
"""All there are (``include/uapi/linux/capability.h``)."""


@dataclass(frozen=True)
class Cred:
    """Mirror the part of ``struct cred`` that IPC looks at; ids are those of the initial user namespace.

    :param user_ns: ``None`` for the initial one; capabilities are those over it
    :param keep_caps: who is root no longer keeps what is permitted (SECURE_KEEP_CAPS of ``securebits``)
    """

    uid: int = 0
    gid: int = 0
    euid: int = 0
    egid: int = 0
    suid: int = 0
    sgid: int = 0
    groups: tuple[int, ...] = ()
    capabilities: frozenset[str] = CAPABILITIES_OF_ROOT
    permitted: frozenset[str] = CAPABILITIES_OF_ROOT
    user_ns: UserNamespace | None = None
    keep_caps: bool = False

    def capable(self, capability: str) -> bool:
        """Tell whether *capability* is there over the initial user namespace (``capable()``)."""
        return self.user_ns is None and capability in self.capabilities

    def in_group_p(self, gid: int) -> bool:
        """Tell whether *gid* is the file-system group or a supplementary one (``kernel/groups.c: in_group_p()``)."""
        return gid == self.egid or gid in self.groups


class AsObserved(Exception):
    """End a call with whatever the kernel was seen to answer.

    :param what: what is not simulated, such as ``procfs``
    :param only_errors: success would have changed what the model knows nothing of
    :param done: hears what it answered
    :param held: returns the answer as far as it was seen to be right, sets in the place of what it may be
    :param simulated: it is no file of a kind that is not simulated, but a kernel of which something cannot be told
    """

    def __init__(
        self,
        what: str,
        only_errors: bool = False,
        done: Callable[[Result], None] | None = None,
        held: Callable[[Result], Result] | None = None,
        simulated: bool = False,
    ) -> None:
        super().__init__(what)
        self.held = held
        self.simulated = simulated
        self.what = what
        self.only_errors = only_errors
        self.done = done


@dataclass(frozen=True)
class Rlimit:
    """A limit of a process (``struct rlimit64``).

    :param cur: what counts
    :param max: up to which it can be raised without CAP_SYS_RESOURCE
    """

    cur: int
    max: int


@dataclass(eq=False)
class Task:
    """Mirror one ``task_struct``, as far as IPC goes.

    :param mm: its address space; one without mappings once it exits
    :param rlimits: limits that somebody set (``signal->rlim``), but for RLIMIT_NOFILE
    :param nsproxy: ``None`` while it is in the namespaces of init
    :param undo_list: ``sysvsem.undo_list``
    :param shm_clist: ``sysvshm.shm_clist``: segments that it created, the latest first
    :param splice_pipe: what sendfile() between files goes through
    :param task_frag: the page that its socket calls fill
    :param frag_unseen: TCP or UDP filled the same page, how far nobody knows
    :param poll_key: what poll or epoll asks a file for (``poll_table._key``)
    :param timer: ends its sleep
    :param watches_opaque: it sleeps in a call that a file of a kind that is not simulated may end
    :param proc_inodes: of its files below /proc, by name
    :param uninterruptible: no signal wakes it (TASK_UNINTERRUPTIBLE); *killable*: one that kills does (TASK_KILLABLE)
    :param group_exit: the signal that has decided its end (``signal->flags``: SIGNAL_GROUP_EXIT)
    :param stopped: SIGNAL_STOP_STOPPED
    :param stop_code: the signal that stopped it, until the agent has heard of it (``signal->group_exit_code``)
    :param stop_continued: it was continued, and the agent has not heard of it (SIGNAL_STOP_CONTINUED)
    :param pgrp: number of its process group, *session* of its session; *pgrp_attached*: grows with each that joins one
    :param session_leader: ``signal->leader``; *no_new_privs*: PFA_NO_NEW_PRIVS
    :param it_real: the timer that ends with SIGALRM (``signal->real_timer``); *alarms*: how often it ended in the step,
        *alarms_owed*: how often it did before the step that tells of it
    :param resumed: the timer of a sleep that a signal ended, for the same call where it is started again
    :param program: what more is known of it where it is a task of a program that is traced
    """

    kernel: Kernel
    name: str
    files: FilesStruct
    mm: AddressSpace
    fs: FsStruct
    cred: Cred = field(default_factory=Cred)
    pid: int = 0
    rlimit_nofile: int = NR_OPEN_DEFAULT_LIMIT
    rlimit_nofile_max: int = NR_OPEN_HARD_LIMIT
    rlimits: dict[int, Rlimit] = field(default_factory=dict)
    nsproxy: NsProxy | None = None
    undo_list: SemUndoList | None = None
    shm_clist: list[ShmidKernel] = field(default_factory=list)
    splice_pipe: PipeInode | None = None
    task_frag: PageFrag | None = None
    frag_unseen: bool = False
    poll_key: int = ~0
    timer: Timer | None = None
    proc_inodes: dict[str, Inode] = field(default_factory=dict)
    call: Call | None = None
    running: Sleeps[Answer | None] | None = None
    sleeping: bool = False
    uninterruptible: bool = False
    killable: bool = False
    group_exit: str | None = None
    stopped: bool = False
    stop_code: str | None = None
    stop_continued: bool = False
    pgrp: int = 0
    pgrp_attached: int = 0
    session: int = 0
    session_leader: bool = False
    no_new_privs: bool = False
    resumed: Timer | None = None
    it_real: RealTimer | None = None
    alarms: int = 0
    alarms_owed: int = 0
    pending: list[Signalled] = field(default_factory=list)
    shared_pending: list[Signalled] = field(default_factory=list)
    lost: list[Signalled] = field(default_factory=list)
    dispositions: dict[str, str] = field(default_factory=dict)
    blocked: frozenset[str] = frozenset()
    saved_mask: frozenset[str] | None = None
    task_works: list[Callable[[], MaySleep[None]]] = field(default_factory=list)
    exiting: bool = False
    watches_opaque: bool = False
    program: Traced | None = None

    def deliverable(self) -> list[Signalled]:
        """Return what is pending and not blocked, in the order of delivery: the thread's own signals first.

        ``kernel/signal.c: dequeue_signal(), next_signal()``
        """
        found = []
        for queue in (self.pending, self.shared_pending):
            unblocked = [item for item in queue if item.signal not in self.blocked]
            found += sorted(unblocked, key=lambda item: (item.signal not in SYNCHRONOUS, signal_number(item.signal)))
        return found

    @property
    def process(self) -> Task:
        """Return the first thread of its process, which has the process's number (``task_tgid()``)."""
        return (self.program.leader or self) if self.program is not None else self

    def dequeue(self, signals: list[Signalled]) -> None:
        """Take *signals*, which are pending, off their queues."""
        self.pending = [item for item in self.pending if not any(item is gone for gone in signals)]
        # The threads of a process share this list.
        self.shared_pending[:] = [item for item in self.shared_pending if not any(item is gone for gone in signals)]
        self.lost = [item for item in self.lost if not any(item is gone for gone in signals)]

    def signal_pending(self) -> bool:
        """Tell whether a signal waits for delivery (``signal_pending()``)."""
        waits = any(item.signal not in self.blocked for item in (*self.pending, *self.shared_pending))
        to_stop = self.program is not None and self.program.jobctl.pending
        return waits or to_stop or self.group_exit is not None

    def fatal_signal_pending(self) -> bool:
        """Tell whether its end is decided: SIGKILL is pending (``fatal_signal_pending()``)."""
        return self.group_exit is not None

    def disposition(self, signal: str) -> str:
        """Return what *signal* would do: ``record``, ``restart``, ``ignore``, ``stop`` or ``kill``."""
        if self.program is not None:
            return self.program.disposition(signal)
        return self.dispositions.get(signal, DEFAULT_DISPOSITIONS.get(signal, "kill"))


_RECORDED = (
    "SIGHUP SIGINT SIGQUIT SIGUSR1 SIGUSR2 SIGPIPE SIGALRM SIGTERM SIGURG SIGIO SIGWINCH SIGVTALRM SIGPROF "
    "SIGXCPU SIGXFSZ SIGPWR"
)
RECORDED = frozenset({*_RECORDED.split(), *(signal_name(number) for number in range(32, 65))})
"""Signals for which the agent installs a recording handler, without SA_RESTART, in every actor at birth."""

IGNORED_BY_DEFAULT = frozenset({"SIGCHLD", "SIGWINCH", "SIGCONT", "SIGURG"})
"""``include/linux/signal.h: SIG_KERNEL_IGNORE_MASK``; SIGCONT continues a stopped task whatever its action is."""

STOPS = frozenset({"SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU"})
"""``include/linux/signal.h: SIG_KERNEL_STOP_MASK``."""

COREDUMPS = frozenset(
    {"SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGFPE", "SIGSEGV", "SIGBUS", "SIGSYS", "SIGXCPU", "SIGXFSZ"}
)
"""``include/linux/signal.h: SIG_KERNEL_COREDUMP_MASK``; they end a task when it takes them off its queue."""

DEFAULT_DISPOSITIONS = {
    **dict.fromkeys(IGNORED_BY_DEFAULT, "ignore"),
    **dict.fromkeys(STOPS, "stop"),
    **dict.fromkeys(RECORDED, "record"),
}

UNBLOCKABLE = frozenset({"SIGKILL", "SIGSTOP"})


def mask_names(mask: int) -> frozenset[str]:
    """Return the signals of a mask without those that cannot be blocked."""
    return frozenset(signal_name(bit + 1) for bit in range(SIGRTMAX) if mask >> bit & 1) - UNBLOCKABLE
