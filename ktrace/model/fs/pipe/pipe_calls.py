"""Making a pipe (``fs/pipe.c``: pipe, pipe2)."""

from __future__ import annotations

from ktrace.include.linux.fs import FMODE_READ, FMODE_WRITE
from ktrace.model.calls import syscall
from ktrace.model.fs.file import File, fput
from ktrace.model.fs.file_table import alloc_empty_file
from ktrace.model.fs.inode import Inode
from ktrace.model.fs.pipe.pipe import (
    PipeInode,
)
from ktrace.model.fs.pipe.pipe_ops import anon_pipe_ops
from ktrace.model.kernel import Kernel
from ktrace.model.mm.iov import out_is_bad
from ktrace.model.task import Errno, Task
from ktrace.state.call import Result
from ktrace.uapi.fcntl import O_CLOEXEC, O_DIRECT, O_NONBLOCK, O_WRONLY
from ktrace.uapi.stat import S_IFIFO
from ktrace.uapi.watch_queue import O_NOTIFICATION_PIPE


@syscall("pipe2")
def pipe2(task: Task, flags: int) -> Result:
    """Make a pipe and two descriptors (``do_pipe2()``)."""
    return _do_pipe2(task, flags)


def _do_pipe2(task: Task, flags: int) -> Result:
    """``do_pipe2()``, ``create_pipe_files()``."""
    kernel = task.kernel
    pipes = kernel.pipes
    if flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT | O_NOTIFICATION_PIPE):
        raise Errno("EINVAL")
    pipe = pipes.alloc_pipe_info(task)
    if pipe is None:
        raise Errno("ENFILE")
    if flags & O_NOTIFICATION_PIPE:
        if not pipes.facts.watch_queue:
            pipes.free_pipe_info(pipe)
            raise Errno("ENOPKG")
        pipe.watch_queue = True
    try:
        alloc_empty_file(task)
    except Errno:
        pipes.free_pipe_info(pipe)
        raise
    cred = task.cred
    inode = Inode(kernel.serial(), S_IFIFO | 0o600, cred.euid, cred.egid, "pipefs", anon_pipe_ops(kernel).name)
    inode.born(kernel)
    inode.pipe, pipe.inode = pipe, inode
    inode.count = pipe.files = 2
    pipe.readers = pipe.writers = 1
    write_end = _open_end(kernel, pipe, FMODE_WRITE, O_WRONLY | flags & (O_NONBLOCK | O_DIRECT))
    read_end = _open_end(kernel, pipe, FMODE_READ, flags & O_NONBLOCK)
    fds = _install(task, read_end, write_end, bool(flags & O_CLOEXEC))
    return Result(0, None, {"pipefd": fds})


@syscall("pipe")
def pipe(task: Task) -> Result:
    """Make a pipe without flags (``do_pipe2()``)."""
    return _do_pipe2(task, 0)


def _open_end(kernel: Kernel, pipe: PipeInode, mode: int, flags: int) -> File:
    return File(kernel.serial(), anon_pipe_ops(kernel), mode, flags, pipe.ref, pipe, inode=pipe.inode)


def _install(task: Task, read_end: File, write_end: File, cloexec: bool) -> tuple[int, int]:
    """Take two descriptors, or none (``__do_pipe_flags()``: err_fdr, err_read_pipe)."""
    fds: list[int] = []
    try:
        for _ in (read_end, write_end):
            fds.append(task.files.reserve(task, cloexec))
        if out_is_bad(task, "pipefd"):
            raise Errno("EFAULT")
    except Errno:
        fput(task, read_end)
        fput(task, write_end)
        for fd in fds:
            del task.files.reserved[fd]
        raise
    task.files.install(fds[0], read_end, cloexec)
    task.files.install(fds[1], write_end, cloexec)
    return fds[0], fds[1]
