"""Files of kinds that the model does not simulate: devices, procfs, sysfs, what lay in the guest before.

They have descriptors, references and flags that are predicted; what reading, writing and asking them brings is taken as
it was observed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.fs import FMODE_WRITE
from ktrace.include.linux.kdev_t import new_encode_dev
from ktrace.include.linux.limits import U16_MAX, U32_MAX
from ktrace.model.fs.file import UNSIMULATED as UNKNOWN
from ktrace.model.fs.file import FileOperations
from ktrace.model.fs.inode import Inode, Still, Touched, Unknown, at_first, before
from ktrace.model.mm import maps
from ktrace.model.process.user_namespace import user_ns
from ktrace.model.task import AsObserved, Errno
from ktrace.model.unsimulated import UNSIMULATED
from ktrace.model.wait import MaySleep, WaitQueue
from ktrace.state.allowed import Allowed, Between, Moves, OneOf, Stays
from ktrace.state.call import Result
from ktrace.state.fs import inode as state
from ktrace.state.ref import Ref
from ktrace.state.rule import Rule
from ktrace.uapi.stat import S_IFBLK, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG

if TYPE_CHECKING:
    from ktrace.model.calls import Answer
    from ktrace.model.fs.file import File
    from ktrace.model.kernel import Kernel
    from ktrace.model.task import Task

POLLWAIT = Rule("fs/select.c", "__pollwait", "a reference for each queue of a driver that is not simulated")
IDENTITY = Rule("fs/inode.c", "iget_locked", "what an inode of a file system that is not simulated is: it stays so")
OFFSET = Rule("fs/read_write.c", "ksys_read", "whether a driver that is not simulated moves the offset")
F_OP = Rule("fs/open.c", "do_dentry_open", "which operations a file that is not simulated has: until it is hung up")
OWNER = Rule("fs/proc/base.c", "pid_revalidate", "root, or whom the process belongs to that it tells of")
PROC = ("proc", "procfs")
BLOCKS = {"proc": 1024, "procfs": 1024, "sysfs": PAGE_SIZE}
"""``s_blocksize`` of what has no blocks (``fs/proc/root.c: proc_fill_super()``, ``fs/sysfs/mount.c``)."""
HUNG_UP = "hung_up_tty_fops"
"""What a terminal's files have once it is hung up (``drivers/tty/tty_io.c: __tty_hangup()``)."""
TIMES = tuple(f"{name}{part}" for name in ("atime", "mtime", "ctime") for part in ("", "_nsec"))
QUEUES = 3
LAY_THERE = "a file that was there before"
"""No driver's poll waits on more queues than one and these."""


@dataclass(eq=False)
class OpaqueFileSystem:
    """What all inodes of a file system that is not simulated share.

    :param attributes_set: a call set some of an inode's, which may have times of its own since
    :param mounts: roots of what is mounted below, by path
    """

    attributes_set: bool = False
    mounts: dict[str, Inode] = field(default_factory=dict)


