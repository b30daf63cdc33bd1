"""What ``ktrace bench`` measures, by name."""

from __future__ import annotations

IN_A_GUEST = (
    "boot-vs-clone",
    "agent-round-trip",
    "checked-vs-unchecked",
    "inspect-vs-drgn",
    "functions-overhead",
    "events-overhead",
    "exec",
    "library",
)
KERNELS = ("boot-images", "run-all-kernels")
"""Of the kernels that are in the store: two builds are compared by these only where they are asked for."""
NAMES = (*IN_A_GUEST, "start-up", "run-pipe-basic", "check-traces", "fuzz", *KERNELS)
