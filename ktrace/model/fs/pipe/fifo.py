"""Opening FIFOs, and pipes again through /proc (``fs/pipe.c: fifo_open()``)."""

from __future__ import annotations

from collections.abc import Callable

from ktrace.include.linux.fs import FMODE_READ, FMODE_WRITE
from ktrace.model.fs.file import File
from ktrace.model.fs.inode import Inode
from ktrace.model.fs.open import FOPS, OPS_BY_SYMBOL
from ktrace.model.fs.pipe.pipe import PipeInode, put_pipe_info
from ktrace.model.fs.pipe.pipe_ops import PipeFileOperations
from ktrace.model.kernel import Kernel
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps, WaitEntry, wake_up
from ktrace.uapi.fcntl import O_NONBLOCK
from ktrace.uapi.limits import UINT_MAX
from ktrace.uapi.stat import S_IFIFO


class FifoFileOperations(PipeFileOperations):
    """``pipefifo_fops`` with its ``open``."""

    def open(self, task: Task, inode: Inode, file: File) -> Sleeps[None]:
        """Join the pipe, wait for the other side where there is none (``fifo_open()``)."""
        kernel = task.kernel
        pipe = _attach(task, inode)
        file.private, file.target, file.f_version = pipe, pipe.ref, 0
        is_pipe = inode.i_sb == "pipefs"
        yield from pipe.mutex.lock(task)
        try:
            mode = file.f_mode & (FMODE_READ | FMODE_WRITE)
            if mode == FMODE_READ:
                yield from _open_read(task, pipe, file, is_pipe)
            elif mode == FMODE_WRITE:
                yield from _open_write(task, pipe, file, is_pipe)
            elif mode:
                _open_both(kernel, pipe)
            else:
                raise Errno("EINVAL")
        except Errno:
            pipe.mutex.unlock(kernel)
            put_pipe_info(kernel, pipe)
            raise
        pipe.mutex.unlock(kernel)


def _attach(task: Task, inode: Inode) -> PipeInode:
    pipe = inode.pipe
    if pipe is None:
        pipes = task.kernel.pipes
        pipe = pipes.alloc_pipe_info(task)
        if pipe is None:
            raise Errno("ENOMEM")
        inode.pipe, pipe.inode = pipe, inode
    pipe.files += 1
    return pipe


def _open_read(task: Task, pipe: PipeInode, file: File, is_pipe: bool) -> Sleeps[None]:
    kernel = task.kernel
    pipe.r_counter = pipe.r_counter + 1 & UINT_MAX
    pipe.readers += 1
    if pipe.readers == 1:
        wake_up_partner(kernel, pipe)
    if is_pipe or pipe.writers:
        return
    if file.f_flags & O_NONBLOCK:
        file.f_version = pipe.w_counter
    elif not (yield from wait_for_partner(task, pipe, lambda: pipe.w_counter)):
        pipe.readers -= 1
        if not pipe.readers:
            wake_up(kernel, pipe.wr_wait, 1)
        raise Errno("ERESTARTSYS")


def _open_write(task: Task, pipe: PipeInode, file: File, is_pipe: bool) -> Sleeps[None]:
    kernel = task.kernel
    if not is_pipe and file.f_flags & O_NONBLOCK and not pipe.readers:
        raise Errno("ENXIO")
    pipe.w_counter = pipe.w_counter + 1 & UINT_MAX
    pipe.writers += 1
    if pipe.writers == 1:
        wake_up_partner(kernel, pipe)
    if is_pipe or pipe.readers:
        return
    if not (yield from wait_for_partner(task, pipe, lambda: pipe.r_counter)):
        pipe.writers -= 1
        if not pipe.writers:
            wake_up(kernel, pipe.rd_wait, 0)
        raise Errno("ERESTARTSYS")


def _open_both(kernel: Kernel, pipe: PipeInode) -> None:
    pipe.readers += 1
    pipe.writers += 1
    pipe.r_counter = pipe.r_counter + 1 & UINT_MAX
    pipe.w_counter = pipe.w_counter + 1 & UINT_MAX
    if pipe.readers == 1 or pipe.writers == 1:
        wake_up_partner(kernel, pipe)


def wake_up_partner(kernel: Kernel, pipe: PipeInode) -> None:
    """``wake_up_partner()``."""
    wake_up(kernel, pipe.rd_wait, 0)


def wait_for_partner(task: Task, pipe: PipeInode, counter: Callable[[], int]) -> Sleeps[bool]:
    """Sleep until *counter* moved; tell whether it did (``wait_for_partner()``)."""
    before = counter()
    entry = WaitEntry(task)
    while counter() == before:
        if entry not in pipe.rd_wait.entries:
            pipe.rd_wait.add(entry)
        pipe.mutex.unlock(task.kernel)
        # schedule() returns at once where a signal is pending.
        if not task.signal_pending():
            yield
        pipe.rd_wait.remove(entry)
        yield from pipe.mutex.lock(task)
        if task.signal_pending():
            break
    return counter() != before


class AnonFifoFileOperations(FifoFileOperations):
    """``pipeanon_fops`` with its ``open``: a pipe that is opened again through /proc."""

    name = "pipeanon_fops"
    keeps_times = False


FIFO_OPS = FifoFileOperations()
FOPS[S_IFIFO] = FIFO_OPS
OPS_BY_SYMBOL["pipeanon_fops"] = AnonFifoFileOperations()
