"""Signatures of what works on any descriptor or path."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any

from ktrace.agent.syscalls import constants as c
from ktrace.agent.syscalls.buffers import InBytes, InStruct, OutBytes, OutStruct, Path, pack_struct, read_struct
from ktrace.agent.syscalls.frame import Caller, Fault, Frame, Wanted
from ktrace.agent.syscalls.parameter import (
    Address,
    Const,
    Directory,
    Fd,
    Int,
    Long,
    Mode,
    Offset,
    Parameter,
    Pid,
    Values,
    count_of,
    pointer_text,
)
from ktrace.agent.syscalls.signature import FD, NUMBER, PID, Returns, Signature
from ktrace.agent.syscalls.sockaddr import recall_length
from ktrace.agent.syscalls.structs import EPOLL_EVENT, F_OWNER_EX, ITIMERSPEC, STAT, TIMESPEC, TIMEVAL
from ktrace.agent.syscalls.text import Naming, format_struct
from ktrace.agent.syscalls.vectors import EpollEvents, FdSet, IovIn, IovOut, PollFds, SignalMask, SignalMaskAndSize
from ktrace.agent.syscalls.vocabulary import Vocabulary
from ktrace.errors import UsageError
from ktrace.include.linux.types import s32, s64
from ktrace.state.call import Pointer
from ktrace.suggest import Written
from ktrace.uapi.errno import EBADF
from ktrace.uapi.fcntl import (
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_GET_SEALS,
    F_GETFD,
    F_GETFL,
    F_GETLK,
    F_GETOWN,
    F_GETOWN_EX,
    F_GETPIPE_SZ,
    F_GETSIG,
    F_OFD_GETLK,
    F_OFD_SETLK,
    F_OFD_SETLKW,
    F_SETFD,
    F_SETFL,
    F_SETLK,
    F_SETLKW,
    F_SETOWN,
    F_SETOWN_EX,
    F_SETPIPE_SZ,
    F_SETSIG,
)
from ktrace.uapi.ioctls import FIOASYNC, FIOCLEX, FIONBIO, FIONCLEX, FIONREAD, TIOCOUTQ
from ktrace.uapi.sockios import FIOGETOWN, FIOSETOWN, SIOCATMARK, SIOCGPGRP, SIOCOUTQNSD, SIOCSPGRP
from ktrace.uapi.stat import S_IFIFO

_FCNTL_ARGUMENTS: Mapping[str, Vocabulary] = {"F_SETFD": c.FD, "F_SETFL": c.OPEN, "F_SETSIG": c.SIGNAL}
_FCNTL_VALUES: Mapping[str, Returns] = {
    "F_DUPFD": FD,
    "F_DUPFD_CLOEXEC": FD,
    "F_GETFD": Returns("flags", c.FD),
    "F_GETFL": Returns("flags", c.OPEN),
    "F_GETOWN": PID,
}
_WITHOUT_ARGUMENT = {F_GETFD, F_GETFL, F_GETOWN, F_GETSIG, F_GETPIPE_SZ, F_GET_SEALS}


_FLOCK = {"l_type", "l_whence", "l_start", "l_len", "l_pid"}
"""Members of struct flock (``include/uapi/asm-generic/fcntl.h``)."""


_NUMBERED = {F_DUPFD, F_DUPFD_CLOEXEC, F_SETFD, F_SETFL, F_SETSIG, F_SETPIPE_SZ}
"""Commands whose argument can be nothing but a number."""
_LOCKS = {F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW}


def _no_locks() -> UsageError:
    return UsageError(
        "record locks (F_GETLK, F_SETLK, ...) are not known, nor is struct flock",
        Written(
            "leave it out; of structs, F_SETOWN_EX takes a struct f_owner_ex: {F_OWNER_TID, A}",
            "leave it out; of structs, F_SETOWN_EX takes a struct f_owner_ex: (F_OWNER_TID, a)",
        ),
    )


class FcntlArgument(Parameter):
    """fcntl's third argument: a number, an actor for F_SETOWN, a struct f_owner_ex."""

    c_type = "unsigned long, an actor for F_SETOWN, (type, pid) for F_SETOWN_EX"

    def coerce(self, value: Any) -> Any:
        if isinstance(value, int):
            return Long(self.name).coerce(value)
        if isinstance(value, (str, Pointer)):
            return value
        if isinstance(value, Mapping) and value.keys() & _FLOCK:
            raise _no_locks()
        return F_OWNER_EX.coerce(value)

    def coerce_among(self, value: Any, values: Values) -> Any:
        if values["cmd"] in _NUMBERED:
            return Long(self.name).coerce(value)
        if values["cmd"] in _LOCKS and not isinstance(value, (int, str, Pointer)):
            raise _no_locks()
        return self.coerce(value)

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        value, cmd = values[self.name], values["cmd"]
        if isinstance(value, Pointer):
            return (value.value,)
        if cmd == F_GETOWN_EX:
            return (frame.want_fresh(F_OWNER_EX.size),)
        if isinstance(value, Mapping):
            return (frame.put(pack_struct(F_OWNER_EX, value, frame)),)
        return (frame.pid(value),)

    later = True

    def recall(self, registers: tuple[int, ...], values: Values, caller: Caller) -> dict[str, Any]:
        addr, cmd = registers[0], values["cmd"]
        value: Any = s64(addr)
        if cmd == F_SETOWN:
            value = caller.pid(s32(addr))
        elif cmd == F_SETOWN_EX:
            try:
                value = read_struct(F_OWNER_EX, caller.read(addr, F_OWNER_EX.size), caller)
            except Fault:
                value = Pointer(addr)
        elif cmd == F_GETOWN_EX:
            value = caller.out(self.name, addr).get(self.name, 0)
        elif cmd in _LOCKS:
            value = Pointer(addr)
        return {self.name: value}

    def wanted(self, registers: tuple[int, ...], values: Values, caller: Caller) -> list[Wanted]:
        asked = values["cmd"] == F_GETOWN_EX and not isinstance(values[self.name], Pointer)
        return [Wanted(((registers[0], F_OWNER_EX.size),))] if asked else []

    def decode(self, values: Values, ret: int, take: Iterator[bytes]) -> dict[str, Any]:
        if values["cmd"] != F_GETOWN_EX or isinstance(values[self.name], Pointer):
            return {}
        return {self.name: F_OWNER_EX.unpack(next(take))}

    def name_actors(self, out: dict[str, Any], values: Values, actors: Mapping[int, str]) -> None:
        if self.name in out:
            F_OWNER_EX.name_actors(out[self.name], actors)

    def format(self, values: Values, out: Mapping[str, Any], naming: Naming) -> list[str]:
        value, cmd = values[self.name], values["cmd"]
        if isinstance(value, Pointer):
            return [pointer_text(value)]
        if cmd == F_GETOWN_EX:
            return [format_struct(F_OWNER_EX, out[self.name])] if self.name in out else []
        if isinstance(value, Mapping):
            return [format_struct(F_OWNER_EX, value)]
        if cmd in _WITHOUT_ARGUMENT and value == 0:
            return []
        for name, vocabulary in _FCNTL_ARGUMENTS.items():
            if cmd == c.FCNTL.choices[name] and isinstance(value, int):
                return [vocabulary.format(value)]
        return [str(value)]


