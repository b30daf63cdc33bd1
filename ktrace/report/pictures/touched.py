"""What a call's own arguments name: the file behind a descriptor, the object of an identifier."""

from __future__ import annotations

from collections.abc import Iterator

from ktrace.state.call import Call
from ktrace.state.fs.file import DescriptorTable, File
from ktrace.state.process.process import Process
from ktrace.state.ref import Ref
from ktrace.state.world import World

_FIRST = (
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "close", "dup", "fcntl", "ioctl",
    "lseek", "fstat", "fchdir", "fchmod", "fchown", "fsync", "fdatasync", "ftruncate", "vmsplice", "bind", "listen",
    "connect", "accept", "accept4", "sendto", "recvfrom", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "shutdown",
    "getsockname", "getpeername", "getsockopt", "setsockopt", "epoll_wait", "epoll_pwait", "inotify_add_watch",
    "inotify_rm_watch", "pidfd_send_signal", "setns", "signalfd4", "timerfd_gettime", "timerfd_settime",
)  # fmt: skip
DESCRIPTORS = {
    "splice": (0, 2), "tee": (0, 1), "sendfile": (0, 1), "dup2": (0, 1), "dup3": (0, 1), "epoll_ctl": (0, 2),
    "mmap": (4,), **dict.fromkeys(_FIRST, (0,)),
}  # fmt: skip
"""Which arguments of a call are descriptors of the acting process, other than of directories that paths begin at."""

_KINDS = ("sem", "msg", "shm")


def touched(world: World, actor: str | None, call: Call) -> Iterator[Ref]:
    """Yield the objects that *call* names.

    :param world: as it was before the call
    """
    if call.name in DESCRIPTORS:
        process = world.objects.get(Ref("process", actor or ""))
        files = process.files if isinstance(process, Process) else None
        table = world.objects.get(files) if files is not None else None
        for place in DESCRIPTORS[call.name]:
            number = call.args[place] if place < len(call.args) else None
            descriptor = (
                table.fds.get(number) if isinstance(table, DescriptorTable) and isinstance(number, int) else None
            )
            file = world.objects.get(descriptor.file) if descriptor is not None and descriptor.file else None
            if isinstance(file, File):
                yield file.target
    elif call.name[:3] in _KINDS and not call.name.endswith(("get", "dt")) and call.args:
        for ref in world.objects:
            if ref.kind == call.name[:3] and str(ref.key).rpartition("/")[2] == str(call.args[0]):
                yield ref
