"""Find the accelerator by trying: a guest is started with it, and its agent must answer."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ktrace.errors import GuestError, HostError
from ktrace.image.store import Store, open_store, write_json
from ktrace.machine.accel import KVM, Accelerator, kvm_obstacle, machine_fingerprint, recall
from ktrace.machine.identity import Bootable
from ktrace.machine.machine import Machine
from ktrace.machine.qemu import qemu_identity

#: A guest under KVM answers within a few hundred milliseconds, or never.
PROBE_SECONDS = 5.0
REMEMBERED = "accelerator.json"


def find_accelerator(
    image: Bootable,
    *,
    store: Store | None = None,
    again: bool = False,
    trying: Callable[[], None] | None = None,
    deadline: float = PROBE_SECONDS,
) -> Accelerator:
    """Choose KVM if a guest comes up under it, else TCG; the answer is remembered for this machine.

    That its device opens says nothing: a virtual machine may offer KVM and hang at the first instruction.

    :param image: what to boot
    :param store: where the answer is kept; default the user's own
    :param again: try, whatever is remembered
    :param trying: called before a guest is started, which may take *deadline* seconds
    :returns: with the reason, e.g. ``"KVM does not work here: ..."``
    :raises HostError: no QEMU at all
    """
    obstacle = kvm_obstacle()
    if obstacle is not None:
        return Accelerator("tcg", obstacle)
    store = store or open_store()
    path = store.root / REMEMBERED
    fingerprint = machine_fingerprint(qemu_identity())
    known = None if again else recall(path, fingerprint)
    if known is not None:
        return known
    if trying is not None:
        trying()
    found = _try_kvm(image, deadline)
    with suppress(OSError):  # a store that cannot be written: it is tried anew each time
        write_json(path, {fingerprint: {"name": found.name, "reason": found.reason}})
    return found


def _try_kvm(image: Bootable, deadline: float) -> Accelerator:
    with tempfile.TemporaryDirectory(prefix="ktrace-") as directory:
        try:
            with Machine.boot(image, directory=Path(directory), accel=KVM, deadline=deadline):
                return Accelerator("kvm", "a guest came up under it")
        except (GuestError, HostError) as error:
            return Accelerator("tcg", f"KVM does not work here: {error.message}")
