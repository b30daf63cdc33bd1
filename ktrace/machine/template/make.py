"""The template of an image: booted once, kept in the store, cloned for every session."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic

from ktrace.agent.ops import Wait
from ktrace.errors import GuestFileError
from ktrace.image.store import Store, digest_json, host_errors, open_store, write_json
from ktrace.machine.accel import Accelerator
from ktrace.machine.find_accel import find_accelerator
from ktrace.machine.identity import Bootable
from ktrace.machine.machine import BOOT_SECONDS, Machine
from ktrace.machine.qemu import (
    BOARDS,
    Launch,
    choose_board,
    kernel_command_line,
    qemu_argv,
    qemu_identity,
    qemu_version,
)
from ktrace.machine.spec import GuestSpec
from ktrace.machine.template.template import DamagedTemplate, Template, open_template

PART = "templates"
MANIFEST = "manifest.json"
#: Raised whenever this module starts to make templates differently.
PROCEDURE = 4
CLOCKSOURCE = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
CLOCKEVENT = "/sys/devices/system/clockevents/clockevent0/current_device"
SETTLE_SECONDS = 10.0
GRACE_NS = 100_000_000
#: Boots until the kernel trusts its local timer; on an idle host the first does.
ATTEMPTS = 4


def template_key(image: Bootable, accel: Accelerator, memory_mib: int | None = None) -> str:
    """Digest everything a template depends on: the image's bits, QEMU, its arguments, the kernel's command line.

    The counter's frequency is left out: it is this machine's, and so is the store.
    """
    spec = GuestSpec(
        image.name, image.build_id, choose_board(image.vmlinux).name, accel.name, memory_mib or image.memory_mib
    )
    launch = Launch(spec, ram_fd=0, qmp_fd=0, agent_fd=0, console=Path("console"))
    return digest_json(
        {
            "procedure": PROCEDURE,
            "image": image.key,
            "qemu": qemu_identity(),
            "argv": qemu_argv(launch),
            "append": kernel_command_line(BOARDS[spec.board], None),
        }
    )


def ensure_template(
    image: Bootable,
    *,
    accel: Accelerator | None = None,
    memory_mib: int | None = None,
    store: Store | None = None,
    booting: Callable[[], None] | None = None,
    damaged: Callable[[str], None] | None = None,
    deadline: float = BOOT_SECONDS,
) -> Template:
    """Return the template of *image*, booting it first if there is none.

    Two at once make one; one that is cut off leaves nothing.

    :param accel: default: what :func:`find_accelerator` finds
    :param memory_mib: RAM in MiB; default what the image needs
    :param store: default the user's own
    :param booting: called before a boot, which takes a second or more
    :param damaged: told why one that is there cannot be used; it is made anew
    :param deadline: seconds the boot may take
    :raises HostError: the store cannot be written, no QEMU, no room
    :raises GuestError: the guest does not boot
    """
    store = store or open_store()
    accel = accel or find_accelerator(image, store=store)

    def make(scratch: Path, output: Path) -> None:
        if booting is not None:
            booting()
        for attempt in range(1, ATTEMPTS + 1):
            with Machine.boot(
                image, directory=scratch, accel=accel, memory_mib=memory_mib, deadline=deadline
            ) as machine:
                if _settle(machine) or attempt == ATTEMPTS:
                    machine.checkpoint(output)
                    break
        write_json(output / MANIFEST, {"qemu": qemu_version(), "accel": accel.name, "image": image.key})

    return kept_template(store, template_key(image, accel, memory_mib), make, damaged)


def kept_template(
    store: Store, key: str, make: Callable[[Path, Path], None], damaged: Callable[[str], None] | None = None
) -> Template:
    """Return the template of that *key* in *store*, made by *make* if there is none, or none that is whole.

    :param damaged: told why one that is there cannot be used
    :raises HostError: the store cannot be written
    """
    if not (store.root / PART).is_dir():
        with host_errors("make", store.root / PART):
            (store.root / PART).mkdir(mode=0o700, exist_ok=True)
    directory = store.build(PART, key, make)
    try:
        return open_template(directory)
    except DamagedTemplate as error:
        if damaged is not None:
            damaged(error.why)
    store.remove(PART, key, lambda directory: not _is_whole(directory))
    return open_template(store.build(PART, key, make))


def _is_whole(directory: Path) -> bool:
    with suppress(DamagedTemplate):
        open_template(directory)
        return True
    return False


def _settle(machine: Machine) -> bool:
    """Let the kernel finish what it began at boot, so that no clone has to.

    It changes to its final clock, stopping the machine for that, a second after it found the counter
    (``kernel/time/clocksource.c``); and what is freed waits for the end of an RCU grace period.

    :returns: whether its timers are the CPU's own. It calibrates them with interrupts, and falls back to the slower
        PIT where those came late (``arch/x86/kernel/apic/apic.c: calibrate_APIC_clock()``)
    """
    deadline = monotonic() + SETTLE_SECONDS
    own_timer = True
    with suppress(GuestFileError):  # a kernel without sysfs has nothing to tell
        while machine.agent.read_file(CLOCKSOURCE).strip() == b"tsc-early" and monotonic() < deadline:
            machine.agent.step(Wait(20_000_000))
        own_timer = machine.agent.read_file(CLOCKEVENT).strip() != b"pit"
    machine.agent.step(Wait(GRACE_NS))
    return own_timer
