"""Run the compiler, make and tar: clean environment, whole log, dead when ktrace is dead."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from ktrace.errors import HostError, KtraceError

TOOLS = ("gcc", "ld", "as", "make", "objcopy")
_LOG_TAIL = 12


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Make an environment in which a build depends on nothing the person happens to have set.

    An outer make's ``MAKEFLAGS``, ``CC``, ``CFLAGS``, ``LC_ALL`` and the like do not pass.
    """
    environment = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
    return {**environment, "LC_ALL": "C", "TZ": "UTC", **(extra or {})}


def require_tool(name: str) -> str:
    """Find a program.

    :raises HostError: if it is not installed
    """
    path = shutil.which(name)
    if path is None:
        raise HostError(f"no {name!r} on this machine", hint="run scripts/setup, or see: ktrace doctor")
    return path


@cache
def tool_version(name: str) -> str:
    """Ask a program for the first line of its ``--version``."""
    argv = [require_tool(name), "--version"]
    answer = subprocess.run(argv, env=clean_environment(), capture_output=True, text=True, timeout=20, check=False)
    if answer.returncode != 0 or not answer.stdout.strip():
        raise HostError(f"{name!r} --version failed: {answer.stderr.strip()!r}")
    return answer.stdout.splitlines()[0]


def tool_versions() -> dict[str, str]:
    """Ask every tool whose version can change a build's bits."""
    return {name: tool_version(name) for name in TOOLS}


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    errors = [line for line in lines if "error:" in line or "Error" in line or "No space left" in line]
    chosen = errors[:4] + lines[-_LOG_TAIL:]
    return "".join(f"\n  {line}" for line in dict.fromkeys(chosen))


def run_tool(
    argv: Sequence[str],
    cwd: Path,
    log: Path,
    *,
    prefix: Sequence[str] = (),
    on_line: Callable[[str], None] | None = None,
    failure: type[KtraceError] = HostError,
) -> None:
    """Run a program to its end, its output into a log.

    The program gets SIGTERM when ktrace dies, however it dies; make passes that on to its children.

    :param argv: program and arguments
    :param cwd: working directory
    :param log: appended to
    :param prefix: a program that runs this one, with its arguments; see :mod:`ktrace.image.workspace`
    :param on_line: called with each line of output
    :param failure: what to raise if the program fails
    :raises HostError: if the program is missing or the disk is full
    """
    require_tool(argv[0])
    # The prefix first: entering a namespace would take the death signal back (kernel/cred.c: commit_creds()).
    command = [*prefix, require_tool("setpriv"), "--pdeathsig", "TERM", "--", *argv]
    with log.open("a") as stream:
        print("+", *argv, file=stream, flush=True)
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        assert process.stdout is not None
        try:
            for line in process.stdout:
                stream.write(line)
                if on_line is not None:
                    on_line(line.rstrip("\n"))
            status = process.wait()
        except BaseException:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            raise
        finally:
            process.stdout.close()
    if status == 0:
        return
    tail = _tail(log)
    if "No space left on device" in tail:
        raise HostError(
            f"disk full while building in {str(cwd)!r}",
            hint="free some space there, or set XDG_CACHE_HOME to a larger file system",
        )
    raise failure(f"{argv[0]} failed with status {status} in {str(cwd)!r}:{tail}")