class OpaqueInode(Inode):
    """An inode of which only its identity is known.

    :param path: what leads to it, as far as names of opaque directories are known
    :ivar maps_of: whose mappings it tells of (/proc/PID/maps)
    """

    def __init__(self, key: int | str, what: str, path: str = "", i_mode: int = 0) -> None:
        super().__init__(key, i_mode, 0, 0, what, "?", ops=OpaqueOperations(what))
        self.what = what
        self.path = path
        self.file_system = OpaqueFileSystem()
        self.maps_of: Task | None = None
        self._numbers = {name: Stays(IDENTITY) for name in ("i_ino", "s_dev", "i_sb", "i_fop")}
        self._attributes: dict[str, Stays] = {}
        self._size = Stays(IDENTITY)
        self._uids, self._gids = {0}, {0}
        self.i_atime, self.i_mtime, self.i_ctime = Touched(), Touched(), Touched()
        self.set_attributes()

    def set_attributes(self, result: Result | None = None) -> None:
        """Take whatever mode, owner and number of names it has now; no news where *result* is an error."""
        if result is None or result.errno is None:
            self._attributes = {name: Stays(IDENTITY) for name in ("i_mode", "i_uid", "i_gid", "i_nlink")}
            self.file_system.attributes_set |= result is not None
            if isinstance(self.i_mtime, Still):
                self.keep_times(set_once=True)

    def given_to(self, owner: int, group: int, result: Result) -> None:
        """Allow it to belong to whom it was given, until procfs asks the process again (``chown_common()``)."""
        if result.errno is None:
            self._uids.add(owner & U32_MAX)
            self._gids.add(group & U32_MAX)
        self.set_attributes(result)

    def resize(self) -> None:
        """Take whatever size it has now; what is written to procfs and sysfs changes none (``fs/kernfs/file.c``)."""
        if self.what not in (*PROC, "sysfs"):
            self._size = Stays(IDENTITY)

    def keep_times(self, set_once: bool = False) -> None:
        """Have its times stay as they are: reading what procfs and sysfs tell changes none.

        ``fs/seq_file.c: seq_read_iter()`` and ``fs/kernfs/file.c: kernfs_fop_read_iter()`` have no
        ``file_accessed()``; it is no link, for links cannot be opened.

        :param set_once: sysfs has times of its own from then on, which an inode hears of when it is asked
            (``fs/kernfs/inode.c: kernfs_iattrs()``, ``kernfs_refresh_inode()``)
        """
        if self.what in (*PROC, "sysfs"):
            kind = Unknown if set_once and self.what == "sysfs" else Still
            self.i_atime, self.i_mtime, self.i_ctime = kind(), kind(), kind()

    def root_of(self, mount: state.MountFacts) -> OpaqueInode:
        """Take what was read of it before the first step, as of the root of a file system, and return it."""
        node = mount.root
        self._numbers["s_dev"].seen, self._numbers["i_ino"].seen = mount.s_dev, node.i_ino or None
        self._attributes["i_mode"].seen = state.mode_name(node.i_mode)
        self._attributes["i_nlink"].seen, self._size.seen = node.i_nlink, node.i_size
        self._attributes["i_uid"].seen, self._attributes["i_gid"].seen = node.i_uid, node.i_gid
        atime, mtime, ctime = at_first(node) or (None, None, None)
        if atime is not None:
            self.i_atime = Touched(atime)  # who lists it may set this one
        self.i_mtime = Still(mtime) if mtime is not None else before(node.times[1])
        self.i_ctime = Still(ctime) if ctime is not None else before(node.times[2])
        return self

    def in_mount_of(self, directory: OpaqueInode) -> None:
        """Share what a whole file system has with the directory that it lies in."""
        self.parent = directory
        for name in ("s_dev", "i_sb"):
            self._numbers[name] = directory._numbers[name]
        self.file_system = directory.file_system

    def _owner(self, kernel: Kernel) -> tuple[Any, Any]:
        """Return whom a file of procfs may belong to: root, or the process that it tells of (``task_dump_owner()``)."""
        for task in kernel.tasks.values():
            namespace = user_ns(task.cred)
            self._uids |= {task.cred.euid, namespace.make_kuid(0)}
            self._gids |= {task.cred.egid, namespace.make_kgid(0)}
        return OneOf(OWNER, tuple(sorted(self._uids))), OneOf(OWNER, tuple(sorted(self._gids)))

    def known(self, kernel: Kernel, seen: Mapping[str, Any], memory: state.Inode | None) -> dict[str, Any]:
        """Return what stat() says of it: *seen*, held to what lies in memory (``generic_fillattr()``).

        procfs asks the process that a file of it belongs to (``pid_getattr()``).

        :param memory: what was seen of it there after the call, where it is open
        """
        told = dict(seen)
        told |= {"st_ino": self._numbers["i_ino"].settled(), "st_size": self._size.settled()}
        mode, device = self._attributes["i_mode"].seen, self._numbers["s_dev"].seen
        if device is not None:
            told["st_dev"] = new_encode_dev(device)
        told_mode = told.get("st_mode", 0)  # umode_t has 16 bits
        if mode is not None and (told_mode > U16_MAX or mode != state.mode_name(told_mode)):
            told["st_mode"] = mode
        if told_mode & S_IFMT not in (S_IFCHR, S_IFBLK):
            told["st_rdev"] = 0
        if self.what in PROC:
            told["st_uid"], told["st_gid"] = self._owner(kernel)
        else:
            told |= {f"st_{name}": self._attributes[f"i_{name}"].settled() for name in ("nlink", "uid", "gid")}
        if self.what in BLOCKS:
            told |= {"st_blksize": BLOCKS[self.what], "st_blocks": 0}
        for name in ("atime", "mtime", "ctime"):
            time = getattr(self, f"i_{name}").at(kernel)
            told[f"st_{name}"], told[f"st_{name}_nsec"] = time.seconds, time.nanoseconds
        if memory is not None:
            for name in TIMES:
                told[f"st_{name}"] = getattr(memory, f"i_{name}")
            if told_mode & S_IFMT == S_IFREG:
                told["st_nlink"] = memory.i_nlink
        elif self.what in (*PROC, "sysfs") and not self.file_system.attributes_set:
            told |= _born_at_once(seen, told_mode)
        return {name: told[name] for name in seen}

    def kind(self) -> str | None:
        """Return its type, such as ``S_IFREG``, where that was seen."""
        mode = self._attributes["i_mode"].seen
        return None if mode is None else str(mode).partition("|")[0]

    def opened_by(self, task: Task) -> OpaqueInode:
        """Return what stands for it once *task* has it open, of whose kind nothing is known any more."""
        return OpaqueInode(task.kernel.serial(), self.what, self.path)

    def lookup(self, task: Task, name: str) -> Inode | None:
        """Return something of which nothing but the name is known."""
        below = OpaqueInode(task.kernel.serial(), self.what, f"{self.path.rstrip('/')}/{name}")
        below.in_mount_of(self)
        below.mounted = self.file_system.mounts.get(below.path)
        return below

    def observe(self, kernel: Kernel, objects: dict[Ref, Any]) -> Ref:
        """Add it with nothing but its identity: what was seen of it stays, or changes as no call of the model's does.

        The owner of what procfs tells of a process follows that (``pid_revalidate()``).
        """
        size: Any = self._size.settled()
        stays: dict[str, Any] = {name: known.settled() for name, known in {**self._numbers, **self._attributes}.items()}
        if self.what in PROC:
            stays["i_uid"], stays["i_gid"] = self._owner(kernel)
        times: dict[str, Any] = {}
        for name in ("i_atime", "i_mtime", "i_ctime"):
            time = getattr(self, name).at(kernel)
            times[name], times[f"{name}_nsec"] = time.seconds, time.nanoseconds
        objects.setdefault(
            self.ref,
            state.Inode(
                i_size=size,
                i_pipe=None,
                entries={},
                **stays,
                **times,
            ),
        )
        return self.ref


