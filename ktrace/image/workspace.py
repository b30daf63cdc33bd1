"""Where a kernel is built: in memory that vanishes with the build, or on disk where that cannot be had.

A build writes 50,000 small files and throws them away. On some file systems that takes longer than
compiling a quarter of them, so it is done on a tmpfs in a mount namespace of its own: when the last process of
the build is gone, however it went, the memory is free again. Nothing appears in ``/dev/shm`` or ``/tmp``.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ktrace.image.toolchain import clean_environment, require_tool

#: Bytes a tree and its objects may take in memory, and what must be left for everybody else.
SIZE = 2_500_000_000
SPARE = 2_000_000_000
_MOUNT = 'mount -t tmpfs -o size=$1,mode=700 ktrace "$2" && echo ready && exec cat >/dev/null'


@dataclass(frozen=True)
class Workspace:
    """A directory to build in.

    :param path: its name for the programs that are started through ``prefix``
    :param prefix: argv in front of every program's own, to run it where the directory can be seen
    :param outside: the same directory's name for this process
    """

    path: Path
    prefix: tuple[str, ...]
    outside: Path

    @property
    def in_memory(self) -> bool:
        """Tell whether what is written there needs no disk."""
        return bool(self.prefix)


def available_memory() -> int:
    """Tell how many bytes of memory can be had without swapping (``/proc/meminfo``: MemAvailable)."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        key, _, rest = line.partition(":")
        if key == "MemAvailable":
            return int(rest.split()[0]) * 1024
    return 0


@contextmanager
def open_workspace(directory: Path) -> Iterator[Workspace]:
    """Make a workspace at a directory: a private tmpfs if memory and permissions allow, else the directory.

    :param directory: an existing empty directory
    """
    on_disk = Workspace(directory, (), directory)
    if available_memory() < SIZE + SPARE:
        yield on_disk
        return
    # Its standard input is our pipe: it ends when we do.
    unshare = [require_tool("unshare"), "--mount", "--propagation", "private"]
    if os.geteuid() != 0:
        unshare += ["--user", "--map-root-user"]
    holder = subprocess.Popen(
        [*unshare, "--", "sh", "-c", _MOUNT, "sh", str(SIZE), str(directory)],
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        # End of file where namespaces or mounts are not allowed.
        if holder.stdout.readline() != b"ready\n":
            yield on_disk
            return
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        prefix = ("nsenter", f"--target={holder.pid}", *user, "--mount", "--", "env", f"--chdir={directory}")
        outside = Path(f"/proc/{holder.pid}/root{directory}")
        yield Workspace(directory, prefix, outside)
    finally:
        holder.stdin.close()
        holder.stdout.close()
        holder.wait()
