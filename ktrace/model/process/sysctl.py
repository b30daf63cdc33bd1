"""Limits below /proc/sys that the agent sets."""

from __future__ import annotations

from ktrace.model.calls import operation
from ktrace.model.kernel import Kernel


@operation("sysctl")
def sysctl(kernel: Kernel, path: str, value: str) -> None:
    """Write *value* to /proc/sys/*path* as root (``fs/proc/proc_sysctl.c: proc_sys_write()``).

    :raises NotImplementedError: no subsystem knows the limit
    """
    known = [subsystem.sysctl(kernel, path, value) for subsystem in kernel.subsystems]
    if not any(known):
        raise NotImplementedError(f"the model knows no limit {path!r}")
