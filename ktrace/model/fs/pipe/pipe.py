"""Pipes: the ring, its life and its limits (``fs/pipe.c``)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ktrace.include.linux.pipe_fs_i import PIPE_BUF_FLAG_LRU
from ktrace.model.fs.fasync import FasyncList, kill_fasync
from ktrace.model.fs.file import observe_file
from ktrace.model.fs.inode import Inode
from ktrace.model.fs.pipe.kept_pages import KeptPages
from ktrace.model.fs.pipe.program_pages import take_written
from ktrace.model.kernel import Kernel
from ktrace.model.mm.page import LENT, Page
from ktrace.model.mutex import Mutex
from ktrace.model.task import Task
from ktrace.model.wait import Sleeps, WaitQueue, waiters, wake_up
from ktrace.state.allowed import Between, allowed
from ktrace.state.fs.pipe import pipe as state
from ktrace.state.fs.pipe.pipe import ANON_OPS
from ktrace.state.names import flag_names
from ktrace.state.ref import Ref
from ktrace.uapi.eventpoll import EPOLLIN, EPOLLOUT, EPOLLRDNORM, EPOLLWRNORM
from ktrace.uapi.limits import UINT_MAX
from ktrace.uapi.siginfo import POLL_IN, POLL_OUT
from ktrace.uapi.signal import SIGIO

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

DEFAULT_OPS = "default_pipe_buf_ops"
PAGE_CACHE_OPS = "page_cache_pipe_buf_ops"
ZERO_OPS = "zero_pipe_buf_ops"


@lru_cache(maxsize=1 << 8)
def _flags(value: int) -> tuple[str, ...]:
    return flag_names(value, state.PIPE_BUF_FLAGS)


@lru_cache(maxsize=4096)
def _free_slot(offset: int, length: int, flags: tuple[str, ...], private: Any) -> state.PipeBuffer:
    return state.PipeBuffer(
        page=None, page_count=None, offset=offset, len=length, ops=None, flags=flags, private=private, data=b""
    )


@dataclass(eq=False)
class PipeBuffer:
    """Mirror one ``struct pipe_buffer``, which is in use while *ops* is set."""

    page: Page | None = None
    offset: int = 0
    len: int = 0
    ops: str | None = None
    flags: int = 0
    private: int | Between = 0

    def observed(self) -> state.PipeBuffer:
        """Return the slot as the state has it."""
        flags = _flags(self.flags)
        page = self.page
        if self.ops is None or page is None:
            return _free_slot(self.offset, self.len, flags, self.private)
        return state.PipeBuffer(
            page=Ref("page", page.key),
            page_count=allowed(page.references()),
            offset=self.offset,
            len=self.len,
            ops=self.ops,
            flags=flags,
            private=allowed(self.private),
            data=bytes(page.data[self.offset : self.offset + self.len]),
        )

    def get(self) -> None:
        """Take a reference to the page (``pipe_buf_get()``); nobody counts those to the zero page."""
        assert self.page is not None
        if self.ops != ZERO_OPS:
            self.page.get()

    @property
    def is_blank(self) -> bool:
        """Tell whether the slot was never used since the ring was made."""
        return self.ops is None and self.page is None


class PipeInode:
    """Mirror one ``struct pipe_inode_info``."""

    def __init__(self, kernel: Kernel, uid: int, slots: int) -> None:
        self.kernel = kernel
        self.key = kernel.serial()
        self.uid = uid
        self.mutex = Mutex()
        self.rd_wait = WaitQueue()
        self.wr_wait = WaitQueue()
        self.head = self.tail = 0
        self.max_usage = self.ring_size = self.nr_accounted = slots
        self.note_loss = False
        self.readers = self.writers = self.files = 0
        self.r_counter = self.w_counter = 1
        self.poll_usage = False
        self.kept = KeptPages(kernel.pipes.facts, kernel.changes.pipe_prealloc)
        self.fasync_readers: FasyncList = []
        self.fasync_writers: FasyncList = []
        self.bufs = [PipeBuffer() for _ in range(slots)]
        self.watch_queue = False
        self.watch_notes = 0
        self.inode: Inode | None = None

    @property
    def ref(self) -> Ref:
        """Return the raw reference of this pipe, which has the number of its inode."""
        return Ref("pipe", self.inode.key if self.inode is not None else self.key)

    def lock(self, task: Task) -> Sleeps[None]:
        """Take the mutex of a pipe that files lead to (``pipe_lock()``)."""
        if self.files:
            yield from self.mutex.lock(task)

    def unlock(self, kernel: Kernel) -> None:
        """``pipe_unlock()``."""
        if self.files:
            self.mutex.unlock(kernel)

    def empty(self) -> bool:
        """``pipe_empty()``."""
        return self.head == self.tail

    def occupancy(self) -> int:
        """``pipe_occupancy()``."""
        return self.head - self.tail & UINT_MAX

    def full(self) -> bool:
        """``pipe_full()``."""
        return self.occupancy() >= self.max_usage

    def readable(self) -> bool:
        """``pipe_readable()``."""
        return not self.empty() or not self.writers

    def writable(self) -> bool:
        """``pipe_writable()``."""
        return not self.full() or not self.readers

    def slot(self, index: int) -> PipeBuffer:
        """Return the slot that ring position *index* falls on."""
        return self.bufs[index & self.ring_size - 1]

    def push(self) -> PipeBuffer:
        """Take the slot at the head and advance it."""
        buf = self.slot(self.head)
        self.head = self.head + 1 & UINT_MAX
        return buf

    def advance_tail(self) -> None:
        """Leave the slot at the tail behind."""
        self.tail = self.tail + 1 & UINT_MAX

    def release(self, buf: PipeBuffer) -> None:
        """Let go of a slot's page (``pipe_buf_release()``, ``anon_pipe_buf_release()``)."""
        ops, buf.ops = buf.ops, None
        page = buf.page
        assert page is not None
        if ops in (PAGE_CACHE_OPS, "user_page_pipe_buf_ops"):
            buf.flags &= ~PIPE_BUF_FLAG_LRU  # page_cache_pipe_buf_release()
        if ops == ANON_OPS and page.count == 1 and self.kept.has_room() and not (page.lent and self._still_lent()):
            self.kept.push(page)
        elif ops != ZERO_OPS:  # zero_pipe_buf_release()
            page.put()

    def _still_lent(self) -> bool:
        """Tell whether the kernel found a page that TCP had too busy to keep (``anon_pipe_buf_release()``)."""

        def find(seen: Observed) -> bool | None:
            pipe = seen.pipe(self)
            return True if pipe is not None and pipe.tmp_page > len(self.kept) else None

        return not self.kernel.choose(LENT, find, lambda kept: True, otherwise=False)

    def observe(self, kernel: Kernel, objects: dict[Ref, Any]) -> Ref:
        """Add this pipe, its inode and its user, and return its reference."""
        ref = self.ref
        if ref in objects:
            return ref
        assert self.inode is not None
        take_written(self)
        objects[ref] = state.Pipe(
            locked=self.mutex.owner is not None,
            rd_wait=waiters(self.rd_wait),
            wr_wait=waiters(self.wr_wait),
            head=self.head,
            tail=self.tail,
            max_usage=self.max_usage,
            ring_size=self.ring_size,
            note_loss=self.note_loss,
            nr_accounted=self.nr_accounted,
            readers=self.readers,
            writers=self.writers,
            files=self.files,
            r_counter=self.r_counter,
            w_counter=self.w_counter,
            poll_usage=self.poll_usage,
            tmp_page=self.kept.shown(),
            fasync_readers=_observe_fasync(kernel, objects, self.fasync_readers),
            fasync_writers=_observe_fasync(kernel, objects, self.fasync_writers),
            bufs={
                index: buf.observed()
                for index, buf in enumerate(self.bufs)
                if buf.ops is not None or buf.page is not None  # not buf.is_blank, of which there are many
            },
            user=Ref("user", str(self.uid)),
            watch_queue=self.watch_queue,
            inode=self.inode.ref,
        )
        pipes = kernel.pipes
        pipes.observe_user(objects, self.uid)
        self.inode.observe(kernel, objects)
        return ref


