"""Address spaces: where mappings go, how they are split, shared and unmapped (``mm/mmap.c``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ktrace.include.asm.page_types import PAGE_MASK, PAGE_SIZE
from ktrace.include.linux.types import u64
from ktrace.model.task import Errno, Task
from ktrace.state.call import Result
from ktrace.state.mm.address_space import MmFacts
from ktrace.state.rule import Rule
from ktrace.uapi.mman import PROT_EXEC, PROT_READ, PROT_WRITE
from ktrace.uapi.resource import RLIMIT_AS

PROT_ANY = PROT_READ | PROT_WRITE | PROT_EXEC
ZERO_PAGE = bytearray(PAGE_SIZE)
"""``empty_zero_page``; nobody writes it."""


MEMORY = "memory of a program's own"
ROOM = Rule("mm/mmap.c", "unmapped_area_topdown", "where a program has room: what else it has mapped is not known")


def _address(result: Result | None) -> int | None:
    return u64(result.value) if result is not None and result.errno is None else None


def page_align(length: int) -> int:
    """Round up to whole pages (``PAGE_ALIGN()``)."""
    return length + PAGE_SIZE - 1 & ~(PAGE_SIZE - 1)


class Backing:
    """What is behind a mapping; one that has nothing to say of opening and closing is plain memory.

    :ivar pages: contents of the pages that exist, by index
    :ivar most: pages that there can be
    """

    has_close = False
    """Whether it has something to say of closing (``vm_ops->close``)."""

    def __init__(self) -> None:
        self.pages: dict[int, bytearray] = {}
        self.most: int | None = None

    @property
    def limit(self) -> int | None:
        """Return how many pages there are at most; ``None`` for no end."""
        return self.most

    def open(self, task: Task) -> None:
        """Act on one more ``vm_area_struct`` (``vm_ops->open()``)."""

    def close(self, task: Task) -> None:
        """Act on one less ``vm_area_struct`` (``vm_ops->close()``)."""

    def forked(self) -> Backing:
        """Return what a child's copy of the mapping is backed by."""
        return self

    def page(self, index: int, write: bool) -> bytearray:
        """Return page *index*, which comes to be if it is not there (``handle_mm_fault()``).

        :param write: it is to be written
        """
        return self.pages.setdefault(index, bytearray(PAGE_SIZE))


class AnonPage(bytearray):
    """Mirror one anonymous page: its content and its mappings.

    :ivar exclusive: no fork has shared it (``PageAnonExclusive()``)
    :ivar mappers: address spaces that map it
    :ivar pins: pipes' references
    """

    exclusive = True
    mappers = 1
    pins = 0


class PrivateMemory(Backing):
    """Memory that parent and child share until one of them writes.

    :param anonymous: from mmap: the kernel joins neighbours of the same kind (``vma_merge()``)
    """

    def __init__(self, anonymous: bool = False) -> None:
        super().__init__()
        self.anonymous = anonymous

    def forked(self) -> Backing:
        """Return the child's: the same pages, for now (``copy_present_page()``)."""
        copy = self.moved()
        copy.pages = dict(self.pages)
        for page in self.pages.values():
            assert isinstance(page, AnonPage)
            page.mappers += 1
            page.exclusive = False
        return copy

    def page(self, index: int, write: bool) -> bytearray:
        """Return page *index*; one that was never written shows what is below it."""
        return self.writable(index) if write else self.pages.get(index) or self.below(index)

    def below(self, index: int) -> bytearray:
        """Return what a page that was never written shows: zeros."""
        return ZERO_PAGE

    def moved(self) -> PrivateMemory:
        """Return memory of the same kind without a page, to which a mapping is moved (``copy_vma()``)."""
        return PrivateMemory(self.anonymous)

    def writable(self, index: int) -> bytearray:
        """Return page *index* to be written: a new one, a copy, or itself (``do_wp_page()``)."""
        page = self.pages.get(index)
        assert page is None or isinstance(page, AnonPage)
        if page is None:
            page = AnonPage(self.below(index))
        elif not page.exclusive and (page.mappers > 1 or page.pins):
            page.mappers -= 1
            page = AnonPage(page)
        page.exclusive = True
        self.pages[index] = page
        return page

    def drop(self, first: int, last: int) -> None:
        """Unmap the pages from *first* up to *last*, which is not included (``zap_pte_range()``)."""
        for index in [index for index in self.pages if first <= index < last]:
            page = self.pages.pop(index)
            assert isinstance(page, AnonPage)
            page.mappers -= 1


