"""How a kernel is configured, where the model must know it and no subsystem's own facts say so."""

from __future__ import annotations

from ktrace.state.quick import dataclass


@dataclass(frozen=True, slots=True)
class ConfigFacts:
    """Options of a kernel; what sessions of before do not tell is as the lab's first kernel had it.

    :param pm_sleep: CONFIG_PM_SLEEP: EPOLLWAKEUP keeps a machine awake
    :param huge_pages: sizes of huge pages as powers of two, the usual one first; empty without CONFIG_HUGETLB_PAGE
    :param huge_pages_free: how many there are of any size
    :param peer_labels: AppArmor labels the ends of AF_UNIX sockets with who is at the other (``unix_connect_peers()``)
    """

    pm_sleep: bool = False
    huge_pages: tuple[int, ...] = ()
    huge_pages_free: int = 0
    peer_labels: bool = False
