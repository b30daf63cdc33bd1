"""Keep ordinary tasks from running beside the actors of a guest (``kernel/sched/deadline.c: dl_server_start()``)."""

from __future__ import annotations

from drgn.helpers.linux.percpu import per_cpu

from ktrace.inspect.kernel import LiveKernel
from ktrace.verify.poke import WritableMemory, poke

NEVER = 1 << 50
"""Nanoseconds, of which no session sees the end: 13 days."""


def defer_fair_server(kernel: LiveKernel, memory: WritableMemory) -> None:
    """Put off for ever what since 6.12 gives ordinary tasks 50 ms of each second that real-time tasks take.

    The agent is such a task, and tells by being able to run that all actors are at rest. Where the host lets the guest
    wait, the second is over though its actors hardly ran. Kernels without a server (``struct rq.fair_server``) let
    nobody run beside real-time tasks already (``kernel.sched_rt_runtime_us`` is -1).
    """
    try:
        server = per_cpu(kernel.prog["runqueues"], 0).fair_server
        members = server.dl_period, server.dl_deadline, server.deadline
    except (LookupError, AttributeError):
        return
    # With its deadline moved away a timer that is set already is set anew when it fires (dl_server_timer()).
    for member in members:
        poke(kernel, memory, member, NEVER)
    poke(kernel, memory, server.dl_defer_running, 0)