@dataclass(eq=False)
class Vma:
    """Mirror one ``vm_area_struct``.

    :param prot: PROT_READ, PROT_WRITE, PROT_EXEC
    :param may_write: VM_MAYWRITE
    :param pgoff: offset into *backing* in pages
    :param locked: VM_LOCKED
    :param special: a mapping of the kernel's own, which cannot be split (``special_mapping_split()``)
    """

    start: int
    end: int
    prot: int
    backing: Backing
    pgoff: int = 0
    may_write: bool = True
    special: bool = False
    locked: bool = False

    def close(self, task: Task) -> None:
        """Take it away (``unmap_vmas()``, ``remove_vma()``)."""
        if isinstance(self.backing, PrivateMemory):
            self.backing.drop(self.pgoff, self.pgoff + (self.end - self.start) // PAGE_SIZE)
        self.backing.close(task)


class AddressSpace:
    """Mirror one ``mm_struct``; *users* counts the tasks that share it (CLONE_VM).

    :param mapped: start, end and PROT_ bits of what is mapped from the beginning
    :param known: nothing else is mapped; a program has more, so that where it has room is taken as observed
    :ivar glimpsed: what was seen of that more
    :ivar dumpable: SUID_DUMP_USER: others of the same user may look into it
    """

    def __init__(self, facts: MmFacts, mapped: Iterable[tuple[int, int, int]], known: bool = True) -> None:
        self.facts = facts
        self.known = known
        self.glimpsed: dict[int, bytearray] = {}
        self.users = 1
        self.dumpable = True
        self.vmas = [
            Vma(start, end, prot, PrivateMemory(), special=start in facts.special) for start, end, prot in mapped
        ]

    def find_vma(self, address: int) -> Vma | None:
        """Return the first mapping that ends above *address* (``find_vma()``)."""
        return next((vma for vma in self.vmas if vma.end > address), None)

    def before(self, vma: Vma) -> Vma | None:
        """Return the mapping below *vma*."""
        at = self.vmas.index(vma)
        return self.vmas[at - 1] if at else None

    def intersecting(self, start: int, end: int) -> list[Vma]:
        """Return the mappings that have a part of [*start*, *end*) (``find_vma_intersection()``)."""
        return [vma for vma in self.vmas if vma.start < end and start < vma.end]

    def get_unmapped_area(self, task: Task, address: int, length: int, fixed: bool) -> int:
        """Choose where a mapping goes (``get_unmapped_area()``, ``arch_get_unmapped_area_topdown()``).

        :raises Errno: ENOMEM, EINVAL, EPERM
        """
        facts = self.facts
        if length > facts.task_size:
            raise Errno("ENOMEM")
        if not fixed and not self.known:
            lacks = task.kernel.choose(ROOM, lambda seen: seen.errno(task) == "ENOMEM", lambda _: True, otherwise=False)
            if lacks:
                raise Errno("ENOMEM")
            anywhere = facts.mmap_base - page_align(length)
            address = task.kernel.choose(
                ROOM, lambda seen: _address(seen.result(task)), self._is_free(length), anywhere
            )
        elif not fixed:
            address = self._topdown(address & ~(PAGE_SIZE - 1), length)
        if address > facts.task_size - length:
            raise Errno("ENOMEM")
        if address & (PAGE_SIZE - 1):
            raise Errno("EINVAL")
        # security_mmap_addr(): cap_mmap_addr()
        if address < facts.mmap_min_addr and not task.cred.capable("CAP_SYS_RAWIO"):
            raise Errno("EPERM")
        return address

    def covers(self, start: int, end: int) -> bool:
        """Tell whether all of [*start*, *end*) is known."""
        while start < end:
            vma = self.find_vma(start)
            if vma is None or vma.start > start:
                return False
            start = vma.end
        return True

    def is_unknown(self, start: int, end: int) -> bool:
        """Tell whether nothing of [*start*, *end*) is known, though something may be mapped."""
        return not self.known and not self.intersecting(start, end)

    def is_taken(self, task: Task, start: int, end: int, errno: str) -> bool:
        """Tell whether something is mapped in [*start*, *end*): what is not known, by the *errno* that was seen.

        ``find_vma_intersection()``
        """
        if self.known or self.intersecting(start, end):
            return bool(self.intersecting(start, end))
        return task.kernel.choose(ROOM, lambda seen: seen.errno(task) == errno, bool, otherwise=False)

    def _is_free(self, length: int) -> Callable[[int], bool]:
        """Return what tells whether nothing that is known is mapped behind an address."""
        return lambda address: not address & (PAGE_SIZE - 1) and not self.intersecting(address, address + length)

    def _topdown(self, hint: int, length: int) -> int:
        """Take the hint if it is free, else the highest gap below ``mmap_base`` (``unmapped_area_topdown()``)."""
        if hint and hint + length <= self.facts.task_size and not self.intersecting(hint, hint + length):
            return hint
        end = self.facts.mmap_base
        for vma in reversed(self.vmas):
            if vma.start >= end:
                continue
            if end - max(vma.end, PAGE_SIZE) >= length:
                return end - length
            end = min(end, vma.start)
        if end - length >= PAGE_SIZE:
            return end - length
        raise Errno("ENOMEM")

    def insert(self, vma: Vma) -> None:
        """Add a mapping in its place."""
        self.vmas.append(vma)
        self.vmas.sort(key=lambda item: item.start)

    def split(self, task: Task, vma: Vma, at: int) -> Vma:
        """Split a mapping and return its upper part (``__split_vma()``).

        :raises Errno: EINVAL for one of the kernel's own
        """
        if vma.special:
            raise Errno("EINVAL")
        pgoff = vma.pgoff + (at - vma.start) // PAGE_SIZE
        upper = Vma(at, vma.end, vma.prot, vma.backing, pgoff, vma.may_write, locked=vma.locked)
        vma.backing.open(task)
        vma.end = at
        self.insert(upper)
        return upper

    def split_ends(self, task: Task, start: int, end: int) -> None:
        """Split what lies across the ends of [*start*, *end*).

        :raises Errno: EINVAL where that cannot be; what was split before stays split
        """
        for vma in self.intersecting(start, end):
            if vma.start < start:
                vma = self.split(task, vma, start)
            if vma.end > end:
                self.split(task, vma, end)

    def unmap(self, task: Task, start: int, end: int) -> None:
        """Take away [*start*, *end*), splitting what lies across its ends (``do_mas_align_munmap()``).

        :raises Errno: EINVAL where that cannot be; what was split before stays split
        """
        self.split_ends(task, start, end)
        gone = self.intersecting(start, end)
        self.vmas = [vma for vma in self.vmas if vma not in gone]
        for vma in gone:
            vma.close(task)

    def make_room(self, task: Task, start: int, end: int) -> None:
        """Take away what lies where a mapping is to go (``mmap_region()``).

        :raises Errno: ENOMEM where that cannot be, or RLIMIT_AS forbids it; EINVAL for a piece of one of the kernel's
            own where the kernel says why it cannot be (``vms_gather_munmap_vmas()``), before it looks at RLIMIT_AS
        """
        replaced = sum(min(vma.end, end) - max(vma.start, start) for vma in self.intersecting(start, end))
        if task.kernel.changes.vms_gather_munmap_vmas:
            self.split_ends(task, start, end)
            self.may_expand(task, end - start - replaced)
            self.unmap(task, start, end)
            return
        self.may_expand(task, end - start - replaced)
        try:
            self.unmap(task, start, end)
        except Errno:
            raise Errno("ENOMEM") from None

    def may_expand(self, task: Task, more: int) -> None:
        """Refuse *more* bytes beyond RLIMIT_AS (``may_expand_vm()``).

        :raises Errno: ENOMEM
        """
        limit = task.rlimits.get(RLIMIT_AS)
        if limit is not None and sum(vma.end - vma.start for vma in self.vmas) + more > limit.cur & PAGE_MASK:
            raise Errno("ENOMEM")

    def forked(self, parent: Task) -> AddressSpace:
        """Return a copy for a child (``dup_mmap()``, which runs in the parent)."""
        copy = AddressSpace(self.facts, (), self.known)
        copy.dumpable = self.dumpable
        for vma in self.vmas:
            backing = vma.backing.forked()
            copy.vmas.append(replace(vma, backing=backing))
            backing.open(parent)
        return copy

    def put(self, task: Task) -> None:
        """Drop one user; the last one unmaps all in ascending order (``mmput()``, ``exit_mmap()``)."""
        self.users -= 1
        if self.users:
            return
        gone, self.vmas = self.vmas, []
        for vma in gone:
            vma.close(task)

    def glimpse(self, memory: Mapping[int, bytes]) -> None:
        """Know of a program's memory what was seen of it, for the call that begins."""
        self.glimpsed = {address: bytearray(data) for address, data in memory.items()}

    def _glimpsed(self, address: int) -> tuple[bytearray, int] | None:
        """Return what was seen of memory that is not known, and where in it *address* is."""
        for start, data in self.glimpsed.items():
            if start <= address < start + len(data):
                return data, address - start
        return None

    def accessible(self, address: int, length: int, prot: int) -> int:
        """Return how many bytes from *address* on may be used with any of the rights in *prot*."""
        done = 0
        if (glimpsed := self._glimpsed(address)) is not None:
            return min(length, len(glimpsed[0]) - glimpsed[1])
        while done < length:
            vma = self.find_vma(address + done)
            if vma is None or vma.start > address + done or not vma.prot & prot:
                break
            end = vma.end
            if vma.backing.limit is not None:
                # Beyond the end of its file there is SIGBUS.
                end = min(end, vma.start + max(vma.backing.limit - vma.pgoff, 0) * PAGE_SIZE)
            done = max(end - address, done)
            if end < vma.end:
                break
        return min(done, length)

    def pieces(self, address: int, length: int, write: bool) -> Iterator[tuple[bytearray, int, int]]:
        """Yield page, offset in it and size of each part of a range that is accessible; pages come to be as needed.

        Memory of one's own that was never written has no page yet: it shows :data:`ZERO_PAGE`.
        """
        if length and (glimpsed := self._glimpsed(address)) is not None:
            yield *glimpsed, length
            return
        while length:
            vma = self.find_vma(address)
            assert vma is not None and vma.start <= address
            index, offset = divmod(address - vma.start, PAGE_SIZE)
            size = min(length, PAGE_SIZE - offset)
            yield vma.backing.page(vma.pgoff + index, write), offset, size
            address += size
            length -= size

    def write(self, address: int, data: bytes) -> None:
        """Store *data* as the agent's copy loop does.

        :raises Errno: EFAULT where that is not allowed; what came before is written
        """
        done, touched = _copied(self.accessible(address, len(data), PROT_WRITE), len(data))
        at = 0
        for page, offset, size in self.pieces(address, touched, True):
            part = data[at : min(at + size, done)]
            page[offset : offset + len(part)] = part
            at += size
        if done < len(data):
            raise Errno("EFAULT")

    def read(self, address: int, length: int) -> bytes:
        """Load bytes; a page that is read exists from then on (``shmem_fault()``).

        :raises Errno: EFAULT where that is not allowed
        """
        done, touched = _copied(self.accessible(address, length, PROT_READ | PROT_WRITE | PROT_EXEC), length)
        data = b"".join(
            [bytes(page[offset : offset + size]) for page, offset, size in self.pieces(address, touched, False)]
        )
        if done < length:
            raise Errno("EFAULT")
        return data


def _copied(accessible: int, length: int) -> tuple[int, int]:
    """Return how much is copied and how much is touched (``guest/agent_actor.c: copy_checked()``).

    It copies words of eight bytes and then the rest; a word that faults is lost, but its first page was touched.
    """
    words = length & ~7
    if accessible < words:
        return accessible & ~7, accessible
    return accessible, accessible
