"""fcntl(): commands to a descriptor, or to its file (``fs/fcntl.c``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ktrace.include.linux.fs import FMODE_WRITE
from ktrace.include.linux.types import s32, u32, u64
from ktrace.model.calls import Answer, syscall
from ktrace.model.fs.fasync import owners
from ktrace.model.fs.file import Descriptor, File, fdget
from ktrace.model.fs.opaque import OpaqueInode
from ktrace.model.mm.address_space import PROT_ANY
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.model.wait import MaySleep, Sleeps, drive
from ktrace.state.call import Pointer, Result
from ktrace.state.rule import Rule
from ktrace.uapi.fcntl import (
    F_ADD_SEALS,
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_GET_RW_HINT,
    F_GETFD,
    F_GETFL,
    F_GETLEASE,
    F_GETLK,
    F_GETOWN,
    F_GETOWN_EX,
    F_GETOWNER_UIDS,
    F_GETSIG,
    F_NOTIFY,
    F_OFD_GETLK,
    F_OFD_SETLK,
    F_OFD_SETLKW,
    F_RDLCK,
    F_SET_RW_HINT,
    F_SETFD,
    F_SETFL,
    F_SETLEASE,
    F_SETLK,
    F_SETLKW,
    F_SETOWN,
    F_SETOWN_EX,
    F_SETSIG,
    F_UNLCK,
    F_WRLCK,
    FASYNC,
    FD_CLOEXEC,
    O_APPEND,
    O_DIRECT,
    O_NOATIME,
    O_NONBLOCK,
    O_PATH,
)
from ktrace.uapi.limits import INT_MIN, UINT_MAX, ULONG_MAX
from ktrace.uapi.signal import SIGRTMAX
from ktrace.uapi.stat import S_IFIFO, S_IFMT, S_IFREG

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

FIND_VPID = Rule("kernel/pid.c", "find_vpid", "processes that are no actors")
PID_TASK = Rule("kernel/pid.c", "pid_task", "processes that are no actors")
INIT = 1
OWNER_TYPES = ("F_OWNER_TID", "F_OWNER_PID", "F_OWNER_PGRP")
SETFL_MASK = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME


@syscall("fcntl")
def fcntl(task: Task, fd: int, cmd: int, arg: Any) -> Sleeps[Answer]:
    """Do *cmd* to a descriptor or its file (``fs/fcntl.c: do_fcntl()``)."""
    with fdget(task, fd, raw=True) as file:
        if file.f_flags & O_PATH and cmd not in (F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL):
            raise Errno("EBADF")
        if cmd in _DESCRIPTOR:
            running: Sleeps[Answer] = drive(_DESCRIPTOR[cmd](task, fd, file, arg))
            return (yield from running)
        if cmd == F_ADD_SEALS:
            arg = _seals(task, file, arg)
        if cmd in _OF_ANY_FILE:
            return _OF_ANY_FILE[cmd](task, file, arg)
        return (yield from drive(file.ops.fcntl(task, file, cmd, arg)))


def _seals(task: Task, file: File, arg: Any) -> int:
    """Return the seals that F_ADD_SEALS is given (``mm/memfd.c: memfd_fcntl()``).

    :raises Errno: EINVAL; EPERM, which is asked before whether there are any seals (``memfd_add_seals()``)
    """
    if not isinstance(arg, (int, Pointer)):
        arg = ULONG_MAX  # the number of an actor, or an address: no seals either way
    seals = u64(arg.value if isinstance(arg, Pointer) else arg)
    if seals > UINT_MAX and not task.kernel.changes.pipe_size_unsigned_int:
        raise Errno("EINVAL")
    if not file.f_mode & FMODE_WRITE:
        raise Errno("EPERM")
    return u32(seals)


def _dupfd(task: Task, fd: int, file: File, arg: Any) -> int:
    """Give the lowest free descriptor from *arg* on (``fs/file.c: f_dupfd()``)."""
    start = int(arg) & UINT_MAX
    if start >= task.rlimit_nofile:
        raise Errno("EINVAL")
    new = task.files.unused(task, start)
    file.count += 1
    task.files.slots[new] = Descriptor(file)
    return new


def _dupfd_cloexec(task: Task, fd: int, file: File, arg: Any) -> int:
    new = _dupfd(task, fd, file, arg)
    task.files.slots[new].cloexec = True
    return new


def _getfd(task: Task, fd: int, file: File, arg: Any) -> int:
    return FD_CLOEXEC if task.files.slots[fd].cloexec else 0


def _setfd(task: Task, fd: int, file: File, arg: Any) -> int:
    task.files.slots[fd].cloexec = bool(arg & FD_CLOEXEC)
    return 0


def _getfl(task: Task, fd: int, file: File, arg: Any) -> int:
    return file.f_flags


def setfl(task: Task, fd: int, file: File, arg: Any) -> Sleeps[int]:
    """Change a file's flags (``fs/fcntl.c: setfl()``)."""
    if arg & O_NOATIME and not file.f_flags & O_NOATIME and not _owner_or_capable(task, file):
        raise Errno("EPERM")
    if arg & O_DIRECT and not file.can_odirect and not _is_fifo(file):
        raise Errno("EINVAL")
    if (arg ^ file.f_flags) & FASYNC and file.ops.has_fasync:
        yield from drive(file.ops.fasync(task, fd, file, bool(arg & FASYNC)))
    file.f_flags = arg & SETFL_MASK | file.f_flags & ~SETFL_MASK
    return 0


