"""The image store: directories named by the digest of what they were made from.

Nothing appears under its final name before it is whole. A builder works in a directory below ``tmp``
while it holds the lock of that name; whoever finds such a directory and can take its lock knows that
its builder is dead, and removes it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ktrace.errors import HostError

_PARTS = ("sources", "kernels", "initramfs", "images", "refs", "locks", "tmp")


def digest_bytes(data: bytes) -> str:
    """Hash bytes, as hex digits of SHA-256."""
    return hashlib.sha256(data).hexdigest()


def digest_file(path: Path) -> str:
    """Hash a file, as hex digits of SHA-256."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_json(value: Any) -> str:
    """Hash a JSON value in its canonical form."""
    return digest_bytes(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


@contextmanager
def host_errors(what: str, path: Path) -> Iterator[None]:
    """Turn an ``OSError`` into a :class:`HostError` that names the path.

    :param what: what was attempted, e.g. ``"write"``
    :param path: where, if the error itself names no file
    """
    try:
        yield
    except OSError as error:
        # Of two names, as in a copy, the second is the one that is written.
        where = error.filename2 or error.filename or path
        hint = None
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            hint = "free some space there, or set XDG_CACHE_HOME to a larger file system"
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            hint = "make it writable, or set XDG_CACHE_HOME to a directory that is"
        raise HostError(f"cannot {what} {str(where)!r}: {os.strerror(error.errno or 0)}", hint=hint) from error


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with partial.open("w") as stream:
            json.dump(value, stream, indent=2, sort_keys=True)
            stream.write("\n")
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _sync_tree(directory: Path) -> None:
    """Put a finished directory on the disk before its name says that it is finished."""
    for path in [*directory.rglob("*"), directory]:
        if not path.is_symlink():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


@dataclass(frozen=True)
class Store:
    """The store below one directory.

    :param root: the directory, usually ``~/.cache/ktrace``
    """

    root: Path

    def entry(self, part: str, key: str) -> Path:
        """Name the directory of an entry, whether it exists or not."""
        return self.root / part / key

    @contextmanager
    def locked(self, name: str, waiting: Callable[[str], None] | None = None) -> Iterator[None]:
        """Hold the exclusive lock of that name.

        :param waiting: called once with the holder's process id, if somebody else has it
        """
        path = self.root / "locks" / f"{name}.lock"
        with host_errors("lock", path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if waiting is not None:
                    waiting(os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown")
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            with host_errors("write", path):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep entries that nothing refers to yet from being pruned."""
        path = self.root / "locks" / "prune.lock"
        with host_errors("lock", path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def workplace(self, name: str) -> Iterator[Path]:
        """Make a directory to work in, and remove it afterwards; the lock of that name must be held."""
        self.remove_stale()
        path = self.root / "tmp" / f"{name}@{secrets.token_hex(4)}"
        for leftover in path.parent.glob(f"{name}@*"):
            shutil.rmtree(leftover, ignore_errors=True)
        with host_errors("make", path):
            path.mkdir(mode=0o700)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def remove_stale(self) -> list[Path]:
        """Remove the work of builders that are dead.

        :returns: the directories removed
        """
        removed = []
        for path in sorted((self.root / "tmp").iterdir()):
            lock = self.root / "locks" / f"{path.name.partition('@')[0]}.lock"
            try:
                descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError:
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
                removed.append(path)
            except BlockingIOError:
                continue
            finally:
                os.close(descriptor)
        return removed

    def build(
        self,
        part: str,
        key: str,
        builder: Callable[[Path, Path], None],
        waiting: Callable[[str], None] | None = None,
    ) -> Path:
        """Return the entry of that key, building it first if it is not there.

        :param part: ``"kernels"``, ``"initramfs"`` or ``"images"``
        :param key: digest of everything the entry is made from
        :param builder: called with (scratch directory, output directory), both empty; what it leaves
            in the output directory becomes the entry
        :param waiting: called with a process id when another process builds the same entry
        :raises HostError: if the store cannot be written
        """
        final = self.entry(part, key)
        if final.is_dir():
            return final
        name = f"{part}-{key}"
        with self.locked(name, waiting):
            if final.is_dir():
                return final
            with self.workplace(name) as place:
                scratch, output = place / "build", place / "out"
                with host_errors("build in", place):
                    scratch.mkdir()
                    output.mkdir(mode=0o700)
                    builder(scratch, output)
                    for path in output.iterdir():
                        path.chmod(0o444)
                    _sync_tree(output)
                    output.rename(final)
        return final

    def remove(self, part: str, key: str, unwanted: Callable[[Path], bool] = lambda path: True) -> bool:
        """Remove the entry of that key; whoever has its files open keeps them.

        :param unwanted: asked under the entry's lock: somebody may have built it anew meanwhile
        :returns: whether it was there and unwanted
        :raises HostError: it cannot be removed
        """
        path = self.entry(part, key)
        with self.locked(f"{part}-{key}"):
            if not path.is_dir() or not unwanted(path):
                return False
            self.bury(path)
        return True

    def bury(self, path: Path) -> None:
        """Remove the entry at *path*, renamed first: what is half removed must not look whole.

        :raises HostError: it cannot be removed
        """
        with host_errors("remove", path):
            grave = self.root / "tmp" / f"{path.parent.name}-{path.name}@{secrets.token_hex(4)}"
            path.rename(grave)
            shutil.rmtree(grave)

    def write_ref(self, name: str, value: dict[str, Any]) -> None:
        """Let a name stand for an entry.

        :param value: a JSON object
        """
        path = self.root / "refs" / f"{name}.json"
        with host_errors("write", path):
            write_json(path, value)

    def read_ref(self, name: str) -> dict[str, Any] | None:
        """Read what a name stands for, ``None`` if it stands for nothing."""
        path = self.root / "refs" / f"{name}.json"
        try:
            value = json.loads(path.read_text())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise HostError(f"cannot read {str(path)!r}: {error.strerror}") from error
        except ValueError as error:
            raise HostError(f"{str(path)!r} is damaged: {error}", hint="remove it and build again") from error
        return value if isinstance(value, dict) else None

    def remove_ref(self, name: str) -> None:
        """Let a name stand for nothing."""
        path = self.root / "refs" / f"{name}.json"
        with host_errors("remove", path):
            path.unlink(missing_ok=True)

    def ref_names(self) -> list[str]:
        """List all names."""
        return sorted(path.stem for path in (self.root / "refs").glob("[!.]*.json"))


def open_store(root: Path | None = None) -> Store:
    """Open the store, making its directories, all private to their owner; one that is read-only can be read.

    :param root: where; default ``$XDG_CACHE_HOME/ktrace``, else ``~/.cache/ktrace``
    :raises HostError: if it is not there and cannot be made
    """
    if root is None:
        cache = os.environ.get("XDG_CACHE_HOME", "")
        root = (Path(cache) if cache.startswith("/") else Path.home() / ".cache") / "ktrace"
    with host_errors("make", root):
        for path in (root, *(root / part for part in _PARTS)):
            if not path.is_dir():
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Store(root)


def free_bytes(path: Path) -> int:
    """Tell how many bytes an ordinary user can still write at a path."""
    with host_errors("ask for the free space of", path), suppress(FileNotFoundError):
        return shutil.disk_usage(path).free
    return 0
