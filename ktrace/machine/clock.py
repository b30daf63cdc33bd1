"""The frequency of this machine's time-stamp counter."""

from __future__ import annotations

import mmap
import os
import time
from functools import lru_cache

#: rdtsc; shl rdx, 32; or rax, rdx; ret
_RDTSC = b"\x0f\x31\x48\xc1\xe2\x20\x48\x09\xd0\xc3"
_SECONDS = 0.02
#: kHz; finer than this two measurements differ.
_STEP = 100


@lru_cache(maxsize=1)
def tsc_khz() -> int | None:
    """Measure the time-stamp counter against CLOCK_MONOTONIC_RAW for 20 ms, to 0.1 MHz.

    A guest's counter is this one, under KVM and under TCG (``cpu_get_host_ticks()``).

    :returns: kHz, or ``None`` where the counter cannot be read
    """
    if os.uname().machine != "x86_64":
        return None
    import ctypes  # only a boot needs it

    try:
        code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    except OSError:
        return None  # a host that forbids memory both writable and executable
    code.write(_RDTSC)
    rdtsc = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(ctypes.c_char.from_buffer(code)))

    def sample() -> tuple[int, int]:
        """Take the tightest of a few readings: (nanoseconds, ticks)."""
        tries = []
        for _ in range(16):
            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
            ticks = rdtsc()
            after = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
            tries.append((after - before, (before + after) // 2, ticks))
        _, when, ticks = min(tries)
        return when, ticks

    first_ns, first_ticks = sample()
    time.sleep(_SECONDS)
    last_ns, last_ticks = sample()
    khz = (last_ticks - first_ticks) * 1_000_000 / (last_ns - first_ns)
    return round(khz / _STEP) * _STEP
