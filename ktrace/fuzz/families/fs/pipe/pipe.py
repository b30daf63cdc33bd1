"""Pipes and FIFOs: rings that are nearly full or nearly empty, shared, resized, spliced, and run out of limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.agent.syscalls import make_call
from ktrace.fuzz.chance import Chance, pattern
from ktrace.fuzz.families.fs.files import Descriptors, Wanted, may_block, pick_fd
from ktrace.fuzz.families.fs.pipe.scenarios import (
    FILES,
    PATHS,
    abandoned,
    crowd_of_readers,
    crowd_of_writers,
    is_pipe,
    is_read_end,
    is_regular,
    is_write_end,
    meeting,
    poke,
    used_slots,
)
from ktrace.fuzz.families.fs.pipe.sockets import through_socket
from ktrace.fuzz.families.fs.watchers import signalled, watching
from ktrace.fuzz.family import Family, Generator, Scenario, later
from ktrace.fuzz.model_view import Action, ModelView, open_fds
from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.model.fs.file import File
from ktrace.model.fs.pipe.pipe import PipeInode
from ktrace.model.task import Task
from ktrace.state.call import BAD, Call
from ktrace.uapi.limits import PIPE_BUF
from ktrace.uapi.stat import S_IFIFO

MEMORY, MEMORY_SIZE = 0x20000000, 8 * PAGE_SIZE
"""Where every actor has pages to give away with vmsplice()."""


class PipeFamily(Family):
    """``fs/pipe.c``, and what ``fs/splice.c`` does to a pipe."""

    name = "pipe"

    def __init__(self, choose: Chance) -> None:
        self._most_pipes = choose.one((1, 2, 2, 3, 5))
        self._small = choose.chance(0.6)
        self._small_rings = choose.one((0.0, 0.5, 1.0))
        super().__init__(choose)

    def generators(self) -> Sequence[tuple[float, Generator]]:
        """Return what can be done with pipes."""
        return [
            (8, self._pipe),
            (2, self._fifo),
            (12, self._read),
            (16, self._write),
            (4, self._readv),
            (5, self._writev),
            (8, self._resize),
            (3, self._capacity),
            (1, self._positioned),
            (7, self._splice),
            (5, self._tee),
            (5, self._vmsplice),
            (3, self._sendfile),
            (3, self._file),
            (2, self._reopen),
            (1.5, later),
            *[(weight * 0.5, generator) for weight, generator in Descriptors(is_pipe).generators()],
        ]

    def scenarios(self) -> Sequence[tuple[float, Scenario]]:
        """Return crowds at either end of a pipe, and rings that were used."""
        return [
            (2, crowd_of_writers),
            (2, crowd_of_readers),
            (2, abandoned),
            (1.5, used_slots),
            (2, watching(is_pipe, poke)),
            (2, signalled(is_pipe, poke)),
            (1.5, meeting),
            (1.5, through_socket),
            (0.3, self._new_limits),
        ]

    def _new_limits(self, state: ModelView, choose: Chance) -> Iterator[Action]:
        """Change limits while pipes are in use."""
        for call in self.limits(choose):
            yield None, call

    def limits(self, choose: Chance) -> Iterator[Call]:
        """Lower what a pipe, and what a user, may have."""
        if choose.chance(0.4):
            size = PAGE_SIZE << choose.integer(0, 5)
            yield make_call("sysctl", "fs/pipe-max-size", str(size - choose.one((0, 0, 1, 1000))))
        if choose.chance(0.5):
            yield make_call("sysctl", "fs/pipe-user-pages-soft", str(choose.one((0, 1, 8, 16, 17, 40))))
        if choose.chance(0.4):
            yield make_call("sysctl", "fs/pipe-user-pages-hard", str(choose.one((0, 2, 18, 35, 64))))

    def prepare(self, state: ModelView, choose: Chance, task: Task) -> Iterator[Call]:
        """Map pages for vmsplice(), fill some, and give the first actor a pipe."""
        if choose.chance(0.8):
            yield self._map()
            yield make_call("store", MEMORY + choose.integer(0, 20), pattern(state.number, 2 * PAGE_SIZE))
        if choose.chance(0.7):
            yield make_call("pipe2", choose.one((0, 0, C["O_NONBLOCK"])))
            fd = pick_fd(choose, task, is_pipe, 0)
            if fd is not None and choose.chance(self._small_rings):
                yield make_call("fcntl", fd, C["F_SETPIPE_SZ"], choose.one((PAGE_SIZE, 2 * PAGE_SIZE)))
        if choose.chance(0.4):
            yield make_call("open", choose.one(FILES), C["O_RDWR"] | C["O_CREAT"], 0o666)
            fd = pick_fd(choose, task, is_regular, 0)
            if fd is not None:
                yield make_call(
                    "pwrite64",
                    fd,
                    pattern(state.number, choose.one((100, PAGE_SIZE, 2 * PAGE_SIZE + 10))),
                    choose.one((0, 0, PAGE_SIZE)),
                )

    def inherit(self, state: ModelView, choose: Chance, task: Task) -> Iterator[Call]:
        """Keep one end of each pipe only, as programs do, so that ends vanish when others close theirs."""
        keep = choose.one(("both", "both", "read", "write"))
        for fd, file in open_fds(task):
            if (keep == "read" and is_write_end(file)) or (keep == "write" and is_read_end(file)):
                yield make_call("close", fd)

    def _map(self) -> Call:
        flags = C["MAP_PRIVATE"] | C["MAP_ANONYMOUS"] | C["MAP_FIXED"]
        return make_call("mmap", MEMORY, MEMORY_SIZE, C["PROT_READ"] | C["PROT_WRITE"], flags)

    # -- making ----------------------------------------------------------------------------------

    def _pipe(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        ends = sum(is_pipe(file) for _, file in open_fds(task))
        if ends >= 2 * self._most_pipes and choose.chance(0.9):
            return None
        pipes = state.kernel.pipes
        if pipes.too_many_pipe_buffers_hard(pipes.pipe_bufs.get(task.cred.uid, 0) + 2) and choose.chance(0.7):
            return None
        if choose.chance(0.2):
            return make_call("pipe", pipefd=BAD) if choose.chance(0.2) else make_call("pipe")
        flags = choose.flags(0.25, C["O_NONBLOCK"], C["O_CLOEXEC"], C["O_DIRECT"])
        if choose.chance(0.05):
            flags |= choose.one((C["O_NOTIFICATION_PIPE"], 1, C["O_APPEND"]))
        return make_call("pipe2", flags, **({"pipefd": BAD} if choose.chance(0.04) else {}))

    def _fifo(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        path = choose.one(PATHS)
        tree = state.kernel.fs
        if path.rpartition(b"/")[2].decode() not in tree.root.entries:
            return make_call("mknod", path, S_IFIFO | choose.one((0o666, 0o666, 0o600, 0o400)), 0)
        if choose.chance(0.08):
            return make_call("unlink", path)
        flags = choose.one((C["O_RDONLY"], C["O_WRONLY"], C["O_RDWR"])) | choose.flags(0.2, C["O_CLOEXEC"])
        if not may_block(state, choose, 0.6):
            flags |= C["O_NONBLOCK"]
        return make_call("open", path, flags)

    def _reopen(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if (fd := pick_fd(choose, task, is_pipe)) is None:
            return None
        flags = choose.one((C["O_RDONLY"], C["O_WRONLY"], C["O_RDWR"]))
        if not may_block(state, choose, 0.3):
            flags |= C["O_NONBLOCK"]
        return make_call("open", b"/proc/self/fd/%d" % fd, flags)

    def _file(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = pick_fd(choose, task, is_regular, 0)
        if fd is None or choose.chance(0.2):
            return make_call("open", choose.one(FILES), choose.one((C["O_RDWR"], C["O_RDWR"], 0)) | C["O_CREAT"], 0o666)
        match choose.integer(0, 5):
            case 0 | 1:
                return make_call("lseek", fd, choose.one((0, 0, 10, PAGE_SIZE, 5000)), 0)
            case 2:
                return make_call("read", fd, choose.one((10, PAGE_SIZE)))
            case 3:
                # Where nothing was written is a hole: other code puts it into a pipe.
                return make_call("ftruncate", fd, choose.one((0, 10, 2 * PAGE_SIZE, 4 * PAGE_SIZE + 1)))
        return make_call("write", fd, pattern(state.number, choose.one((10, PAGE_SIZE, 5000, 3 * PAGE_SIZE))))

    # -- reading and writing ---------------------------------------------------------------------

    def _read(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = self._readable(state, choose, task)
        if fd is None:
            return None
        bad = {"buf": BAD} if choose.chance(0.03) else {}
        return make_call("read", fd, count=self._amount(choose, task, fd), **bad)

    def _readv(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = self._readable(state, choose, task)
        if fd is None:
            return None
        parts: list[Any] = [self._amount(choose, task, fd) for _ in range(choose.integer(1, 3))]
        if choose.chance(0.1):
            parts.insert(choose.integer(0, len(parts)), {"iov_base": BAD.value, "iov_len": 10})
        return make_call("readv", fd, tuple(parts))

    def _write(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = self._writable(state, choose, task)
        if fd is None:
            return None
        size = self._room(choose, task, fd)
        if choose.chance(0.03):
            return make_call("write", fd, BAD, size)
        return make_call("write", fd, pattern(state.number, size))

    def _writev(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = self._writable(state, choose, task)
        if fd is None:
            return None
        size = self._room(choose, task, fd)
        cut = choose.integer(0, size)
        parts: list[Any] = [pattern(state.number, cut), pattern(state.number + 1, size - cut)]
        if choose.chance(0.1):
            parts.insert(choose.integer(0, 2), {"iov_base": BAD.value, "iov_len": choose.one((1, 10, PAGE_SIZE))})
        return make_call("writev", fd, tuple(parts))

    def _positioned(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = pick_fd(choose, task, is_pipe, 0.2)
        if fd is None:
            return None
        if choose.chance(0.5):
            return make_call("pread64", fd, 10, choose.one((0, 5, -1)))
        return make_call("pwrite64", fd, b"x", choose.one((0, 5, -1)))

    def _readable(self, state: ModelView, choose: Chance, task: Task) -> int | None:
        """Return a descriptor to read from; one that would sleep only while others stay awake."""
        calm = not may_block(state, choose, 0.35)
        return pick_fd(choose, task, lambda file: is_read_end(file) and not (calm and _read_sleeps(file)))

    def _writable(self, state: ModelView, choose: Chance, task: Task) -> int | None:
        calm = not may_block(state, choose, 0.4)
        return pick_fd(choose, task, lambda file: is_write_end(file) and not (calm and _write_sleeps(file)))

    def _amount(self, choose: Chance, task: Task, fd: int) -> int:
        """Return how much to read: with what is in the pipe in mind."""
        pipe = _pipe_of(task, fd)
        if pipe is None:
            return choose.one((0, 1, 100))
        held = [pipe.slot(pipe.tail + index).len for index in range(pipe.occupancy())]
        first = held[0] if held else 1
        return choose.around(0, 1, 5, first, first, sum(held), sum(held[:2]), PAGE_SIZE, 3 * PAGE_SIZE, low=0)

    def _room(self, choose: Chance, task: Task, fd: int) -> int:
        """Return how much to write: with what has room in mind."""
        small = (1, 7, 100, PAGE_SIZE // 2)
        if self._small and choose.chance(0.7):
            return choose.one(small)
        pipe = _pipe_of(task, fd)
        slots = pipe.max_usage - pipe.occupancy() if pipe is not None else 1
        last = 0
        if pipe is not None and not pipe.empty():
            buf = pipe.slot(pipe.head - 1)
            last = PAGE_SIZE - buf.offset - buf.len
        room = min(slots, 24) * PAGE_SIZE
        return choose.around(
            *small, last, PIPE_BUF, PAGE_SIZE + 5, 2 * PAGE_SIZE, room, room + last, low=0, high=25 * PAGE_SIZE
        )

    # -- size ------------------------------------------------------------------------------------

    def _resize(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if (fd := pick_fd(choose, task, is_pipe)) is None:
            return None
        pipe = _pipe_of(task, fd)
        used = pipe.occupancy() * PAGE_SIZE if pipe is not None else PAGE_SIZE
        limit = state.kernel.pipes.max_size
        size = choose.weighted([
            (8, choose.around(PAGE_SIZE, 2 * PAGE_SIZE, 4 * PAGE_SIZE, 8 * PAGE_SIZE, 16 * PAGE_SIZE, used, low=0)),
            (4, choose.around(limit, 2 * limit, low=0, high=2 << 20)),
            (1, choose.one((0, 1, -1, 1 << 31, (1 << 31) + 1, 1 << 32, 32 * PAGE_SIZE))),
        ])  # fmt: skip
        return make_call("fcntl", fd, C["F_SETPIPE_SZ"], size)

    def _capacity(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if (fd := pick_fd(choose, task, is_pipe)) is None:
            return None
        return (
            make_call("fcntl", fd, C["F_GETPIPE_SZ"]) if choose.chance(0.5) else make_call("ioctl", fd, C["FIONREAD"])
        )

    # -- splice and its kin ----------------------------------------------------------------------

    def _splice(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        flags = choose.flags(0.3, 1, 4) | (0 if may_block(state, choose, 0.3) else 2)
        length = choose.around(1, 10, 100, PAGE_SIZE, 2 * PAGE_SIZE, 64 * PAGE_SIZE, low=0)
        way = choose.weighted([(5, "through"), (5, "in"), (2, "out")])
        source = pick_fd(choose, task, is_regular if way == "in" else is_read_end)
        if source is None:
            return None
        target = pick_fd(choose, task, is_regular if way == "out" else self._other_pipe(choose, task, source))
        if target is None:
            return None
        offset = (
            choose.one((0, 5, PAGE_SIZE, PAGE_SIZE + 3)) if choose.chance(0.3 if way != "through" else 0.03) else None
        )
        offsets = (None, offset) if way == "out" else (offset, None)
        return make_call("splice", source, offsets[0], target, offsets[1], length, flags)

    def _other_pipe(self, choose: Chance, task: Task, fd: int) -> Wanted:
        """Wish for a write end of another pipe than that of *fd*: the same is refused."""
        own = None if choose.chance(0.05) else _pipe_of(task, fd)
        return lambda file: is_write_end(file) and file.private is not own

    def _tee(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if (source := pick_fd(choose, task, is_read_end)) is None:
            return None
        if (target := pick_fd(choose, task, self._other_pipe(choose, task, source))) is None:
            return None
        flags = 0 if may_block(state, choose, 0.3) else 2
        return make_call(
            "tee", source, target, choose.around(1, 10, PAGE_SIZE, 3 * PAGE_SIZE, 64 * PAGE_SIZE, low=0), flags
        )

    def _vmsplice(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        if task.mm.find_vma(MEMORY) is None and choose.chance(0.9):
            return self._map() if choose.chance(0.3) else None
        writing = choose.chance(0.8)
        fd = pick_fd(choose, task, is_write_end if writing else is_read_end)
        if fd is None:
            return None
        flags = (0 if may_block(state, choose, 0.3) else 2) | choose.flags(0.25, 8)
        parts = []
        for _ in range(choose.integer(1, 3)):
            start = MEMORY + choose.one((0, 0, 5, PAGE_SIZE, 2 * PAGE_SIZE + 100))
            base = BAD.value if choose.chance(0.04) else start
            parts.append({"iov_base": base, "iov_len": choose.around(1, 100, PAGE_SIZE, 2 * PAGE_SIZE, low=0)})
        return make_call("vmsplice", fd, tuple(parts), flags)

    def _sendfile(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        source = pick_fd(choose, task, is_regular)
        target = pick_fd(choose, task, lambda file: is_write_end(file) and not _write_sleeps(file))
        if source is None or target is None:
            return None
        return make_call(
            "sendfile", target, source, choose.one((None, None, 0, 5, PAGE_SIZE)), choose.around(10, PAGE_SIZE, 5000)
        )


def _pipe_of(task: Task, fd: int) -> PipeInode | None:
    slot = task.files.slots.get(fd)
    return slot.file.private if slot is not None and is_pipe(slot.file) else None


def _read_sleeps(file: File) -> bool:
    pipe: PipeInode = file.private
    return not file.f_flags & C["O_NONBLOCK"] and pipe.empty() and bool(pipe.writers)


def _write_sleeps(file: File) -> bool:
    pipe: PipeInode = file.private
    return not file.f_flags & C["O_NONBLOCK"] and pipe.full() and bool(pipe.readers)
