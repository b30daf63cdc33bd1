"""Counters to wait on (``fs/eventfd.c``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ktrace.include.linux.fs import FMODE_READ, FMODE_WRITE
from ktrace.model.calls import syscall
from ktrace.model.fs.file import File, FileOperations
from ktrace.model.fs.file_table import get_unused_fd
from ktrace.model.kernel import Kernel
from ktrace.model.mm.iov import Destination, Source
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps, WaitEntry, WaitQueue, waiters, wake_up
from ktrace.state.fs.eventfd import EventFd
from ktrace.state.ref import Ref
from ktrace.state.rule import Rule
from ktrace.uapi.eventfd import EFD_SEMAPHORE
from ktrace.uapi.eventpoll import EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT
from ktrace.uapi.fcntl import O_CLOEXEC, O_NONBLOCK, O_RDWR
from ktrace.uapi.limits import ULONG_MAX

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

SLEEPS = Rule("fs/eventfd.c", "eventfd_read", "at the queue's head, or by 6.12 at its end, until woken once")
SIZE = 8
"""Bytes of a counter."""


class EventFdContext:
    """Mirror one ``struct eventfd_ctx``."""

    def __init__(self, key: int, count: int, semaphore: bool) -> None:
        self.key = key
        self.count = count
        self.semaphore = semaphore
        self.wqh = WaitQueue()

    @property
    def ref(self) -> Ref:
        """Return the raw reference of this counter."""
        return Ref("eventfd", self.key)

    def wait(self, task: Task, condition: Callable[[], bool]) -> Sleeps[None]:
        """Sleep until *condition* holds: at the head of the queue, or as the kernel was seen to at its end.

        The second is ``wait_event_interruptible_locked_irq()``, ``do_wait_intr_irq()``.

        :raises Errno: ERESTARTSYS
        """
        entry = WaitEntry(task, autoremove=False)
        self.wqh.add(entry)
        at_end = False
        while not condition():
            if task.signal_pending():
                self.wqh.remove(entry)
                raise Errno("ERESTARTSYS")
            if not at_end and task.kernel.choose(SLEEPS, self._at_end(task), lambda _: True, otherwise=False):
                self.wqh.remove(entry)
                at_end, entry = True, WaitEntry(task)
            if at_end and entry not in self.wqh.entries:
                self.wqh.entries.append(entry)
            yield
        self.wqh.remove(entry)

    def _at_end(self, task: Task) -> Callable[[Observed], bool | None]:
        def find(seen: Observed) -> bool | None:
            assert task.call is not None
            found = seen.opened(task, task.call.args[0])
            entries = found.wqh if isinstance(found, EventFd) else ()
            own = (entry.func for entry in entries if entry.process == Ref("process", task.name))
            func = next(own, None)
            return None if func is None else func == "autoremove_wake_function"

        return find


class EventFdOperations(FileOperations):
    """``eventfd_fops``."""

    name = "eventfd_fops"

    def read_iter(self, task: Task, file: File, to: Destination) -> Sleeps[int]:
        """Take the counter, or one of it; sleep while it is 0 (``eventfd_read()``).

        :raises Errno: EINVAL, EAGAIN, EFAULT, ERESTARTSYS
        """
        ctx: EventFdContext = file.private
        if to.count < SIZE:
            raise Errno("EINVAL")
        if not ctx.count:
            if file.f_flags & O_NONBLOCK:
                raise Errno("EAGAIN")
            yield from ctx.wait(task, lambda: ctx.count > 0)
        taken = 1 if ctx.semaphore else ctx.count
        ctx.count -= taken
        wake_up(task.kernel, ctx.wqh, 1, EPOLLOUT)
        if to.copy(taken.to_bytes(SIZE, "little")) < SIZE:
            raise Errno("EFAULT")
        return SIZE

    def write_iter(self, task: Task, file: File, source: Source) -> Sleeps[int]:
        """Add to the counter; sleep while that would be too much (``eventfd_write()``).

        :raises Errno: EINVAL, EAGAIN, EFAULT, ERESTARTSYS
        :raises NotImplementedError: several buffers, which are several writes
        """
        if task.call is not None and task.call.name in ("writev", "pwritev") and len(task.call.args[1]) > 1:
            raise NotImplementedError("the model does not know writev of several buffers to an eventfd")
        ctx: EventFdContext = file.private
        if source.count < SIZE or (source.count > SIZE and task.kernel.changes.eventfd_write_exact):
            raise Errno("EINVAL")
        data = source.copy(SIZE)
        if len(data) < SIZE:
            raise Errno("EFAULT")
        number = int.from_bytes(data, "little")
        if number == ULONG_MAX:
            raise Errno("EINVAL")
        if ULONG_MAX - ctx.count <= number:
            if file.f_flags & O_NONBLOCK:
                raise Errno("EAGAIN")
            yield from ctx.wait(task, lambda: ULONG_MAX - ctx.count > number)
        ctx.count += number
        wake_up(task.kernel, ctx.wqh, 1, EPOLLIN)
        return SIZE

    def poll(self, task: Task, file: File) -> int:
        """Tell whether it can be read or added to (``eventfd_poll()``)."""
        count: int = file.private.count
        mask = EPOLLIN if count > 0 else 0
        mask |= EPOLLERR if count == ULONG_MAX else 0
        return mask | (EPOLLOUT if count < ULONG_MAX - 1 else 0)

    def poll_queues(self, task: Task, file: File) -> list[WaitQueue]:
        """Return where pollers wait."""
        return [file.private.wqh]

    def llseek(self, task: Task, file: File, offset: int, whence: int) -> int:
        """Stay where it is (``noop_llseek()``)."""
        return file.pos

    def release(self, task: Task, file: File) -> None:
        """Tell pollers that it is gone (``eventfd_release()``)."""
        wake_up(task.kernel, file.private.wqh, 1, EPOLLHUP)

    def observe(self, kernel: Kernel, file: File, objects: dict[Ref, Any]) -> None:
        """Add the counter."""
        ctx: EventFdContext = file.private
        if ctx.ref not in objects:
            objects[ctx.ref] = EventFd(count=ctx.count, semaphore=ctx.semaphore, wqh=waiters(ctx.wqh))


EVENTFD_OPS = EventFdOperations()


@syscall("eventfd2")
def eventfd2(task: Task, initval: int, flags: int) -> int:
    """Make a counter (``do_eventfd()``).

    :raises Errno: EINVAL, EMFILE, ENFILE
    """
    kernel = task.kernel
    if flags & ~(O_CLOEXEC | O_NONBLOCK | EFD_SEMAPHORE):
        raise Errno("EINVAL")
    ctx = EventFdContext(kernel.serial(), initval & 0xFFFFFFFF, bool(flags & EFD_SEMAPHORE))
    fd = get_unused_fd(task)
    file = File(kernel.serial(), EVENTFD_OPS, FMODE_READ | FMODE_WRITE, O_RDWR | flags & O_NONBLOCK, ctx.ref, ctx)
    task.files.install(fd, file, bool(flags & O_CLOEXEC))
    return fd


@syscall("eventfd")
def eventfd(task: Task, initval: int) -> int:
    """Make a counter (``SYSCALL_DEFINE1(eventfd)``)."""
    return eventfd2(task, initval, 0)
