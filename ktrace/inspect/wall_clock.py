"""The time of day as the kernel keeps it (``kernel/time/timekeeping.c``)."""

from __future__ import annotations

from ktrace.inspect.kernel import LiveKernel


class WallClock:
    """Read the seconds of CLOCK_REALTIME out of the guest's memory (``struct timekeeper``)."""

    def __init__(self, kernel: LiveKernel) -> None:
        self._kernel = kernel
        # One of several clocks since 6.17.
        core = kernel.variable("tk_core") if "tk_core" in kernel.prog else kernel.variable("timekeeper_data")[0]
        self._place = int(core.timekeeper.xtime_sec.address_of_())

    def seconds(self) -> int:
        """Return the second of the last tick."""
        return self._kernel.memory.u64(self._place)
