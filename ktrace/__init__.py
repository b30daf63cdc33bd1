"""Boot a Linux guest, run IPC calls in it one by one, and hold what the kernel did against a reference model.

What stands here is the library; docs/python.md shows how to use it. It is loaded when it is first asked for.
"""

from __future__ import annotations

TYPE_CHECKING = False
"""Type checkers know better; ``typing`` takes longer to load than the command line has to say what it is."""

if TYPE_CHECKING:
    from ktrace.errors import (
        GuestDied,
        GuestError,
        GuestGarbage,
        GuestHang,
        GuestPanic,
        HostError,
        InternalError,
        KernelLacks,
        KtraceError,
        ModelError,
        NotModelled,
        UsageError,
    )
    from ktrace.library.actor import Actor
    from ktrace.library.addresses import inet, inet6, netlink, packet, unix
    from ktrace.library.divergence import Divergence
    from ktrace.library.lab import Lab
    from ktrace.library.opening import lab
    from ktrace.library.prepared import Prepared
    from ktrace.library.result import CallFailed, Result, StillBlocked
    from ktrace.state.call import BAD, NULL, Pointer
    from ktrace.state.ref import Ref
    from ktrace.state.world import World
    from ktrace.trace.changes import Change, changes

_PLACES = {
    "ktrace.errors": (
        "GuestDied GuestError GuestGarbage GuestHang GuestPanic HostError InternalError KernelLacks KtraceError "
        "ModelError NotModelled UsageError"
    ),
    "ktrace.library.actor": "Actor",
    "ktrace.library.addresses": "inet inet6 netlink packet unix",
    "ktrace.library.divergence": "Divergence",
    "ktrace.library.lab": "Lab",
    "ktrace.library.opening": "lab",
    "ktrace.library.prepared": "Prepared",
    "ktrace.library.result": "CallFailed Result StillBlocked",
    "ktrace.state.call": "BAD NULL Pointer",
    "ktrace.state.ref": "Ref",
    "ktrace.state.world": "World",
    "ktrace.trace.changes": "Change changes",
}
"""Where each name lives."""

__all__ = [
    "BAD",
    "NULL",
    "Actor",
    "CallFailed",
    "Change",
    "Divergence",
    "GuestDied",
    "GuestError",
    "GuestGarbage",
    "GuestHang",
    "GuestPanic",
    "HostError",
    "InternalError",
    "KernelLacks",
    "KtraceError",
    "Lab",
    "ModelError",
    "NotModelled",
    "Pointer",
    "Prepared",
    "Ref",
    "Result",
    "StillBlocked",
    "UsageError",
    "World",
    "changes",
    "inet",
    "inet6",
    "lab",
    "netlink",
    "packet",
    "unix",
]


def __getattr__(name: str) -> object:
    from importlib import import_module

    for place, names in _PLACES.items():
        if name in names.split():
            value = globals()[name] = getattr(import_module(place), name)
            return value
    raise AttributeError(f"module 'ktrace' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
