"""One QEMU process that cannot outlive its owner."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from ktrace.errors import HostError
from ktrace.machine.starter import start
from ktrace.uapi.signal import signal_name

#: The kernel kills QEMU when the thread that started it ends (PR_SET_PDEATHSIG, prctl(2)), even by SIGKILL: one that
#: ends with the process (ktrace/machine/starter.py). Not done in a preexec_fn: that would have to fork this whole
#: process instead of vfork it. The shell looks whether the owner died before setpriv could ask; both take 2 ms.
LIFELINE = ("--pdeathsig", "KILL", "/bin/sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"')


def find_program(name: str, package: str) -> str:
    """Return the path of a program.

    :raises HostError: it is not installed
    """
    path = shutil.which(name)
    if path is None:
        raise HostError(f"no {name!r} on this machine", f"install it as root with: apt-get install {package}")
    return path


_TOLD_TO_END = re.compile(r"terminating on signal (\d+)(?: from pid (\d+) \(([^)\n]*)\))?")
"""What QEMU prints when a signal has it end, with the exit status 0 (``softmmu/runstate.c: qemu_kill_report()``)."""


class QemuProcess:
    """A running QEMU; ended by :meth:`close`, or when this process ends.

    :param argv: program and arguments
    :param pass_fds: descriptors that it inherits under the same numbers
    :param log: file that gets what it prints
    :raises HostError: it cannot be started
    """

    def __init__(self, argv: Sequence[str], *, pass_fds: Sequence[int], log: Path) -> None:
        setpriv = find_program("setpriv", "util-linux")
        self._log = log
        try:
            with open(log, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as output:
                self._child = start(
                    [setpriv, *LIFELINE, str(os.getpid()), *argv],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    pass_fds=pass_fds,
                    start_new_session=True,  # Ctrl-C at the terminal is ours to answer
                )
        except OSError as error:
            raise HostError(f"cannot start {argv[0]!r}: {error.strerror}") from error
        self.pid = self._child.pid
        self._pidfd = os.pidfd_open(self.pid)

    def ended(self, seconds: float = 0.0) -> bool:
        """Tell whether it has ended, waiting for that at most *seconds*."""
        if self._child.returncode is not None:
            return True
        deadline = monotonic() + seconds
        poller = select.poll()
        poller.register(self._pidfd, select.POLLIN)
        poller.poll(max(0.0, deadline - monotonic()) * 1000)
        return self._child.poll() is not None

    @property
    def fate(self) -> str:
        """How it ended, in words."""
        code = self._child.returncode
        if code is None:
            return "still runs"
        if code < 0:
            return f"was ended by {signal_name(-code)}"
        if (told := _TOLD_TO_END.search(self.said)) is not None:
            number, pid, program = told.groups()
            sender = f" from process {pid}{f' ({program})' if program else ''}" if pid else ""
            return f"was ended by {signal_name(int(number))}{sender}"
        return f"exited with status {code}"

    @property
    def failed(self) -> bool:
        """Tell whether it has ended with an exit status of its own that means failure."""
        return self._child.returncode is not None and self._child.returncode > 0

    @property
    def exited_well(self) -> bool:
        """Tell whether it has ended of its own accord, as it does when the guest restarts."""
        return self._child.returncode == 0 and not self.told_to_end

    @property
    def told_to_end(self) -> bool:
        """Tell whether a signal had it end in an orderly way."""
        return _TOLD_TO_END.search(self.said) is not None

    @property
    def said(self) -> str:
        """The last of what it printed."""
        text = self._log.read_bytes()[-4000:].decode("utf-8", "replace") if self._log.is_file() else ""
        return text.strip()

    def close(self) -> None:
        """Kill it and wait until it is gone; harmless when it is gone already."""
        self._child.kill()
        self._child.wait()
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
