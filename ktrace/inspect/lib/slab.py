"""Which slab cache an object was taken from (``mm/slab.h``)."""

from __future__ import annotations

from drgn import Object

from ktrace.include.asm.page_types import PAGE_SHIFT
from ktrace.inspect.kernel import LiveKernel


def slab_cache(kernel: LiveKernel, address: int) -> Object:
    """Return the ``struct kmem_cache *`` of the object at *address* (``virt_to_cache()``).

    :param address: in the direct map, within an object of a slab: of any other page the answer means nothing
    """
    memory, prog = kernel.memory, kernel.prog
    page, slab = prog.type("struct page"), prog.type("struct slab")
    frame = (address - memory.page_offset) >> PAGE_SHIFT
    array, first_frame = next(
        (array, start) for array, start, count in memory.page_arrays if start <= frame < start + count
    )
    head = array + (frame - first_frame) * page.size
    first = Object.from_bytes_(prog, page, memory.read(head, page.size)).compound_head.value_()
    start = first - 1 if first & 1 else head
    return Object.from_bytes_(prog, slab, memory.read(start, slab.size)).slab_cache
