"""Check pipes, System V IPC and sockets at once."""

from __future__ import annotations

from ktrace.inspect.corrupt import explained
from ktrace.inspect.invariants.fs.pipe.pipe import validate_pipe
from ktrace.inspect.invariants.ipc.subsystem import validate_ipc
from ktrace.inspect.invariants.net.socket import validate_socket
from ktrace.inspect.invariants.violation import Violation
from ktrace.inspect.kernel import LiveKernel


def validate(kernel: LiveKernel) -> list[Violation]:
    """Return everything about pipes, System V IPC and sockets that contradicts itself.

    :param kernel: at rest
    :raises CorruptStructure: its memory makes no sense
    """
    with explained("the validators"):
        return [*validate_pipe(kernel), *validate_ipc(kernel), *validate_socket(kernel)]
