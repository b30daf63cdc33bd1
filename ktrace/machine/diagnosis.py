"""Find out whether a guest still runs, and why it does not."""

from __future__ import annotations

import select
import socket
from typing import TypeVar

from ktrace.errors import GuestDied, GuestError, GuestHang, GuestPanic, HostError, KtraceError
from ktrace.machine.console import Console
from ktrace.machine.process import QemuProcess
from ktrace.machine.room import told_of_memory
from ktrace.machine.spec import GuestSpec

LAST_BREATH = 5.0
"""seconds between QEMU closing its sockets and its end"""

_Error = TypeVar("_Error", bound=BaseException)


class Diagnosis:
    """Ask QEMU's process, the agent's port and the console.

    :param port: QEMU's end of the agent's connection, a descriptor of our own: it tells that QEMU is gone before its
        process can be waited for
    :param spec: what the guest is made of
    :param cloned: the guest was made from a template
    :ivar heard: the agent has answered: the guest came up
    """

    def __init__(
        self, process: QemuProcess, console: Console, port: socket.socket, spec: GuestSpec, cloned: bool
    ) -> None:
        self._process = process
        self._console = console
        self._port = port
        self._spec = spec
        self._cloned = cloned
        self.heard = False

    def check(self) -> None:
        """Look whether the guest still runs.

        :raises GuestPanic, GuestDied, HostError: it does not
        """
        if self._process.ended() or self._hung_up():
            raise self.death()

    def death(self) -> KtraceError:
        """Return why the guest no longer runs."""
        if not self._process.ended(LAST_BREATH):
            return self.explain(GuestDied("QEMU closed the agent's port"))
        if (panic := self._panic()) is not None:
            return self.explain(panic)
        said = f": {self._process.said}" if self._process.said else ""
        if self._process.failed and not self.heard:
            return HostError(
                f"QEMU cannot start this guest, it {self._process.fate}{said}",
                "if it worked before, remove the template" if self._cloned else None,
            )
        if self._process.exited_well:
            return self.explain(GuestDied("the guest switched itself off or restarted"))
        ended = self._process.told_to_end
        return self.explain(GuestDied(f"QEMU {self._process.fate}{'' if ended else said}"))

    def explain(self, error: _Error) -> _Error:
        """Give an error of the guest the end of its console."""
        if isinstance(error, GuestError) and not error.console:
            error.console = self._console.tail()
        return error

    def of_silence(self, error: BaseException) -> BaseException:
        """Return why the agent did not come up: a kernel that panicked or had no memory, or *error* itself."""
        if isinstance(error, GuestHang) and (panic := self._panic()) is not None:
            error = panic.with_traceback(error.__traceback__)
        if isinstance(error, GuestError) and not self.heard and not self._cloned:
            error = told_of_memory(error, self._console, self._spec.memory_mib).with_traceback(error.__traceback__)
        return self.explain(error)

    def _panic(self) -> GuestPanic | None:
        why = self._console.find_panic()
        return None if why is None else GuestPanic(f"the guest's kernel panicked: {why}")

    def _hung_up(self) -> bool:
        poller = select.poll()
        poller.register(self._port, select.POLLHUP)
        return bool(poller.poll(0))
