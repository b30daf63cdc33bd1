"""What a file is, and where links lead (``fs/stat.c``, ``fs/d_path.c``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.kdev_t import new_encode_dev
from ktrace.include.linux.types import u64
from ktrace.model.calls import syscall
from ktrace.model.fs.file import File, fdget
from ktrace.model.fs.inode import Inode, Moment
from ktrace.model.fs.opaque import OpaqueInode, OpaqueOperations
from ktrace.model.fs.path_walk import (
    LAST_NORM,
    LAST_ROOT,
    d_path,
    getname,
    is_dir,
    link_path_walk,
    lookup,
    path_init,
    path_lookupat,
    topmost,
)
from ktrace.model.fs.proc import FdLink
from ktrace.model.fs.tree import is_dead
from ktrace.model.mm.address_space import page_align
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.state.allowed import Between, Moves, Stays
from ktrace.state.call import Pointer, Result
from ktrace.state.rule import Rule
from ktrace.uapi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_NO_AUTOMOUNT, AT_STATX_SYNC_TYPE, AT_SYMLINK_NOFOLLOW
from ktrace.uapi.limits import PATH_MAX
from ktrace.uapi.stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.model.observed import Observed

FILLATTR = Rule("fs/stat.c", "generic_fillattr", "numbers, devices, blocks and times of the file system's own")
SHMEM_FAULT = Rule("mm/shmem.c", "shmem_fault", "which holes a program has touched in what it maps")
DNAME = Rule("fs/pipe.c", "pipefs_dname", "the number of the inode")

ANON_INODES = ("[eventpoll]", "[eventfd]", "[timerfd]", "[signalfd]", "inotify", "[pidfd]")
BOGO_DIRENT_SIZE = 20
"""What tmpfs says that a name takes (``mm/shmem.c``)."""

SHORT_SYMLINK_LEN = 128
"""``mm/shmem.c``."""

PROC_BLOCK = 1024
"""``fs/proc/root.c: proc_fill_super()``: s_blocksize."""


@syscall("fstat")
def fstat(task: Task, fd: int) -> Result:
    """Describe an open file (``vfs_fstat()``)."""
    with fdget(task, fd, raw=True) as file:
        return _stat(task, file.inode)


@syscall("stat")
def stat(task: Task, pathname: bytes) -> Result:
    """Describe a file by name (``vfs_statx()``)."""
    return _stat(task, path_lookupat(task, pathname, opaque=True))


@syscall("lstat")
def lstat(task: Task, pathname: bytes) -> Result:
    """Describe a file by name, or a link itself (``vfs_statx()``)."""
    return _stat(task, path_lookupat(task, pathname, follow=False, opaque=True))


@syscall("newfstatat")
def newfstatat(task: Task, dirfd: int, pathname: bytes, flags: int) -> Result:
    """Describe a file below a directory (``vfs_fstatat()``).

    :raises Errno: EINVAL
    """
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE):
        raise Errno("EINVAL")
    follow, empty = not flags & AT_SYMLINK_NOFOLLOW, bool(flags & AT_EMPTY_PATH)
    return _stat(task, path_lookupat(task, pathname, dirfd, follow, empty, opaque=True))


def _stat(task: Task, inode: Inode | None) -> Result:
    """Fill in what the model knows; the rest is any number that stays the same as long as the inode does.

    Numbers, devices, sizes of directories, blocks and times are the file system's own
    (``generic_fillattr()``: ``get_next_ino()``, ``i_blocks``, ``current_time()``).
    """
    kernel = task.kernel
    if task.call is not None and isinstance(task.call.pointers.get("statbuf"), Pointer):
        raise Errno("EFAULT")
    if isinstance(inode, OpaqueInode):
        raise AsObserved(inode.what, held=partial(_held, task, inode))
    nothing: Mapping[str, int] = {}
    answer: dict[str, Any] = dict(
        kernel.choose(FILLATTR, lambda seen: seen.out(task, "statbuf"), lambda found: bool(found), nothing)
    )
    if inode is None:
        return Result(0, None, {"statbuf": answer})
    answer.update(
        st_mode=inode.i_mode, st_nlink=inode.i_nlink, st_uid=inode.i_uid, st_gid=inode.i_gid,
        st_rdev=new_encode_dev(inode.i_rdev), st_blksize=PROC_BLOCK if inode.i_sb == "proc" else PAGE_SIZE,
    )  # fmt: skip
    if inode.i_mode & S_IFMT != S_IFDIR:
        answer["st_size"] = inode.i_size
    elif kernel.fs.is_shmem(inode):
        answer["st_size"] = BOGO_DIRENT_SIZE * (2 + len(inode.entries))
    if (blocks := _blocks(kernel, inode)) is not None:
        answer["st_blocks"] = blocks
    for name, seen in (("st_ino", inode.i_ino.seen), ("st_dev", _encoded(inode.s_dev.seen))):
        if name in answer:
            numbers = kernel.fs.devices_of(inode) if name == "st_dev" else inode.numbers
            answer[name] = numbers.setdefault(name, answer[name] if seen is None else seen)
    for name in ("i_atime", "i_mtime", "i_ctime"):
        _tell_time(answer, f"st_{name[2:]}", getattr(inode, name).at(kernel))
    return Result(0, None, {"statbuf": answer})


def _held(task: Task, inode: OpaqueInode, seen: Result) -> Result:
    """Return an answer that was seen, held to what is known of the inode, and to what lies in memory."""
    found, call = seen.out.get("statbuf"), task.call
    if not isinstance(found, Mapping):
        return seen
    memory = None
    if call is not None and call.name == "fstat":
        fd = call.args[0]
        memory = task.kernel.choose(FILLATTR, lambda seen: seen.opened(task, fd), lambda _: True, None)
    return replace(seen, out={**seen.out, "statbuf": inode.known(task.kernel, found, memory)})


def _blocks(kernel: Kernel, inode: Inode) -> int | Between | None:
    """Return ``i_blocks``: of tmpfs what its pages take (``shmem_recalc_inode()``); ``None``: not known."""
    kind = inode.i_mode & S_IFMT
    if inode.i_sb in ("pipefs", "sockfs", "proc"):
        return 0
    if not kernel.fs.is_shmem(inode):
        return None
    if kind == S_IFLNK:
        # shmem_symlink(): what is longer has a page
        return None if inode.link is None else 0 if len(inode.link) < SHORT_SYMLINK_LEN else PAGE_SIZE // 512
    if kind == S_IFREG and isinstance(inode.ops, OpaqueOperations):
        return None
    blocks = len(inode.i_pages) * (PAGE_SIZE // 512)
    if inode.faulted:
        return Between(SHMEM_FAULT, blocks, max(blocks, page_align(inode.i_size) // 512))
    return blocks


def _tell_time(answer: dict[str, Any], name: str, time: Moment) -> None:
    """Say of a time what is known: what was seen in memory, or what it may be."""
    if name in answer:
        answer[name] = time.seconds
    if isinstance(time.nanoseconds, (int, Stays, Moves)):
        answer[f"{name}_nsec"] = time.nanoseconds


def _encoded(dev: int | None) -> int | None:
    return None if dev is None else new_encode_dev(dev)


@syscall("readlink")
def readlink(task: Task, pathname: bytes, bufsiz: int) -> Result:
    """Read where a link leads (``do_readlinkat()``)."""
    return readlinkat(task, AT_FDCWD, pathname, bufsiz)


@syscall("readlinkat")
def readlinkat(task: Task, dirfd: int, pathname: bytes, bufsiz: int) -> Result:
    """Read where a link below a directory leads (``do_readlinkat()``).

    :raises Errno: EINVAL where it is no link, or there is no room
    """
    if bufsiz <= 0:
        raise Errno("EINVAL")
    text = getname(pathname, empty=True)
    nd = path_init(task, dirfd, text)
    if not text:
        found = nd.inode
        if found is None or found.i_mode & S_IFMT != S_IFLNK:
            raise Errno("ENOENT")
    else:
        link_path_walk(nd, text)
        if nd.last_type == LAST_ROOT or nd.last_type != LAST_NORM or nd.slash:
            found = path_lookupat(task, pathname, dirfd, follow=False)
        else:
            below = lookup(task, nd.inode, nd.last)
            if below is None:
                raise Errno("ENOENT")
            found = topmost(below)
    if isinstance(found, OpaqueInode):
        raise AsObserved(found.what)
    if isinstance(found, FdLink):
        found.magic_link(task)  # it is there
        found.accessed(task.kernel)
        return _behind(task, found, bufsiz)
    if found.magic_link(task) is not None:
        found.accessed(task.kernel)
        return _told(d_path(found.magic_link(task) or found), bufsiz)
    if found.i_mode & S_IFMT != S_IFLNK:
        raise Errno("EINVAL")
    found.accessed(task.kernel)
    if found.link is None:
        raise AsObserved("a long symbolic link")
    return Result(min(len(found.link), bufsiz), None, {"buf": found.link[:bufsiz]})


def _told(path: str, bufsiz: int) -> Result:
    text = path.encode("utf-8", "surrogateescape")
    return Result(min(len(text), bufsiz), None, {"buf": text[:bufsiz]})


def _behind(task: Task, link: FdLink, bufsiz: int) -> Result:
    """Tell what a descriptor opens (``do_proc_readlink()``, ``d_path()``, ``d_dname()``)."""
    file: File = link.owner.files.slots[link.fd].file
    inode = file.inode
    if isinstance(inode, OpaqueInode) or isinstance(file.ops, OpaqueOperations):
        raise AsObserved("a file that was there before")
    if inode is not None and is_dir(inode):
        return _told(d_path(inode) + (" (deleted)" if is_dead(inode) else ""), bufsiz)
    if inode is not None and file.dentry is not None:
        directory, name = file.dentry
        if directory.entries.get(name) is inode:
            return _told(f"{d_path(directory).rstrip('/')}/{name}", bufsiz)
        name = directory.name_of(inode)
        if name:
            return _told(f"{d_path(directory).rstrip('/')}/{name}", bufsiz)
        raise AsObserved("the name of a file that was removed or moved")
    nothing = _names_of(inode, None)[0][:bufsiz].encode("utf-8", "surrogateescape")

    def find(seen: Observed) -> bytes | None:
        text = seen.out(task, "buf")
        return text if isinstance(text, bytes) else None

    def allowed(text: bytes) -> bool:
        said = text.decode("utf-8", "surrogateescape")
        number = re.search(r"\d+", said)
        return any(said == name[:bufsiz] for name in _names_of(inode, number and int(number[0])))

    found: bytes = task.kernel.choose(DNAME, find, allowed, nothing)
    return Result(len(found), None, {"buf": found})


def _names_of(inode: Inode | None, number: int | None) -> tuple[str, ...]:
    """Return what a file without a path may be called: by the number of its inode, where that is known.

    ``fs/pipe.c: pipefs_dname()``, ``net/socket.c: sockfs_dname()``, ``fs/dcache.c: d_tmpfile()``,
    ``fs/anon_inodes.c: anon_inodefs_dname()``, ``mm/memfd.c``.

    :param number: what it is taken to be otherwise
    """
    if inode is None:
        return tuple(f"anon_inode:{name}" for name in ANON_INODES)
    known = inode.i_ino.seen or inode.numbers.get("st_ino") or number or 0
    if inode.i_sb in ("pipefs", "sockfs"):
        return (f"{inode.i_sb.removesuffix('fs').replace('sock', 'socket')}:[{known}]",)
    if inode.root is None:
        raise AsObserved("a file without a path")
    return (f"{d_path(inode.root).rstrip('/')}/#{known} (deleted)",)


@syscall("getcwd")
def getcwd(task: Task, size: int) -> Result:
    """Tell the working directory (``fs/d_path.c``: getcwd); the answer counts the NUL at its end.

    :raises Errno: ENOENT where it was removed, ERANGE, EFAULT
    """
    pwd = task.fs.pwd
    if isinstance(pwd, OpaqueInode):
        raise AsObserved(pwd.what)
    if is_dead(pwd):
        raise Errno("ENOENT")
    text = d_path(pwd).encode("utf-8", "surrogateescape") + b"\0"
    if len(text) > PATH_MAX:
        raise Errno("ENAMETOOLONG")
    if len(text) > u64(size):
        raise Errno("ERANGE")
    if task.call is not None and isinstance(task.call.pointers.get("buf"), Pointer):
        raise NotImplementedError("the model does not know getcwd() to an address of the script's own")
    return Result(len(text), None, {"buf": text})
