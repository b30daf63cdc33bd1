"""Whether softirqs ran: timers of the kernel's own and received packets change sockets without a process."""

from __future__ import annotations

from drgn.helpers.linux.percpu import per_cpu_ptr

from ktrace.inspect.kernel import LiveKernel

TIMER_SOFTIRQ = 1
NET_RX_SOFTIRQ = 3
"""``include/linux/interrupt.h``."""
_SIZE = 4


class Softirqs:
    """Count them on the first CPU (``include/linux/kernel_stat.h: struct kernel_stat``)."""

    def __init__(self, kernel: LiveKernel) -> None:
        self._kernel = kernel
        counts = per_cpu_ptr(kernel.variable("kstat").address_of_(), 0).softirqs
        self._places = tuple(int(counts[which].address_) for which in (TIMER_SOFTIRQ, NET_RX_SOFTIRQ))

    def count(self) -> tuple[bytes, ...]:
        """Return how often they ran so far, in a form to compare."""
        return tuple(self._kernel.memory.read(place, _SIZE) for place in self._places)
