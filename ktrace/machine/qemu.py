"""The QEMU command line: one literal block, with a reason per flag."""

from __future__ import annotations

import mmap
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ktrace.errors import HostError
from ktrace.machine.process import find_program
from ktrace.machine.spec import GuestSpec

PROGRAM = "qemu-system-x86_64"
AGENT_PORT = "org.ktrace.agent"


@dataclass(frozen=True)
class Board:
    """A machine type and the virtio transport that goes with it.

    :param machine: value of ``-M``, without the memory backend
    :param serial: device that carries virtio-serial ports
    :param append: what the kernel has to be told about it
    """

    name: str
    machine: str
    serial: str
    append: str


#: Measured with lab-6.1 under TCG, load 2 (minima): boot 0.75 s, round trip 66 us, device state 45 KB. It has no
#: PCI to scan, no BIOS to run, and a virtio register is one MMIO access away.
MICROVM = Board(
    name="microvm",
    # acpi=off: the kernel finds its devices on its command line, where QEMU appends them.
    machine="microvm,acpi=off",
    serial="virtio-serial-device",
    # vmcoreinfo for other tools' sake: without ACPI the guest must be told where fw_cfg is.
    append="qemu_fw_cfg.ioport=12@0x510:0:1:4",
)
#: The same: boot 0.85 s, round trip 85 us, state 360 KB. For kernels that someone else built, without virtio-mmio.
PC = Board(
    name="pc",
    machine="pc,usb=off,vmport=off,hpet=off",
    serial="virtio-serial-pci",
    append="",
)
BOARDS = {board.name: board for board in (MICROVM, PC)}


def choose_board(vmlinux: Path) -> Board:
    """Choose by what is linked into the kernel: virtio-mmio devices on the command line, or PCI.

    :param vmlinux: with symbols (``drivers/virtio/virtio_mmio.c: vm_cmdline_set()``)
    """
    with vmlinux.open("rb") as stream, mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ) as data:
        return MICROVM if data.rfind(b"\0vm_cmdline_set\0") >= 0 else PC  # symbols are at the end


@dataclass(frozen=True)
class Payload:
    """What a machine that boots is given; a clone needs none of it, it is all in the template's RAM."""

    kernel: Path
    initramfs: Path
    append: str


