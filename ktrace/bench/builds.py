"""A build of ktrace, asked by its command line alone: nothing inside it need be called as it is called here."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ktrace.errors import GuestError, HostError, KtraceError, UsageError
from ktrace.image.store import host_errors, open_store
from ktrace.machine.process import LIFELINE, find_program

DEADLINE = 900.0
"""Seconds that one command may take: the longest fills a guest with 900 objects on a busy machine."""
IMAGE_DEADLINE = 3600.0
_LINKED_PARTS = ("templates",)
"""Parts that the store makes when they are first needed; two builds share them like the others."""


@dataclass(frozen=True)
class Answer:
    """How a command ended.

    :param code: its exit code; minus a signal's number if that ended it
    """

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Build:
    """A build that can be started.

    :param name: what to call it
    :param root: the directory that holds its package ``ktrace``
    :param environment: what its processes get
    :param scratch: where they run; removed afterwards
    """

    name: str
    root: Path
    environment: Mapping[str, str]
    scratch: Path

    def command(self, *arguments: str) -> list[str]:
        """Return the command that starts this build with *arguments*."""
        return [sys.executable, "-m", "ktrace", *arguments]

    def answer(self, *arguments: str, accept: tuple[int, ...] = (0,), deadline: float = DEADLINE) -> Answer:
        """Start it with *arguments* and wait for its end.

        :param accept: exit codes that are no failure
        :param deadline: seconds
        :raises UsageError, GuestError, HostError: it failed; as it says itself whose fault that was
        """
        what = f"{self.name}: ktrace {' '.join(arguments)}"
        answer = finished(self.command(*arguments), self.environment, self.scratch, what, deadline)
        if answer.code not in accept:
            raise failure(what, answer)
        return answer

    def recorded(self) -> list[Path]:
        """Return the recorded traces that lie beside its package."""
        return sorted((self.root / "traces" / "recorded").rglob("*.jsonl.gz"))

    def benches(self) -> frozenset[str]:
        """Return the names that its ``bench --only`` takes.

        :raises UsageError: it has no such command
        """
        text = self.answer("bench", "--help").out
        found = re.search(r"--only\s+\[([^\]]*)\]", text)
        if found is None:
            raise UsageError(f"{self.name}: ktrace bench --help does not say what --only takes")
        return frozenset("".join(found[1].split()).split("|"))


def finished(
    command: list[str], environment: Mapping[str, str], directory: Path | None, what: str, deadline: float
) -> Answer:
    """Run *command* in a process group of its own, and leave none of it behind, even if this process is killed.

    :param what: what to call it in an error
    :param deadline: seconds
    :raises HostError: it did not end in time
    """
    setpriv = find_program("setpriv", "util-linux")
    process = subprocess.Popen(
        [setpriv, *LIFELINE, str(os.getpid()), *command],
        env=dict(environment),
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=deadline)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise HostError(f"{what} did not end within {deadline:g} s") from None
        raise
    return Answer(process.returncode, out, err)


def failure(what: str, answer: Answer) -> KtraceError:
    """Return the error that says in one line what a command that failed said itself."""
    lines = [line.strip() for line in (answer.err or answer.out).splitlines() if line.strip()]
    own = [line for line in lines if line.startswith(("ktrace", "Error:"))]
    said = (own or lines or ["no message"])[-1]
    message = f"{what} failed with exit code {answer.code}: {said}"
    if answer.code == HostError.exit_code:
        return HostError(message)
    if answer.code == GuestError.exit_code:
        return GuestError(message)
    return UsageError(message)


@contextmanager
def this_build() -> Iterator[Build]:
    """Yield the build that is running, with the user's own store."""
    with _ended_in_order(), TemporaryDirectory(prefix="ktrace-bench-", ignore_cleanup_errors=True) as scratch:
        yield _build("this build", _own_root(), Path(scratch), Path(scratch, "bytecode"))


@contextmanager
def two_builds(other: Path) -> Iterator[tuple[Build, Build]]:
    """Yield the build that is running and the one in *other*, each with names of images of its own.

    They share what the store holds, since that is named by its content. But a name stands for what one build last
    made under it: with another agent in its checkout, one of the two would find that image out of date.

    :param other: a directory that holds a package ``ktrace``
    :raises UsageError: it does not, or what it holds does not start
    """
    root = other.resolve()
    for module in ("__init__.py", "__main__.py"):
        if not (root / "ktrace" / module).is_file():
            raise UsageError(f"{str(other)!r} is no build: it has no ktrace/{module}", "give a checkout's directory")
    with _ended_in_order(), TemporaryDirectory(prefix="ktrace-bench-", ignore_cleanup_errors=True) as scratch:
        builds: list[Build] = []
        for name, place in (("this build", _own_root()), (str(other), root)):
            own = Path(scratch, str(len(builds)))
            own.mkdir()
            build = _build(name, place, own, Path(scratch, "bytecode"), _names_of_its_own(own))
            build.answer("--version")
            builds.append(build)
        yield builds[0], builds[1]


def make_image(build: Build, name: str) -> None:
    """Have *build* make the image *name* for itself, which is there already where its inputs are the same.

    :raises HostError: it cannot
    """
    # An imported image has no recipe (exit code 2): what the name stands for in the user's store has to do.
    build.answer("image", "build", name, accept=(0, UsageError.exit_code), deadline=IMAGE_DEADLINE)


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Have SIGTERM end what runs here as Ctrl-C does: with what it started, and without files left behind."""

    def end(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _own_root() -> Path:
    return Path(__file__).resolve().parents[2]


def _build(name: str, root: Path, scratch: Path, bytecode: Path, cache: Path | None = None) -> Build:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    # Bytecode is written, as for a person, yet not into a checkout that is not ours. The current directory is not
    # looked into for modules: PYTHONPATH alone says which build runs.
    environment |= {"PYTHONPATH": str(root), "PYTHONSAFEPATH": "1", "PYTHONPYCACHEPREFIX": str(bytecode)}
    # What a build that had to be killed leaves behind goes with the rest.
    environment["TMPDIR"] = str(scratch)
    if cache is not None:
        environment["XDG_CACHE_HOME"] = str(cache)
    return Build(name, root, environment, scratch)


def _names_of_its_own(scratch: Path) -> Path:
    """Make a cache directory whose store is the user's, except for what names stand for and for sessions."""
    store = open_store()
    cache = scratch / "cache"
    view = cache / "ktrace"
    with host_errors("make", view):
        view.mkdir(parents=True)
        for part in _LINKED_PARTS:
            (store.root / part).mkdir(mode=0o700, exist_ok=True)
        for path in store.root.iterdir():
            if path.name not in ("refs", "sessions"):
                (view / path.name).symlink_to(path)
        (view / "refs").mkdir(mode=0o700)
        for name in store.ref_names():
            (view / "refs" / f"{name}.json").write_bytes((store.root / "refs" / f"{name}.json").read_bytes())
    return cache
