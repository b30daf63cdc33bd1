"""Put the model together from the facts of a kernel."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

import ktrace.model
from ktrace.model.kernel import Kernel, Subsystem
from ktrace.model.pipe import Pipes
from ktrace.model.process import Processes
from ktrace.model.socket import SocketSubsystem
from ktrace.model.sysv import SysvIpc
from ktrace.model.tree import Tree

for _module in pkgutil.iter_modules(ktrace.model.__path__):
    # Rules register themselves when their module is imported.
    if _module.name != "build":
        importlib.import_module(f"ktrace.model.{_module.name}")


def build_model(facts: Mapping[str, Any]) -> Kernel:
    """Return the model of a guest in which nothing has happened yet.

    :param facts: what ``inspect`` read of it, by subsystem
    """
    subsystems: dict[str, Subsystem] = {
        "process": Processes(),
        "pipe": Pipes(facts["pipe"]),
        "tree": Tree(facts["tree"]),
        "sysv": SysvIpc(facts["sysv"]),
        "socket": SocketSubsystem(facts["socket"]),
    }
    return Kernel(subsystems)