def _fcntl_fails(values: Mapping[str, Any], errno: int) -> bool:
    """Tell an error from a process group, which F_GETOWN returns as a negative number (fcntl(2), BUGS)."""
    return values["cmd"] != F_GETOWN or errno == EBADF


def _fcntl_returns(values: Mapping[str, Any]) -> Returns:
    return _FCNTL_VALUES.get(c.FCNTL.format(values["cmd"]), NUMBER)


_IOCTL_OUT = {FIONREAD, TIOCOUTQ, SIOCATMARK, SIOCGPGRP, FIOGETOWN} | {SIOCOUTQNSD}
_IOCTL_IN = {FIONBIO, FIOASYNC, SIOCSPGRP, FIOSETOWN}
_IOCTL_NONE = {FIOCLEX, FIONCLEX}
_IOCTL_PID = {SIOCGPGRP, FIOGETOWN}
_IOCTL_OWNER = {SIOCSPGRP, FIOSETOWN}


class IoctlArgument(Parameter):
    """ioctl's third argument: an int that the kernel writes, one that it reads, or a plain number."""

    c_type = "unsigned long"

    def coerce(self, value: Any) -> Any:
        return value if isinstance(value, (str, Pointer)) else Long(self.name).coerce(value)

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        value, request = values[self.name], values["request"]
        if isinstance(value, Pointer):
            return (value.value,)
        if request in _IOCTL_OUT:
            return (frame.want_fresh(4),)
        if request in _IOCTL_IN:
            return (frame.put(struct.pack("<I", frame.pid(value) & 0xFFFFFFFF)),)
        return (frame.pid(value),)

    later = True

    def recall(self, registers: tuple[int, ...], values: Values, caller: Caller) -> dict[str, Any]:
        addr, request = registers[0], values["request"]
        value: Any = s64(addr)
        if request in _IOCTL_OUT:
            value = caller.out(self.name, addr).get(self.name, 0)
        elif request in _IOCTL_IN:
            value = recall_length(addr, caller)
            if request in _IOCTL_OWNER and isinstance(value, int):
                value = caller.pid(value)
        return {self.name: value}

    def wanted(self, registers: tuple[int, ...], values: Values, caller: Caller) -> list[Wanted]:
        asked = values["request"] in _IOCTL_OUT and not isinstance(values[self.name], Pointer)
        return [Wanted(((registers[0], 4),))] if asked else []

    def decode(self, values: Values, ret: int, take: Iterator[bytes]) -> dict[str, Any]:
        if values["request"] not in _IOCTL_OUT or isinstance(values[self.name], Pointer):
            return {}
        return {self.name: struct.unpack("<i", next(take))[0]}

    def name_actors(self, out: dict[str, Any], values: Values, actors: Mapping[int, str]) -> None:
        if values["request"] in _IOCTL_PID and self.name in out:
            out[self.name] = actors.get(out[self.name], out[self.name])

    def format(self, values: Values, out: Mapping[str, Any], naming: Naming) -> list[str]:
        value, request = values[self.name], values["request"]
        if isinstance(value, Pointer):
            return [pointer_text(value)]
        if request in _IOCTL_OUT:
            return [f"[{out[self.name]}]"] if self.name in out else []
        if request in _IOCTL_NONE and value == 0:
            return []
        return [f"[{value}]" if request in _IOCTL_IN else str(value)]