def _observe_fasync(kernel: Kernel, objects: dict[Ref, Any], entries: FasyncList) -> tuple[state.Fasync, ...]:
    return tuple(state.Fasync(observe_file(kernel, objects, item.file), item.fd) for item in entries)


def push_page(pipe: PipeInode, page: Page, ops: str, offset: int, size: int) -> None:
    """Put a page into the slot at the head (``lib/iov_iter.c: push_page()``, ``push_anon()``)."""
    page.get()
    buf = pipe.push()
    buf.page, buf.offset, buf.len, buf.ops, buf.flags, buf.private = page, offset, size, ops, 0, 0


def put_pipe_info(kernel: Kernel, pipe: PipeInode) -> None:
    """Drop a file's share of its pipe, the last one frees it (``put_pipe_info()``)."""
    pipe.files -= 1
    if pipe.files == 0:
        assert pipe.inode is not None
        pipe.inode.pipe = None
        kernel.pipes.free_pipe_info(pipe)


def wake_readers(kernel: Kernel, pipe: PipeInode) -> None:
    """``wake_up_interruptible_sync_poll(&pipe->rd_wait, EPOLLIN | EPOLLRDNORM)``."""
    wake_up(kernel, pipe.rd_wait, 1, EPOLLIN | EPOLLRDNORM)


def wake_writers(kernel: Kernel, pipe: PipeInode) -> None:
    """``wake_up_interruptible_sync_poll(&pipe->wr_wait, EPOLLOUT | EPOLLWRNORM)``."""
    wake_up(kernel, pipe.wr_wait, 1, EPOLLOUT | EPOLLWRNORM)


def signal_readers(kernel: Kernel, pipe: PipeInode) -> None:
    """``kill_fasync(&pipe->fasync_readers, SIGIO, POLL_IN)``."""
    kill_fasync(kernel, pipe.fasync_readers, SIGIO, POLL_IN)


def signal_writers(kernel: Kernel, pipe: PipeInode) -> None:
    """``kill_fasync(&pipe->fasync_writers, SIGIO, POLL_OUT)``."""
    kill_fasync(kernel, pipe.fasync_writers, SIGIO, POLL_OUT)
