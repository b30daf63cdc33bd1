"""What the model must know of an actor's memory when it is born."""

from __future__ import annotations

from ktrace.state.quick import dataclass


@dataclass(frozen=True, slots=True)
class MmFacts:
    """An actor's address space at birth, and what limits it.

    :param birth: start, end and protection (PROT_READ, PROT_WRITE, PROT_EXEC) of every mapping
    :param special: where the kernel's own mappings begin, which cannot be cut (vvar, vdso)
    :param mmap_base: where top-down mappings begin (``mm_struct.mmap_base``)
    :param task_size: end of user space (``mm_struct.task_size``)
    :param mmap_min_addr: below it only CAP_SYS_RAWIO may map (``dac_mmap_min_addr``)
    :param totalram_pages: pages of RAM and swap; more cannot be promised (``__vm_enough_memory()``)
    :param overcommit_memory: ``sysctl_overcommit_memory``
    :param copied: *birth* leaves out what ``dup_mmap()`` does not copy (MADV_DONTFORK)
    :param swap: CONFIG_SWAP; *hugetlb* CONFIG_HUGETLBFS
    """

    birth: tuple[tuple[int, int, int], ...]
    mmap_base: int
    task_size: int
    mmap_min_addr: int
    totalram_pages: int
    overcommit_memory: int
    special: tuple[int, ...] = ()
    swap: bool = False
    hugetlb: bool = False
    copied: bool = False
