"""Descriptors without a name that the model opens, passes on and closes, but does not simulate.

What reading, polling and setting them brings is taken as it was observed (``fs/signalfd.c``, ``kernel/pid.c``,
``fs/notify/inotify/inotify_user.c``; ``fs/timerfd.c`` in ``timerfd.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from ktrace.include.linux.fs import FMODE_READ, FMODE_WRITE
from ktrace.model.calls import syscall
from ktrace.model.fs.file import File, fdget
from ktrace.model.fs.file_table import get_unused_fd
from ktrace.model.fs.opaque import OpaqueOperations
from ktrace.model.fs.opaque_identity import identify
from ktrace.model.process.job_control import Who, find_process
from ktrace.model.process.siginfo import take_signal
from ktrace.model.process.signals import group_send_sig_info
from ktrace.model.task import AsObserved, Errno, Task, mask_names
from ktrace.model.wait import MaySleep, Sleeps, WaitQueue
from ktrace.state.allowed import OneOf, allowed
from ktrace.state.call import Pointer
from ktrace.state.rule import Rule
from ktrace.uapi.fcntl import O_CLOEXEC, O_NONBLOCK, O_RDONLY, O_RDWR
from ktrace.uapi.inotify import IN_CLOEXEC, IN_NONBLOCK
from ktrace.uapi.siginfo import SI_USER

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.model.observed import Observed

PIDFD = Rule("kernel/pid.c", "pidfd_create", "whether descriptors of processes have a file system of their own")
TOLD = Rule("fs/signalfd.c", "signalfd_copyinfo", "what is told of a signal besides its number")
SIZEOF_SIGNALFD_SIGINFO = 128
CONFIGURED = Rule("kernel/sys_ni.c", "sys_ni_syscall", "CONFIG_TIMERFD, CONFIG_SIGNALFD, CONFIG_INOTIFY_USER")


class AnonOperations(OpaqueOperations):
    """The ``file_operations`` of one such kind."""

    has_fasync = False
    maps = False

    @property
    def can_write(self) -> bool:
        """Tell that there is no ``write``."""
        return False

    def fsync(self, task: Task, file: File) -> int:
        """Refuse: there is no ``fsync`` (``vfs_fsync_range()``)."""
        raise Errno("EINVAL")

    def llseek(self, task: Task, file: File, offset: int, whence: int) -> int:
        """Stay where it is (``noop_llseek()``)."""
        return file.pos

    def splice_read(
        self, task: Task, file: File, position: int, pipe: Any, length: int, flags: int
    ) -> MaySleep[tuple[int, int]]:
        """Refuse: there is no ``splice_read`` (``do_splice_to()``)."""
        raise Errno("EINVAL")

    def splice_write(
        self, task: Task, pipe: Any, file: File, position: int, length: int, flags: int
    ) -> MaySleep[tuple[int, int]]:
        """Refuse: there is no ``splice_write`` (``do_splice_from()``)."""
        raise Errno("EINVAL")


class SignalfdOperations(AnonOperations):
    """``signalfd_fops``: reading takes signals from the reader's own queues.

    :param mask: which signals
    """

    def __init__(self, mask: frozenset[str]) -> None:
        super().__init__("signalfd", "signalfd_fops")
        self.mask = mask

    def read_iter(self, task: Task, file: File, to: Any) -> Sleeps[int]:
        """Take signals; what is told of them is as observed (``signalfd_read()``, ``signalfd_copyinfo()``).

        :raises Errno: EINVAL, EAGAIN, ERESTARTSYS, EFAULT
        """
        count = to.count // SIZEOF_SIGNALFD_SIGINFO
        if not count:
            raise Errno("EINVAL")
        while take_signal(task, self.mask) is None:
            if file.f_flags & O_NONBLOCK:
                raise Errno("EAGAIN")
            if task.signal_pending():
                raise Errno("ERESTARTSYS")
            task.watches_opaque = True  # signalfd_wqh hears of those that are blocked, too
            yield
        task.watches_opaque = False
        taken = 1
        while taken < count and take_signal(task, self.mask) is not None:
            taken += 1
        told = task.kernel.choose(TOLD, lambda seen: seen.out(task, "buf"), lambda _: True, b"")
        data = bytes(told).ljust(taken * SIZEOF_SIGNALFD_SIGINFO, b"\0")[: taken * SIZEOF_SIGNALFD_SIGINFO]
        if not to.copy(data):
            raise Errno("EFAULT")
        return len(data)


class PidfdOperations(AnonOperations):
    """``pidfd_fops``, or those of pidfs: nothing can be read.

    :param target: whom it stands for; ``None`` for the agent and the first process
    """

    def __init__(self, target: Task | None) -> None:
        super().__init__("pidfd", allowed(OneOf(PIDFD, ("pidfd_fops", "pidfs_file_operations"))))
        self.target = target

    def llseek(self, task: Task, file: File, offset: int, whence: int) -> int:
        """Refuse: there is no ``llseek`` (``no_llseek()``)."""
        raise Errno("ESPIPE")

    def may_wake(self, kernel: Kernel, file: File) -> bool:
        """Tell whether the process is gone, which wakes who polls (``do_notify_pidfd()``)."""
        target = self.target
        return target is None or target.exiting or target.name not in kernel.tasks

    @property
    def can_read(self) -> bool:
        """Tell that there is no ``read``."""
        return False


INOTIFY = AnonOperations("inotify", "inotify_fops")


def sys_ni_syscall(task: Task) -> None:
    """Fail where the kernel was seen to be built without the call (``kernel/sys_ni.c``).

    :raises Errno: ENOSYS
    """

    def find(seen: Observed) -> bool:
        result = seen.result(task)
        return result is not None and result.errno == "ENOSYS"

    if task.kernel.choose(CONFIGURED, find, lambda _: True, otherwise=False):
        raise Errno("ENOSYS")


def anon_inode_getfd(task: Task, ops: AnonOperations, flags: int, private: WaitQueue | None = None) -> int:
    """Open a descriptor without a name (``fs/anon_inodes.c: anon_inode_getfd()``).

    :param private: ``private_data``, a queue of who polls it at least
    :raises Errno: EMFILE, ENFILE
    """
    kernel = task.kernel
    fd = get_unused_fd(task)
    inode = identify(task, fd, ops.what)
    inode.get()
    mode = FMODE_READ | (FMODE_WRITE if flags & O_RDWR else 0)
    kept = flags & (O_RDWR | O_NONBLOCK)
    file = File(kernel.serial(), ops, mode, kept, inode.ref, private or WaitQueue(), inode=inode)
    task.files.install(fd, file, bool(flags & O_CLOEXEC))
    return fd


@syscall("signalfd4")
def signalfd4(task: Task, fd: int, mask: int | Pointer, flags: int) -> int:
    """Make a descriptor that signals are read from, or change one (``do_signalfd4()``).

    :raises Errno: EFAULT, EINVAL, EBADF, EMFILE
    """
    sys_ni_syscall(task)
    if isinstance(mask, Pointer):
        raise Errno("EFAULT")
    if flags & ~(O_CLOEXEC | O_NONBLOCK):
        raise Errno("EINVAL")
    if fd == -1:
        return anon_inode_getfd(task, SignalfdOperations(mask_names(mask)), O_RDWR | flags)
    with fdget(task, fd) as file:
        if not isinstance(file.ops, SignalfdOperations):
            raise Errno("EINVAL")
        file.ops.mask = mask_names(mask)
    return fd


@syscall("inotify_init1")
def inotify_init1(task: Task, flags: int) -> int:
    """Make a list of things to watch (``do_inotify_init()``).

    :raises Errno: EINVAL, EMFILE
    """
    sys_ni_syscall(task)
    if flags & ~(IN_CLOEXEC | IN_NONBLOCK):
        raise Errno("EINVAL")
    return anon_inode_getfd(task, INOTIFY, O_RDONLY | flags)


@syscall("inotify_add_watch")
def inotify_add_watch(task: Task, fd: int, pathname: Any, mask: int) -> NoReturn:
    """Watch what a path leads to (``SYSCALL_DEFINE3(inotify_add_watch)``): as observed."""
    sys_ni_syscall(task)
    as_seen(task, fd, INOTIFY)


@syscall("inotify_rm_watch")
def inotify_rm_watch(task: Task, fd: int, wd: int) -> NoReturn:
    """Watch it no more (``SYSCALL_DEFINE2(inotify_rm_watch)``): as observed."""
    sys_ni_syscall(task)
    as_seen(task, fd, INOTIFY)


def as_seen(task: Task, fd: int, ops: AnonOperations) -> NoReturn:
    """Answer as observed where *fd* is of the kind of *ops*.

    :raises Errno: EBADF, EINVAL
    """
    with fdget(task, fd) as file:
        if file.ops is not ops:
            raise Errno("EINVAL")
    raise AsObserved(ops.what)


@syscall("pidfd_open")
def pidfd_open(task: Task, pid: Who, flags: int) -> int:
    """Make a descriptor that stands for a process (``SYSCALL_DEFINE2(pidfd_open)``).

    :raises Errno: EINVAL, ESRCH, EMFILE
    """
    if flags & ~O_NONBLOCK or (isinstance(pid, int) and pid <= 0):
        raise Errno("EINVAL")
    target = find_process(task.kernel, pid)
    return anon_inode_getfd(task, PidfdOperations(target), O_RDWR | O_CLOEXEC | flags)


@syscall("pidfd_send_signal")
def pidfd_send_signal(task: Task, pidfd: int, sig: int, info: int, flags: int) -> int:
    """Send a signal to whom a descriptor stands for (``SYSCALL_DEFINE4(pidfd_send_signal)``).

    :raises Errno: EINVAL, EBADF, ESRCH, EPERM
    :raises NotImplementedError: flags, which kernels know since when they differ, and a siginfo of one's own
    """
    if flags or info:
        raise NotImplementedError("the model knows pidfd_send_signal without flags and siginfo only")
    with fdget(task, pidfd) as file:
        if not isinstance(file.ops, PidfdOperations):
            raise Errno("EBADF")
        target = file.ops.target
    if target is not None and target.name not in task.kernel.tasks:
        raise Errno("ESRCH")
    group_send_sig_info(task, target, sig, SI_USER)
    return 0
