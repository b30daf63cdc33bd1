"""Inodes of pipefs, of tmpfs and of what else a descriptor may open (``fs/inode.c``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from ktrace.include.linux.fs import MAY_EXEC, MAY_READ, MAY_WRITE
from ktrace.include.linux.stat import S_IXUGO
from ktrace.include.linux.time64 import NSEC_PER_SEC
from ktrace.model.task import Errno, Task
from ktrace.model.timer import TICK_NSEC
from ktrace.state.allowed import Anything, Moves, Stays, allowed
from ktrace.state.fs import inode as state
from ktrace.state.ref import Ref
from ktrace.state.rule import Rule
from ktrace.uapi.limits import UINT_MAX, ULONG_MAX
from ktrace.uapi.stat import S_IFDIR, S_IFMT

if TYPE_CHECKING:
    from ktrace.model.fs.file import FileOperations
    from ktrace.model.fs.pipe.pipe import PipeInode
    from ktrace.model.kernel import Kernel
    from ktrace.model.mm.address_space import PrivateMemory
    from ktrace.model.mm.page import Page
    from ktrace.model.task import Task


SET_NOW = Rule("fs/inode.c", "current_time", "the second in which a step did it")
RELATIME = Rule("fs/inode.c", "relatime_need_update", "compares times to the nanosecond")
BEFORE = Rule("fs/inode.c", "current_time", "when it was before the first step")
NANOSECOND = Rule("fs/inode.c", "current_time", "the nanosecond in which a step did it")
TOUCHED = Rule("fs/inode.c", "current_time", "whether a step touches a file of a kind that is not simulated")
ANY_NANOSECOND = Anything(NANOSECOND)
MULTIGRAIN_NS = 10_000_000
"""What a time may be ahead of CLOCK_REALTIME_COARSE where it is finer (``ktime_get_coarse_real_ts64_mg()``): a tick."""
DAY_NS = 24 * 60 * 60 * NSEC_PER_SEC
NEXT_INO = Rule("fs/inode.c", "get_next_ino", "a number that no other inode of the file system has")
ANON_DEV = Rule("fs/super.c", "get_anon_bdev", "any minor number that no other file system has")


Part = int | Stays | Moves | Anything
"""Seconds, or nanoseconds, or what they may be."""


class Moment:
    """A time of an inode: mostly known by CLOCK_REALTIME_COARSE around the step that set it, exactly once it was seen.

    :param rule: what leaves it open
    :param low: ns since the epoch; it is not later than *high*
    :ivar seconds: since the epoch; *nanoseconds* past them
    """

    __slots__ = ("_nanoseconds", "_seconds")

    def __init__(self, rule: Rule, low: int, high: int, fine: bool = True) -> None:
        self._seconds: int | Stays = low // NSEC_PER_SEC
        self._nanoseconds: int | Stays | Anything = low % NSEC_PER_SEC if fine else ANY_NANOSECOND
        last = high // NSEC_PER_SEC
        # Nothing lies between two ticks (update_wall_time()).
        ticks = (low % NSEC_PER_SEC, high % NSEC_PER_SEC) if high - low < TICK_NSEC * 3 // 2 else ()
        if self._seconds != last:
            self._seconds = Stays(rule=rule, low=self._seconds, high=last)
            if fine:
                self._nanoseconds = Stays(rule=NANOSECOND, low=0, high=NSEC_PER_SEC - 1, only=ticks)
        elif low != high and fine:
            self._nanoseconds = Stays(rule=NANOSECOND, low=low % NSEC_PER_SEC, high=high % NSEC_PER_SEC, only=ticks)

    @property
    def seconds(self) -> Part:
        """Return the seconds, or what they may be."""
        return self._seconds.settled() if isinstance(self._seconds, Stays) else self._seconds

    @property
    def nanoseconds(self) -> Part:
        """Return the nanoseconds, or what they may be."""
        return self._nanoseconds.settled() if isinstance(self._nanoseconds, Stays) else self._nanoseconds

    @property
    def exact(self) -> int | None:
        """Return it in ns where it is known."""
        seconds, nanoseconds = self.seconds, self.nanoseconds
        if isinstance(seconds, int) and isinstance(nanoseconds, int):
            return seconds * NSEC_PER_SEC + nanoseconds
        return None

    def at(self, kernel: Kernel) -> Moment:
        """Return it as it may be after the step that runs."""
        return self

    def then(self, time: Moment) -> Moment:
        """Return what it is once it was set to *time*."""
        return time

    @property
    def low(self) -> int:
        """Return the ns before which it cannot have been."""
        seconds, nanoseconds = self.seconds, self.nanoseconds
        low = seconds if isinstance(seconds, int) else seconds.low or 0 if isinstance(seconds, Stays) else 0
        return low * NSEC_PER_SEC + (nanoseconds if isinstance(nanoseconds, int) else 0)


class Touched(Moment):
    """A time of a file that is not simulated: each step may leave it alone, or set it, though nobody looks."""

    __slots__ = ("_high", "_low", "_moved", "_step")

    def __init__(self, first: tuple[int, int] | None = None) -> None:
        super().__init__(BEFORE, 0, 0)
        seconds, nanoseconds = first or (None, None)
        self._moved = Moves(TOUCHED, seconds), Moves(TOUCHED, nanoseconds)
        self._step, self._low = 0, 0
        self._high: int | None = None

    def at(self, kernel: Kernel) -> Moment:
        """Allow that the step that runs set it (``tty_update_time()`` leaves the nanoseconds alone)."""
        if kernel.steps != self._step:
            unseen = kernel.steps != self._step + 1
            low, high = _bounds(kernel)
            self._low = low if not unseen else kernel.began if self._high is None else self._high
            self._step, self._high = kernel.steps, high
        low, high = self._low, self._high or 0
        first, last = low // NSEC_PER_SEC, high // NSEC_PER_SEC
        seconds, nanoseconds = self._moved
        seconds.steps = ((first, last),)
        nanoseconds.steps = ((low % NSEC_PER_SEC, high % NSEC_PER_SEC) if first == last else (0, NSEC_PER_SEC - 1),)
        return self

    def then(self, time: Moment) -> Moment:
        """Return a time that was set, and that later steps may set again, of which nobody tells."""
        exact = time.exact
        if exact is None:
            return self
        found = Touched(divmod(exact, NSEC_PER_SEC))
        found._step, found._low, found._high = self._step, self._low, self._high
        return found

    @property
    def seconds(self) -> Part:
        """Return what the seconds may be."""
        return self._moved[0]

    @property
    def nanoseconds(self) -> Part:
        """Return what the nanoseconds may be."""
        return self._moved[1]

    exact = None


class Still(Moment):
    """A time of a file that is not simulated, and whose times nothing changes: any at first."""

    __slots__ = ("_first",)

    def __init__(self, first: tuple[int, int] | None = None) -> None:
        super().__init__(BEFORE, 0, 0)
        self._first = Stays(rule=BEFORE, low=0, high=0), Stays(rule=BEFORE, low=0, high=NSEC_PER_SEC - 1)
        if first is not None:
            self._first[0].seen, self._first[1].seen = first

    def at(self, kernel: Kernel) -> Moment:
        """Allow any time until now, as long as none was seen."""
        if self._first[0].seen is None:
            self._first[0].high = _bounds(kernel)[1] // NSEC_PER_SEC
        return self

    @property
    def seconds(self) -> Part:
        """Return the seconds, once they were seen."""
        found: Part = self._first[0].settled()
        return found

    @property
    def nanoseconds(self) -> Part:
        """Return the nanoseconds, once they were seen."""
        found: Part = self._first[1].settled()
        return found

    exact = None


class Unknown(Moment):
    """A time of a file that is not simulated, of which nothing is known."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(TOUCHED, 0, 0)

    @property
    def seconds(self) -> Part:
        """Return that they may be any."""
        return Anything(TOUCHED)

    @property
    def nanoseconds(self) -> Part:
        """Return that they may be any."""
        return Anything(TOUCHED)

    exact = None


