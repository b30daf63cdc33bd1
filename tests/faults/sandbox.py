"""Run ktrace as a command where all that it leaves behind can be found."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType

from ktrace.trace.session import sessions_directory
from ktrace.trace.session_reader import SessionReader

LAUNCHER = Path(__file__).parents[2] / "scripts" / "ktrace"
MARK = "KTRACE_FAULT"
OWN = ("sessions", "tmp", "locks")
"""Parts of the store that are not shared with the user's own."""
GONE_SECONDS = 10.0


class Sandbox:
    """A store of its own, whose images are the user's, and a mark on every process that begins in it."""

    def __init__(self, place: Path) -> None:
        self.mark = secrets.token_hex(8)
        self.cache = place / "cache"
        self.store = self.cache / "ktrace"
        self.sessions = self.store / "sessions"
        self._shm = set(os.listdir("/dev/shm"))
        shared = sessions_directory().parent
        for name in OWN:
            (self.store / name).mkdir(parents=True, mode=0o700)
        for part in shared.iterdir():
            if part.name not in OWN:
                (self.store / part.name).symlink_to(part)

    def start(self, *arguments: str, wrapper: Sequence[str] = (), cache: Path | None = None) -> subprocess.Popen[bytes]:
        """Start the command as it is installed."""
        environment = {**os.environ, MARK: self.mark, "XDG_CACHE_HOME": str(cache or self.cache)}
        return subprocess.Popen(
            [*wrapper, sys.executable, "-S", str(LAUNCHER), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def processes(self, name: str = "") -> list[int]:
        """Return the marked processes that live, of program *name* only."""
        found = []
        mark = f"{MARK}={self.mark}".encode()
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and mark in Path(f"/proc/{entry}/environ").read_bytes().split(b"\0"):
                    command = Path(f"/proc/{entry}/comm").read_text().strip()
                    if command.startswith(name):
                        found.append(int(entry))
            except OSError:
                continue  # it ended meanwhile, or is somebody else's
        return found

    def leftovers(self) -> list[str]:
        """Return what is still there of commands that have ended: processes, files in ``/dev/shm``."""
        deadline = monotonic() + GONE_SECONDS
        while (living := self.processes()) and monotonic() < deadline:
            sleep(0.01)
        files = set(os.listdir("/dev/shm")) - self._shm
        return [*(f"process {pid}" for pid in living), *sorted(files)]

    def open_sessions(self, base: Path | None = None) -> int:
        """Read every session from end to end; return how many there are that hold a step.

        :raises UsageError: one cannot be read; a session that never got its first line whole is none yet
        """
        count = 0
        for directory in sorted((base or self.sessions).glob("*")):
            file = directory / "session.jsonl"
            if not file.is_file() or b"\n" not in file.read_bytes():
                continue
            count += bool(list(SessionReader(directory).events()))
        return count

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for pid in self.processes():
            os.kill(pid, 9)
