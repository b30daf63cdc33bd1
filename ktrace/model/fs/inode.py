"""Inodes of pipefs, of tmpfs and of what else a descriptor may open (``fs/inode.c``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ktrace.include.linux.fs import MAY_EXEC, MAY_READ, MAY_WRITE
from ktrace.include.linux.stat import S_IXUGO
from ktrace.include.linux.time64 import NSEC_PER_SEC
from ktrace.model.task import Errno, Task
from ktrace.state.allowed import Anything, Between, Stays, allowed
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
UNKNOWN = Between(Rule("fs/inode.c", "current_time", "times of this file system are not modelled"), 0, 1 << 62)
NANOSECOND = Rule("fs/inode.c", "current_time", "the nanosecond in which a step did it")
ANY_NANOSECOND = Anything(NANOSECOND)
NEXT_INO = Rule("fs/inode.c", "get_next_ino", "a number that no other inode of the file system has")
ANON_DEV = Rule("fs/super.c", "get_anon_bdev", "any minor number that no other file system has")


@dataclass(eq=False)
class Moment:
    """A time of an inode that a step set: known to the second or two, and exactly once it was seen.

    :param seconds: since the epoch; *nanoseconds* past them
    """

    seconds: Stays
    nanoseconds: Stays


Time = int | Between | Moment


def current_time(kernel: Kernel) -> Moment:
    """Return the time of the step that runs, known to the second or two (``fs/inode.c: current_time()``)."""
    return moment(SET_NOW, *kernel.clock)


def moment(rule: Rule, low: int, high: int) -> Moment:
    """Return a time that *rule* leaves open, between two seconds."""
    return Moment(Stays(rule=rule, low=low, high=high), Stays(rule=NANOSECOND, low=0, high=NSEC_PER_SEC - 1))


def seconds_of(time: Time) -> int | Between | Stays:
    """Return the seconds of a time, or what they may be."""
    return time.seconds.settled() if isinstance(time, Moment) else time


def nanoseconds_of(time: Time) -> int | Between | Stays | Anything:
    """Return the nanoseconds of a time, or what they may be: those of a time before the first step are not known."""
    return time.nanoseconds.settled() if isinstance(time, Moment) else ANY_NANOSECOND


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
    i_atime: Time = UNKNOWN
    i_mtime: Time = UNKNOWN
    i_ctime: Time = UNKNOWN
    relatime: bool = False
    numbers: dict[str, int] = field(default_factory=dict)
    ops: FileOperations | None = None
    mappings: int = 0
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
        elif self.i_gid == cred.egid or self.i_gid in cred.groups:
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

    def owner_set(self, uid: int) -> None:
        """Take over a new owner, even the same one (``inode_operations.setattr`` with ATTR_UID)."""

    def born(self, kernel: Kernel) -> Inode:
        """Set all times to now and return the inode, as callers of ``inode_init_owner()`` do."""
        self.i_atime = self.i_mtime = self.i_ctime = current_time(kernel)
        return self

    def changed(self, kernel: Kernel) -> None:
        """Note that its data or its names changed (``file_update_time()``, ``dir->i_ctime = dir->i_mtime``)."""
        self.i_mtime = self.i_ctime = current_time(kernel)

    def accessed(self, kernel: Kernel) -> None:
        """Note that it was read (``touch_atime()``)."""
        now = current_time(kernel)
        if self.relatime:
            # relatime_need_update() compares times to the nanosecond.
            old, new = lowest(self.i_atime), kernel.clock[1]
            now = moment(RELATIME, old, max(old, new))
        self.i_atime = now

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

    def observe(self, kernel: Kernel, objects: dict[Ref, Any]) -> Ref:
        """Add this inode, its pipe and what is below it, and return its reference."""
        ref = self.ref
        if ref in objects:
            return ref
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
            i_atime=allowed(seconds_of(self.i_atime)),
            i_mtime=allowed(seconds_of(self.i_mtime)),
            i_ctime=allowed(seconds_of(self.i_ctime)),
            i_ino=allowed(self.i_ino.settled()),
            s_dev=allowed(self.s_dev.settled()),
            i_atime_nsec=allowed(nanoseconds_of(self.i_atime)),
            i_mtime_nsec=allowed(nanoseconds_of(self.i_mtime)),
            i_ctime_nsec=allowed(nanoseconds_of(self.i_ctime)),
        )
        if self.pipe is not None:
            self.pipe.observe(kernel, objects)
        for inode in self.entries.values():
            inode.observe(kernel, objects)
        return ref


def lowest(time: Time) -> int:
    """Return the earliest second that a time can be."""
    known = seconds_of(time)
    return known if isinstance(known, int) else known.low
