"""/proc/PID/uid_map, gid_map and setgroups: giving ids names in a user namespace (``kernel/user_namespace.c``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.fs import FMODE_WRITE
from ktrace.model.fs.file import FileOperations
from ktrace.model.fs.inode import Inode
from ktrace.model.fs.proc import proc_lookup
from ktrace.model.process.user_namespace import (
    INVALID,
    Extent,
    UserNamespace,
    map_id_down,
    map_id_range_down,
    map_id_up,
    ns_capable,
    task_dump_owner,
    user_ns,
)
from ktrace.model.task import Cred, Errno, Task
from ktrace.uapi.fs import SEEK_CUR, SEEK_SET
from ktrace.uapi.stat import S_IFREG

if TYPE_CHECKING:
    from ktrace.model.fs.file import File
    from ktrace.model.mm.iov import Destination

MAX_EXTENTS = 340
_PATH = re.compile(rb"/proc/(self|thread-self|0|[1-9]\d*)/(uid_map|gid_map|setgroups)")
_LINE = re.compile(rb"[ \t\r\v\f]*(\d*)[ \t\r\v\f]+(\d*)[ \t\r\v\f]+(\d*)[ \t\r\v\f]*")


class _Open:
    """What an open file remembers: the namespace that it describes and the credentials of its opener."""

    def __init__(self, ns: UserNamespace, cred: Cred) -> None:
        self.ns, self.cred = ns, cred


class NamespaceFile(FileOperations):
    """What the three have in common: their text is read from any offset, and written at the beginning."""

    can_pwrite = False
    refuses = ("mode",)  # proc_setattr()

    def open(self, task: Task, inode: Inode, file: File) -> None:
        """Note whose namespace it is now (``proc_id_map_open()``)."""
        file.private = _Open(user_ns(inode.i_private.cred), task.cred)

    def text(self, opened: _Open) -> str:
        """Return what reading shows."""
        raise NotImplementedError

    def read_iter(self, task: Task, file: File, to: Destination) -> int:
        """Read (``seq_read()``).

        :raises Errno: EFAULT
        """
        text = self.text(file.private).encode()[file.pos : file.pos + to.count]
        copied = to.copy(text)
        if text and not copied:
            raise Errno("EFAULT")
        file.pos += copied
        return copied

    def llseek(self, task: Task, file: File, offset: int, whence: int) -> int:
        """Move the offset (``seq_lseek()``)."""
        offset += file.pos if whence == SEEK_CUR else 0
        if whence not in (SEEK_SET, SEEK_CUR) or offset < 0:
            raise Errno("EINVAL")
        file.pos = offset
        return offset


class MapFile(NamespaceFile):
    """``proc_uid_map_operations`` and ``proc_gid_map_operations``."""

    def __init__(self, which: str) -> None:
        self.which = which
        self.name = f"proc_{which}_operations"
        self.setid = "CAP_SETUID" if which == "uid_map" else "CAP_SETGID"

    def extents(self, ns: UserNamespace) -> tuple[Extent, ...]:
        """Return the map in question."""
        return ns.uid_map if self.which == "uid_map" else ns.gid_map

    def text(self, opened: _Open) -> str:
        """``uid_m_show()``: lower ids as the opener calls them, or its parent."""
        lower = user_ns(opened.cred)
        if lower is opened.ns and lower.parent is not None:
            lower = lower.parent
        shown = [
            (item.first, map_id_up(self.extents(lower), item.lower), item.count) for item in self.extents(opened.ns)
        ]
        return "".join([f"{first:10d} {below:10d} {count:10d}\n" for first, below, count in shown])

    def write(self, task: Task, file: File, data: bytes) -> int:
        """Set the map, once (``proc_uid_map_write()``, ``map_write()``).

        :raises Errno: EPERM, EINVAL
        """
        opened: _Open = file.private
        ns = opened.ns
        if ns.parent is None or user_ns(opened.cred) not in (ns, ns.parent):
            raise Errno("EPERM")
        if file.pos or len(data) >= PAGE_SIZE:
            raise Errno("EINVAL")
        if self.extents(ns) or not ns_capable(opened.cred, ns, "CAP_SYS_ADMIN"):
            raise Errno("EPERM")
        new = _parse(data)
        if not self._permitted(task, opened, ns.parent, new):
            raise Errno("EPERM")
        parent = self.extents(ns.parent)
        mapped = tuple(
            [Extent(item.first, map_id_range_down(parent, item.lower, item.count), item.count) for item in new]
        )
        if any(item.lower == INVALID for item in mapped):
            raise Errno("EPERM")
        setattr(ns, self.which, mapped)
        file.pos = len(data)
        return len(data)

    def _permitted(self, task: Task, opened: _Open, parent: UserNamespace, new: list[Extent]) -> bool:
        """``new_idmap_permitted()``, ``verify_root_map()``."""
        ns, cred = opened.ns, opened.cred
        uids = self.which == "uid_map"
        setfcap = ns.setfcap if user_ns(cred) is ns else ns_capable(cred, parent, "CAP_SETFCAP")
        if uids and not setfcap and any(item.lower == 0 for item in new):
            return False
        if len(new) == 1 and new[0].count == 1 and ns.owner == cred.euid:
            ident = map_id_down(self.extents(parent), new[0].lower)
            if uids and ident == cred.euid:
                return True
            if not uids and not ns.setgroups_allowed and ident == cred.egid:
                return True
        return ns_capable(task.cred, parent, self.setid) and ns_capable(cred, parent, self.setid)


def _parse(data: bytes) -> list[Extent]:
    """Return the extents that *data* lists, one a line.

    :raises Errno: EINVAL
    """
    found: list[Extent] = []
    text = data.split(b"\0", 1)[0]
    lines = (text[:-1] if text.endswith(b"\n") else text).split(b"\n")
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None:
            raise Errno("EINVAL")
        first, lower, count = (int(part or b"0") & INVALID for part in match.groups())
        if INVALID in (first, lower) or first + count & INVALID <= first or lower + count & INVALID <= lower:
            raise Errno("EINVAL")
        for other in found:
            if first < other.first + other.count and other.first < first + count:
                raise Errno("EINVAL")
            if lower < other.lower + other.count and other.lower < lower + count:
                raise Errno("EINVAL")
        found.append(Extent(first, lower, count))
        if len(found) > MAX_EXTENTS:
            raise Errno("EINVAL")
    return found


class SetgroupsFile(NamespaceFile):
    """``proc_setgroups_operations``."""

    name = "proc_setgroups_operations"

    def open(self, task: Task, inode: Inode, file: File) -> None:
        """Refuse an opener that may not write (``proc_setgroups_open()``: EACCES)."""
        super().open(task, inode, file)
        if file.f_mode & FMODE_WRITE and not ns_capable(task.cred, file.private.ns, "CAP_SYS_ADMIN"):
            raise Errno("EACCES")

    def text(self, opened: _Open) -> str:
        """``proc_setgroups_show()``."""
        return "allow\n" if opened.ns.setgroups_allowed else "deny\n"

    def write(self, task: Task, file: File, data: bytes) -> int:
        """Forbid setgroups, for good (``proc_setgroups_write()``).

        :raises Errno: EINVAL, EPERM
        """
        ns: UserNamespace = file.private.ns
        word = data.split(b"\0", 1)[0].rstrip(b" \t\n\v\f\r")
        if file.pos or len(data) >= 8 or word not in (b"allow", b"deny"):
            raise Errno("EINVAL")
        if (word == b"allow" and not ns.setgroups_allowed) or (word == b"deny" and ns.gid_map):
            raise Errno("EPERM")
        ns.setgroups_allowed = word == b"allow"
        file.pos = len(data)
        return len(data)


FILES: dict[str, NamespaceFile] = {
    "uid_map": MapFile("uid_map"),
    "gid_map": MapFile("gid_map"),
    "setgroups": SetgroupsFile(),
}


@proc_lookup
def userns_inode(task: Task, path: bytes) -> Inode | None:
    """Return the inode of one of a living process's files, ``None`` for any other path (``proc_pid_lookup()``)."""
    kernel = task.kernel
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    target = task if match[1].endswith(b"self") else kernel.find_task(int(match[1]))
    if target is None:
        return None
    name = match[2].decode()
    inodes = target.proc_inodes
    if name not in inodes:
        ops = FILES[name]
        inodes[name] = Inode(kernel.serial(), S_IFREG | 0o644, 0, 0, "proc", ops.name, i_private=target, ops=ops)
    inode = inodes[name]
    inode.i_uid, inode.i_gid = task_dump_owner(target)  # pid_revalidate()
    return inode
