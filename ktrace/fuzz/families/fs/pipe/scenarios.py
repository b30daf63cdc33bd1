"""What takes several calls on a pipe: crowds that wait on one, and slots that were used before."""

from __future__ import annotations

from collections.abc import Iterator

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.agent.syscalls import make_call
from ktrace.fuzz.chance import Chance, pattern
from ktrace.fuzz.families.fs.files import Wanted
from ktrace.fuzz.model_view import Action, ModelView, open_fds
from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.fs import FMODE_READ, FMODE_WRITE
from ktrace.model.fs.file import File, file_inode
from ktrace.model.fs.pipe.pipe import PipeInode
from ktrace.model.task import Task
from ktrace.uapi.signal import SIGNAL_NUMBERS
from ktrace.uapi.stat import S_IFIFO

FILES = (b"/tmp/d1", b"/tmp/d2")
PATHS = (b"/tmp/f1", b"/tmp/f2")
PipeEnd = tuple[Task, int, File]
"""One actor's descriptor of a pipe."""


def is_pipe(file: File) -> bool:
    """Tell whether *file* is an end of a pipe."""
    return isinstance(file.private, PipeInode)


def is_read_end(file: File) -> bool:
    """Tell whether *file* reads from a pipe."""
    return is_pipe(file) and bool(file.f_mode & FMODE_READ)


def is_write_end(file: File) -> bool:
    """Tell whether *file* writes to a pipe."""
    return is_pipe(file) and bool(file.f_mode & FMODE_WRITE)


def is_fifo(file: File) -> bool:
    """Tell whether *file* is an end of a pipe that has a name."""
    return is_pipe(file) and file_inode(file).i_sb != "pipefs"


def is_regular(file: File) -> bool:
    """Tell whether *file* is one of the data files."""
    return file.seekable


def crowd_of_writers(state: ModelView, choose: Chance) -> Iterator[Action]:
    """Fill a pipe, have several write to it, then make room: a little, a lot, or none any more."""
    pipe = _shared(state, choose, is_write_end)
    if pipe is None or pipe.max_usage > 16:
        return
    ends = _ends(state, pipe, is_write_end)
    yield from _wakeable(choose, ends)
    task, fd, _ = choose.one(ends)
    if pipe.readers and not pipe.full():
        yield task.name, make_call("write", fd, pattern(state.number, (pipe.max_usage - pipe.occupancy()) * PAGE_SIZE))
    for task, fd, _ in choose.some(ends, 1):
        if len(state.free()) < 2:
            break
        yield (
            task.name,
            make_call("write", fd, pattern(state.number, choose.one((1, 100, PAGE_SIZE, PAGE_SIZE + 9, 9000)))),
        )
    yield from _relieve(state, choose, pipe, is_read_end)


def crowd_of_readers(state: ModelView, choose: Chance) -> Iterator[Action]:
    """Empty a pipe, have several read from it, then write: a little, a lot, or none any more."""
    pipe = _shared(state, choose, is_read_end)
    if pipe is None:
        return
    ends = _ends(state, pipe, is_read_end)
    yield from _wakeable(choose, ends)
    task, fd, _ = choose.one(ends)
    if not pipe.empty():
        yield task.name, make_call("read", fd, pipe.occupancy() * PAGE_SIZE)
    for task, fd, _ in choose.some(ends, 1):
        if len(state.free()) < 2:
            break
        yield task.name, make_call("read", fd, choose.one((1, 5, 100, 5000)))
    yield from _relieve(state, choose, pipe, is_write_end)


