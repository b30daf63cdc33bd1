"""Memory of a process in the guest into which the host writes."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ktrace.agent import ops
from ktrace.agent.client import Agent
from ktrace.agent.own_actor import OwnActor
from ktrace.errors import GuestFileError, GuestGarbage
from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.machine.memory import GuestMemory
from ktrace.uapi.mman import MAP_ANONYMOUS, MAP_LOCKED, MAP_POPULATE, MAP_PRIVATE, PROT_READ, PROT_WRITE

MMAP = 9
PRESENT = 1 << 63
PFN = (1 << 55) - 1
"""``fs/proc/task_mmu.c``: PM_PRESENT, PM_PFRAME_MASK"""
HOLE = 3 << 30
"""bytes of RAM that certainly lie at the same physical addresses as in the file that it is"""


class Window:
    """Memory of *actor*, for it to write from.

    What comes through the agent takes 100 ms a MB under TCG, 4 KiB at a time through QEMU's serial port. Where the
    kernel tells which pages the memory is (``/proc/PID/pagemap``), they are written on the host, where they are mapped.

    :param memory: the guest's RAM; ``None``: it cannot be written
    :param size: bytes
    :raises GuestGarbage: the guest has no such memory left
    """

    def __init__(self, agent: Agent, actor: OwnActor, memory: GuestMemory | None, size: int) -> None:
        self.size = size
        self._agent = agent
        self._actor = actor
        self._memory = memory
        flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_LOCKED
        address = actor.raw(MMAP, 0, size, PROT_READ | PROT_WRITE, flags, -1, 0)
        if -4095 <= address < 0:
            raise GuestGarbage(f"the guest has no {size >> 20} MiB to copy through: errno {-address}")
        self.address = address
        self._pages = self._ask() if memory is not None else ()

    def _ask(self) -> tuple[int, ...]:
        """Return the physical address of each page; none where the kernel does not say, or one is not there."""
        count = self.size // PAGE_SIZE
        try:
            told = self._agent.read_file(f"/proc/{self._actor.pid}/pagemap", self.address // PAGE_SIZE * 8, count * 8)
        except GuestFileError:
            return ()
        if len(told) != count * 8:
            return ()
        entries = struct.unpack(f"<{count}Q", told)
        pages = tuple((entry & PFN) * PAGE_SIZE for entry in entries if entry & PRESENT)
        if len(pages) != count or 0 in pages or self._memory is None:
            return ()
        return pages if max(pages) < min(HOLE, self._memory.size) else ()

    def put(self, data: bytes) -> None:
        """Have *data* at the beginning of it.

        :raises GuestGarbage: it is not there
        """
        if self._pages and self._memory is not None:
            for page, start in zip(self._pages, range(0, len(data), PAGE_SIZE), strict=False):
                self._memory.write(page, data[start : start + PAGE_SIZE])
            if self._ask() == self._pages:
                return  # the kernel has moved none of them meanwhile
            self._pages = ()
        self._agent.batch(list(self._copies(data)))

    def _copies(self, data: bytes) -> Iterator[ops.CopyIn]:
        step = self._agent.hello().max_copy
        for start in range(0, len(data), step):
            yield ops.CopyIn(self._actor.slot, self.address + start, data[start : start + step])
