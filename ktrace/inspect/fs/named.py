"""FIFOs, sockets and shared memory that have names in the guest's file systems in memory."""

from __future__ import annotations

from collections.abc import Iterator

from drgn.helpers.linux.fs import mount_dst

from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.fs.super_block import SuperBlocks
from ktrace.inspect.fs.tree import DEPTH, WHOLE, DentryReader, mounts_of
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import Layout, layout_of
from ktrace.uapi.stat import S_IFDIR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK

SHARED = "/dev/shm"
"""Where shm_open(3) and sem_open(3) make their files."""


def named_objects(kernel: LiveKernel) -> Iterator[tuple[str, int, str]]:
    """Yield ``fifo``, ``bound`` (a socket's name) or ``posix`` (shared memory), the inode's address, and the path.

    :param kernel: at rest
    :raises CorruptStructure: a directory cannot be followed
    """
    reader = DentryReader(kernel)
    modes = layout_of(kernel.prog, "struct inode", "i_mode")
    super_blocks = SuperBlocks(kernel)
    seen = set()
    for mount in mounts_of(kernel):
        super_block = mount.mnt.mnt_sb.value_()
        if super_block in seen or super_blocks.operations(super_block) not in WHOLE:
            continue
        seen.add(super_block)
        path = mount_dst(mount).decode("utf-8", "backslashreplace")
        yield from _below(kernel, reader, modes, mount.mnt.mnt_root.value_(), path.rstrip("/"), 0)


def _below(
    kernel: LiveKernel, reader: DentryReader, modes: Layout, dentry: int, path: str, depth: int
) -> Iterator[tuple[str, int, str]]:
    if depth > DEPTH:
        raise CorruptStructure("a directory", dentry, f"it is more than {DEPTH} directories deep")
    for name, child, inode in reader.names(kernel.memory, dentry):
        kind = modes.read(kernel.memory, inode).i_mode & S_IFMT
        place = f"{path}/{name}"
        if kind == S_IFDIR:
            yield from _below(kernel, reader, modes, child, place, depth + 1)
        elif kind == S_IFIFO:
            yield "fifo", inode, place
        elif kind == S_IFSOCK:
            yield "bound", inode, place
        elif kind == S_IFREG and path == SHARED:
            yield "posix", inode, place
