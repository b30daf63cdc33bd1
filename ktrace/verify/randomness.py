"""Have a guest draw the same random numbers in every run: ports, initial sequence numbers, hash keys, stack places."""

from __future__ import annotations

from ktrace.inspect.kernel import LiveKernel
from ktrace.verify.poke import WritableMemory, poke

_EARLY = 1
"""``CRNG_EARLY``, an enumerator since Linux 5.18 (``e73aaae2fa90``)."""
_KEY = int.from_bytes(b"ktrace: the same in every clone.", "little")


def fix_random_numbers(kernel: LiveKernel, memory: WritableMemory) -> None:
    """Give the kernel's generator a key from which it draws all until it is fully seeded.

    Until its pool has 128 bits of cycles and interrupts it would take a new key from there with every draw, in which
    alone clones of one template differ (``drivers/char/random.c: crng_make_state()``). It is fully seeded when the
    pool has 256, of which it gets about one in a second (``mix_interrupt_randomness()``); so it begins with none.
    Left as it is where the kernel keeps it otherwise.
    """
    try:
        state, key, bits = kernel.prog["crng_init"], kernel.prog["base_crng"].key, kernel.prog["input_pool"].init_bits
    except (LookupError, AttributeError):
        return
    if state.value_() <= _EARLY:
        poke(kernel, memory, key, _KEY)
        poke(kernel, memory, bits, 0)
        poke(kernel, memory, state, _EARLY)
