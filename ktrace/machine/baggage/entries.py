"""Files, directories and links of this machine that are to be in a guest, at the same places."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ktrace.errors import HostError, UsageError
from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.namei import MAXSYMLINKS

OWN = ("/proc", "/sys", "/dev")
"""What every guest has of its own."""
INODE_BYTES = 1024
"""about what an inode of tmpfs takes with its name (``mm/shmem.c: shmem_inode_info``)"""

_KINDS = {stat.S_IFSOCK: "a socket", stat.S_IFBLK: "a device", stat.S_IFCHR: "a device", stat.S_IFIFO: "a FIFO"}


@dataclass(frozen=True)
class Directory:
    """:param mode: permission bits"""

    path: str
    mode: int


@dataclass(frozen=True)
class Link:
    """A symbolic link. target: as it is written in it"""

    path: str
    target: str


@dataclass(frozen=True)
class Regular:
    """A file.

    :param path: in the guest
    :param source: its path here; ``""``: there is none, it is *data*
    :param size: bytes, when it was looked at
    :param mtime_ns: when it was changed last, by which Python knows whether what it compiled is of this source
    """

    path: str
    source: str
    mode: int
    size: int
    mtime_ns: int = 0
    data: bytes = b""


Entry = Directory | Link | Regular


class Baggage:
    """What is to be brought, gathered path by path; nothing is read yet but directories and links.

    :param owner: user and group to whom that belongs which is put somewhere; all else, and without one, is root's
    :ivar skipped: paths that cannot be brought, and why
    """

    def __init__(self, owner: tuple[int, int] | None = None) -> None:
        self._entries: dict[str, Entry] = {}
        self._put: list[str] = []
        self.owner = owner
        self.skipped: list[str] = []

    def __contains__(self, path: str) -> bool:
        return path in self._entries

    def has_directory(self, path: str) -> bool:
        """Tell whether *path* is to be a directory, or something is to lie below it."""
        below = f"{path.rstrip('/')}/"
        return isinstance(self._entries.get(path), Directory) or any(name.startswith(below) for name in self._entries)

    def split(self, directory: str) -> tuple[Baggage, Baggage]:
        """Return what lies below *directory*, and all else."""
        below, rest = Baggage(self.owner), Baggage(self.owner)
        below._put = rest._put = self._put
        for path, entry in self._entries.items():
            (below if path.startswith(f"{directory}/") else rest)._entries[path] = entry
        return below, rest

    @property
    def directories(self) -> list[Directory]:
        """All, those above before those in them."""
        found = (entry for entry in self._entries.values() if isinstance(entry, Directory))
        return sorted(found, key=lambda entry: entry.path)

    @property
    def links(self) -> list[Link]:
        """All symbolic links."""
        return [entry for entry in self._entries.values() if isinstance(entry, Link)]

    @property
    def files(self) -> list[Regular]:
        """All regular files."""
        return [entry for entry in self._entries.values() if isinstance(entry, Regular)]

    @property
    def given_away(self) -> list[str]:
        """The paths of what belongs to *owner*."""
        if self.owner is None:
            return []
        return [path for path in self._entries if any(path == top or path.startswith(f"{top}/") for top in self._put)]

    @property
    def memory(self) -> int:
        """Bytes of the guest's memory that they take: tmpfs has whole pages."""
        pages = sum(-(-file.size // PAGE_SIZE) for file in self.files)
        return pages * PAGE_SIZE + INODE_BYTES * len(self._entries)

    def add(self, path: str) -> str:
        """Take the file at *path* of this machine, with the directories and links that lead there.

        :returns: where it really lies
        :raises OSError: there is none
        :raises UsageError: it is no regular file
        """
        place, status = self._way(path)
        if not stat.S_ISREG(status.st_mode):
            raise _not_brought(path, status)
        self._refuse_own(path, place)
        self._take(place, place, status)
        return place

    def add_tree(
        self, path: str, to: str | None = None, leave_out: Callable[[str], bool] | None = None
    ) -> list[Regular]:
        """Take what is at *path*: a file, or a directory with all that is in it; links stay links.

        The regular file that a link in it leads to comes, too, wherever it lies.

        :param to: where it is to be in the guest; default where it is here
        :param leave_out: told of each path below it, relative; what it says yes to stays here
        :returns: the files of it
        :raises OSError: there is none, or a directory cannot be read
        :raises UsageError: it is neither
        """
        place, status = self._way(path) if to is None else (os.path.realpath(path), os.stat(path))
        target = place if to is None else to
        self._refuse_own(path, target)
        self._put.append(target)
        if to is not None:
            self.add_directories(os.path.dirname(to))
        if stat.S_ISREG(status.st_mode):
            return [self._take(place, target, status)]
        if not stat.S_ISDIR(status.st_mode):
            raise _not_brought(path, status)
        return list(self._walk(place, target, leave_out or (lambda _: False), ""))

    def _walk(self, source: str, target: str, leave_out: Callable[[str], bool], below: str) -> Iterator[Regular]:
        self._entries[target] = Directory(target, stat.S_IMODE(os.stat(source).st_mode))
        with os.scandir(source) as found:
            for item in sorted(found, key=lambda item: item.name):
                relative = below + item.name
                place = os.path.join(target, item.name)
                if leave_out(relative) or place in OWN:
                    continue
                status = item.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    yield from self._walk(item.path, place, leave_out, relative + "/")
                elif stat.S_ISLNK(status.st_mode):
                    self._entries[place] = Link(place, os.readlink(item.path))
                    yield from self._led_to(item.path)
                elif stat.S_ISREG(status.st_mode):
                    yield self._take(item.path, place, status)
                else:
                    self.skipped.append(f"{item.path!r} is {_kind(status.st_mode)}")

    def _led_to(self, link: str) -> Iterator[Regular]:
        try:
            place, status = self._way(link)
        except OSError:
            return  # it leads nowhere here, either
        if stat.S_ISREG(status.st_mode) and place not in self._entries and not _is_own(place):
            yield self._take(place, place, status)

    def add_data(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Have a file with *data* at *path*, where none of this machine is brought."""
        if path not in self._entries:
            self.add_directories(os.path.dirname(path))
            self._entries[path] = Regular(path, "", mode, len(data), data=data)

    def add_link(self, path: str, target: str) -> None:
        """Have a symbolic link at *path*, whatever is there on this machine."""
        self.add_directories(os.path.dirname(path))
        self._entries[path] = Link(path, target)

    def add_directories(self, path: str) -> None:
        """Have the directory *path*, and those above it, as they are here where they are."""
        try:
            status = self._way(path)[1]
        except OSError:
            status = None
        if status is not None and stat.S_ISDIR(status.st_mode):
            return
        while path != "/" and path not in self._entries:
            self._entries[path] = Directory(path, 0o755)
            path = os.path.dirname(path)

    def _take(self, source: str, path: str, status: os.stat_result) -> Regular:
        file = Regular(path, source, stat.S_IMODE(status.st_mode), status.st_size, status.st_mtime_ns)
        self._entries[path] = file
        return file

    def _refuse_own(self, path: str, place: str) -> None:
        if _is_own(place):
            raise UsageError(f"{path!r} is not brought: a guest has a {_top(place)} of its own", "leave it out")

    def _way(self, path: str) -> tuple[str, os.stat_result]:
        """Take directories and links on the way to *path*; return where it leads, and what is there."""
        rest = _parts(path)
        at, status, links = "/", os.stat("/"), 0
        while rest:
            part = rest.pop()
            if part == "..":
                at = os.path.dirname(at)
                status = os.stat(at)
                continue
            at = os.path.join(at, part)
            status = os.lstat(at)
            if stat.S_ISLNK(status.st_mode):
                links += 1
                if links > MAXSYMLINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
                target = os.readlink(at)
                self._entries[at] = Link(at, target)
                rest += _parts(target)
                at = "/" if target.startswith("/") else os.path.dirname(at)
            elif stat.S_ISDIR(status.st_mode):
                self._entries.setdefault(at, Directory(at, stat.S_IMODE(status.st_mode)))
            elif rest:
                raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        return at, status


def cannot_read(path: str, error: OSError) -> HostError:
    """Say that a file of this machine cannot be read, and why."""
    return HostError(f"cannot read {path!r}: {error.strerror}")


def _not_brought(path: str, status: os.stat_result) -> UsageError:
    return UsageError(f"{path!r} is {_kind(status.st_mode)}", "only regular files and directories can be brought")


def _parts(path: str) -> list[str]:
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _top(path: str) -> str:
    return "/" + path.split("/")[1]


def _is_own(path: str) -> bool:
    return _top(path) in OWN and not path.startswith("/dev/shm/")


def _kind(mode: int) -> str:
    return _KINDS.get(stat.S_IFMT(mode), "a directory")
