"""Put the model together from the facts of a kernel."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from ktrace.errors import UsageError
from ktrace.model.fs.pipe.subsystem import Pipes
from ktrace.model.fs.tree import Tree
from ktrace.model.ipc.subsystem import SysvIpc
from ktrace.model.kernel import Kernel
from ktrace.model.mm.subsystem import Memory
from ktrace.model.net.socket import Sockets
from ktrace.model.process.process import Processes
from ktrace.state.changes import Changes
from ktrace.state.config import ConfigFacts
from ktrace.state.fits import misfits
from ktrace.state.fs.inode import TreeFacts
from ktrace.state.fs.pipe.pipe import PipeFacts
from ktrace.state.ipc.namespace import IpcFacts
from ktrace.state.net.facts import SocketFacts
from ktrace.state.process.process import ProcessFacts

ROOMS = (
    "fs",
    "fs.pipe",
    "ipc",
    "mm",
    "net",
    "net.inet",
    "net.inet.raw",
    "net.inet.tcp",
    "net.inet.udp",
    "net.netlink",
    "net.packet",
    "net.unix",
    "process",
)
"""Where rules are; each room's ``RULES`` names the modules that register some when they are imported."""

for _room in ROOMS:
    for _module in importlib.import_module(f"ktrace.model.{_room}").RULES:
        importlib.import_module(f"ktrace.model.{_room}.{_module}")


FACTS: dict[str, type] = {
    "process": ProcessFacts,
    "pipe": PipeFacts,
    "tree": TreeFacts,
    "sysv": IpcFacts,
    "socket": SocketFacts,
    "changes": Changes,
    "config": ConfigFacts,
}
"""What the model is told of a kernel, by subsystem."""


def build_model(facts: Mapping[str, Any], *, just_read: bool = False) -> Kernel:
    """Return the model of a guest in which nothing has happened yet.

    :param facts: what ``inspect`` read of it, by subsystem
    :param just_read: of a guest, not out of a file that may be damaged
    :raises UsageError: they are not the facts of a guest, but of a damaged session
    """
    given = {"process": ProcessFacts(), "changes": Changes(), "config": ConfigFacts(), **facts}
    if not just_read:
        for name, wanted in FACTS.items():
            if not isinstance(given.get(name), wanted):
                raise UsageError(f"the session's facts lack {name!r}", "it is damaged, or of another version of ktrace")
            for misfit in misfits(given[name], name):
                raise UsageError(f"the session's facts are damaged: {misfit}")
    return Kernel(
        processes=Processes(given["process"]),
        pipes=Pipes(facts["pipe"]),
        fs=Tree(facts["tree"]),
        mm=Memory(facts["sysv"].mm),
        ipc=SysvIpc(facts["sysv"]),
        net=Sockets(facts["socket"]),
        changes=given["changes"],
        config=given["config"],
    )
