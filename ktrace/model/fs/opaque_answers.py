"""What a call may answer at all of a file that is not simulated: how many bytes, and for which reasons it fails.

A driver may fail for whatever reason it likes; procfs, what lies in memory, and a walk of names have a handful.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ktrace.include.linux.fs import MAX_RW_COUNT
from ktrace.state.allowed import Answers
from ktrace.state.call import Call, Pointer
from ktrace.state.rule import Rule
from ktrace.uapi.errno import ERRNO_NUMBERS
from ktrace.uapi.fcntl import O_ACCMODE, O_CREAT, O_NONBLOCK, O_TRUNC
from ktrace.uapi.limits import INT_MAX, NAME_MAX

ANSWERS = Rule("fs/open.c", "do_dentry_open", "what a call on a file of a kind that is not simulated may answer")


def _errnos(names: str) -> frozenset[str]:
    return frozenset(names.split())


WALK = _errnos("EACCES ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EPERM ESRCH")
"""``fs/namei.c: link_path_walk()``, with ``fs/proc/base.c: proc_pid_get_link()`` and ``proc_map_files_lookup()``."""
CREATE = WALK | _errnos("EDQUOT EEXIST EINVAL EMLINK ENOSPC EROFS")
"""``fs/namei.c: filename_create()`` and the ``mkdir``, ``mknod``, ``symlink``, ``link`` of any file system."""
REMOVE = WALK | _errnos("EBUSY EINVAL EISDIR EMLINK ENOSPC ENOTEMPTY EROFS EXDEV EEXIST EDQUOT")
"""``do_rmdir()``, ``do_unlinkat()``, ``do_renameat2()``."""
DRIVER = frozenset(ERRNO_NUMBERS) | _errnos(
    "ERESTARTSYS ERESTARTNOINTR ERESTARTNOHAND ERESTART_RESTARTBLOCK ENOTSUPP EMEDIUMTYPE"
)
"""What a driver gives back of reading, writing and asking is its own, that of an attribute in sysfs as well."""
PROC = _errnos(
    "E2BIG EACCES EAGAIN EBUSY EFAULT EINTR EINVAL EIO EISDIR ENODEV ENOENT ENOMEM ENOSPC ENOTTY ENXIO "
    "EOPNOTSUPP EOVERFLOW EPERM ERANGE ERESTARTSYS ESRCH"
)
"""``fs/seq_file.c: seq_read_iter()``, ``fs/proc/base.c``, and the ``proc_handler`` of a sysctl."""
MEMORY = _errnos("EAGAIN EDQUOT EFAULT EFBIG EINTR EINVAL EISDIR ENOMEM ENOSPC EPERM EROFS")
"""``mm/filemap.c: generic_file_read_iter()``, ``generic_file_write_iter()`` of what lies in memory alone."""
TIMERFD = _errnos("EAGAIN ECANCELED EFAULT EINTR")
"""``fs/timerfd.c: timerfd_read()`` of eight bytes and more."""
TRANSFER = {"proc": PROC, "procfs": PROC, "a file that was there before": MEMORY, "timerfd": TIMERFD}
"""Why reading and writing fails, by kind of file; any other has a driver."""
OPEN = DRIVER - {"EOVERFLOW"}
"""``do_dentry_open()`` with the ``open`` of a driver; O_LARGEFILE is set for every file (``force_o_largefile()``)."""
OPEN_TABLE = WALK | _errnos("EAGAIN EEXIST EINTR EINVAL EIO EISDIR EMFILE ENFILE ENODEV ENXIO EOPNOTSUPP EROFS")
"""The same of procfs and sysfs (``fs/proc/inode.c: proc_reg_open()``, ``fs/kernfs/file.c: kernfs_fop_open()``)."""
OPEN_MEMORY = _errnos("EAGAIN EINVAL EMFILE ENFILE ENOMEM EOVERFLOW EROFS ETXTBSY")
"""The same of a file of tmpfs, once its names and its mode were looked at: it may be run, or have a lease."""
SEEK = _errnos("EINVAL ENXIO EOVERFLOW ESPIPE EAGAIN EINTR")
"""``fs/read_write.c: vfs_setpos()``, ``kernel/printk/printk.c: devkmsg_llseek()``."""
ATTRIBUTES = WALK | _errnos("EDQUOT EINVAL EIO ENOSPC EOPNOTSUPP EROFS")


Find = Callable[[str, Call], Answers]


def _exactly(value: int, errnos: frozenset[str]) -> Find:
    return lambda what, call: Answers(ANSWERS, value, value, errnos)


def _up_to(argument: int, errnos: frozenset[str] | None = None) -> Find:
    """Return answers up to what an argument says."""

    def answers(what: str, call: Call) -> Answers:
        size: Any = call.args[argument]
        most = min(size, MAX_RW_COUNT) if isinstance(size, int) and size >= 0 else MAX_RW_COUNT
        allowed = TRANSFER.get(what, DRIVER) if errnos is None else errnos
        sound = "buf" not in call.pointers and not any(isinstance(each, Pointer) for each in call.args)
        if allowed is not DRIVER and sound:
            allowed -= {"EFAULT"}
        return Answers(ANSWERS, 0, most, allowed)

    return answers


def _at_an_offset(argument: int) -> Find:
    """Return answers that may also be ESPIPE (``fs/seq_file.c: seq_open()``, ``fs/open.c: nonseekable_open()``)."""

    def answers(what: str, call: Call) -> Answers:
        found = _up_to(argument)(what, call)
        return Answers(ANSWERS, found.low, found.high, found.errnos | {"ESPIPE"})

    return answers


_FLAGS = {"open": 1, "openat": 2}
"""Where those calls have their flags."""


def _flags(call: Call) -> int:
    said = call.args[_FLAGS[call.name]] if call.name in _FLAGS else 0
    return said if isinstance(said, int) else -1


def _open(what: str, call: Call) -> Answers:
    errnos = OPEN_TABLE if what in ("proc", "procfs", "sysfs", "timerfd") else OPEN_MEMORY if what in TRANSFER else OPEN
    if errnos is not OPEN and call.name in _FLAGS and not _flags(call) & O_NONBLOCK:
        errnos -= {"EAGAIN"}  # break_lease() waits
    return Answers(ANSWERS, 0, INT_MAX, errnos)


_BY_CALL: dict[str, Find] = {
    **dict.fromkeys(("stat", "lstat", "fstat", "newfstatat"), _exactly(0, WALK | {"EOVERFLOW"})),
    **dict.fromkeys(("access", "faccessat", "faccessat2"), _exactly(0, WALK | {"EROFS"})),
    **dict.fromkeys(("mkdir", "mkdirat", "mknod", "mknodat", "mkfifo", "symlink", "symlinkat"), _exactly(0, CREATE)),
    **dict.fromkeys(("link", "linkat"), _exactly(0, CREATE | {"EXDEV"})),
    **dict.fromkeys(("rmdir", "unlink", "unlinkat", "rename", "renameat", "renameat2"), _exactly(0, REMOVE)),
    **dict.fromkeys(("chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat"), _exactly(0, ATTRIBUTES)),
    **dict.fromkeys(("chdir", "fchdir", "chroot"), _exactly(0, WALK)),
    **dict.fromkeys(("fsync", "fdatasync"), _exactly(0, DRIVER)),
    "read": _up_to(1),
    "pread64": _at_an_offset(1),
    "write": _up_to(2),
    "pwrite64": _at_an_offset(3),
    "lseek": lambda what, call: Answers(ANSWERS, 0, (1 << 63) - 1, SEEK),
    **dict.fromkeys(("open", "openat", "creat", "openat2"), _open),
    "readlink": _up_to(1, WALK | {"EINVAL", "EFAULT", "EIO"}),
    "readlinkat": _up_to(2, WALK | {"EINVAL", "EFAULT", "EIO"}),
    "timerfd_settime": _exactly(0, frozenset({"EINVAL", "EFAULT", "ECANCELED"})),
    "timerfd_gettime": _exactly(0, frozenset({"EINVAL", "EFAULT"})),
}


def answers_of(what: str, call: Call | None) -> Answers | None:
    """Return what *call* may answer of a file that is not simulated; ``None`` where nothing is known of that.

    :param what: kind of file
    """
    find = _BY_CALL.get(call.name) if call is not None else None
    if find is None or call is None:
        return None
    found = find(what, call)
    return replace(found, errnos=found.errnos - _impossible(call))


def _impossible(call: Call) -> frozenset[str]:
    """Return the reasons that the way of *call* to any file leaves out.

    A name is as long as it is (``getname_flags()``, NAME_MAX of every file system), and a directory is refused to who
    writes (``may_open()``, ``do_open()``).
    """
    names = [part for each in call.args if isinstance(each, bytes) for part in each.split(b"/")]
    gone = set()
    if not call.name.startswith("readlink") and all(len(name) <= NAME_MAX for name in names):
        gone.add("ENAMETOOLONG")
    if call.name in _FLAGS and not _flags(call) & (O_ACCMODE | O_CREAT | O_TRUNC):
        gone.add("EISDIR")
    return frozenset(gone)
