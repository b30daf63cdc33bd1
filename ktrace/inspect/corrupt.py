"""What a reader raises when the guest's memory makes no sense."""

from __future__ import annotations

from ktrace.errors import GuestGarbage


class CorruptStructure(GuestGarbage):
    """A kernel structure cannot be followed: a wild pointer, an endless list, an impossible count.

    :param what: which structure and member, such as ``pipe_inode_info.bufs``
    :param address: where it was read, a kernel virtual address
    """

    def __init__(self, what: str, address: int, why: str) -> None:
        super().__init__(
            f"{what} at {address:#x}: {why}", "the kernel's memory is damaged, or vmlinux is not this kernel's"
        )
        self.what = what
        self.address = address