def _is_fifo(file: File) -> bool:
    return file.target.kind == "pipe" or (file.inode is not None and file.inode.i_mode & S_IFMT == S_IFIFO)


def _owner_or_capable(task: Task, file: File) -> bool:
    """``fs/inode.c: inode_owner_or_capable()``, by fsuid, which is euid here."""
    return file.inode_uid == task.cred.euid or task.cred.capable("CAP_FOWNER")


def _setown(task: Task, fd: int, file: File, arg: Any) -> int:
    """F_SETOWN."""
    return f_setown(task, file, arg)


def f_setown(task: Task, file: File, arg: int | str) -> int:
    """Say who gets SIGIO: a process, or the group of a negative number (``fs/fcntl.c: f_setown()``).

    :param arg: a pid, or an actor's name
    :raises Errno: EINVAL, ESRCH
    """
    who = arg if isinstance(arg, str) else s32(arg)
    if who == INT_MIN:
        raise Errno("EINVAL")
    group = who.startswith("-") if isinstance(who, str) else who < 0
    owner = find_vpid(task, abs(who) if isinstance(who, int) else who.removeprefix("-"))
    _set_owner(task, file, owner, "F_OWNER_PGRP" if group else "F_OWNER_PID")
    return 0


@dataclass(frozen=True)
class Stranger:
    """A process that is no actor; nobody sees what SIGIO does to it."""

    pid: int
    exiting: bool = True

    @property
    def name(self) -> str:
        """Return what the World calls it."""
        return f"pid {self.pid}"


def find_vpid(task: Task, who: int | str) -> Task | Stranger | None:
    """Return a process, ``None`` for 0 (``find_vpid()``).

    :raises Errno: ESRCH
    """
    kernel = task.kernel
    if who == 0:
        return None
    owner = kernel.find_task(who)
    if owner is not None:
        return owner

    def find(seen: Observed) -> bool | None:
        result = seen.result(task) if isinstance(who, int) and who > 0 else None
        return result.errno != "ESRCH" if result is not None else None

    if not kernel.choose(FIND_VPID, find, lambda there: True, otherwise=False):
        raise Errno("ESRCH")
    return Stranger(int(who))


