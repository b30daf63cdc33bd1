"""Pipes and FIFOs: the ring, its buffers, its readers and writers."""

from __future__ import annotations

from collections.abc import Mapping

from ktrace.include.linux import pipe_fs_i
from ktrace.state.quick import dataclass
from ktrace.state.ref import Ref
from ktrace.state.wait import Waiter
from ktrace.uapi.named import by_number, family

PIPE_BUF_FLAGS = by_number(family(pipe_fs_i, "PIPE_BUF_FLAG_"), strip="PIPE_BUF_FLAG_")
"""``include/linux/pipe_fs_i.h``: PIPE_BUF_FLAG_*."""

ANON_OPS = "anon_pipe_buf_ops"
"""The symbol of what pages have that write() filled."""


@dataclass(frozen=True, slots=True)
class PipeBuffer:
    """One slot of the ring, ``struct pipe_buffer``.

    A slot that is not in use keeps what its last use left, except its page, which is no longer its own.

    :param page: identity of the frame, kind ``page``; ``None`` for a slot not in use
    :param page_count: references to the page (``page_count()``); ``None`` for a slot not in use
    :param offset: bytes into the page
    :param len: bytes
    :param ops: symbol of its ``pipe_buf_operations``, ``None`` for a slot not in use
    :param flags: names of its PIPE_BUF_FLAG_ bits
    :param private: owned by *ops*
    :param data: the bytes themselves
    """

    page: Ref | None
    page_count: int | None
    offset: int
    len: int
    ops: str | None
    flags: tuple[str, ...]
    private: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Fasync:
    """One ``struct fasync_struct``: a file that wants SIGIO.

    :param fd: the descriptor at registration, put into ``si_fd``
    """

    file: Ref
    fd: int


@dataclass(frozen=True, slots=True)
class Pipe:
    """A ``struct pipe_inode_info``.

    :param locked: whether somebody holds *mutex*; never at rest
    :param rd_wait: sleepers in the order in which they would be woken; also *wr_wait*
    :param max_usage: slots that may be used; *ring_size*: slots there are
    :param nr_accounted: slots charged to *user*
    :param tmp_page: whether a page is kept for the next write; how many where several may be (``tmp_page[2]``,
        ``prealloc``)
    :param poll_usage: whether every write wakes readers (``pseudo_edgetrigger`` since 7.3)
    :param bufs: by index into the ring, every slot that was ever used since the ring was made
    :param user: who pays, kind ``user``, by uid
    :param watch_queue: whether notifications come through it
    :param inode: its inode
    """

    locked: bool
    rd_wait: tuple[Waiter, ...]
    wr_wait: tuple[Waiter, ...]
    head: int
    tail: int
    max_usage: int
    ring_size: int
    note_loss: bool
    nr_accounted: int
    readers: int
    writers: int
    files: int
    r_counter: int
    w_counter: int
    poll_usage: bool
    tmp_page: bool | int
    fasync_readers: tuple[Fasync, ...]
    fasync_writers: tuple[Fasync, ...]
    bufs: Mapping[int, PipeBuffer]
    user: Ref
    watch_queue: bool
    inode: Ref


@dataclass(frozen=True, slots=True)
class PipeFacts:
    """What a kernel brings along before the first step.

    :param pipe_max_size: bytes (``fs.pipe-max-size``)
    :param pipe_user_pages_soft: pages (``fs.pipe-user-pages-soft``); also *pipe_user_pages_hard*; 0 for no limit
    :param pipe_bufs: pages charged to each uid already
    :param watch_queue: CONFIG_WATCH_QUEUE
    :param kept_pages: how many pages a pipe may keep for its next writes
    :param own_pages: how many pages at most a write of more than one makes for itself before it takes the lock; what is
        left of them is kept (``fs/pipe.c: anon_pipe_get_page_prealloc()``, between 6.12 and 7.2)
    :param lru_batches: what batches on their way to LRU lists hold of a page is taken off its count
    """

    pipe_max_size: int = 1048576
    pipe_user_pages_soft: int = 16384
    pipe_user_pages_hard: int = 0
    pipe_bufs: Mapping[int, int] | None = None
    watch_queue: bool = True
    kept_pages: int = 1
    own_pages: int = 0
    lru_batches: bool = False
