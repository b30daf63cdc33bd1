"""Relate ftrace's clock to the time of day (``kernel/time/timekeeping.c``)."""

from __future__ import annotations

from drgn import FaultError
from drgn.helpers.linux.percpu import per_cpu

from ktrace.include.linux.limits import U64_MAX
from ktrace.inspect.kernel import LiveKernel


def read_clocks(kernel: LiveKernel) -> tuple[int, int] | None:
    """Return one moment in ns by CLOCK_REALTIME and by ``sched_clock()``, ftrace's clock.

    The moment is the last update of the timekeeper, of which the kernel keeps the cycle counter
    (``kernel/time/timekeeping.c: tk_core``, ``arch/x86/kernel/tsc.c: native_sched_clock()``).

    :returns: ``None`` where the counter is not the TSC: both cannot be computed from one count then
    """
    try:
        keeper = kernel.prog["tk_core"].timekeeper.read_()
        base = keeper.tkr_mono
        if base.clock.name.string_() != b"tsc":
            return None
        realtime = keeper.xtime_sec.value_() * 1_000_000_000 + (base.xtime_nsec.value_() >> base.shift.value_())
        scale = per_cpu(kernel.prog["cyc2ns"], 0).read_()
        data = scale.data[scale.seq.seqcount.sequence.value_() & 1]
        cycles = base.cycle_last.value_() * data.cyc2ns_mul.value_() >> data.cyc2ns_shift.value_()
        return realtime, cycles + data.cyc2ns_offset.value_() & U64_MAX
    except (LookupError, AttributeError, FaultError):
        return None
