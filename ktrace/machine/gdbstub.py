"""QEMU's gdb stub over an inherited socket: stop a running guest at an address, look, go on.

Only what a probe needs of the remote protocol is spoken here (gdb's manual, "Remote Protocol").
"""

from __future__ import annotations

import select
import socket
import struct
from contextlib import suppress
from time import monotonic

from ktrace.errors import GuestDied, GuestGarbage, GuestHang, HostError
from ktrace.machine.machine import Machine

PATIENCE = 10.0
"""seconds that the stub may take to answer while the guest stands still"""

REGISTERS = (
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip",
)  # fmt: skip
"""The order of the stub's ``g`` packet (``target/i386/gdbstub.c``)."""


class GdbStub:
    """Hold a guest by its debugger's end; while it is open, the guest stands still or runs as told.

    :param machine: running; it stands still when this returns
    :raises HostError: QEMU does not give a stub
    """

    def __init__(self, machine: Machine) -> None:
        self._check = machine.check
        self._buffer = b""
        ours, its = socket.socketpair()
        self._socket = ours
        try:
            machine.command("getfd", fd=its.fileno(), fdname="gdb")
            backend = {
                "type": "socket",
                "data": {"addr": {"type": "fd", "data": {"str": "gdb"}}, "server": False},
            }
            machine.command("chardev-add", id="gdb", backend=backend)
            said = machine.command("human-monitor-command", **{"command-line": "gdbserver chardev:gdb"})
        except BaseException:
            ours.close()
            raise
        finally:
            its.close()
        if said and "Waiting" not in said:
            ours.close()
            raise HostError(f"QEMU gives no gdb stub: {said.strip()!r}")
        self._ask("?")

    def close(self) -> None:
        """Let the guest go, and run on."""
        with suppress(OSError):
            self._send("D")
        self._socket.close()

    def insert(self, address: int) -> None:
        """Have the guest stop in front of the instruction at *address*.

        :raises HostError: there can be no more breakpoints
        """
        if self._ask(f"Z1,{address:x},1") != "OK":
            raise HostError(f"QEMU takes no breakpoint at {address:#x}", "probe fewer functions at once")

    def remove(self, address: int) -> None:
        """Take a breakpoint back."""
        self._ask(f"z1,{address:x},1")

    def go(self) -> None:
        """Let the guest run; :meth:`stopped` tells when it stands still again."""
        self._send("c")

    def step(self) -> None:
        """Let it do one instruction, without interrupts."""
        self._ask("s")

    def interrupt(self) -> None:
        """Make it stand still wherever it is."""
        self._socket.sendall(b"\x03")

    def halt(self) -> None:
        """Make it stand still, and wait until it does."""
        self.interrupt()
        if self._receive(PATIENCE) is None:
            self._check()
            raise GuestHang("QEMU's gdb stub does not answer")

    def stopped(self, seconds: float) -> bool:
        """Wait until the guest stands still; ``False`` if it still runs after *seconds*."""
        return self._receive(seconds) is not None

    def registers(self) -> dict[str, int]:
        """Return the general registers of the guest that stands still."""
        data = bytes.fromhex(self._ask("g")[: len(REGISTERS) * 16])
        return dict(zip(REGISTERS, struct.unpack(f"<{len(REGISTERS)}Q", data), strict=True))

    def _ask(self, packet: str) -> str:
        self._send(packet)
        answer = self._receive(PATIENCE)
        if answer is None:
            self._check()
            raise GuestHang("QEMU's gdb stub does not answer")
        return answer

    def _send(self, packet: str) -> None:
        data = packet.encode("ascii")
        self._socket.sendall(b"$" + data + b"#%02x" % (sum(data) & 0xFF))

    def _receive(self, seconds: float) -> str | None:
        deadline = monotonic() + seconds
        while True:
            self._buffer = self._buffer.lstrip(b"+")
            start, end = self._buffer.find(b"$"), self._buffer.find(b"#")
            if 0 <= start < end <= len(self._buffer) - 3:
                packet = self._buffer[start + 1 : end]
                self._buffer = self._buffer[end + 3 :]
                self._socket.sendall(b"+")
                return packet.decode("ascii", "replace")
            if len(self._buffer) > 1 << 20:
                raise GuestGarbage("QEMU's gdb stub sends a packet without end")
            if not select.select([self._socket], [], [], max(0.0, deadline - monotonic()))[0]:
                return None
            data = self._socket.recv(65536)
            if not data:
                self._check()
                raise GuestDied("QEMU closed its gdb stub")
            self._buffer += data