def abandoned(state: ModelView, choose: Chance) -> Iterator[Action]:
    """Have some sleep at one side of a pipe, all of whose other side one actor holds, who then leaves it."""
    mine, theirs = choose.one(((is_write_end, is_read_end), (is_read_end, is_write_end)))
    pipe = _shared(state, choose, mine)
    if pipe is None or pipe.max_usage > 16:
        return
    leavers = [task for task, _, _ in _ends(state, pipe, theirs)]
    if not leavers:
        return
    leaver = choose.one(leavers)
    sleepers = [task for task, _, _ in _ends(state, pipe, mine) if task.files is not leaver.files]
    for task in state.free():
        for fd in _fds(task, pipe, theirs) if task.files is not leaver.files else ():
            yield task.name, make_call("close", fd)
    yield from _wakeable(choose, _ends(state, pipe, mine))
    fill, empty = _fds(leaver, pipe, is_write_end), _fds(leaver, pipe, is_read_end)
    if theirs is is_read_end and fill and not pipe.full():
        size = (pipe.max_usage - pipe.occupancy()) * PAGE_SIZE
        yield leaver.name, make_call("write", fill[0], pattern(state.number, size))
    elif theirs is is_write_end and empty and not pipe.empty():
        yield leaver.name, make_call("read", empty[0], pipe.occupancy() * PAGE_SIZE)
    for task in choose.some(sleepers, 1, 2):
        if len(state.free()) < 2 or not (fds := _fds(task, pipe, mine)):
            break
        if choose.chance(0.3):
            yield task.name, make_call("fcntl", fds[0], C["F_SETOWN"], task.name)
            yield task.name, make_call("fcntl", fds[0], C["F_SETFL"], C["FASYNC"])
        elif choose.chance(0.25):
            yield task.name, make_call("poll", ({"fd": fds[0], "events": choose.one((0, C["POLLPRI"]))},), -1)
        elif theirs is is_read_end:
            yield task.name, make_call("write", fds[0], pattern(state.number, choose.one((1, PAGE_SIZE, 9000))))
        else:
            yield task.name, make_call("read", fds[0], choose.one((1, 100)))
    if choose.chance(0.2) and len(state.free()) > 2:
        yield leaver.name, make_call("exit", 0)
    for fd in _fds(leaver, pipe, theirs):
        yield leaver.name, make_call("close", fd)


def used_slots(state: ModelView, choose: Chance) -> Iterator[Action]:
    """Use every slot of a ring, then have a file's pages take their places, then write once more."""
    holders = [(task, fd, file) for task in state.free() for fd, file in open_fds(task) if is_write_end(file)]
    holders = [holder for holder in holders if holder[2].private.max_usage <= 16]
    if not holders:
        return
    task, fd, file = choose.one(holders)
    pipe: PipeInode = file.private
    yield task.name, make_call("open", choose.one(FILES), C["O_RDWR"] | C["O_CREAT"], 0o666)
    data = next((fd for fd, opened in reversed(open_fds(task)) if is_regular(opened)), None)
    if data is None:
        return
    # Where nothing is written is a hole, which goes into a pipe by other code.
    start = choose.one((0, PAGE_SIZE, PAGE_SIZE + 10))
    yield task.name, make_call("pwrite64", data, pattern(state.number, choose.one((100, PAGE_SIZE, 6000))), start)
    for _ in range(pipe.ring_size + 4):
        if pipe.full() or not pipe.readers:
            break
        yield task.name, make_call("write", fd, pattern(state.number, choose.one((10, PAGE_SIZE, 5000))))
        if pipe.head >= pipe.ring_size and choose.chance(0.5):
            break
    readers = [end for end in _ends(state, pipe, is_read_end) if end[0].running is None]
    if readers:
        yield readers[0][0].name, make_call("read", readers[0][1], choose.one((PAGE_SIZE, 4 * PAGE_SIZE, 1 << 16)))
    offset = choose.one((0, 5, PAGE_SIZE - 50, start))
    length = choose.one((10, PAGE_SIZE, 3 * PAGE_SIZE))
    if choose.chance(0.6):
        yield task.name, make_call("splice", data, offset, fd, None, length, C["SPLICE_F_NONBLOCK"])
    else:
        yield task.name, make_call("sendfile", fd, data, offset, length)
    yield task.name, make_call("write", fd, pattern(state.number, choose.one((1, 50))))


