"""Keep a guest for other commands to look at."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from ktrace.cli.target import Opened
from ktrace.machine.machine import Machine
from ktrace.machine.registers import read_registers
from ktrace.trace.live import FILE_NAME, Live


@dataclass(frozen=True)
class Still:
    """A guest that stands still, to be looked at.

    :param vmcoreinfo: the text of its note
    """

    opened: Opened
    machine: Machine
    vmcoreinfo: bytes


@contextmanager
def announced(still: Still, title: str, vmlinux: Path) -> Iterator[Path]:
    """Have other processes find the guest meanwhile; yields the directory that names it for them."""
    place = still.machine.console.path.parent
    _announce(place, title, still, vmlinux)
    try:
        yield place
    finally:
        (place / FILE_NAME).unlink(missing_ok=True)


def _announce(place: Path, title: str, still: Still, vmlinux: Path) -> None:
    machine, inspector = still.machine, still.opened.inspector
    Live(
        os.getpid(), machine.memory.fd, machine.memory.size, machine.spec.image, title, str(vmlinux),
        still.vmcoreinfo.decode(), {name: pid for pid, name in inspector.actors.items() if name in inspector.tasks},
        {str(pid): name for pid, name in inspector.actors.items()},
        {f"{ref.kind}:{ref.key}": address for ref, address in still.opened.namer.addresses.items()},
        read_registers(machine),
    ).write(place)  # fmt: skip


def hold(machine: Machine) -> None:
    """Keep the guest until the person has seen enough."""
    click.echo(
        "holding the guest; look at it with: ktrace inspect all, ktrace shell. Enter or Ctrl-C ends it", err=True
    )
    try:
        sys.stdin.readline()
    except KeyboardInterrupt:
        click.echo("", err=True)
    machine.check()
