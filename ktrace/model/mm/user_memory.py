"""Copies between the kernel and addresses of the caller's own choice (``lib/usercopy.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.model.mm.address_space import PROT_ANY
from ktrace.model.task import Errno, Task
from ktrace.uapi.mman import PROT_WRITE

if TYPE_CHECKING:
    pass


def copy_from_user(task: Task, address: int, size: int) -> bytes:
    """Return *size* bytes of the caller's memory; pages of a segment come to be on the way (``copy_from_user()``).

    :raises Errno: EFAULT where not all can be read
    """
    mm = task.mm
    good = mm.accessible(address, size, PROT_ANY)
    data = b"".join([bytes(page[at : at + length]) for page, at, length in mm.pieces(address, good, False)])
    if good < size:
        raise Errno("EFAULT")
    return data


def copy_to_user(task: Task, address: int, data: bytes) -> None:
    """Write *data* into the caller's memory, up to the first byte that cannot be written (``copy_to_user()``).

    :raises Errno: EFAULT where not all could be written
    """
    mm = task.mm
    good = mm.accessible(address, len(data), PROT_WRITE)
    done = 0
    for page, at, length in mm.pieces(address, good, True):
        page[at : at + length] = data[done : done + length]
        done += length
    if good < len(data):
        raise Errno("EFAULT")
