"""From a path to an inode: directories, dots, links, mounts (``fs/namei.c``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ktrace.include.linux.fs import MAY_EXEC
from ktrace.include.linux.namei import MAXSYMLINKS
from ktrace.model.fs.inode import Inode
from ktrace.model.fs.opaque import OpaqueInode
from ktrace.model.task import AsObserved, Errno
from ktrace.state.call import Pointer
from ktrace.uapi.fcntl import AT_FDCWD
from ktrace.uapi.limits import NAME_MAX, PATH_MAX
from ktrace.uapi.stat import S_IFDIR, S_IFLNK, S_IFMT

UNTOLD = re.compile(r"/proc/[^/]+(/task/\d+)?/(root|cwd|ns/ipc)|/proc/[^/]+/task/\d+/fd/\d+")
"""Links to what may be simulated, of tasks that are not (``fs/proc/base.c: tgid_base_stuff``, ``tid_base_stuff``)."""

if TYPE_CHECKING:
    from ktrace.model.task import Task


LAST_NORM, LAST_ROOT, LAST_DOT, LAST_DOTDOT = "name", "root", ".", ".."


@dataclass
class Nameidata:
    """Where a walk is (``struct nameidata``).

    :param inode: where it has come to: the directory of the last name, once all others are walked
    :param last: the last name; *last_type* says whether it is one
    :param slash: slashes trail
    :param links: symbolic links followed so far
    :param directory: that has the last name, once that is walked, too
    """

    task: Task
    inode: Inode
    last: str = ""
    last_type: str = LAST_ROOT
    slash: bool = False
    links: int = 0
    directory: Inode | None = None


def is_dir(inode: Inode) -> bool:
    """Tell whether names can be looked up in it (``d_can_lookup()``)."""
    return inode.i_mode & S_IFMT == S_IFDIR


def getname(path: bytes | Pointer, empty: bool = False) -> str:
    """Return a path as the kernel takes it (``getname_flags()``).

    :param empty: an empty one is allowed (AT_EMPTY_PATH)
    :raises Errno: EFAULT, ENOENT, ENAMETOOLONG
    """
    if isinstance(path, Pointer):
        raise Errno("EFAULT")
    path = path.split(b"\0", 1)[0]
    if not path and not empty:
        raise Errno("ENOENT")
    if len(path) >= PATH_MAX:
        raise Errno("ENAMETOOLONG")
    return path.decode("utf-8", "surrogateescape")


def path_init(task: Task, dirfd: int, path: str) -> Nameidata:
    """Return where a walk begins (``path_init()``).

    :raises Errno: EBADF, ENOTDIR
    """
    if path.startswith("/"):
        return Nameidata(task, task.kernel.fs.slash)
    if dirfd == AT_FDCWD:
        return Nameidata(task, task.fs.pwd)
    file = task.files.get(dirfd)
    start = file.inode
    if start is None:
        raise AsObserved("a file without a name") if not path else Errno("ENOTDIR")
    if path and not (start.kind() in (None, "S_IFDIR") if isinstance(start, OpaqueInode) else is_dir(start)):
        raise Errno("ENOTDIR")
    return Nameidata(task, start)


def path_parentat(task: Task, path: bytes | Pointer, dirfd: int = AT_FDCWD) -> Nameidata:
    """Walk to the directory of the last name (``filename_parentat()``)."""
    text = getname(path)
    nd = path_init(task, dirfd, text)
    link_path_walk(nd, text)
    if isinstance(nd.inode, OpaqueInode):
        raise AsObserved(nd.inode.what, only_errors=True)
    return nd


def path_lookupat(
    task: Task,
    path: bytes | Pointer,
    dirfd: int = AT_FDCWD,
    follow: bool = True,
    empty: bool = False,
    changes: bool = False,
    opaque: bool = False,
) -> Inode:
    """Return the inode that *path* leads to (``filename_lookup()``).

    :param follow: follow a link at the end
    :param empty: an empty path is the descriptor itself
    :param changes: the call changes what it finds
    :param opaque: the caller knows what to do with an :class:`OpaqueInode`
    :raises AsObserved: it leads to where names are not simulated
    """
    text = getname(path, empty)
    nd = path_init(task, dirfd, text)
    if text:
        link_path_walk(nd, text)
        finish(nd, follow)
    if isinstance(nd.inode, OpaqueInode) and not opaque:
        raise AsObserved(nd.inode.what, only_errors=changes)
    return nd.inode


def link_path_walk(nd: Nameidata, path: str) -> None:
    """Walk all names but the last one (``link_path_walk()``).

    :raises Errno: ENOTDIR, EACCES, ENOENT, ENAMETOOLONG, ELOOP
    """
    if path.startswith("/"):
        nd.inode = nd.task.kernel.fs.slash
        path = path.lstrip("/")
    nd.last, nd.last_type, nd.slash = "", LAST_ROOT, False
    while path:
        may_lookup(nd)
        name, slash, rest = path.partition("/")
        rest = rest.lstrip("/")
        kind = {".": LAST_DOT, "..": LAST_DOTDOT}.get(name, LAST_NORM)
        if not rest:
            nd.last, nd.last_type, nd.slash = name, kind, bool(slash)
            return
        walk_component(nd, name, kind, follow=True)
        if not is_dir(nd.inode) and not isinstance(nd.inode, OpaqueInode):
            raise Errno("ENOTDIR")
        path = rest


def finish(nd: Nameidata, follow: bool) -> None:
    """Take the last step (``lookup_last()``, ``path_lookupat()``).

    :raises Errno: ENOTDIR where slashes trail what is no directory
    """
    if nd.last_type == LAST_ROOT:
        return
    slash = nd.slash
    walk_component(nd, nd.last, nd.last_type, follow or slash)
    if slash and not is_dir(nd.inode) and not isinstance(nd.inode, OpaqueInode):
        raise Errno("ENOTDIR")


def may_lookup(nd: Nameidata) -> None:
    """Refuse who may not search the directory (``may_lookup()``).

    :raises Errno: EACCES
    """
    if not isinstance(nd.inode, OpaqueInode):
        nd.inode.permission(nd.task, MAY_EXEC)


def walk_component(nd: Nameidata, name: str, kind: str, follow: bool) -> None:
    """Go to one name, through mounts, and where it leads if it is a link (``walk_component()``, ``step_into()``)."""
    if kind == LAST_DOT:
        return
    if kind == LAST_DOTDOT:
        nd.inode = parent(nd.inode)
        return
    found = lookup(nd.task, nd.inode, name)
    if found is None:
        raise Errno("ENOENT")
    step_into(nd, found, follow)


def lookup(task: Task, directory: Inode, name: str) -> Inode | None:
    """Return what a directory has under a name (``inode_operations.lookup``, ``simple_lookup()``).

    :raises Errno: ENAMETOOLONG
    """
    if len(name.encode("utf-8", "surrogateescape")) > NAME_MAX:
        raise Errno("ENAMETOOLONG")
    return directory.lookup(task, name)


def step_into(nd: Nameidata, found: Inode, follow: bool) -> None:
    """Go on to *found*, or to where it leads (``step_into()``, ``pick_link()``).

    :raises Errno: ELOOP after 40 links
    """
    found = topmost(found)
    if follow and isinstance(found, OpaqueInode) and UNTOLD.fullmatch(found.path):
        raise NotImplementedError(f"the model does not know where {found.path} leads")
    target = found.magic_link(nd.task)
    if not follow or (target is None and found.i_mode & S_IFMT != S_IFLNK):
        nd.inode = found
        return
    nd.links += 1
    if nd.links > MAXSYMLINKS:
        raise Errno("ELOOP")
    if target is None and found.link is None:
        raise AsObserved("a long symbolic link")
    found.accessed(nd.task.kernel)  # pick_link(): touch_atime()
    if target is not None:
        nd.inode = topmost(target)  # nd_jump_link()
        return
    link_path_walk(nd, (found.link or b"").decode("utf-8", "surrogateescape"))
    finish(nd, follow=True)


def topmost(inode: Inode) -> Inode:
    """Return the root of what is mounted on *inode*, or itself (``traverse_mounts()``)."""
    while inode.mounted is not None:
        inode = inode.mounted
    return inode


def parent(inode: Inode) -> Inode:
    """Return what ``..`` leads to (``follow_dotdot()``); the root is its own parent."""
    while inode.parent is None and inode.covers is not None:
        inode = inode.covers
    return topmost(inode.parent) if inode.parent is not None else inode


def d_path(inode: Inode) -> str:
    """Return the path of a directory (``d_path()``)."""
    names: list[str] = []
    while True:
        while inode.parent is None and inode.covers is not None:
            inode = inode.covers
        above = inode.parent
        if above is None:
            return "/" + "/".join(reversed(names))
        names.append(above.name_of(inode))
        inode = above
