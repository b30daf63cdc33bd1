"""Read pipes: ``pipe_inode_info``, its ring, its sleepers, and the files that want signals."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import drgn
from drgn.helpers.linux.user import for_each_user

from ktrace.include.asm.page_types import PAGE_SHIFT, PAGE_SIZE
from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.fs.file import PIPE_FOPS, FileReader
from ktrace.inspect.fs.inode import InodeReader
from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.lib.list import each_once, for_each_next
from ktrace.inspect.members import (
    MissingMember,
    first_member,
    has_member,
    is_configured,
    member_of,
    offset_of,
    shape_of,
)
from ktrace.inspect.memory import KernelMemory, Place
from ktrace.inspect.mm.batches import LruBatches
from ktrace.inspect.process.user import UserReader
from ktrace.inspect.remembered import Remembered
from ktrace.inspect.unread import kept
from ktrace.inspect.wait_queue import WaitQueues
from ktrace.state.fs.pipe.pipe import ANON_OPS, PIPE_BUF_FLAGS, Fasync, Pipe, PipeBuffer, PipeFacts
from ktrace.state.names import flag_names
from ktrace.state.ref import Ref

MAX_SLOTS = 1 << 19
"""``round_pipe_size()`` allows 2 GiB."""

MAX_FASYNC = 1 << 16
MAX_ROW = 1 << 17


class _Known(NamedTuple):
    """A pipe, and the address of who pays for it."""

    pipe: Pipe
    user: int


class PipeReader:
    """Read pipes as files, and as what FIFOs point at.

    :param inodes: reads the inode behind a pipe, and from now on the pipe of a FIFO here
    :param files: reads the files that want signals
    """

    f_ops = PIPE_FOPS
    kind = "pipe"
    by_inode = True

    def __init__(self, kernel: LiveKernel, inodes: InodeReader, files: FileReader) -> None:
        prog = kernel.prog
        self.kernel = kernel
        self.inodes = inodes
        self.files = files
        inodes.pipes = self.observe_pipe
        self.users = UserReader(kernel)
        self.queues = WaitQueues(kernel)
        self.pipe = layout_of(
            prog,
            "struct pipe_inode_info",
            "mutex.owner.counter",
            "rd_wait.head.next",
            "wr_wait.head.next",
            "head",
            "tail",
            "max_usage",
            "ring_size",
            "?note_loss",
            "nr_accounted",
            "readers",
            "writers",
            "files",
            "r_counter",
            "w_counter",
            "fasync_readers",
            "fasync_writers",
            "bufs",
            "user",
            "?watch_queue",
        )
        name = first_member(prog, "struct pipe_inode_info", "poll_usage", "pseudo_edgetrigger")
        self._every_write = layout_of(prog, "struct pipe_inode_info", every_write=name)
        self.kept_pages = self._kept_pages(prog)
        self._rd_wait = self.pipe.offsets["rd_wait_head_next"]
        self._wr_wait = self.pipe.offsets["wr_wait_head_next"]
        self.buffer = layout_of(prog, "struct pipe_buffer", "page", "offset", "len", "ops", "flags", "private")
        self._blank = bytes(self.buffer.size)
        self._i_pipe = inodes.inode.offsets["i_pipe"]
        self.batches = LruBatches(kernel)
        self.refcount_offset = offset_of(prog, "struct page", "_refcount.counter")
        self.fasync = layout_of(prog, "struct fasync_struct", "fa_fd", "fa_file")
        self._fa_next = offset_of(prog, "struct fasync_struct", "fa_next")
        self._remembered: Remembered[_Known] = Remembered()
        self._flags = {value: flag_names(value, PIPE_BUF_FLAGS) for value in range(0x80)}

    @staticmethod
    def _kept_pages(prog: drgn.Program) -> Callable[[bytes], tuple[bool | int, tuple[int, ...]]]:
        """Return what tells of a ``pipe_inode_info`` whether a page is kept for the next write, and which.

        Where several may be kept, it tells how many.
        """
        if first_member(prog, "struct pipe_inode_info", "tmp_page", "prealloc.count") == "prealloc.count":
            if not has_member(prog, "struct pipe_inode_info", "prealloc.pages"):
                raise MissingMember("struct pipe_inode_info", "prealloc.pages")
            pool = layout_of(prog, "struct pipe_inode_info", "?prealloc.pages[]", count="?prealloc.count")

            def of_pool(data: bytes) -> tuple[bool | int, tuple[int, ...]]:
                found = pool.unpack(data, 0)
                return found.count, found.prealloc_pages[: found.count]

            return of_pool
        if shape_of(prog, "struct pipe_inode_info", "tmp_page").kind == drgn.TypeKind.ARRAY:
            several = layout_of(prog, "struct pipe_inode_info", "?tmp_page[]")

            def of_several(data: bytes) -> tuple[bool | int, tuple[int, ...]]:
                pages = tuple([page for page in several.unpack(data, 0).tmp_page if page])
                return len(pages), pages

            return of_several
        single = layout_of(prog, "struct pipe_inode_info", "?tmp_page")

        def of_one(data: bytes) -> tuple[bool | int, tuple[int, ...]]:
            page = single.unpack(data, 0).tmp_page
            return page != 0, (page,) if page else ()

        return of_one

    def file_target(self, observation: Observation, file: int, private_data: int, f_inode: int) -> Ref:
        """Add the pipe behind a file and return its reference: another one than the inode's, where they differ."""
        if observation.memory.u64(f_inode + self._i_pipe) != private_data:
            return Ref("pipe", private_data)
        ref = Ref("pipe", f_inode)
        if ref not in observation.objects:
            self.observe_pipe(observation, private_data, f_inode)
            self.inodes.observe(observation, f_inode)
        return ref

    def observe_pipe(self, observation: Observation, address: int, f_inode: int) -> Ref:
        """Add the ``pipe_inode_info`` at *address*, whose inode is at *f_inode*, and return its reference.

        A pipe goes by its inode's address: a FIFO that is closed and opened again in one step, as by a restarted
        open(), may get its memory back, and a step must not depend on whether it does.

        :raises CorruptStructure: a ring or list that cannot be followed
        """
        memory = observation.memory
        ref = Ref("pipe", f_inode)
        known = self._remembered.find(memory, (f_inode, address))
        if known is not None:
            observation.objects[ref] = known.pipe
            self.users.observe(observation, known.user)
            return ref
        data = memory.read(address, self.pipe.size)
        raw = self.pipe.unpack(data, 0)
        # Taken first: a file on a list of those that want signals leads back here.
        observation.objects[ref] = None
        ring, places = self.ring(memory, raw.bufs, raw.ring_size, address)
        rd_wait, wr_wait = address + self._rd_wait, address + self._wr_wait
        observation.objects[ref] = pipe = Pipe(
            locked=kept(raw.mutex_owner_counter, bool),
            rd_wait=self.queues.waiters(observation, rd_wait, "pipe_inode_info.rd_wait", raw.rd_wait_head_next),
            wr_wait=self.queues.waiters(observation, wr_wait, "pipe_inode_info.wr_wait", raw.wr_wait_head_next),
            head=raw.head,
            tail=raw.tail,
            max_usage=raw.max_usage,
            ring_size=raw.ring_size,
            note_loss=bool(raw.note_loss),
            nr_accounted=raw.nr_accounted,
            readers=raw.readers,
            writers=raw.writers,
            files=raw.files,
            r_counter=raw.r_counter,
            w_counter=raw.w_counter,
            poll_usage=self._every_write.unpack(data, 0).every_write,
            tmp_page=self.kept_pages(data)[0],
            fasync_readers=self._fasync(observation, raw.fasync_readers, "pipe_inode_info.fasync_readers"),
            fasync_writers=self._fasync(observation, raw.fasync_writers, "pipe_inode_info.fasync_writers"),
            bufs=ring,
            user=self.users.observe(observation, raw.user),
            watch_queue=bool(raw.watch_queue),
            inode=self.inodes.ref(f_inode),
        )
        alone = not (pipe.rd_wait or pipe.wr_wait or pipe.fasync_readers or pipe.fasync_writers)
        known = _Known(pipe, raw.user)
        self._remembered.keep((f_inode, address), known, ((address, data), *places) if alone else None)
        return ref

    def ring(
        self, memory: KernelMemory, bufs: int, ring_size: int, pipe: int
    ) -> tuple[dict[int, PipeBuffer], list[Place]]:
        """Return every slot of a ring that was ever used, by index, and the places that they depend on.

        :raises CorruptStructure: more slots than any pipe can have
        """
        if ring_size > MAX_SLOTS:
            raise CorruptStructure("pipe_inode_info.ring_size", pipe, f"{ring_size} slots")
        size = self.buffer.size
        data = memory.read(bufs, ring_size * size)
        places: list[Place] = [(bufs, data)]
        used = data.rstrip(b"\0")
        found = {}
        for index in range((len(used) + size - 1) // size):
            at = index * size
            if data[at : at + size] != self._blank:
                found[index] = self._slot(memory, self.buffer.unpack(data, at), places)
        return found, places

    def _slot(self, memory: KernelMemory, raw: Any, places: list[Place]) -> PipeBuffer:
        flags = self._flags.get(raw.flags) or flag_names(raw.flags, PIPE_BUF_FLAGS)
        if not raw.ops:
            return PipeBuffer(
                page=None,
                page_count=None,
                offset=raw.offset,
                len=raw.len,
                ops=None,
                flags=flags,
                private=raw.private,
                data=b"",
            )
        ops = self.kernel.symbol(raw.ops)
        at = raw.page + self.refcount_offset
        places.append((at, memory.read(at, 4)))
        count: int = _INT.unpack(places[-1][1])[0]
        if ops != ANON_OPS:
            # Of the pages that a write makes none ever is on an LRU list.
            held, said_so = self.batches.held(memory)
            count -= held.get(raw.page, 0)
            places += said_so
        # A packet's pages come in rows of up to 32 KiB, of which the first one is told.
        pfn = memory.pfn(raw.page)
        room = PAGE_SIZE if ops == ANON_OPS else min(MAX_ROW, memory.ram_size - (pfn << PAGE_SHIFT))
        offset = min(raw.offset, room)
        start = memory.page_offset + (pfn << PAGE_SHIFT) + offset
        data = memory.read(start, min(raw.len, room - offset))
        places.append((start, data))
        return PipeBuffer(
            page=Ref("page", pfn),
            page_count=count,
            offset=raw.offset,
            len=raw.len,
            ops=ops,
            flags=flags,
            private=raw.private,
            data=data,
        )

    def _fasync(self, observation: Observation, first: int, what: str) -> tuple[Fasync, ...]:
        """Return who wants signals, the last one first."""
        if not first:
            return ()
        found: list[Fasync] = []
        for address in for_each_next(observation.memory, first, what, MAX_FASYNC, self._fa_next):
            entry = self.fasync.read(observation.memory, address)
            found.append(Fasync(file=self.files.observe(observation, entry.fa_file), fd=entry.fa_fd))
        return tuple(found)


_INT = struct.Struct("<i")


def _kept_facts(prog: drgn.Program) -> dict[str, Any]:
    """Return how many pages a pipe may keep, and how many a write makes for itself."""
    if first_member(prog, "struct pipe_inode_info", "tmp_page", "prealloc.count") == "prealloc.count":
        pages, *_ = member_of(prog, "struct pipe_inode_info", "prealloc.pages")
        if pages.kind != drgn.TypeKind.ARRAY:
            raise MissingMember(
                "struct pipe_inode_info", "prealloc.pages", f"is of type {pages.type_name()!r}, no array,"
            )
        return {"kept_pages": pages.length}
    pages = shape_of(prog, "struct pipe_inode_info", "tmp_page")
    return {"kept_pages": pages.length if pages.kind == drgn.TypeKind.ARRAY else 1, "own_pages": _own_pages(prog)}


def _own_pages(prog: drgn.Program) -> int:
    """Return how many pages a write makes for itself at most: those of a pool that lies on its stack."""
    try:
        pages, *_ = member_of(prog, "struct anon_pipe_prealloc", "pages")
    except MissingMember:
        return 0
    return int(pages.length)


def read_pipe_facts(kernel: LiveKernel) -> PipeFacts:
    """Return the limits of a kernel's pipes, and what its users have taken already."""
    prog = kernel.prog
    return PipeFacts(
        pipe_max_size=kernel.variable("pipe_max_size").value_(),
        pipe_user_pages_soft=kernel.variable("pipe_user_pages_soft").value_(),
        pipe_user_pages_hard=kernel.variable("pipe_user_pages_hard").value_(),
        pipe_bufs={
            user.uid.val.value_(): user.pipe_bufs.counter.value_()
            for user in each_once(for_each_user(prog), "uidhash_table")
        },
        watch_queue=is_configured(prog, "struct pipe_inode_info", "watch_queue", "post_one_notification"),
        lru_batches=LruBatches(kernel).known,
        **_kept_facts(prog),
    )
