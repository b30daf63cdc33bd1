"""A second serial line of a guest, plugged in while it runs: a terminal of its own, ``/dev/hvc0``.

The first one, ttyS0, is the kernel's console and a file here (:mod:`ktrace.machine.console`). This one is a port of
the virtio-serial device that carries the agent's: a guest that is never asked for a terminal has none, its template
neither. Two FIFOs carry the bytes, because QEMU drops what a console port cannot write at once: a FIFO merges the
guest's pieces of 16 bytes into pages and takes a megabyte of them, a socket is full after some 280 pieces.
"""

from __future__ import annotations

import errno
import os
import struct
from contextlib import ExitStack, suppress
from pathlib import Path
from time import monotonic
from types import TracebackType

from ktrace.agent.client import Agent
from ktrace.agent.ops import Wait
from ktrace.agent.own_actor import OwnActor
from ktrace.agent.syscalls import SIGNATURES, make_call
from ktrace.errors import GuestError, GuestFileError, GuestHang, HostError
from ktrace.machine.machine import Machine
from ktrace.uapi.fcntl import O_NOCTTY, O_NONBLOCK, O_RDWR
from ktrace.uapi.ioctls import TIOCSWINSZ
from ktrace.uapi.stat import S_IFCHR

HVC_MAJOR = 229
"""Of hypervisor consoles (``Documentation/admin-guide/devices.txt``)."""
HVC_CONSOLES = 8
"""``drivers/tty/hvc/hvc_console.h``: HVC_ALLOC_TTY_ADAPTERS"""
PLUG_SECONDS = 10.0
LOOK_NS = 5_000_000
"""guest time between two looks whether the kernel has made the device"""


class Terminal:
    """A line between the guest and this machine, there while the ``with`` lasts.

    The guest must run. What has the line open in the guest is hung up at the end.

    :param place: directory of ours for the FIFOs
    :param name: what tells it from others of the same guest, earlier ones too
    :ivar device: its path in the guest
    :ivar keyboard: the FIFO that the guest reads; *screen*: the one that it writes
    :raises HostError: QEMU refuses
    :raises GuestHang: the guest's kernel makes no device of it
    """

    device: str

    def __init__(self, machine: Machine, place: Path, name: str) -> None:
        self._machine = machine
        self._name = name
        self._base = place / name
        self.keyboard = place / f"{name}.in"
        self.screen = place / f"{name}.out"

    def __enter__(self) -> Terminal:
        with ExitStack() as stack:
            for path in (self.keyboard, self.screen):
                path.unlink(missing_ok=True)  # of one that was killed
                os.mkfifo(path, 0o600)
                stack.callback(path.unlink)
            _make_nodes(self._machine.agent)
            there = _consoles(self._machine.agent)
            command = self._machine.command
            backend = {"type": "pipe", "data": {"device": str(self._base)}}
            command("chardev-add", id=self._name, backend=backend)
            stack.push(self._remove_line)
            command("device_add", driver="virtconsole", id=self._name, chardev=self._name)
            stack.push(self._unplug)
            self.device = self._wait_for_device(there)
            self._owned = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._owned.__exit__(kind, error, traceback)

    def resize(self, rows: int, columns: int) -> None:
        """Tell the guest how large the terminal is; what runs in its foreground gets SIGWINCH.

        ``drivers/tty/tty_io.c: tiocswinsz()``
        """
        size = struct.pack("4H", rows & 0xFFFF, columns & 0xFFFF, 0, 0)
        with OwnActor(self._machine.agent) as actor:
            flags = O_RDWR | O_NOCTTY | O_NONBLOCK
            opened = actor.call(make_call("open", self.device.encode(), flags))
            if opened.errno is None:
                actor.raw(SIGNATURES["ioctl"].nr, opened.value, TIOCSWINSZ, size)

    def _wait_for_device(self, before: frozenset[str]) -> str:
        """Wait for ``drivers/char/virtio_console.c: init_port_console()``."""
        deadline = monotonic() + PLUG_SECONDS
        while monotonic() < deadline:
            if fresh := _consoles(self._machine.agent) - before:
                return min(fresh)
            self._machine.agent.step(Wait(LOOK_NS))
        raise GuestHang(
            f"the guest's kernel made no console of the line within {PLUG_SECONDS:.0f} s",
            "it needs CONFIG_VIRTIO_CONSOLE and CONFIG_HVC_DRIVER",
        )

    def _unplug(self, kind: object, error: BaseException | None, traceback: object) -> None:
        with suppress(*_forgiven(error)):
            self._machine.command("device_del", id=self._name)

    def _remove_line(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Take the line away once QEMU has let go of the device, which it does a little later."""
        with suppress(*_forgiven(error)):
            deadline = monotonic() + PLUG_SECONDS
            while True:
                try:
                    self._machine.command("chardev-remove", id=self._name)
                    return
                except HostError:
                    if monotonic() > deadline:
                        raise
                self._machine.agent.step(Wait(LOOK_NS))


def _forgiven(error: BaseException | None) -> list[type[BaseException]]:
    """Return what a clean-up may raise unheard: after an error that one counts."""
    return [GuestError, HostError] if error is not None else []


def _make_nodes(agent: Agent) -> None:
    """Make the device files, which a kernel without devtmpfs does not make."""
    with OwnActor(agent) as actor:
        for number in range(HVC_CONSOLES):
            path = f"/dev/hvc{number}".encode()
            actor.call(make_call("mknod", path, S_IFCHR | 0o600, HVC_MAJOR << 8 | number))


def _consoles(agent: Agent) -> frozenset[str]:
    """Return the consoles that can be opened."""
    found = set()
    for number in range(HVC_CONSOLES):
        path = f"/dev/hvc{number}"
        try:
            agent.read_file(path, limit=1)
        except GuestFileError as error:
            if error.errno in (errno.ENODEV, errno.ENXIO, errno.ENOENT):
                continue
        found.add(path)
    return frozenset(found)