def _set_owner(task: Task, file: File, owner: Task | Stranger | None, kind: str) -> None:
    """``fs/fcntl.c: __f_setown()`` with force."""
    file.f_owner, file.f_owner_type = owner, kind
    if owner is not None:
        file.f_owner_cred = (task.cred.uid, task.cred.euid)


def _living_owner(task: Task, file: File) -> Task | None:
    """Return the owner of *file* if SIGIO would reach anybody: the leader of a group may be dead (``pid_task()``)."""
    owner = file.f_owner
    return owner if isinstance(owner, Task) and owners(task.kernel, file) else None


def _stranger_pid(task: Task, file: File, find: Callable[[Result], int | None]) -> int:
    """Return the pid of an owner that is no actor, 0 where there is none, or where it leads no group.

    :param find: finds it in the result of the call
    """
    if not isinstance(file.f_owner, Stranger):
        return 0
    pid = file.f_owner.pid

    def told(seen: Observed) -> int | None:
        result = seen.result(task)
        return find(result) if result is not None else None

    processes = task.kernel.processes
    if file.f_owner_type == "F_OWNER_PID" and pid in (INIT, processes.facts.agent_pid):
        return pid  # neither ever ends
    groups = processes.groups
    if file.f_owner_type == "F_OWNER_PGRP" and pid in groups:
        return pid if groups[pid] else 0
    found: int = task.kernel.choose(PID_TASK, told, lambda found: found in (0, pid), 0)
    if file.f_owner_type == "F_OWNER_PGRP":
        groups[pid] = found != 0
    return found


def _getown(task: Task, fd: int, file: File, arg: Any) -> Answer:
    """F_GETOWN."""
    owner = f_getown(task, file, lambda result: result.value)
    return owner if isinstance(owner, int) else Result(owner.pid, None, {"actor": owner.name})


def f_getown(task: Task, file: File, find: Callable[[Result], int | None]) -> Task | int:
    """Tell who gets SIGIO, if it is alive: an actor, another's pid, 0 for nobody (``fs/fcntl.c: f_getown()``).

    :param find: finds the number that was told in the result of the call
    """
    owner = _living_owner(task, file)
    if owner is not None:
        return -owner.pid if file.f_owner_type == "F_OWNER_PGRP" else owner

    def told(result: Result) -> int | None:
        number = find(result)
        return abs(number) if isinstance(number, int) else None

    pid = _stranger_pid(task, file, told)
    return -pid if file.f_owner_type == "F_OWNER_PGRP" else pid


def _setown_ex(task: Task, fd: int, file: File, arg: Any) -> int:
    """``fs/fcntl.c: f_setown_ex()``."""
    if isinstance(arg, (Pointer, int)):
        raise Errno("EFAULT")
    if not 0 <= arg["type"] < len(OWNER_TYPES):
        raise Errno("EINVAL")
    owner = find_vpid(task, arg["pid"])
    _set_owner(task, file, owner, OWNER_TYPES[arg["type"]])
    return 0


def _getown_ex(task: Task, fd: int, file: File, arg: Any) -> Result:
    """``fs/fcntl.c: f_getown_ex()``."""
    if isinstance(arg, Pointer):
        raise Errno("EFAULT")
    owner = _living_owner(task, file)
    pid: int | str = (
        owner.name
        if owner is not None
        else _stranger_pid(task, file, lambda result: result.out.get("arg", {}).get("pid"))
    )
    return Result(0, None, {"arg": {"type": OWNER_TYPES.index(file.f_owner_type), "pid": pid}})


def _setsig(task: Task, fd: int, file: File, arg: Any) -> int:
    if not 0 <= arg <= SIGRTMAX:
        raise Errno("EINVAL")
    file.f_signum = arg
    return 0


def _getsig(task: Task, fd: int, file: File, arg: Any) -> int:
    return file.f_signum


