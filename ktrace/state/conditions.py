"""What annotations may depend on: changes of the kernel, and how it is configured. Never a version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.state.changes import Changes
from ktrace.state.config import ConfigFacts
from ktrace.state.unread import UnreadMember
from ktrace.uapi.in_ import IPPROTO_UDPLITE

Facts = Mapping[str, Any]


def _config(facts: Facts) -> ConfigFacts:
    found: ConfigFacts = facts.get("config", ConfigFacts())
    return found


CONFIGURED: Mapping[str, tuple[str, Callable[[Facts], bool]]] = {
    "watch_queue": ("CONFIG_WATCH_QUEUE", lambda facts: facts["pipe"].watch_queue),
    "compat": ("CONFIG_COMPAT: there are 32-bit system calls", lambda facts: facts["socket"].compat),
    "netdevices": ("CONFIG_NETDEVICES: sockets are bound to devices", lambda facts: facts["socket"].netdevices),
    "unix_oob": ("CONFIG_AF_UNIX_OOB", lambda facts: facts["socket"].oob),
    "security_network": ("CONFIG_SECURITY_NETWORK", lambda facts: facts["socket"].security),
    "udplite": (
        "UDP-Lite, which went between 6.12 and 7.2",
        lambda facts: any(entry.protocol == IPPROTO_UDPLITE for entry in facts["socket"].inetsw),
    ),
    "pm_sleep": ("CONFIG_PM_SLEEP", lambda facts: _config(facts).pm_sleep),
    "hugetlbfs": ("there are sizes of huge pages (CONFIG_HUGETLBFS)", lambda facts: bool(_config(facts).huge_pages)),
    "peer_labels": ("AppArmor labels the peers of AF_UNIX sockets", lambda facts: _config(facts).peer_labels),
    "mmap_min_addr": (
        "the first pages, and not only the first one, are for CAP_SYS_RAWIO only (CONFIG_LSM_MMAP_MIN_ADDR)",
        lambda facts: facts["sysv"].mm.mmap_min_addr > PAGE_SIZE,
    ),
}
"""How a kernel is configured, by the word for it: what it means, and how the facts of a kernel tell."""


def condition_names() -> tuple[str, ...]:
    """Return every word that a condition may have."""
    return (*CONFIGURED, *(item.name for item in fields(Changes)))


def conditions(facts: Facts) -> dict[str, bool | None]:
    """Return what holds of a kernel, by word; ``None`` for what its facts do not tell.

    :param facts: of the kernel, by subsystem; empty where nobody knows them any more
    """
    found: dict[str, bool | None] = dict.fromkeys(condition_names())
    if not facts:
        return found
    changes = facts.get("changes", Changes())
    for item in fields(Changes):
        found[item.name] = getattr(changes, item.name)
    for name, (_, holds) in CONFIGURED.items():
        try:
            found[name] = bool(holds(facts))
        except UnreadMember:
            found[name] = None
    return found
