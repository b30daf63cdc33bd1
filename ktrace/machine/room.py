"""Whether a guest has memory enough for its kernel, and what is said where it has not."""

from __future__ import annotations

import re

from ktrace.errors import GuestDied, GuestError, GuestPanic, UsageError
from ktrace.image.footprint import next_size, smallest_mib
from ktrace.image.store import host_errors
from ktrace.machine.console import Console
from ktrace.machine.identity import Bootable

#: mm/oom_kill.c: out_of_memory(); init/initramfs.c: populate_rootfs(); mm/memblock.c
_SIGNS = r"(Out of memory|deadlocked on memory|nitramfs unpacking failed: write error|Failed to allocate \d+ bytes)"


def require_memory(image: Bootable, mib: int) -> None:
    """Refuse a memory into which not even kernel and initramfs fit: such a guest restarts without a word.

    :param mib: RAM in MiB
    :raises UsageError: naming one that suffices
    """
    with host_errors("read", image.kernel):
        smallest = smallest_mib(image.kernel, image.initramfs)
    if mib < smallest:
        raise UsageError(f"the kernel needs more than {mib} MiB: --memory {max(image.memory_mib, next_size(mib))}")


def told_of_memory(error: GuestError, console: Console, mib: int) -> GuestError:
    """Say so where a guest that has not been heard yet lacked memory, or may have.

    :param error: what became of it
    :param mib: RAM in MiB that it had
    """
    more = f"--memory {next_size(mib)}"
    if (sign := console.search(_SIGNS)) is not None:
        text = f"the kernel needs more than {mib} MiB: {more}"
        return (GuestPanic if isinstance(error, GuestPanic) else GuestDied)(text, hint=f"its console says: {sign}")
    if isinstance(error, GuestDied) and not re.search(r"\S", console.text):
        return GuestDied(
            "the guest restarted before its kernel said anything",
            hint=f"it may need more memory than {mib} MiB: {more}",
        )
    return error
