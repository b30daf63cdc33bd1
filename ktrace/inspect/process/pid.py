"""Name the actor that a ``struct pid`` stands for (``kernel/pid.c``)."""

from __future__ import annotations

from typing import Any

from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.members import offset_of
from ktrace.inspect.memory import KernelMemory, Place
from ktrace.state.ref import Ref
from ktrace.state.unread import Unread


class Pids:
    """Turn ``struct pid`` pointers into actors.

    :param kernel: where to read
    """

    def __init__(self, kernel: LiveKernel) -> None:
        prog = kernel.prog
        self._nr = offset_of(prog, "struct pid", "numbers") + offset_of(prog, "struct upid", "nr")
        self._seen: Observation | None = None
        self._names: dict[int, str] = {}

    def name(self, observation: Observation, pid: int) -> Any:
        """Return the actor whose ``struct pid`` is at *pid*, ``pid N`` for a stranger, ``None`` for NULL.

        What could not be read is returned as it is.
        """
        if isinstance(pid, Unread):
            return pid
        if not pid:
            return None
        if observation is not self._seen:
            self._seen = observation
            self._names.clear()
        name = self._names.get(pid)
        if name is None:
            number = observation.memory.u32(pid + self._nr)
            self._names[pid] = name = observation.names_by_pid.get(number) or f"pid {number}"
        return name

    def place(self, memory: KernelMemory, pid: int) -> Place:
        """Return where the number of the ``struct pid`` at *pid* is, with its bytes."""
        return memory.place(pid + self._nr, 4)

    def process(self, observation: Observation, pid: int) -> Any:
        """Return a reference to the actor whose ``struct pid`` is at *pid*, ``None`` for NULL."""
        name = self.name(observation, pid)
        return name if name is None or isinstance(name, Unread) else Ref("process", name)