@dataclass(frozen=True)
class Launch:
    """Everything one QEMU command line depends on; descriptors are inherited.

    :param spec: what the guest is made of
    :param ram_fd: the memfd that is its RAM
    :param qmp_fd, agent_fd: connected sockets
    :param monitor_fd: listening socket for another program's QMP, or ``None``
    :param payload: what to boot; ``None`` for a clone
    :param state_fd: device state that a clone will be told to load; ``None`` for a boot
    """

    spec: GuestSpec
    ram_fd: int
    qmp_fd: int
    agent_fd: int
    console: Path
    monitor_fd: int | None = None
    payload: Payload | None = None
    state_fd: int | None = None

    @property
    def board(self) -> Board:
        """The machine type."""
        return BOARDS[self.spec.board]

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What QEMU inherits."""
        given = (self.ram_fd, self.qmp_fd, self.agent_fd, self.monitor_fd, self.state_fd)
        return tuple(fd for fd in given if fd is not None)


def kernel_command_line(board: Board, tsc_khz: int | None, extra: str = "") -> str:
    """Compose the kernel's command line.

    :param tsc_khz: frequency of the host's time-stamp counter, ``None`` where unknown
    :param extra: words to add; what comes later wins
    """
    words = [
        "console=ttyS0",
        # Warnings and worse: a WARN() belongs into the session, the boot's 150 lines cost 60 ms and tell nothing.
        "loglevel=5",
        # A panic restarts at once, and -no-reboot makes that the end of QEMU; the console says why.
        "panic=-1",
        # By triple fault: works on any board without probing for a keyboard controller.
        "reboot=t",
        # The same addresses in every boot, as vmlinux has them.
        "nokaslr",
        # Each kind of object has a slab cache of its own name: what is left over can be told (ktrace/fuzz/leaks.py).
        "slab_nomerge",
        # Under TCG the guest often fails to measure the counter; then its clock has steps of 4 ms and ticks for ever.
        *([f"tsc_early_khz={tsc_khz}", "tsc=reliable"] if tsc_khz else []),
        board.append,
        extra,
    ]
    return " ".join(word for word in words if word)


def qemu_argv(launch: Launch) -> list[str]:
    """Return program and arguments of one QEMU.

    :raises HostError: QEMU is not installed
    """
    return [
        find_program(PROGRAM, "qemu-system-x86"),
        # Only what is named here: no default devices, no configuration of this host's.
        "-nodefaults",
        "-no-user-config",
        "-M",
        f"{launch.board.machine},memory-backend=ram",
        "-accel",
        launch.spec.accel,
        # Plain and fixed under TCG: `max` differs between QEMU versions and boots a tenth slower (XSAVE, SMAP).
        # arat: the local timer goes on in an idle CPU, so that the PIT need not be programmed instead.
        "-cpu",
        "host" if launch.spec.accel == "kvm" else "Nehalem-v1,+arat",
        # One CPU: quiescence is decided by priority, see docs/architecture.md.
        "-smp",
        "1",
        "-m",
        f"{launch.spec.memory_mib}M",
        # An anonymous file that ktrace maps, too. Shared, so that what is poked arrives and saved state leaves it out.
        "-object",
        f"memory-backend-file,id=ram,mem-path=/proc/self/fd/{launch.ram_fd},size={launch.spec.memory_mib}M,share=on",
        # No way in or out but the three channels below.
        "-nic",
        "none",
        "-display",
        "none",
        # A guest that restarts has failed: it ends.
        "-no-reboot",
        # Time begins at the same moment in every boot and stands still while the guest does.
        "-rtc",
        "base=2026-01-01T00:00:00,clock=vm",
        # A state saved while the guest stood still continues when it is loaded.
        "-global",
        "migration.store-global-state=off",
        # Say when a state is saved.
        "-global",
        "migration.x-events=on",
        # QMP over an inherited socket: no path, no port, no stranger.
        "-chardev",
        f"socket,id=qmp,fd={launch.qmp_fd}",
        "-mon",
        "chardev=qmp,mode=control",
        # For drgn's set_qemu_qmp, which wants a socket for itself (ktrace bench).
        *(
            []
            if launch.monitor_fd is None
            else [
                "-chardev",
                f"socket,id=monitor,fd={launch.monitor_fd},server=on,wait=off",
                "-mon",
                "chardev=monitor,mode=control",
            ]
        ),
        # The console goes to a file: the guest never waits for a reader. A clone's begins with its template's.
        "-chardev",
        f"file,id=console,path={escape(str(launch.console))},append=on",
        "-serial",
        "chardev:console",
        # The agent's port.
        "-chardev",
        f"socket,id=agent,fd={launch.agent_fd}",
        "-device",
        launch.board.serial,
        "-device",
        f"virtserialport,chardev=agent,name={AGENT_PORT}",
        # The guest tells where its vmcoreinfo is, for other tools' sake (drgn over QMP, dump-guest-memory).
        "-device",
        "vmcoreinfo",
        *(
            # A clone waits for the command that names its state.
            ["-incoming", "defer"]
            if launch.payload is None
            else [
                "-kernel",
                str(launch.payload.kernel),
                "-initrd",
                str(launch.payload.initramfs),
                "-append",
                launch.payload.append,
            ]
        ),
    ]


def escape(value: str) -> str:
    """Quote a value of a QEMU option: a comma would begin the next option."""
    return value.replace(",", ",,")


def qemu_identity() -> dict[str, str | int]:
    """Tell one QEMU from another without running it (20 ms): a state is only loaded by the one that saved it.

    :raises HostError: QEMU is not installed
    """
    program = find_program(PROGRAM, "qemu-system-x86")
    facts = os.stat(program)
    return {"program": program, "size": facts.st_size, "mtime_ns": facts.st_mtime_ns}


def qemu_version() -> str:
    """Return QEMU's version, e.g. ``7.2.22 (Debian 1:7.2+dfsg-7)``.

    :raises HostError: QEMU is not installed, or does not run
    """
    program = find_program(PROGRAM, "qemu-system-x86")
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostError(f"cannot run {program!r}: {error}") from error
    found = re.search(r"version ([^\n]{1,100})", done.stdout)
    if done.returncode or not found:
        raise HostError(f"{program!r} does not tell its version: {done.stderr.strip()[:200]!r}")
    return found.group(1).strip()
