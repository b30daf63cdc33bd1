"""Read what a process's threads share of signals and job control (``struct signal_struct``)."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from ktrace.include.linux.pid import PIDTYPE_PGID, PIDTYPE_SID
from ktrace.include.linux.sched_signal import SIGNAL_STOP_STOPPED
from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.members import offset_of
from ktrace.inspect.memory import Place
from ktrace.inspect.process.pid import Pids
from ktrace.inspect.process.process import find_task
from ktrace.state.process.process import ProcessFacts
from ktrace.state.ref import Ref
from ktrace.uapi.resource import RLIM_NLIMITS

SIZEOF_RLIM = 16
"""Bytes of a ``struct rlimit``."""


def read_process_facts(kernel: LiveKernel, agent_pid: int) -> ProcessFacts:
    """Return what the model must be told of the agent.

    :param agent_pid: in the initial pid namespace
    :raises GuestGarbage: there is no such process
    """
    groups = offset_of(kernel.prog, "struct signal_struct", "pids")
    task = find_task(kernel, agent_pid)
    signal = kernel.memory.u64(task + offset_of(kernel.prog, "struct task_struct", "signal"))
    nr = offset_of(kernel.prog, "struct pid", "numbers") + offset_of(kernel.prog, "struct upid", "nr")
    pgrp, session = (kernel.memory.u64(signal + groups + 8 * kind) for kind in (PIDTYPE_PGID, PIDTYPE_SID))
    return ProcessFacts(
        agent_pid=agent_pid,
        agent_pgrp=kernel.memory.u32(pgrp + nr),
        agent_session=kernel.memory.u32(session + nr),
        rlim=_read_limits(kernel, signal),
    )


def _read_limits(kernel: LiveKernel, signal: int) -> tuple[tuple[int, int], ...]:
    """Return ``rlim_cur`` and ``rlim_max`` of every limit of the ``signal_struct`` at *signal*."""
    data = kernel.memory.read(
        signal + offset_of(kernel.prog, "struct signal_struct", "rlim"), RLIM_NLIMITS * SIZEOF_RLIM
    )
    return tuple(struct.iter_unpack("<QQ", data))


class SignalReader:
    """Tell who is stopped, and whose process group and session an actor is in."""

    def __init__(self, kernel: LiveKernel) -> None:
        prog = kernel.prog
        self._pids = Pids(kernel)
        self._signal = offset_of(prog, "struct task_struct", "signal")
        self._shared = layout_of(prog, "struct signal_struct", "flags")
        self._groups = offset_of(prog, "struct signal_struct", "pids") + 8 * PIDTYPE_PGID
        self._init = prog["init_struct_pid"].address_of_().value_()

    def begin(self, observation: Observation) -> bool:
        """Tell that what is shown depends on places and actors' names alone."""
        del observation
        return True

    def process_fields(self, observation: Observation, task: int) -> tuple[Mapping[str, Any], Sequence[Place]]:
        """Return what the World shows of ``task_struct.signal`` of the task at *task*, and the places it depends on."""
        memory = observation.memory
        pointer = memory.place(task + self._signal, 8)
        signal = int.from_bytes(pointer[1], "little")
        shared, groups = self._shared.place(memory, signal), memory.place(signal + self._groups, 16)
        pgrp, session = (int.from_bytes(groups[1][at : at + 8], "little") for at in (0, 8))
        members = {
            "stopped": bool(self._shared.unpack_span(shared[1], 0).flags & SIGNAL_STOP_STOPPED),
            "pgrp": self._leader(observation, pgrp),
            "session": self._leader(observation, session),
        }
        numbers = [self._pids.place(memory, pid) for pid in {pgrp, session} if pid]
        return members, (groups, shared, pointer, *numbers)

    def _leader(self, observation: Observation, pid: int) -> Ref | None:
        """Return the actor whose ``struct pid`` is at *pid*; ``None`` for one of nobody's, and for a stranger."""
        if pid in (0, self._init):
            return None
        name = self._pids.name(observation, pid)
        return None if name is None or name.startswith("pid ") else Ref("process", name)
