"""A guest that stands still, to be looked at, here or by other processes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ktrace.inspect.build import build_inspector
from ktrace.inspect.inspector import Inspector
from ktrace.inspect.invariants.all import validate
from ktrace.inspect.invariants.violation import Violation
from ktrace.inspect.ipc.subsystem import SysvReader
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.memory import PhysicalMemory
from ktrace.inspect.net.socket_tables import TablesReader
from ktrace.inspect.process.process import find_task
from ktrace.machine.machine import Machine
from ktrace.machine.registers import read_registers
from ktrace.machine.shell_server import ShellServer
from ktrace.state.naming import Namer
from ktrace.state.net.socket_tables import TABLES
from ktrace.state.ref import Ref
from ktrace.state.world import World
from ktrace.trace.live import FILE_NAME, Live


@dataclass(frozen=True)
class Inspection:
    """A guest opened for looking, while it stands still.

    :param inspector: reads its kernel
    :param namer: gives its objects the names that they have in the session
    """

    inspector: Inspector
    namer: Namer

    def look(self, tables: bool = False) -> World:
        """Return the named World.

        :param tables: with those that socket() looks things up in, which are there even where no actor has a socket
        :raises GuestGarbage: the kernel's memory makes no sense
        """
        world = self.namer.name(self.inspector.observe())
        return World({**world.objects, TABLES: TablesReader(self.inspector.kernel).read()}) if tables else world

    def ipc_addresses(self) -> dict[Ref, int]:
        """Return where every System V object of the last look lies, and every other that the guest had at first."""
        kinds = ("msg", "sem", "shm")
        at_first = {ref: address for address, ref in SysvReader(self.inspector.kernel).init_objects().items()}
        names = self.namer.names().items()
        return at_first | {named: raw.key for raw, named in names if raw.kind in kinds and isinstance(raw.key, int)}

    def validate(self) -> list[Violation]:
        """Check all structures of the guest against themselves.

        :raises GuestGarbage: the kernel's memory makes no sense
        """
        return validate(self.inspector.kernel)


@dataclass(frozen=True)
class PausedGuest:
    """A guest of this process that stands still.

    :param vmcoreinfo: the text of its note
    :param vmlinux: its kernel's debug information
    """

    inspection: Inspection
    machine: Machine
    vmcoreinfo: bytes
    vmlinux: Path


def inspect_memory(
    memory: PhysicalMemory,
    vmlinux: Path,
    vmcoreinfo: bytes,
    living: Mapping[str, int],
    names_by_pid: Mapping[int, str],
) -> Inspection:
    """Open the kernel in *memory*, whose objects have no names yet.

    :param living: pids of the actors that live, by name
    :param names_by_pid: names of all that ever lived, by pid
    """
    kernel = LiveKernel.attach(memory, vmlinux, vmcoreinfo)
    inspector = build_inspector(kernel)
    for name, pid in living.items():
        inspector.add_actor(name, pid, find_task(kernel, pid))
    inspector.names_by_pid.update(names_by_pid)
    return Inspection(inspector, Namer())


@contextmanager
def announced(guest: PausedGuest, title: str) -> Iterator[Path]:
    """Have other processes find the guest meanwhile; yields the directory that names it for them.

    They may look at it, and have a shell in it.
    """
    place = guest.machine.console.path.parent
    everybody = frozenset(guest.inspection.inspector.names_by_pid)
    shells = ShellServer(guest.machine, lambda pids: _live(guest, title, shells.address, pids).write(place))
    try:
        with shells:
            _live(guest, title, shells.address, everybody).write(place)
            yield place
    finally:
        (place / FILE_NAME).unlink(missing_ok=True)  # the last thing: whoever has a shell is told first


def _live(guest: PausedGuest, title: str, console: str, pids: frozenset[int] | None) -> Live:
    """Say where the guest is.

    :param console: address of the socket on which shells are given
    :param pids: that living actors may have; ``None``: the guest goes on, and nobody knows
    """
    machine, inspector = guest.machine, guest.inspection.inspector
    addresses = guest.inspection.namer.addresses
    return Live(
        pid=os.getpid(),
        ram_fd=machine.memory.fd,
        size=machine.memory.size,
        image=machine.spec.image,
        title=title,
        vmlinux=str(guest.vmlinux),
        vmcoreinfo=guest.vmcoreinfo.decode(),
        living={
            name: pid
            for pid, name in inspector.names_by_pid.items()
            if name in inspector.tasks and (pids is None or pid in pids)
        },
        names_by_pid={str(pid): name for pid, name in inspector.names_by_pid.items()},
        addresses={f"{ref.kind}:{ref.key}": address for ref, address in addresses.items()},
        registers={} if pids is None else read_registers(machine),
        console=console,
    )
