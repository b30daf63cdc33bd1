"""Read how a kernel is configured, from what it has."""

from __future__ import annotations

from ktrace.include.asm.page_types import PAGE_SHIFT
from ktrace.inspect.kernel import LiveKernel
from ktrace.state.config import ConfigFacts


def read_config(kernel: LiveKernel) -> ConfigFacts:
    """Return the options of *kernel*."""
    sizes: list[int] = []
    free = 0
    if kernel.has_symbol("hstates"):
        count, default = int(kernel.variable("hugetlb_max_hstate")), int(kernel.variable("default_hstate_idx"))
        states = [kernel.variable("hstates")[index] for index in range(count)]
        order = [default, *(index for index in range(count) if index != default)] if count else []
        sizes = [int(states[index].order) + PAGE_SHIFT for index in order]
        free = sum(int(state.free_huge_pages) for state in states)
    return ConfigFacts(
        pm_sleep=kernel.has_symbol("wakeup_source_register"),
        huge_pages=tuple(sizes),
        huge_pages_free=free,
        peer_labels=kernel.has_symbol("apparmor_socket_socketpair"),
    )
