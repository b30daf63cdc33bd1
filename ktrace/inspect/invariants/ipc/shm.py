"""Check segments against all address spaces (``ipc/shm.c``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.inspect.inspector import Observation
from ktrace.inspect.invariants.violation import Violation
from ktrace.inspect.ipc.shm import Attachment
from ktrace.inspect.ipc.subsystem import SysvReader
from ktrace.state.ipc.namespace import IpcNamespace
from ktrace.state.ipc.shm import ShmidKernel
from ktrace.uapi.shm import SHM_DEST


def check_segments(
    where: str,
    ns: IpcNamespace,
    namespace: int,
    segments: Mapping[int, ShmidKernel],
    attachments: Sequence[Attachment],
    reader: SysvReader,
    observation: Observation,
) -> Iterator[Violation]:
    """Yield what contradicts itself in the segments of one namespace.

    :param namespace: address of the ``struct ipc_namespace``
    :param segments: by the address of their ``struct shmid_kernel``
    :param attachments: mappings of segments in all address spaces
    """
    pages = sum(-(-segment.shm_segsz // PAGE_SIZE) for segment in segments.values())
    if ns.shm_tot != pages:
        yield Violation(f"{where}.shm_tot", f"is {ns.shm_tot}, the segments have {pages} pages")
    mapped = Counter(attachment.file for attachment in attachments if attachment.ns == namespace)
    for address, segment in segments.items():
        file = reader.shm.file_of(observation.memory, address)
        huge = reader.shm.huge_page_size(observation.memory, file) if file else 0
        yield from _check_segment(f"shm {segment.shm_perm.id}", segment, mapped.pop(file, 0), huge)
    for count in mapped.values():
        yield Violation(where, f"{count} mappings are of a segment that the IDR does not have")


def _check_segment(where: str, segment: ShmidKernel, mappings: int, huge: int) -> Iterator[Violation]:
    """Yield what contradicts itself in one segment.

    :param mappings: how often all address spaces map it
    :param huge: bytes of a page of one with SHM_HUGETLB, of which its file is a multiple (``newseg()``); else 0
    """
    if segment.shm_perm.refcount != 1:
        yield Violation(f"{where}.refcount", f"is {segment.shm_perm.refcount}, nobody sleeps with a reference")
    if segment.shm_nattch != mappings:
        yield Violation(f"{where}.shm_nattch", f"is {segment.shm_nattch}, all address spaces have {mappings} mappings")
    if not segment.shm_nattch and segment.shm_perm.mode & SHM_DEST:
        yield Violation(f"{where}.mode", "has SHM_DEST, yet nobody is attached")
    file = segment.shm_file
    if file is None:
        yield Violation(f"{where}.shm_file", "is NULL")
        return
    if file.i_size != (-(-segment.shm_segsz // huge) * huge if huge else segment.shm_segsz):
        yield Violation(f"{where}.shm_segsz", f"is {segment.shm_segsz}, the file has {file.i_size} bytes")
    if file.i_ino != segment.shm_perm.id:
        yield Violation(f"{where}.shm_file.i_ino", f"is {file.i_ino}")
    # A huge page counted once up to 6.6, and then for all that are in it (mm/filemap.c: __filemap_add_folio()).
    if file.nrpages not in (len(file.pages), len(file.pages) * (huge or PAGE_SIZE) // PAGE_SIZE):
        yield Violation(f"{where}.shm_file.nrpages", f"is {file.nrpages}, the page cache has {len(file.pages)} pages")
    beyond = [index for index in file.pages if index * PAGE_SIZE >= file.i_size]
    if beyond:
        yield Violation(f"{where}.shm_file", f"has page {beyond[0]} beyond its end")
