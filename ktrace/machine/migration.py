"""Devices' state, saved and loaded by QEMU's migration; RAM stays out of it, it is shared."""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic

from ktrace.errors import HostError
from ktrace.machine.qmp import Qmp

SAVE_SECONDS = 20.0


def leave_ram_out(qmp: Qmp) -> None:
    """Leave shared RAM out of what is saved or loaded; not waited for."""
    qmp.post("migrate-set-capabilities", capabilities=[{"capability": "x-ignore-shared", "state": True}])


def load_state(qmp: Qmp, descriptor: int, paused: bool = False) -> None:
    """Have a QEMU that waits for a state load it and go on, without waiting for that.

    :param descriptor: number in QEMU
    :param paused: not go on, but stand still; that is waited for
    :raises HostError: QEMU cannot load it
    :raises QmpClosed: QEMU is ending
    """
    if paused:
        qmp.post("stop")
    qmp.post("migrate-incoming", uri=f"fd:{descriptor}")
    if paused:
        _wait(qmp, "load the guest's state", "its checkpoint may be damaged")


def save_state(qmp: Qmp, path: Path) -> bytes:
    """Save the devices of a guest that stands still (5 ms, 45 KB), and return what was saved.

    QEMU does it once; only when the guest has gone on it does it again.

    :raises HostError: QEMU refuses, or cannot write
    :raises QmpClosed: QEMU is ending
    :raises OSError: the file cannot be made
    """
    leave_ram_out(qmp)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        qmp.command("getfd", fd=descriptor, fdname="state")
    finally:
        os.close(descriptor)
    qmp.forget_events()
    qmp.command("migrate", uri="fd:state")
    try:
        _wait(qmp, "save the guest", f"is there room for {str(path)!r}?")
    finally:
        _finish(qmp)
    return path.read_bytes()


def _finish(qmp: Qmp) -> None:
    """Wait until QEMU takes commands for the guest again: it tells the end of a migration before it is through with it.

    Until then it refuses ``cont``: "Migration is not finalized yet" (QEMU's ``migration/migration.c:
    migration_iteration_finish()``). No event tells of it.
    """
    deadline = monotonic() + SAVE_SECONDS
    while qmp.command("query-status")["status"] == "finish-migrate":
        if monotonic() > deadline:
            raise HostError("QEMU does not finish saving the guest", "is this machine overloaded?")


def _wait(qmp: Qmp, what: str, hint: str) -> None:
    deadline = monotonic() + SAVE_SECONDS
    while (status := qmp.wait_event("MIGRATION", deadline).get("status")) != "completed":
        if status in ("failed", "cancelled"):
            raise HostError(f"QEMU cannot {what}: {status}", hint)