def before(seconds: int | None = None, nanoseconds: int | None = None) -> Moment:
    """Return a time before the first step, of which no more than the *seconds* are known, if so much."""
    if seconds is not None and nanoseconds is not None:
        return Moment(BEFORE, seconds * NSEC_PER_SEC + nanoseconds, seconds * NSEC_PER_SEC + nanoseconds)
    if seconds is None:
        return Moment(BEFORE, 0, 1 << 62)
    return Moment(BEFORE, seconds * NSEC_PER_SEC, (seconds + 1) * NSEC_PER_SEC - 1)


def at_first(node: state.NodeFacts) -> tuple[tuple[int, int], ...] | None:
    """Return the times that facts tell of, as seconds and ns past them; ``None`` where they lack the ns."""
    return tuple(zip(node.times, node.nsec, strict=True)) if node.nsec is not None else None


def current_time(kernel: Kernel) -> Moment:
    """Return the time of the step that runs (``fs/inode.c: current_time()``).

    That is CLOCK_REALTIME_COARSE; the agent looked at it before the step and after. Where times are finer
    (FS_MGTIME) they may be a tick ahead of it.
    """
    return Moment(SET_NOW, *_bounds(kernel), fine=kernel.fs.facts.multigrain is not None)


def since(rule: Rule, time: Moment, kernel: Kernel) -> Moment:
    """Return a time that *rule* leaves open: from *time* to now."""
    low, high = time.low, _bounds(kernel)[1]
    return Moment(rule, low, max(low, high), kernel.fs.facts.multigrain is not None)


