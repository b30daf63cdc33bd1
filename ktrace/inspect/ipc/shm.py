"""Read shared memory segments, their pages and their mappings (``ipc/shm.c``)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import drgn
from drgn.helpers.linux.pid import for_each_task

from ktrace.errors import GuestGarbage
from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.mm import VM_DONTCOPY, VM_EXEC, VM_NORESERVE, VM_READ, VM_WRITE
from ktrace.include.linux.shmem_fs import SHMEM_F_NORESERVE
from ktrace.inspect.inspector import Observation
from ktrace.inspect.ipc.namespace import perm_members, perm_of
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.lib.list import each_once, for_each_list_node
from ktrace.inspect.lib.maple_tree import MapleTreeWalker
from ktrace.inspect.lib.xarray import XArrayWalker
from ktrace.inspect.members import offset_of
from ktrace.inspect.memory import KernelMemory
from ktrace.inspect.process.pid import Pids
from ktrace.inspect.unread import UNREADABLE, absence
from ktrace.state.ipc.shm import ShmFile, ShmidKernel, ShmMapping
from ktrace.state.mm.address_space import MmFacts
from ktrace.state.ref import Ref


class ShmReader:
    """Read every ``struct shmid_kernel`` of a namespace."""

    def __init__(self, kernel: LiveKernel, pids: Pids) -> None:
        self.prog = prog = kernel.prog
        self.pids = pids
        self._segment = layout_of(
            prog,
            "struct shmid_kernel",
            "shm_file",
            "shm_nattch",
            "shm_segsz",
            "shm_atim",
            "shm_dtim",
            "shm_ctim",
            "shm_cprid",
            "shm_lprid",
            "mlock_ucounts",
            "shm_creator",
            "ns",
            clist="shm_clist.next",
            **perm_members("shm_perm"),
        )
        self._clist = self._segment.offsets["clist"]
        self._f_inode = offset_of(prog, "struct file", "f_inode")
        self._f_op = offset_of(prog, "struct file", "f_op")
        self._blkbits = offset_of(prog, "struct inode", "i_blkbits")
        huge = kernel.has_symbol("hugetlbfs_file_operations")
        self._hugetlbfs = prog.symbol("hugetlbfs_file_operations").address if huge else None
        self._inode = layout_of(prog, "struct inode", "i_ino", "i_size", "i_mapping")
        self._mapping = layout_of(prog, "struct address_space", "nrpages", head="i_pages.xa_head")
        self._ucounts = layout_of(prog, "struct ucounts", "uid.val", "&rlimit")
        self._memlock = int(prog.constant("UCOUNT_RLIMIT_MEMLOCK").value_())
        self._noreserve = NoReserve(prog)
        self._walker = XArrayWalker(prog)

    def observe(
        self, observation: Observation, segments: dict[int, Ref], namespaces: Mapping[int, Ref], files: dict[int, Ref]
    ) -> None:
        """Add the segments at these addresses.

        :param namespaces: reference of each namespace by address
        :param files: takes the reference of each segment by the address of its file
        """
        for address, ref in segments.items():
            try:
                observation.objects[ref] = self._read(observation, address, ref, namespaces, files)
            except UNREADABLE as error:
                observation.objects[ref] = absence(self.prog, error)

    def _read(
        self,
        observation: Observation,
        address: int,
        ref: Ref,
        namespaces: Mapping[int, Ref],
        files: dict[int, Ref],
    ) -> ShmidKernel:
        """Decode the segment at *address*, which goes by *ref*."""
        memory = observation.memory
        raw = self._segment.read(memory, address)
        creator = None
        if raw.clist != address + self._clist:
            creator = observation.process(raw.shm_creator)
        if raw.shm_file:
            files[raw.shm_file] = ref
        return ShmidKernel(
            shm_perm=perm_of(raw),
            shm_file=self._read_file(memory, raw.shm_file) if raw.shm_file else None,
            shm_nattch=raw.shm_nattch,
            shm_segsz=raw.shm_segsz,
            shm_atim=raw.shm_atim,
            shm_dtim=raw.shm_dtim,
            shm_ctim=raw.shm_ctim,
            shm_cprid=self.pids.name(observation, raw.shm_cprid),
            shm_lprid=self.pids.name(observation, raw.shm_lprid),
            mlock_ucounts=self._account(memory, raw.mlock_ucounts) if raw.mlock_ucounts else None,
            shm_creator=creator,
            ns=namespaces.get(raw.ns) or (Ref("ipc_ns", raw.ns) if raw.ns else None),
        )

    def _account(self, memory: KernelMemory, ucounts: int) -> tuple[int, int]:
        """Return whose account is at *ucounts*, and the pages locked on it."""
        raw = self._ucounts.read(memory, ucounts)
        (pages,) = struct.unpack_from("<q", raw.rlimit, 8 * self._memlock)
        return raw.uid_val, pages

    def ns_of(self, memory: KernelMemory) -> Callable[[int], int]:
        """Return a function that tells the namespace of the ``struct shmid_kernel`` at an address."""
        return lambda address: int(self._segment.read(memory, address).ns)

    def file_of(self, memory: KernelMemory, address: int) -> int:
        """Return the address of the file behind the ``struct shmid_kernel`` at *address*."""
        return int(self._segment.read(memory, address).shm_file)

    def huge_page_size(self, memory: KernelMemory, file: int) -> int:
        """Return the bytes of a page of the ``struct file`` at *file*; 0 where they are not huge pages.

        ``include/linux/hugetlb.h: is_file_hugepages()``, ``fs/hugetlbfs/inode.c: hugetlbfs_fill_super()``.
        """
        if memory.u64(file + self._f_op) != self._hugetlbfs:
            return 0
        return 1 << memory.read(memory.u64(file + self._f_inode) + self._blkbits, 1)[0]

    def _read_file(self, memory: KernelMemory, file: int) -> ShmFile:
        address = memory.u64(file + self._f_inode)
        inode = self._inode.read(memory, address)
        mapping = self._mapping.read(memory, inode.i_mapping)
        pages = {
            index: memory.page_bytes(page, 0, PAGE_SIZE).rstrip(b"\0")
            for index, page in self._walker.entries(memory, mapping.head, "address_space.i_pages")
        }
        return ShmFile(
            i_size=inode.i_size,
            i_ino=inode.i_ino,
            vm_noreserve=self._noreserve(memory, address),
            nrpages=mapping.nrpages,
            pages=pages,
        )

    def clist(self, memory: KernelMemory, head: int) -> list[int]:
        """Return the segments on the ``shm_clist`` whose head is at *head*, in list order."""
        return [node - self._clist for node in for_each_list_node(memory, head, "shmid_kernel.shm_clist")]


class NoReserve:
    """Tell whether a segment's inode has VM_NORESERVE; kernels without CONFIG_SHMEM do not keep it.

    Between 6.12 and 7.3 it became SHMEM_F_NORESERVE, another bit. Both are ``#define``s, so nothing in the debug
    information tells which one a kernel has, but neither kind of kernel uses the other's bit for anything
    (``mm/shmem.c: __shmem_get_inode()``; ``include/linux/shmem_fs.h: SHMEM_F_*``).

    :param prog: for ``struct shmem_inode_info``
    """

    def __init__(self, prog: drgn.Program) -> None:
        self._offset: int | None = None
        if not has_shmem(prog):
            return
        self._offset = offset_of(prog, "struct shmem_inode_info", "flags") - offset_of(
            prog, "struct shmem_inode_info", "vfs_inode"
        )

    def __call__(self, memory: KernelMemory, inode: int) -> bool:
        """Read ``SHMEM_I(inode)->flags``."""
        if self._offset is None:
            return False
        return bool(memory.u64(inode + self._offset & (1 << 64) - 1) & (VM_NORESERVE | SHMEM_F_NORESERVE))


def has_shmem(prog: drgn.Program) -> bool:
    """Tell whether the kernel has CONFIG_SHMEM: without it segments are plain ramfs files (``mm/shmem.c``)."""
    try:
        prog.symbol("shmem_vm_ops")
    except LookupError:
        return False
    return True


class Attachment(NamedTuple):
    """A mapping of a segment.

    :param vma: unpacked members of its ``vm_area_struct``
    :param file: address of the segment's own file (``shm_file_data.file``)
    :param ns: address of the namespace that it keeps alive (``shm_file_data.ns``)
    """

    vma: Any
    file: int
    ns: int


class MappingReader:
    """Find the mappings of segments in address spaces (``struct mm_struct``, ``struct vm_area_struct``)."""

    def __init__(self, kernel: LiveKernel) -> None:
        prog = kernel.prog
        self._mm = offset_of(prog, "struct task_struct", "mm")
        self._root = offset_of(prog, "struct mm_struct", "mm_mt.ma_root")
        self._vma = layout_of(
            prog, "struct vm_area_struct", "vm_start", "vm_end", "vm_flags", "vm_pgoff", "vm_file", "vm_ops"
        )
        self._shm_vm_ops = kernel.address_of("shm_vm_ops")
        self._private_data = offset_of(prog, "struct file", "private_data")
        self._sfd = layout_of(prog, "struct shm_file_data", "ns", "file")
        self._walker = MapleTreeWalker(prog)
        self._has_shmem = has_shmem(prog)

    def facts(self, kernel: LiveKernel) -> MmFacts:
        """Return the address space that actors are born with: the agent's, as far as fork() copies it.

        :raises GuestGarbage: no process runs the agent
        """
        prog, memory = kernel.prog, kernel.memory
        agents = [
            task
            for task in each_once(for_each_task(prog), "the list of tasks")
            if task.comm.string_() == b"agent" and task.mm
        ]
        if not agents:
            raise GuestGarbage("no process of this guest is called 'agent'", "was it booted with ktrace's own init?")
        mm = agents[0].mm
        vmas = self.vmas(memory, agents[0].value_())
        copied = [vma for vma in vmas if not vma.vm_flags & VM_DONTCOPY]  # dup_mmap()
        birth = tuple([(vma.vm_start, vma.vm_end, vma.vm_flags & 7) for vma in copied])
        cut = kernel.address_of("special_mapping_vmops")
        # Without CONFIG_SHMEM nobody asks __vm_enough_memory() about a segment; OVERCOMMIT_ALWAYS says the same.
        overcommit = int(kernel.variable("sysctl_overcommit_memory")) if self._has_shmem else 1
        ram = int(kernel.variable("_totalram_pages").counter)
        return MmFacts(
            birth=birth,
            copied=True,
            mmap_base=int(mm.mmap_base),
            task_size=int(mm.task_size),
            mmap_min_addr=int(kernel.variable("dac_mmap_min_addr")),
            totalram_pages=ram,
            overcommit_memory=overcommit,
            special=tuple([vma.vm_start for vma in vmas if vma.vm_ops == cut]),
            swap=kernel.has_symbol("swap_info"),
            hugetlb=kernel.has_symbol("hugetlb_file_setup"),
        )

    def vmas(self, memory: KernelMemory, task: int) -> list[Any]:
        """Return the unpacked mappings of the process at *task*, in the order of their addresses."""
        mm = memory.u64(task + self._mm)
        if not mm:
            return []
        root = memory.u64(mm + self._root)
        return [self._vma.read(memory, vma) for vma in self._walker.entries(memory, root, "mm_struct.mm_mt")]

    def attachments(self, memory: KernelMemory, task: int) -> list[Attachment]:
        """Return the mappings of segments that the process at *task* has."""
        found = []
        for vma in self.vmas(memory, task):
            if int(vma.vm_ops) == self._shm_vm_ops:
                sfd = self._sfd.read(memory, memory.u64(vma.vm_file + self._private_data))
                found.append(Attachment(vma, sfd.file, sfd.ns))
        return found

    def mappings(self, attachments: list[Attachment], files: Mapping[int, Ref]) -> tuple[ShmMapping, ...]:
        """Return what the World shows of mappings.

        :param files: the segments, by the address of their file
        """
        return tuple(
            [
                ShmMapping(
                    start=vma.vm_start,
                    size=vma.vm_end - vma.vm_start,
                    segment=files.get(file) or Ref("stranger", f"shm_file@{file:#x}"),
                    pgoff=vma.vm_pgoff,
                    protection=protection(vma.vm_flags),
                )
                for vma, file, _ in attachments
            ]
        )


def protection(vm_flags: int) -> str:
    """Return VM_READ, VM_WRITE and VM_EXEC as ``ls`` writes them."""
    return "".join(
        letter if vm_flags & bit else "-" for letter, bit in (("r", VM_READ), ("w", VM_WRITE), ("x", VM_EXEC))
    )
