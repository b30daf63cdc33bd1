"""Address spaces at birth, fork, exec and exit (``kernel/fork.c``, ``fs/exec.c``, ``kernel/exit.c``)."""

from __future__ import annotations

from ktrace.model.mm.address_space import AddressSpace
from ktrace.model.mm.page import ZeroPage
from ktrace.model.subsystem import Subsystem
from ktrace.model.task import Task
from ktrace.state.mm.address_space import MmFacts
from ktrace.uapi.sched import CLONE_VM


class Memory(Subsystem):
    """Give each task its address space.

    :param facts: what a process of the agent has mapped at birth
    :ivar zero_page: the page of zeros that pipes share with holes of files
    """

    def __init__(self, facts: MmFacts) -> None:
        self.facts = facts
        self.zero_page = ZeroPage(-1)

    def born(self) -> AddressSpace:
        """Return the address space of a program that has just begun (``fs/exec.c: exec_mmap()``)."""
        return AddressSpace(self.facts, self.facts.birth)

    def unknown(self) -> AddressSpace:
        """Return the address space of a program of which nobody knows what it has mapped (``exec_mmap()``)."""
        return AddressSpace(self.facts, (), known=False)

    def fork(self, parent: Task, child: Task, flags: int) -> None:
        """Share or copy the parent's (``kernel/fork.c: copy_mm()``)."""
        if flags & CLONE_VM:
            child.mm = parent.mm
            child.mm.users += 1
        else:
            child.mm = parent.mm.forked(parent)

    def exit_mm(self, task: Task) -> None:
        """Unmap what only *task* has mapped (``kernel/exit.c: exit_mm()``)."""
        mm, task.mm = task.mm, AddressSpace(self.facts, ())
        mm.put(task)
        if task.program is not None:
            task.program.release_vfork(task.kernel)  # mm_release()