class FifoMode(Mode):
    """The permissions of a FIFO, which mknod(2) takes with the type of the file."""

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        return (values[self.name] | S_IFIFO,)


_OPEN = (Int("flags", c.OPEN), Mode("mode", c.MODE, default=0))
_IOV = (Fd("fd"), IovOut("iov", counted="iovcnt"), Long("iovcnt", late=count_of("iov")))
_IOV_IN = (Fd("fd"), IovIn("iov", counted="iovcnt"), Long("iovcnt", late=count_of("iov")))
_COUNT = Long("count", late=count_of("buf"))
_SETS = (FdSet("readfds"), FdSet("writefds"), FdSet("exceptfds"))
# The kernel takes an offset of preadv in two halves; on x86-64 the low one is all of it.
_OFFSET = (Offset("offset"), Const(0))

SIGNATURES = (
    Signature("read", 0, Fd("fd"), OutBytes("buf", "count"), Long("count")),
    Signature("write", 1, Fd("fd"), InBytes("buf", counted="count"), Long("count", late=count_of("buf"))),
    Signature("readv", 19, *_IOV),
    Signature("writev", 20, *_IOV_IN),
    Signature("pread64", 17, Fd("fd"), OutBytes("buf", "count"), Long("count"), Offset("offset")),
    Signature(
        "pwrite64", 18, Fd("fd"), InBytes("buf", counted="count"), Long("count", late=count_of("buf")), Offset("offset")
    ),
    Signature("preadv", 295, *_IOV, *_OFFSET),
    Signature("pwritev", 296, *_IOV_IN, *_OFFSET),
    Signature("lseek", 8, Fd("fd"), Offset("offset"), Int("whence", c.WHENCE)),
    Signature("close", 3, Fd("fd")),
    Signature("close_range", 436, Int("first"), Int("last"), Int("flags", c.CLOSE_RANGE, default=0)),
    Signature("dup", 32, Fd("oldfd"), returns=FD),
    Signature("dup2", 33, Fd("oldfd"), Fd("newfd"), returns=FD),
    Signature("dup3", 292, Fd("oldfd"), Fd("newfd"), Int("flags", c.DUP), returns=FD),
    Signature(
        "fcntl", 72, Fd("fd"), Int("cmd", c.FCNTL), FcntlArgument("arg", 0), returns=_fcntl_returns, fails=_fcntl_fails
    ),
    Signature("ioctl", 16, Fd("fd"), Int("request", c.IOCTL), IoctlArgument("arg", 0)),
    Signature("poll", 7, PollFds("fds"), Int("nfds", late=count_of("fds")), Int("timeout")),
    Signature(
        "ppoll",
        271,
        PollFds("fds"),
        Int("nfds", late=count_of("fds")),
        InStruct("timeout", TIMESPEC, nullable=True),
        SignalMask("sigmask", None),
        Const(8),
    ),
    Signature("select", 23, Int("nfds"), *_SETS, InStruct("timeout", TIMEVAL, nullable=True)),
    Signature(
        "pselect6",
        270,
        Int("nfds"),
        *_SETS,
        InStruct("timeout", TIMESPEC, nullable=True),
        SignalMaskAndSize("sigmask", None),
    ),
    Signature("epoll_create", 213, Int("size"), returns=FD),
    Signature("epoll_create1", 291, Int("flags", c.EPOLL_CREATE), returns=FD),
    Signature(
        "epoll_ctl",
        233,
        Fd("epfd"),
        Int("op", c.EPOLL_CTL),
        Fd("fd"),
        InStruct("event", EPOLL_EVENT, default=None),
    ),
    Signature("epoll_wait", 232, Fd("epfd"), EpollEvents("events"), Int("maxevents"), Int("timeout")),
    Signature(
        "epoll_pwait",
        281,
        Fd("epfd"),
        EpollEvents("events"),
        Int("maxevents"),
        Int("timeout"),
        SignalMask("sigmask", None),
        Const(8),
    ),
    Signature("eventfd", 284, Int("initval"), returns=FD),
    Signature("eventfd2", 290, Int("initval"), Int("flags", c.EVENTFD, default=0), returns=FD),
    Signature("timerfd_create", 283, Int("clockid", c.CLOCK), Int("flags", c.TIMERFD, default=0), returns=FD),
    Signature(
        "timerfd_settime",
        286,
        Fd("fd"),
        Int("flags", c.TIMERFD_SETTIME),
        InStruct("new_value", ITIMERSPEC),
        OutStruct("old_value", ITIMERSPEC),
    ),
    Signature("timerfd_gettime", 287, Fd("fd"), OutStruct("curr_value", ITIMERSPEC)),
    Signature(
        "signalfd4", 289, Fd("fd"), SignalMask("mask"), Const(8), Int("flags", c.SIGNALFD, default=0), returns=FD
    ),
    Signature("inotify_init1", 294, Int("flags", c.INOTIFY_INIT, default=0), returns=FD),
    Signature("inotify_add_watch", 254, Fd("fd"), Path("pathname"), Int("mask", c.INOTIFY)),
    Signature("inotify_rm_watch", 255, Fd("fd"), Int("wd")),
    Signature("pidfd_open", 434, Pid("pid"), Int("flags", c.PIDFD, default=0), returns=FD),
    Signature(
        "pidfd_send_signal",
        424,
        Fd("pidfd"),
        Int("sig", c.SIGNAL),
        Address("info", default=0),
        Int("flags", default=0),
    ),
    Signature("stat", 4, Path("pathname"), OutStruct("statbuf", STAT)),
    Signature("fstat", 5, Fd("fd"), OutStruct("statbuf", STAT)),
    Signature("open", 2, Path("pathname"), *_OPEN, returns=FD),
    Signature("openat", 257, Directory("dirfd"), Path("pathname"), *_OPEN, returns=FD),
    Signature("creat", 85, Path("pathname"), Mode("mode", c.MODE), returns=FD),
    Signature("memfd_create", 319, Path("name"), Int("flags", c.MEMFD, default=0), returns=FD),
    Signature("mknod", 133, Path("pathname"), Mode("mode", c.FILE_MODE), Int("dev", default=0)),
    Signature("mkfifo", 133, Path("pathname"), FifoMode("mode", c.MODE), Const(0)),
    Signature("mknodat", 259, Directory("dirfd"), Path("pathname"), Mode("mode", c.FILE_MODE), Int("dev", default=0)),
    Signature("unlink", 87, Path("pathname")),
    Signature("mkdir", 83, Path("pathname"), Mode("mode", c.MODE)),
    Signature("rmdir", 84, Path("pathname")),
    Signature("rename", 82, Path("oldpath"), Path("newpath")),
    Signature("fsync", 74, Fd("fd")),
    Signature("fdatasync", 75, Fd("fd")),
    Signature("truncate", 76, Path("path"), Offset("length")),
    Signature("ftruncate", 77, Fd("fd"), Offset("length")),
    Signature("readlink", 89, Path("pathname"), OutBytes("buf", "bufsiz"), Int("bufsiz")),
    Signature("chmod", 90, Path("pathname"), Mode("mode", c.MODE)),
    Signature("fchmod", 91, Fd("fd"), Mode("mode", c.MODE)),
    Signature("chown", 92, Path("pathname"), Int("owner"), Int("group")),
    Signature("fchown", 93, Fd("fd"), Int("owner"), Int("group")),
    Signature("umask", 95, Int("mask", c.MODE), returns=Returns("flags", c.MODE)),
    Signature("chdir", 80, Path("path")),
    Signature("access", 21, Path("pathname"), Int("mode", c.ACCESS)),
    Signature("faccessat", 269, Directory("dirfd"), Path("pathname"), Int("mode", c.ACCESS)),
    Signature(
        "faccessat2", 439, Directory("dirfd"), Path("pathname"), Int("mode", c.ACCESS), Int("flags", c.FACCESS_AT)
    ),
    Signature("lstat", 6, Path("pathname"), OutStruct("statbuf", STAT)),
    Signature(
        "newfstatat",
        262,
        Directory("dirfd"),
        Path("pathname"),
        OutStruct("statbuf", STAT),
        Int("flags", c.AT, default=0),
    ),
    Signature("symlink", 88, Path("target"), Path("linkpath")),
    Signature("symlinkat", 266, Path("target"), Directory("newdirfd"), Path("linkpath")),
    Signature("link", 86, Path("oldpath"), Path("newpath")),
    Signature(
        "linkat",
        265,
        Directory("olddirfd"),
        Path("oldpath"),
        Directory("newdirfd"),
        Path("newpath"),
        Int("flags", c.AT, default=0),
    ),
    Signature("mkdirat", 258, Directory("dirfd"), Path("pathname"), Mode("mode", c.MODE)),
    Signature("unlinkat", 263, Directory("dirfd"), Path("pathname"), Int("flags", c.UNLINK_AT, default=0)),
    Signature("renameat", 264, Directory("olddirfd"), Path("oldpath"), Directory("newdirfd"), Path("newpath")),
    Signature(
        "renameat2",
        316,
        Directory("olddirfd"),
        Path("oldpath"),
        Directory("newdirfd"),
        Path("newpath"),
        Int("flags", c.RENAME, default=0),
    ),
    Signature("readlinkat", 267, Directory("dirfd"), Path("pathname"), OutBytes("buf", "bufsiz"), Int("bufsiz")),
    Signature("getcwd", 79, OutBytes("buf", "size"), Long("size")),
    Signature("fchdir", 81, Fd("fd")),
    Signature("fchmodat", 268, Directory("dirfd"), Path("pathname"), Mode("mode", c.MODE)),
    Signature(
        "fchownat",
        260,
        Directory("dirfd"),
        Path("pathname"),
        Int("owner"),
        Int("group"),
        Int("flags", c.AT, default=0),
    ),
    Signature("lchown", 94, Path("pathname"), Int("owner"), Int("group")),
)
