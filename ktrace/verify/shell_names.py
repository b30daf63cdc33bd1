"""What drgn's shell on a guest knows beyond drgn's own names."""

from __future__ import annotations

from typing import Any

import drgn

from ktrace.verify.paused import Inspection


def shell_names(opened: Inspection) -> dict[str, Any]:
    """Return what the shell knows beyond drgn's own names."""
    inspector, namer = opened.inspector, opened.namer
    prog = inspector.kernel.prog

    def task(actor: str) -> drgn.Object:
        """Return an actor's ``struct task_struct *``."""
        return drgn.Object(prog, "struct task_struct *", value=inspector.tasks[actor])

    return {
        "inspector": inspector,
        "kernel": inspector.kernel,
        "memory": inspector.kernel.memory,
        "look": lambda: namer.name(inspector.observe()).objects,
        "task": task,
    }
