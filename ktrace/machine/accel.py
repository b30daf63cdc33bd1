"""Accelerators, and what is remembered about them on this machine."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ktrace.errors import HostError


@dataclass(frozen=True)
class Accelerator:
    """How the guest's CPU is run.

    :param name: value of QEMU's ``-accel``: ``"kvm"`` or ``"tcg"``
    :param reason: why this one, in words for a person
    """

    name: str
    reason: str


TCG = Accelerator("tcg", "asked for")
KVM = Accelerator("kvm", "asked for")


def named_accelerator(name: str) -> Accelerator:
    """Return the accelerator that a person asked for.

    :raises HostError: ktrace does not know it
    """
    for accel in (TCG, KVM):
        if accel.name == name:
            return accel
    raise HostError(f"no accelerator {name!r}", "there is: kvm, tcg")


def kvm_obstacle(device: Path = Path("/dev/kvm")) -> str | None:
    """Say why KVM cannot work, as far as a look at its device tells; ``None`` if it might."""
    if not device.exists():
        return f"no {device}"
    if not os.access(device, os.R_OK | os.W_OK):
        return f"no permission to use {device}"
    return None


def machine_fingerprint(qemu: dict[str, Any]) -> str:
    """Describe what a probe's answer depends on: QEMU, processor, host kernel.

    :param qemu: which QEMU
    """
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    system = os.uname()
    device = Path("/dev/kvm")
    number = device.stat().st_rdev if device.exists() else 0
    return json.dumps([qemu, model, system.nodename, system.release, system.version, number], sort_keys=True)


def recall(path: Path, fingerprint: str) -> Accelerator | None:
    """Return what an earlier probe found, ``None`` if this machine was not probed."""
    try:
        known = json.loads(path.read_text())
        found = known[fingerprint]
        return Accelerator(str(found["name"]), str(found["reason"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
