"""What the kernel itself has of a pipe, for rules that leave it a choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.state.fs.file import DescriptorTable, File
from ktrace.state.fs.pipe.pipe import Pipe
from ktrace.state.process.process import Process
from ktrace.state.ref import Ref

if TYPE_CHECKING:
    from ktrace.model.fs.pipe.pipe import PipeInode
    from ktrace.model.kernel import Kernel


def observed_pipe(kernel: Kernel, pipe: PipeInode) -> Pipe | None:
    """Return the kernel's own view of a pipe that some actor has open."""
    objects = kernel.advice.world.objects
    for task in kernel.tasks.values():
        for fd, slot in task.files.slots.items():
            if slot.file.private is not pipe:
                continue
            process = objects.get(Ref("process", task.name))
            files = process.files if isinstance(process, Process) else None
            table = objects.get(files) if files is not None else None
            descriptor = table.fds.get(fd) if isinstance(table, DescriptorTable) else None
            file = objects.get(descriptor.file) if descriptor is not None and descriptor.file is not None else None
            found = objects.get(file.target) if isinstance(file, File) else None
            if isinstance(found, Pipe):
                return found
    return None
