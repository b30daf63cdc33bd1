"""Check pipes: rings, pages, open files and users against each other (``fs/pipe.c``)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from drgn.helpers.linux.pid import for_each_task

from ktrace.errors import KtraceError
from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.fs import FMODE_READ, FMODE_WRITE
from ktrace.include.linux.types import s32
from ktrace.inspect.corrupt import NONSENSE, CorruptStructure
from ktrace.inspect.fs.file import PIPE_FOPS, FileReader
from ktrace.inspect.fs.inode import InodeReader
from ktrace.inspect.fs.pipe.pipe import MAX_SLOTS, PipeReader
from ktrace.inspect.invariants.violation import Violation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.lib.list import each_once
from ktrace.inspect.process.process import MAX_FDS
from ktrace.state.fs.pipe.pipe import ANON_OPS
from ktrace.uapi.limits import UINT_MAX
from ktrace.uapi.stat import S_IFIFO, S_IFMT

KNOWN_FLAGS = 0x7F
ZERO_OPS = "zero_pipe_buf_ops"
OPS = frozenset(
    {"anon_pipe_buf_ops", "default_pipe_buf_ops", "nosteal_pipe_buf_ops", "page_cache_pipe_buf_ops"}
    | {"user_page_pipe_buf_ops", "watch_queue_pipe_buf_ops", ZERO_OPS, "sock_pipe_buf_ops"}
    | {"buffer_pipe_buf_ops", "fuse_dev_pipe_buf_ops", "relay_pipe_buf_ops"}
)
"""Every ``pipe_buf_operations`` of the kernel."""

MUTEX_OWNER = UINT_MAX << 32 | UINT_MAX & ~0x7
"""``MUTEX_FLAGS`` are in the low bits (``kernel/locking/mutex.c``)."""


@dataclass
class Ends:
    """What the open files say about one pipe."""

    inode: int = 0
    readers: int = 0
    writers: int = 0
    files: int = 0


@dataclass
class PipeCensus:
    """Collect what all tasks have open.

    :ivar pipes: by address of the ``pipe_inode_info``
    :ivar charged: slots by address of the ``user_struct``
    :ivar pages: slots that hold a page, by its address
    """

    violations: list[Violation] = field(default_factory=list)
    pipes: dict[int, Ends] = field(default_factory=dict)
    charged: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    files: set[int] = field(default_factory=set)
    tables: set[int] = field(default_factory=set)
    pages: Counter[int] = field(default_factory=Counter)

    def add(self, where: str, what: str) -> None:
        """Note a violation."""
        self.violations.append(Violation(where, what))


def validate_pipe(kernel: LiveKernel) -> list[Violation]:
    """Return everything about pipes that contradicts itself, on any kernel that runs anything.

    Checked is every pipe that a process has open: bounds and powers of two, occupancy, the state of slots
    inside and outside of it, pages and their counts, readers and writers against all open files, the inode's
    way back, and each user's account against the pipes that are charged to it.

    :param kernel: at rest: on a running guest what is in flight is reported, too
    """
    census = PipeCensus()
    inodes = InodeReader(kernel)
    files = FileReader(kernel, inodes)
    reader = PipeReader(kernel, inodes, files)
    tables = _Tables(kernel)
    tasks = set()
    for task in each_once(for_each_task(kernel.prog), "the list of tasks"):
        tasks.add(int(task.value_()))
        try:
            if address := int(task.files.value_()):
                tables.count(kernel, files, census, address, f"pid {int(task.pid)}")
            if splice_pipe := int(task.splice_pipe.value_()):
                raw = reader.pipe.read(kernel.memory, splice_pipe)
                census.charged[raw.user] += raw.nr_accounted
        except (KtraceError, *NONSENSE) as error:
            census.add("files_struct", f"cannot be read: {error}")
    for address, ends in census.pipes.items():
        where = f"pipe {address:#x}"
        try:
            raw = reader.pipe.read(kernel.memory, address)
            census.charged[raw.user] += raw.nr_accounted
            if raw.mutex_owner_counter and raw.mutex_owner_counter & MUTEX_OWNER not in tasks:
                # A splice() between a pipe and a socket sleeps with it locked.
                census.add(f"{where}.mutex", f"is held by {raw.mutex_owner_counter:#x}, which is no task")
            census.violations += _check(kernel, reader, where, raw, ends, address, census.pages)
        except (KtraceError, *NONSENSE) as error:
            census.add(where, f"cannot be read: {error}")
    census.violations += check_pages(kernel, reader, census)
    census.violations += _check_users(kernel, reader, census)
    return census.violations


class _Tables:
    """Count the ends of pipes in descriptor tables."""

    def __init__(self, kernel: LiveKernel) -> None:
        self.files_struct = layout_of(kernel.prog, "struct files_struct", "count.counter", "fdt")
        self.fdtable = layout_of(kernel.prog, "struct fdtable", "max_fds", "fd")

    def count(self, kernel: LiveKernel, files: FileReader, census: PipeCensus, address: int, owner: str) -> None:
        if address in census.tables:
            return
        census.tables.add(address)
        memory = kernel.memory
        fdt = self.fdtable.read(memory, self.files_struct.read(memory, address).fdt)
        if not 0 < fdt.max_fds <= MAX_FDS:
            raise CorruptStructure("fdtable.max_fds", address, f"{fdt.max_fds} descriptors of {owner}")
        data = memory.read(fdt.fd, 8 * fdt.max_fds)
        for at in range(0, len(data), 8):
            file = int.from_bytes(data[at : at + 8], "little")
            if not file or file in census.files:
                continue
            census.files.add(file)
            raw = files.file.read(memory, file)
            if kernel.symbol(raw.f_op) not in PIPE_FOPS or not raw.private_data:
                continue
            ends = census.pipes.setdefault(raw.private_data, Ends())
            ends.files += 1
            ends.readers += raw.f_mode & FMODE_READ != 0
            ends.writers += raw.f_mode & FMODE_WRITE != 0
            if ends.inode not in (0, raw.f_inode):
                census.add(f"pipe {raw.private_data:#x}", f"has two inodes, {ends.inode:#x} and {raw.f_inode:#x}")
            ends.inode = raw.f_inode


def _check(
    kernel: LiveKernel, reader: PipeReader, where: str, raw: Any, ends: Ends, address: int, held: Counter[int]
) -> Iterator[Violation]:
    """Check one pipe."""
    inode = reader.inodes.inode.read(kernel.memory, ends.inode)
    if inode.i_mode & S_IFMT != S_IFIFO:
        yield Violation(f"{where}.inode", f"has mode {inode.i_mode:#o}, which is no FIFO's")
    if inode.i_pipe != address:
        yield Violation(f"{where}.inode", f"has i_pipe {inode.i_pipe:#x}")
    # Files in flight, and opens that wait for their other side, are in no table.
    for name, value, least in (
        ("readers", raw.readers, ends.readers),
        ("writers", raw.writers, ends.writers),
        ("files", raw.files, ends.files),
    ):
        if value < least:
            yield Violation(f"{where}.{name}", f"is {value}, but {least} open files say otherwise")
    for name, value in (("readers", raw.readers), ("writers", raw.writers)):
        if value > raw.files:
            yield Violation(f"{where}.{name}", f"is {value}, more than files, {raw.files}")
    _, kept = reader.kept_pages(kernel.memory.read(address, reader.pipe.size))
    yield from check_ring(kernel, reader, where, raw, kept, held)


def check_ring(
    kernel: LiveKernel, reader: PipeReader, where: str, raw: Any, kept: Sequence[int], held: Counter[int]
) -> Iterator[Violation]:
    """Check the ring's bounds and every slot; count the pages that slots hold.

    :param kept: the pages that are kept for the next write
    """
    size, most = raw.ring_size, raw.max_usage
    if not 0 < size <= MAX_SLOTS or size & (size - 1):
        yield Violation(f"{where}.ring_size", f"is {size}, not a power of two from 1 to {MAX_SLOTS}")
        return
    if not 0 < most <= size:
        yield Violation(f"{where}.max_usage", f"is {most}, with {size} slots")
    if not raw.watch_queue and raw.nr_accounted != size:
        yield Violation(f"{where}.nr_accounted", f"is {raw.nr_accounted}, with {size} slots")
    used = raw.head - raw.tail & UINT_MAX
    if used > size:
        yield Violation(f"{where}.head", f"is {raw.head}, {used} past the tail {raw.tail}, with {size} slots")
        return
    if used > most and not raw.watch_queue:
        yield Violation(f"{where}.head", f"is {raw.head}, {used} past the tail {raw.tail}, with max_usage {most}")
    data = kernel.memory.read(raw.bufs, size * reader.buffer.size)
    pages: set[int] = set()
    for index in range(size):
        buf = reader.buffer.unpack(data, index * reader.buffer.size)
        inside = (index - raw.tail & size - 1) < used
        slot = f"{where}.bufs[{index}]"
        if not inside and buf.ops:
            yield Violation(f"{slot}.ops", f"is {kernel.symbol(buf.ops)} outside of head and tail")
        elif inside and not buf.ops:
            yield Violation(f"{slot}.ops", "is NULL between tail and head")
        elif inside:
            pages.add(buf.page)
            held[buf.page] += kernel.symbol(buf.ops) != ZERO_OPS  # zero_pipe_buf_get() counts nothing
            yield from _check_slot(kernel, reader, slot, buf)
    for page in kept:
        try:
            count = _page_count(kernel, reader, page)
        except CorruptStructure as error:
            yield Violation(f"{where}.tmp_page", error.message)
            return
        if count != 1:
            yield Violation(f"{where}.tmp_page", f"has {count} references")
        if page in pages or kept.count(page) > 1:
            yield Violation(f"{where}.tmp_page", "is also in the ring")


def _check_slot(kernel: LiveKernel, reader: PipeReader, slot: str, buf: Any) -> Iterator[Violation]:
    """Check a slot in use."""
    ops = kernel.symbol(buf.ops)
    if ops not in OPS:
        yield Violation(f"{slot}.ops", f"is {ops}, which is no pipe_buf_operations")
    if buf.flags & ~KNOWN_FLAGS:
        yield Violation(f"{slot}.flags", f"is {buf.flags:#x}")
    if buf.flags & 0x10 and ops != ANON_OPS:
        # What may be merged into must be the pipe's own page (CVE-2022-0847).
        yield Violation(f"{slot}.flags", f"has CAN_MERGE, but the page belongs to {ops}")
    if ops == ANON_OPS and buf.offset + buf.len > PAGE_SIZE:
        yield Violation(f"{slot}.len", f"is {buf.len} at offset {buf.offset}, past the end of the page")
    try:
        count = _page_count(kernel, reader, buf.page)
    except CorruptStructure as error:
        yield Violation(f"{slot}.page", error.message)
        return
    if count < 1:
        yield Violation(f"{slot}.page", f"has {count} references")


def check_pages(kernel: LiveKernel, reader: PipeReader, census: PipeCensus) -> Iterator[Violation]:
    """Check that no page has fewer references than there are slots that hold it."""
    for page, slots in census.pages.items():
        try:
            count = _page_count(kernel, reader, page)
        except CorruptStructure:
            continue  # told with its slot
        if 1 <= count < slots:
            yield Violation(f"page {page:#x}", f"has {count} references, but {slots} slots hold it")


def _page_count(kernel: LiveKernel, reader: PipeReader, page: int) -> int:
    """Return ``page_count()``, of the head page where *page* is part of a larger one."""
    memory = kernel.memory
    memory.pfn(page)
    # page->compound_head shares its place with page->lru.next; bit 0 marks a tail page.
    head = memory.u64(page + 8)
    if head & 1:
        page = head - 1
        memory.pfn(page)
    value = memory.u32(page + reader.refcount_offset)
    return s32(value)


def _check_users(kernel: LiveKernel, reader: PipeReader, census: PipeCensus) -> Iterator[Violation]:
    """Check each user's account; pipes whose files are all in flight are not known here."""
    for address, charged in census.charged.items():
        try:
            user = reader.users.user.read(kernel.memory, address)
        except KtraceError as error:
            yield Violation("user_struct", f"cannot be read: {error}")
            continue
        if user.pipe_bufs_counter < charged:
            yield Violation(
                f"user {user.uid_val}.pipe_bufs",
                f"is {user.pipe_bufs_counter}, but pipes with {charged} slots are charged to it",
            )
