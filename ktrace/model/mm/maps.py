"""What /proc/PID/maps tells of an address space that nobody changed (``fs/proc/task_mmu.c: show_map_vma()``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.kdev_t import MINORBITS
from ktrace.model.fs.inode import Inode
from ktrace.state.call import Result
from ktrace.uapi.mman import PROT_EXEC, PROT_READ, PROT_WRITE

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.model.task import Task

PATH = re.compile(r"/proc/(self|thread-self|[1-9][0-9]*)/maps")
NAME_AT = 73
"""The column of a name (``show_vma_header_prefix()``: seq_setwidth())."""
LINE = re.compile(
    r"(?P<start>[0-9a-f]{8,})-(?P<end>[0-9a-f]{8,}) (?P<prot>[r-][w-][x-])[sp] (?P<pgoff>[0-9a-f]{8,})"
    r" (?P<dev>[0-9a-f]{2}:[0-9a-f]{2}) (?P<ino>0|[1-9][0-9]*) (?P<pad> *)(?P<name>\S*)"
)
NAMELESS = frozenset({"", "[heap]", "[stack]", "[vvar]", "[vvar_vclock]", "[vdso]"})
"""What a mapping without a file is called (``get_vma_name()``)."""


def owner_of(task: Task, path: str) -> Task | None:
    """Return whose mappings a path of procfs tells of when *task* opens it, ``None`` where it tells of none."""
    found = PATH.fullmatch(path)
    if found is None:
        return None
    return task.kernel.find_task(int(found[1])) if found[1].isdigit() else task


def held(kernel: Kernel, owner: Task, position: int | None, seen: Result) -> Result:
    """Return an answer that was seen, with nothing in it where it cannot be that.

    :param position: where in the file it was read
    """
    data = seen.out.get("buf")
    if position != 0 or not isinstance(data, bytes) or not _unchanged(owner):
        return seen
    text = data.decode("utf-8", "replace")
    lines = text.split("\n")
    whole, rest = lines[:-1], lines[-1]
    vmas = owner.mm.facts.birth
    right = len(whole) <= len(vmas) and all(map(_is_right, [kernel] * len(whole), whole, vmas))
    if right and rest:
        start, end, prot = vmas[len(whole)] if len(whole) < len(vmas) else (0, 0, 0)
        begin = f"{start:08x}-{end:08x} {_letters(prot)}"
        right = rest[: len(begin)] == begin[: len(rest)]
    return seen if right else replace(seen, out={**seen.out, "buf": b""})


def _unchanged(owner: Task) -> bool:
    """Tell whether it has mapped what it was born with, and nothing else."""
    return owner.mm.facts.copied and [(vma.start, vma.end, vma.prot) for vma in owner.mm.vmas] == [
        tuple(each) for each in owner.mm.facts.birth
    ]


def _letters(prot: int) -> str:
    return "".join(
        letter if prot & bit else "-" for letter, bit in zip("rwx", (PROT_READ, PROT_WRITE, PROT_EXEC), strict=True)
    )


def _is_right(kernel: Kernel, line: str, vma: tuple[int, int, int]) -> bool:
    found = LINE.fullmatch(line)
    if found is None or (found["name"] and found.start("name") != NAME_AT):
        return False
    start, end, prot = vma
    grown = found["name"] == "[stack]" and int(found["start"], 16) <= start
    if int(found["end"], 16) != end or found["prot"] != _letters(prot):
        return False
    if not grown and int(found["start"], 16) != start:
        return False
    if int(found["start"], 16) % PAGE_SIZE:
        return False
    return _backed(kernel, found)


def _backed(kernel: Kernel, found: re.Match[str]) -> bool:
    """Tell whether a file that the tree has is told of as it is there, and no file as none."""
    offset, number, device = int(found["pgoff"], 16), int(found["ino"]), found["dev"]
    if not found["name"].startswith("/"):
        return (offset, number, device) == (0, 0, "00:00") and found["name"] in NAMELESS
    inode = _at(kernel, found["name"])
    if inode is None or offset % PAGE_SIZE or offset >= inode.i_size:
        return False
    dev = inode.s_dev.seen
    told = dev is None or f"{dev >> MINORBITS:02x}:{dev & ((1 << MINORBITS) - 1):02x}" == device
    return told and inode.i_ino.seen in (None, number)


def _at(kernel: Kernel, path: str) -> Inode | None:
    """Return the file at *path*, links aside."""
    inode: Inode | None = kernel.fs.slash
    for name in path.strip("/").split("/"):
        entries: Mapping[str, Inode] = (inode.mounted or inode).entries if inode is not None else {}
        inode = entries.get(name)
    return inode