def _lock(task: Task, file: File, arg: Any) -> int:
    """Stop, unless there is not even a ``struct flock`` to be read (``copy_from_user()``).

    :raises Errno: EFAULT
    :raises AsObserved: a program locks: nothing that is modelled depends on it
    """
    if not task.mm.known:
        raise AsObserved("locks on files")
    _check_address(task, arg)
    raise NotImplementedError("the model does not know locks on files")


def _check_address(task: Task, arg: Any) -> None:
    """Refuse *arg* where nothing is mapped there.

    :raises Errno: EFAULT
    """
    if isinstance(arg, (int, Pointer)):
        address = arg.value if isinstance(arg, Pointer) else arg
        if not task.mm.accessible(u64(address), 1, PROT_ANY):
            raise Errno("EFAULT")


def _rw_hint(task: Task, file: File, arg: Any) -> int:
    """Fail as observed, where it does (``fcntl_rw_hint()``)."""
    raise AsObserved("hints of how long data lives", only_errors=True)


def _getlease(task: Task, file: File, arg: Any) -> int:
    """Tell that nobody has a lease (``fs/locks.c: fcntl_getlease()``)."""
    return F_UNLCK


def _setlease(task: Task, file: File, arg: Any) -> int:
    """Stop, unless it is refused: leases break what others do (``fs/locks.c: fcntl_setlease()``).

    :raises Errno: EINVAL, EACCES, EAGAIN
    """
    if arg not in (F_RDLCK, F_WRLCK, F_UNLCK):
        raise Errno("EINVAL")  # lease_alloc(): assign_type()
    if isinstance(file.inode, OpaqueInode):
        raise AsObserved(file.inode.what, only_errors=True)
    if file.inode_uid != task.cred.euid and not task.cred.capable("CAP_LEASE"):
        raise Errno("EACCES")
    if file.inode is None or file.inode.i_mode & S_IFMT != S_IFREG:
        raise Errno("EINVAL")
    if arg == F_UNLCK:
        raise Errno("EAGAIN")  # generic_delete_lease(): there is none
    raise NotImplementedError("the model does not know leases (F_SETLEASE)")


def _notify(task: Task, file: File, arg: Any) -> int:
    """Fail as observed, where it does: without CONFIG_DNOTIFY always (``fcntl_dirnotify()``)."""
    raise AsObserved("dnotify", only_errors=True)


def _getowner_uids(task: Task, file: File, arg: Any) -> int:
    """Stop, unless there is nowhere to put them (``f_getowner_uids()``).

    :raises Errno: EINVAL without CONFIG_CHECKPOINT_RESTORE, EFAULT
    """
    if task.kernel.ipc.namespace(task).sem_ids.next_id is None:
        raise Errno("EINVAL")
    _check_address(task, arg)
    raise NotImplementedError("the model does not know who set the owner of a file (F_GETOWNER_UIDS)")


_OF_ANY_FILE: dict[int, Callable[[Task, File, Any], Answer]] = {
    **dict.fromkeys((F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW), _lock),
    **dict.fromkeys((F_GET_RW_HINT, F_SET_RW_HINT), _rw_hint),
    F_GETOWNER_UIDS: _getowner_uids,
    F_GETLEASE: _getlease,
    F_SETLEASE: _setlease,
    F_NOTIFY: _notify,
}
"""Commands that any file takes, none of which is modelled in full."""

_DESCRIPTOR: dict[int, Callable[[Task, int, File, Any], MaySleep[Answer]]] = {
    F_DUPFD: _dupfd,
    F_DUPFD_CLOEXEC: _dupfd_cloexec,
    F_GETFD: _getfd,
    F_SETFD: _setfd,
    F_GETFL: _getfl,
    F_SETFL: setfl,
    F_SETOWN: _setown,
    F_GETOWN: _getown,
    F_SETOWN_EX: _setown_ex,
    F_GETOWN_EX: _getown_ex,
    F_SETSIG: _setsig,
    F_GETSIG: _getsig,
}