def _bounds(kernel: Kernel) -> tuple[int, int]:
    low, high = kernel.moment
    return low, high + MULTIGRAIN_NS if kernel.fs.facts.multigrain else high


MKWRITE = Rule("mm/memory.c", "fault_dirty_shared_page", "only the first write to a page that is not mapped yet tells")


@dataclass(eq=False)
class Inode:
    """Mirror one ``struct inode``.

    :param key: raw, or final for the root of the workload's directory
    :param count: what pins it besides its names: open files, calls on their way (``i_count``)
    :param pipe: of a FIFO or a pipe that is in use
    :param entries: of a directory
    :param i_pages: content of a regular file (``i_mapping->i_pages``)
    :param i_private: what a file of a special file system stands for
    :param relatime: where it is mounted, reading does not always change *i_atime* (MNT_RELATIME)
    :param seals: F_SEAL_* of a regular file
    :param parent: the directory that has it, of a directory
    :param mounted: root of what is mounted on it; *covers* is what a root is mounted on
    :param root: of the file system, of what is no directory
    :param link: where a symbolic link leads
    :param i_rdev: of a device, its number (``dev_t``)
    :param numbers: st_ino and st_dev, once seen in an answer; *i_ino* and *s_dev*, once seen in memory
    :param in_program: a program has mapped it to write, and nobody knows what it wrote
    :param faulted: a program has mapped it, and nobody knows which pages it looked at
    :param ops: of its open files, where its type does not say
    :param mappings: how often its pages are mapped; *i_mmap_writable* so that it can be written
    :param copies: what its private mappings have instead of its pages
    """

    key: int | str
    i_mode: int
    i_uid: int
    i_gid: int
    i_sb: str
    i_fop: str
    i_nlink: int = 1
    count: int = 0
    i_size: int = 0
    pipe: PipeInode | None = None
    entries: dict[str, Inode] = field(default_factory=dict)
    parent: Inode | None = None
    mounted: Inode | None = None
    covers: Inode | None = None
    root: Inode | None = None
    link: bytes | None = None
    i_rdev: int = 0
    i_pages: dict[int, Page] = field(default_factory=dict)
    i_private: Any = None
    seals: int = 1
    i_atime: Moment = field(default_factory=before)
    i_mtime: Moment = field(default_factory=before)
    i_ctime: Moment = field(default_factory=before)
    relatime: bool = False
    numbers: dict[str, int] = field(default_factory=dict)
    ops: FileOperations | None = None
    mappings: int = 0
    in_program: bool = False
    faulted: bool = False
    i_mmap_writable: int = 0
    copies: list[PrivateMemory] = field(default_factory=list)
    i_ino: Stays = field(default_factory=lambda: Stays(rule=NEXT_INO, low=0, high=ULONG_MAX))
    s_dev: Stays = field(default_factory=lambda: Stays(rule=ANON_DEV, low=0, high=UINT_MAX))

    @property
    def ref(self) -> Ref:
        """Return the reference of this inode."""
        return Ref("inode", self.key)

    def permission(self, task: Task, mask: int) -> None:
        """Refuse what the mode does not allow (``fs/namei.c: generic_permission()``).

        :raises Errno: EACCES
        """
        cred, mode = task.cred, self.i_mode
        if cred.euid == self.i_uid:
            mode >>= 6
        elif cred.in_group_p(self.i_gid):
            mode >>= 3
        if mask & ~mode & 0o7 == 0:
            return
        is_dir = self.i_mode & S_IFMT == S_IFDIR
        if cred.capable("CAP_DAC_READ_SEARCH") and (not mask & MAY_WRITE if is_dir else mask == MAY_READ):
            return
        if cred.capable("CAP_DAC_OVERRIDE") and (is_dir or not mask & MAY_EXEC or self.i_mode & S_IXUGO):
            return
        raise Errno("EACCES")

    def lookup(self, task: Task, name: str) -> Inode | None:
        """Return what a directory has under *name* (``inode_operations.lookup``)."""
        return self.entries.get(name)

    def magic_link(self, task: Task) -> Inode | None:
        """Return what a link of procfs leads to without a path (``nd_jump_link()``), ``None`` for any other inode."""
        return None

    def name_of(self, inode: Inode) -> str:
        """Return what a directory calls one below it (``d_name``)."""
        return next((name for name, entry in self.entries.items() if entry is inode), "")

    def times_set(self, kernel: Kernel) -> None:
        """Hear that somebody set its times, as all changes of attributes do (``setattr_copy()``)."""

    def owner_set(self, uid: int) -> None:
        """Take over a new owner, even the same one (``inode_operations.setattr`` with ATTR_UID)."""

    def born(self, kernel: Kernel) -> Inode:
        """Set all times to now and return the inode, as callers of ``inode_init_owner()`` do."""
        self.i_atime = self.i_mtime = self.i_ctime = current_time(kernel)
        return self

    def changed(self, kernel: Kernel) -> None:
        """Note that its data or its names changed (``file_update_time()``, ``dir->i_ctime = dir->i_mtime``)."""
        now = current_time(kernel)
        self.i_mtime, self.i_ctime = self.i_mtime.then(now), self.i_ctime.then(now)

    def accessed(self, kernel: Kernel) -> None:
        """Note that it was read (``touch_atime()``)."""
        now = current_time(kernel)
        if self.relatime:
            old, modified, changed = self.i_atime.exact, self.i_mtime.exact, self.i_ctime.exact
            if old is None or modified is None or changed is None:
                now = since(RELATIME, self.i_atime, kernel)
            elif modified < old and changed < old and kernel.moment[0] - old < DAY_NS:
                return  # relatime_need_update()
        self.i_atime = self.i_atime.then(now)

    def get(self) -> None:
        """Pin it (``ihold()``)."""
        self.count += 1

    def put(self, kernel: Kernel) -> None:
        """Let go of it (``iput()``)."""
        self.count -= 1
        self.evict()

    def evict(self) -> None:
        """Drop the pages of a file that has neither name nor user (``shmem_evict_inode()``); a pipe keeps its own."""
        if self.count == 0 and self.i_nlink == 0:
            for page in self.i_pages.values():
                page.put()
            self.i_pages.clear()

    def observe_by_path(self, kernel: Kernel, objects: dict[Ref, Any]) -> Ref:
        """Add it as what a file with O_PATH opens."""
        return self.observe(kernel, objects)

    def observe(self, kernel: Kernel, objects: dict[Ref, Any]) -> Ref:
        """Add this inode, its pipe and what is below it, and return its reference."""
        ref = self.ref
        if ref in objects:
            return ref
        if self.in_program and self.mappings:
            self.i_mtime = self.i_mtime.then(since(MKWRITE, self.i_mtime, kernel))
            self.i_ctime = self.i_ctime.then(since(MKWRITE, self.i_ctime, kernel))
        atime, mtime, ctime = self.i_atime.at(kernel), self.i_mtime.at(kernel), self.i_ctime.at(kernel)
        objects[ref] = state.Inode(
            i_mode=state.mode_name(self.i_mode),
            i_uid=self.i_uid,
            i_gid=self.i_gid,
            i_nlink=self.i_nlink,
            i_size=self.i_size,
            i_sb=self.i_sb,
            i_fop=self.i_fop,
            i_pipe=self.pipe.ref if self.pipe is not None else None,
            entries={name: inode.ref for name, inode in sorted(self.entries.items())},
            i_atime=cast(int, atime.seconds),
            i_mtime=cast(int, mtime.seconds),
            i_ctime=cast(int, ctime.seconds),
            i_ino=allowed(self.i_ino.settled()),
            s_dev=allowed(self.s_dev.settled()),
            i_atime_nsec=cast(int, atime.nanoseconds),
            i_mtime_nsec=cast(int, mtime.nanoseconds),
            i_ctime_nsec=cast(int, ctime.nanoseconds),
        )
        if self.pipe is not None:
            self.pipe.observe(kernel, objects)
        for inode in self.entries.values():
            inode.observe(kernel, objects)
        return ref
