"""Have a guest draw the same random numbers in every run: ports, initial sequence numbers, hash keys, stack places."""

from __future__ import annotations

from typing import Protocol

from drgn import Object, sizeof

from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.memory import START_KERNEL_MAP

_READY = 2
"""``CRNG_READY``, an enumerator since Linux 5.18 (``e73aaae2fa90``)."""
_NEVER = 1 << 62
"""jiffies from now: past every reseeding."""


class WritableMemory(Protocol):
    """RAM that can be changed behind the guest's back."""

    def write(self, address: int, data: bytes) -> None:
        """Put *data* at physical *address*."""


def fix_random_numbers(kernel: LiveKernel, memory: WritableMemory) -> None:
    """Take the kernel's generator for seeded, with the key that it has, and never seed it again.

    Until it was seeded, and at times after, the kernel draws its key from a pool that counts cycles and interrupts
    (``drivers/char/random.c: crng_make_state()``): the only thing in which clones of one template differ. Left as it is
    where the kernel keeps it otherwise, or has it seeded already.
    """
    try:
        state, base = kernel.prog["crng_init"], kernel.prog["base_crng"]
        birth, generation = base.birth, base.generation
        jiffies = kernel.prog["jiffies"].value_()
    except (LookupError, AttributeError):
        return
    if state.value_() < _READY:
        _poke(kernel, memory, birth, jiffies + _NEVER & (1 << 64) - 1)
        _poke(kernel, memory, generation, 1)
        _poke(kernel, memory, state, _READY)


def _poke(kernel: LiveKernel, memory: WritableMemory, variable: Object, value: int) -> None:
    address = variable.address_
    assert address is not None
    memory.write(address - START_KERNEL_MAP + kernel.memory.phys_base, value.to_bytes(sizeof(variable), "little"))
