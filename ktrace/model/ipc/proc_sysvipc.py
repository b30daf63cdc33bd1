"""/proc/sysvipc/sem, msg and shm: the objects of one's own namespace as text (``ipc/util.c``, ``fs/seq_file.c``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.stat import S_IRUGO
from ktrace.model.fs.file import FileOperations
from ktrace.model.fs.inode import Inode
from ktrace.model.fs.proc import proc_lookup
from ktrace.model.ipc.ids import Ids, IpcObject, Time, later
from ktrace.model.ipc.msg_queue import MsgQueue
from ktrace.model.ipc.namespace import Namespace
from ktrace.model.ipc.sem_array import SemArray, complexmode_enter, complexmode_tryleave
from ktrace.model.ipc.shm_segment import ShmidKernel
from ktrace.model.ipc.uapi import seen_time
from ktrace.model.process.user_namespace import UserNamespace, user_ns
from ktrace.model.task import Errno, Task
from ktrace.uapi.fs import SEEK_CUR, SEEK_SET
from ktrace.uapi.stat import S_IFREG

if TYPE_CHECKING:
    from ktrace.model.fs.file import File
    from ktrace.model.kernel import Kernel
    from ktrace.model.mm.iov import Destination

PROC_SYSVIPC = b"/proc/sysvipc/"
HEADERS = {
    "sem": b"       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n",
    "msg": b"       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid"
    b"      stime      rtime      ctime\n",
    "shm": b"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid"
    b"      atime      dtime      ctime                   rss                  swap\n",
}


def _nr(task: Task | None) -> int:
    return 0 if task is None else task.pid


def _sem(kernel: Kernel, sma: SemArray, ids: str) -> str:
    """``sysvipc_sem_proc_show()``."""
    complexmode_enter(sma)
    otime: Time = 0
    for sem in sma.sems:
        otime = later(otime, sem.sem_otime)
    complexmode_tryleave(sma)
    times = seen_time(kernel, sma, "sem_otime", otime), seen_time(kernel, sma, "sem_ctime", sma.sem_ctime)
    return f"{sma.key:10d} {sma.id:10d}  {sma.mode:4o} {sma.sem_nsems:10d} {ids} {times[0]:10d} {times[1]:10d}\n"


def _msg(kernel: Kernel, msq: MsgQueue, ids: str) -> str:
    """``sysvipc_msg_proc_show()``."""
    times = [seen_time(kernel, msq, name, getattr(msq, name)) for name in ("q_stime", "q_rtime", "q_ctime")]
    return (
        f"{msq.key:10d} {msq.id:10d}  {msq.mode:4o}  {msq.q_cbytes:10d} {msq.q_qnum:10d} "
        f"{_nr(msq.q_lspid):5d} {_nr(msq.q_lrpid):5d} {ids} "
        f"{times[0]:10d} {times[1]:10d} {times[2]:10d}\n"
    )


def _shm(kernel: Kernel, shp: ShmidKernel, ids: str) -> str:
    """``sysvipc_shm_proc_show()``."""
    times = [seen_time(kernel, shp, name, getattr(shp, name)) for name in ("shm_atim", "shm_dtim", "shm_ctim")]
    return (
        f"{shp.key:10d} {shp.id:10d}  {shp.mode:4o} {shp.shm_segsz:21d} {_nr(shp.shm_cprid):5d} "
        f"{_nr(shp.shm_lprid):5d}  {shp.shm_nattch:5d} {ids} "
        f"{times[0]:10d} {times[1]:10d} {times[2]:10d} {len(shp.pages) * PAGE_SIZE:21d} {0:21d}\n"
    )


SHOW: dict[str, Callable[[Kernel, Any, str], str]] = {"sem": _sem, "msg": _msg, "shm": _shm}


Record = str | IpcObject
"""One line of a file: its header, or an object."""


class SeqFile:
    """Mirror a ``struct seq_file`` over the identifiers of one kind.

    :param user_ns: the opener's, in whose ids owners are shown
    :ivar index: position of the next record: 0 is the header, else the IDR's index + 1
    :ivar buf: what was made and not read yet
    """

    def __init__(self, ns: Namespace, kind: str, user_ns: UserNamespace) -> None:
        self.ns, self.kind, self.user_ns = ns, kind, user_ns
        self.index = 0
        self.buf = b""
        self.read_pos = 0

    @property
    def ids(self) -> Ids[Any]:
        """Return the identifiers that it goes through."""
        ids: dict[str, Ids[Any]] = {"sem": self.ns.sem_ids, "msg": self.ns.msg_ids, "shm": self.ns.shm_ids}
        return ids[self.kind]

    def _start(self) -> Record | None:
        """``sysvipc_proc_start()``: the header is its own token."""
        return self.kind if self.index == 0 else self._find()

    def _next(self) -> IpcObject | None:
        """``sysvipc_proc_next()``."""
        self.index += 1
        return self._find()

    def _find(self) -> IpcObject | None:
        """``sysvipc_find_ipc()``."""
        later_ones = [index for index in self.ids.idr if index >= self.index - 1]
        if not later_ones:
            return None
        self.index = min(later_ones) + 1
        found: IpcObject = self.ids.idr[self.index - 1]
        return found

    def _show(self, kernel: Kernel, record: Record) -> bytes:
        """``sysvipc_proc_show()``."""
        if isinstance(record, str):
            return HEADERS[self.kind]
        uids = [self.user_ns.uid_munged(ident) for ident in (record.uid, record.cuid)]
        gids = [self.user_ns.gid_munged(ident) for ident in (record.gid, record.cgid)]
        ids = f"{uids[0]:5d} {gids[0]:5d} {uids[1]:5d} {gids[1]:5d}"
        return SHOW[self.kind](kernel, record, ids).encode()

    def traverse(self, kernel: Kernel, offset: int) -> None:
        """Make records up to *offset* (``traverse()``)."""
        self.index, self.buf, pos = 0, b"", 0
        record = self._start() if offset else None
        while record is not None:
            text = self._show(kernel, record)
            record = self._next()
            if pos + len(text) > offset:
                self.buf = text[offset - pos :]
                break
            pos += len(text)
            if pos == offset:
                break

    def read(self, kernel: Kernel, to: Destination, pos: int) -> int:
        """Read from *pos* on; return how many bytes (``seq_read_iter()``).

        :raises Errno: EFAULT
        """
        if not to.count:
            return 0
        if pos == 0:
            self.index, self.buf = 0, b""
        if pos != self.read_pos:
            self.traverse(kernel, pos)
            self.read_pos = pos
        copied = self._copy(to)
        if not self.buf:
            record = self._start()
            if record is not None:
                self._fill(kernel, record, to.count)
                copied += self._copy(to)
        if not copied and self.buf:
            raise Errno("EFAULT")
        self.read_pos += copied
        return copied

    def _fill(self, kernel: Kernel, record: Record, wanted: int) -> None:
        """Make records until there are enough for the reader, or a page is full."""
        self.buf = self._show(kernel, record)
        while True:
            following = self._next()
            if following is None or len(self.buf) >= wanted:
                return
            text = self._show(kernel, following)
            if len(self.buf) + len(text) >= PAGE_SIZE:
                return  # seq_has_overflowed()
            self.buf += text

    def _copy(self, to: Destination) -> int:
        put = to.copy(self.buf)
        self.buf = self.buf[put:]
        return put


class SysvipcOperations(FileOperations):
    """``proc_reg_file_ops`` with ``sysvipc_proc_ops`` behind it."""

    name = "proc_reg_file_ops"
    can_pwrite = False

    def open(self, task: Task, inode: Inode, file: File) -> None:
        """Hold the opener's namespace (``sysvipc_proc_open()``)."""
        ns = task.kernel.ipc.namespace(task)
        ns.count += 1
        file.private = SeqFile(ns, inode.i_private, user_ns(task.cred))

    def read_iter(self, task: Task, file: File, to: Destination) -> int:
        """Read records (``seq_read()``)."""
        copied: int = file.private.read(task.kernel, to, file.pos)
        file.pos += copied
        return copied

    def write(self, task: Task, file: File, data: bytes) -> int:
        """Refuse (``proc_reg_write()``)."""
        raise Errno("EIO")

    def poll(self, task: Task, file: File) -> int:
        """Be always ready (``proc_reg_poll()``)."""
        return super().poll(task, file)

    def llseek(self, task: Task, file: File, offset: int, whence: int) -> int:
        """Move the offset (``seq_lseek()``)."""
        seq: SeqFile = file.private
        offset += file.pos if whence == SEEK_CUR else 0
        if whence not in (SEEK_SET, SEEK_CUR) or offset < 0:
            raise Errno("EINVAL")
        if offset != seq.read_pos:
            seq.traverse(task.kernel, offset)
            seq.read_pos = offset
        file.pos = offset
        return offset

    def release(self, task: Task, file: File) -> None:
        """Let go of the namespace (``sysvipc_proc_release()``)."""
        kernel = task.kernel
        kernel.ipc.put_ipc_ns(kernel, file.private.ns)


SYSVIPC_OPS = SysvipcOperations()


@proc_lookup
def sysvipc_inode(task: Task, path: bytes) -> Inode | None:
    """Return the inode of one of the three files, ``None`` for any other path."""
    kind = path[len(PROC_SYSVIPC) :].decode("ascii", "replace") if path.startswith(PROC_SYSVIPC) else ""
    if kind not in HEADERS:
        return None
    kernel = task.kernel
    inodes = kernel.ipc.proc_inodes
    if kind not in inodes:
        inodes[kind] = Inode(
            kernel.serial(), S_IFREG | S_IRUGO, 0, 0, "proc", SYSVIPC_OPS.name, i_private=kind, ops=SYSVIPC_OPS
        )  # fmt: skip
    return inodes[kind]