def _born_at_once(seen: Mapping[str, Any], mode: int) -> dict[str, Any]:
    """Return times of an inode that has those of its making: only links and directories that are read have another.

    ``fs/proc/inode.c: proc_get_inode()``, ``fs/proc/base.c: proc_pid_make_inode()``, ``fs/kernfs/inode.c:
    set_default_inode_attr()``.
    """
    kind = mode & S_IFMT
    first = "ctime" if kind in (S_IFDIR, S_IFLNK) else "atime"
    return {f"st_{name}{part}": seen.get(f"st_{first}{part}") for name in ("mtime", "ctime") for part in ("", "_nsec")}


class OpaqueOperations(FileOperations):
    """``file_operations`` that are not simulated.

    :param what: kind of file
    :param name: its symbol, where that is known
    """

    has_fasync = True
    maps = True

    def __init__(self, what: str, name: str = UNKNOWN) -> None:
        self.what = what
        self.name = name

    def open(self, task: Task, inode: Any, file: File) -> None:
        """Open it, or fail as it was seen to: drivers have their own reasons (``chrdev_open()``)."""
        file.pos_known = False
        file.shown_op = Moves(F_OP)
        if isinstance(inode, OpaqueInode):
            inode.keep_times()
        file.offset = Moves(OFFSET, file.pos)
        file.private = WaitQueue()
        if task.kernel.choose(UNSIMULATED, lambda seen: seen.errno(task), lambda _: True, None):
            raise AsObserved(self.what)

    def read_iter(self, task: Task, file: File, to: Any) -> MaySleep[int]:
        """Read as observed; what an address space has is known (``fs/proc/task_mmu.c``)."""
        owner = file.inode.maps_of if isinstance(file.inode, OpaqueInode) else None
        held = None
        if owner is not None:
            at = file.offset.seen if isinstance(file.offset, Moves) else 0
            held = partial(maps.held, task.kernel, owner, at if isinstance(at, int) else None)
        raise AsObserved(self.what, done=partial(_moved, file), held=held)

    def write_iter(self, task: Task, file: File, source: Any) -> MaySleep[int]:
        """Write as observed."""
        raise AsObserved(self.what, done=partial(_moved, file))

    def fsync(self, task: Task, file: File) -> int:
        """Do nothing for what lies in memory, refuse for procfs and directories of sysfs; else as observed.

        ``fs/libfs.c: noop_fsync()``, which ``fs/kernfs/file.c: kernfs_file_fops`` has, and tmpfs.
        """
        inode = file.inode
        mode = inode.kind() if isinstance(inode, OpaqueInode) else None
        if self.what in PROC or (self.what == "sysfs" and mode == "S_IFDIR"):
            raise Errno("EINVAL")
        if self.what == LAY_THERE or (self.what == "sysfs" and mode == "S_IFREG"):
            return 0
        raise AsObserved(self.what)

    def llseek(self, task: Task, file: File, offset: int, whence: int) -> int:
        """Move the offset to where it was seen to go (``vfs_setpos()``)."""
        raise AsObserved(self.what, done=partial(_sought, file))

    def ioctl(self, task: Task, file: File, cmd: int, arg: Any) -> MaySleep[Answer]:
        """Answer as observed."""
        raise AsObserved(self.what)

    def fcntl(self, task: Task, file: File, cmd: int, arg: Any) -> MaySleep[int]:
        """Answer as observed."""
        raise AsObserved(self.what)

    def fasync(self, task: Task, fd: int, file: File, on: bool) -> MaySleep[None]:
        """Stop: drivers have one or not."""
        raise NotImplementedError(f"the model does not know whether {self.what} sends SIGIO")

    def splice_read(
        self, task: Task, file: File, position: int, pipe: Any, length: int, flags: int
    ) -> MaySleep[tuple[int, int]]:
        """Stop: what would come into the pipe is not known."""
        raise NotImplementedError(f"the model does not know what splice brings from {self.what}")

    def splice_write(
        self, task: Task, pipe: Any, file: File, position: int, length: int, flags: int
    ) -> MaySleep[tuple[int, int]]:
        """Stop: how much it takes is not known."""
        raise NotImplementedError(f"the model does not know how much of a pipe {self.what} takes")

    def may_wake(self, kernel: Kernel, file: File) -> bool:
        """Tell whether it may have become ready in this step."""
        return True

    def woke(self, file: File) -> None:
        """Note that it became ready."""

    def f_op(self, file: File) -> Any:
        """Return what was seen at first, or that its terminal hung up."""
        if isinstance(file.shown_op, Moves):
            file.shown_op.steps = (HUNG_UP,)
            return file.shown_op
        return self.name

    def poll_queues(self, task: Task, file: File) -> list[WaitQueue]:
        """Return a queue that stands for those of the driver."""
        return [file.private]

    def f_count(self, file: File) -> int | Allowed:
        """Return what poll may hold it by: a reference for each of the driver's queues (``__pollwait()``).

        An epoll set holds none (``ep_ptable_queue_proc()``).
        """
        entries = file.private.entries if isinstance(file.private, WaitQueue) else ()
        polled = sum(entry.task is not None for entry in entries)
        if not polled:
            return file.count
        return Between(POLLWAIT, file.count - polled, file.count + QUEUES * polled)

    def poll(self, task: Task, file: File) -> int:
        """Return the mask that the caller was seen to be told, 0 while it was told nothing."""
        task.watches_opaque = True
        seen = task.kernel.choose(UNSIMULATED, lambda seen: seen.result(task), lambda _: True, None)
        if seen is None or task.call is None:
            return 0
        if task.call.name in ("poll", "ppoll"):
            asked = task.call.args[0]
            told = seen.out.get("revents", ())
            return _union(mask for item, mask in zip(asked, told, strict=False) if _is_at(task, item["fd"], file))
        if task.call.name in ("select", "pselect6"):
            masks = {"readfds": 0x41, "writefds": 0x104, "exceptfds": 0x2}
            return _union(
                mask for name, mask in masks.items() for fd in seen.out.get(name) or () if _is_at(task, fd, file)
            )
        raise NotImplementedError(f"the model does not know when {self.what} is ready")


def _moved(file: File, result: Result) -> None:
    """Allow the offset to stand behind what was read or written; drivers without one leave it alone."""
    offset = file.offset
    if result.value > 0 and isinstance(file.inode, OpaqueInode) and file.f_mode & FMODE_WRITE:
        file.inode.resize()
    if isinstance(offset, Moves) and isinstance(offset.seen, int) and result.value > 0:
        offset.steps = (offset.seen + result.value,)


def _sought(file: File, result: Result) -> None:
    """Put the offset where the answer says it is."""
    if result.errno is None and not file.pos_known:
        file.offset.seen, file.offset.steps = result.value, ()


def _union(masks: Any) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found


def _is_at(task: Task, fd: int, file: File) -> bool:
    slot = task.files.slots.get(fd)
    return slot is not None and slot.file is file
