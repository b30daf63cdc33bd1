"""Who has something open: the way from an object back to the actors' descriptors."""

from __future__ import annotations

from dataclasses import dataclass

from ktrace.state.fs.file import DescriptorTable, File
from ktrace.state.process.process import Process
from ktrace.state.ref import Ref
from ktrace.state.world import World


@dataclass(frozen=True, slots=True)
class Holder:
    """An actor with a descriptor.

    :param mode: ``r``, ``w`` or ``rw``
    """

    actor: str
    fd: int
    mode: str

    def __str__(self) -> str:
        return f"{self.actor}:{self.fd}"


def holders(world: World, target: Ref) -> list[Holder]:
    """Return who has *target* open, in the order of actors and descriptors."""
    files = {ref: value for ref, value in world.objects.items() if isinstance(value, File) and value.target == target}
    if not files:
        return []
    found = []
    for ref, value in world.objects.items():
        if not isinstance(value, Process) or value.files is None:
            continue
        table = world.objects.get(value.files)
        if not isinstance(table, DescriptorTable):
            continue
        for fd, descriptor in table.fds.items():
            if descriptor.file is not None and descriptor.file in files:
                found.append(Holder(str(ref.key), fd, files[descriptor.file].f_mode))
    return sorted(found, key=lambda holder: (holder.actor, holder.fd))


def listed(found: list[Holder], mode: str = "") -> str:
    """Return the holders whose file can do *mode*, as ``A:3 B:3``; ``nobody`` where there is none."""
    return " ".join(str(holder) for holder in found if mode in holder.mode) or "nobody"