def meeting(state: ModelView, choose: Chance) -> Iterator[Action]:
    """Have several open a FIFO from either side; some wait for each other, are interrupted, and leave again."""
    path = choose.one(PATHS)
    name = path.rpartition(b"/")[2].decode()
    if name not in state.kernel.fs.root.entries:
        yield choose.one(state.free()).name, make_call("mknod", path, S_IFIFO | 0o666, 0)
    for _ in range(choose.integer(2, 5)):
        free = state.free()
        if (blocked := state.blocked()) and choose.chance(0.25):
            yield None, make_call("kill", choose.one(blocked).name, SIGNAL_NUMBERS["SIGUSR1"])
            continue
        way = choose.one((C["O_RDONLY"], C["O_RDONLY"], C["O_WRONLY"], C["O_WRONLY"], C["O_RDWR"]))
        calm = len(free) < 3 or choose.chance(0.4)
        yield choose.one(free).name, make_call("open", path, way | (C["O_NONBLOCK"] if calm else 0))
        ends = [(task, fd, file) for task in state.free() for fd, file in open_fds(task) if is_fifo(file)]
        if ends and choose.chance(0.5):
            task, fd, file = choose.one(ends)
            match choose.integer(0, 3):
                case 0:
                    yield task.name, make_call("close", fd)
                case 1:
                    yield task.name, make_call("poll", ({"fd": fd, "events": choose.one((1, 4, 5))},), 0)
                case 2 if is_write_end(file) and not file.private.full():
                    yield task.name, make_call("write", fd, pattern(state.number, choose.one((1, 100))))
                case 3 if is_read_end(file) and not file.private.empty():
                    yield task.name, make_call("read", fd, choose.one((1, 200)))


def poke(state: ModelView, choose: Chance, file: File) -> Action | None:
    """Read from or write to the pipe of *file*, a little, where that does not sleep; or close or resize it."""
    pipe: PipeInode = file.private
    if choose.chance(0.15) and (ends := _ends(state, pipe, is_pipe)):
        task, fd, _ = choose.one(ends)
        if choose.chance(0.5):
            return task.name, make_call("close", fd)
        return task.name, make_call("fcntl", fd, C["F_SETPIPE_SZ"], PAGE_SIZE << choose.integer(0, 4))
    reading = not pipe.empty() and choose.chance(0.5)
    ends = _ends(state, pipe, is_read_end if reading else is_write_end)
    if not ends or (not reading and pipe.full()):
        return None
    task, fd, _ = choose.one(ends)
    if reading:
        return task.name, make_call("read", fd, choose.one((1, 10, PAGE_SIZE, 1 << 16)))
    return task.name, make_call("write", fd, pattern(state.number, choose.one((1, 10, 100))))


def _relieve(state: ModelView, choose: Chance, pipe: PipeInode, wanted: Wanted) -> Iterator[Action]:
    """Act at the other end: by calls that go through, by closing all there is, or not at all."""
    way = choose.integer(0, 3)
    for _ in range(choose.integer(1, 3)):
        ends = [end for end in _ends(state, pipe, wanted) if end[0].running is None]
        if not ends or way == 0:
            return
        task, fd, _file = choose.one(ends)
        if way == 1:
            for task, fd, _file in ends:
                yield task.name, make_call("close", fd)
            return
        size = choose.one((1, 50, PAGE_SIZE, 2 * PAGE_SIZE + 5, 20000))
        if wanted is is_read_end:
            yield task.name, make_call("read", fd, size)
        else:
            yield task.name, make_call("write", fd, pattern(state.number, min(size, 9000)))


def _shared(state: ModelView, choose: Chance, wanted: Wanted) -> PipeInode | None:
    """Return a pipe of which more than one free actor has an end, if there is one."""
    holders: dict[int, tuple[PipeInode, set[str]]] = {}
    for task in state.free():
        for _, file in open_fds(task):
            if wanted(file):
                holders.setdefault(file.private.key, (file.private, set()))[1].add(task.name)
    found = [pipe for pipe, names in holders.values() if len(names) > 1]
    return choose.one(found) if found else None


def _ends(state: ModelView, pipe: PipeInode, wanted: Wanted) -> list[PipeEnd]:
    """Return one descriptor of *pipe* for each free actor."""
    ends = []
    for task in state.free():
        fds = [(fd, file) for fd, file in open_fds(task) if wanted(file) and file.private is pipe]
        if fds:
            ends.append((task, *fds[0]))
    return ends


def _fds(task: Task, pipe: PipeInode, wanted: Wanted) -> list[int]:
    """Return the descriptors of *pipe* that *task* has."""
    return [fd for fd, file in open_fds(task) if wanted(file) and file.private is pipe]


def _wakeable(choose: Chance, ends: list[PipeEnd]) -> Iterator[Action]:
    """Let calls on these descriptors sleep."""
    for task, fd, file in ends:
        if file.f_flags & C["O_NONBLOCK"]:
            yield task.name, make_call("fcntl", fd, C["F_SETFL"], file.f_flags & ~C["O_NONBLOCK"])
