"""Files whose last reference a kernel thread dropped, and that are still to be closed (``fs/file_table.c``)."""

from __future__ import annotations

from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.members import offset_of

LIST, WORK = "delayed_fput_list", "delayed_fput_work"


class DelayedFputs:
    """Tell whether ``delayed_fput()`` was put off: the step in which that happened is not over before it has run."""

    def __init__(self, kernel: LiveKernel) -> None:
        self._memory = kernel.memory
        self._known = kernel.has_symbol(LIST) and kernel.has_symbol(WORK)
        if self._known:
            self._first = kernel.address_of(LIST)
            self._expires = kernel.address_of(WORK) + offset_of(kernel.prog, "struct delayed_work", "timer.expires")
            self._last = self._memory.u64(self._expires)

    def began(self) -> bool:
        """Tell whether it was put off since this was asked last; no where the kernel has no such function."""
        if not self._known:
            return False
        last, self._last = self._last, self._memory.u64(self._expires)
        return last != self._last

    def waits(self) -> bool:
        """Tell whether files still wait for it."""
        return self._known and self._memory.u64(self._first) != 0
