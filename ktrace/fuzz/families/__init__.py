"""The families that ``ktrace fuzz`` knows; each module holds one class."""

from __future__ import annotations

from collections.abc import Mapping

from ktrace.errors import UsageError
from ktrace.fuzz.families.fs.pipe.pipe import PipeFamily
from ktrace.fuzz.families.ipc.msg import MsgFamily
from ktrace.fuzz.families.ipc.sem import SemFamily
from ktrace.fuzz.families.ipc.shm import ShmFamily
from ktrace.fuzz.families.net.inet.inet import InetFamily
from ktrace.fuzz.families.net.inet.raw import RawFamily
from ktrace.fuzz.families.net.netlink.netlink import NetlinkFamily
from ktrace.fuzz.families.net.unix.unix import UnixFamily
from ktrace.fuzz.family import Family
from ktrace.suggest import did_you_mean

FAMILIES: Mapping[str, type[Family]] = {
    family.name: family
    for family in (PipeFamily, SemFamily, MsgFamily, ShmFamily, UnixFamily, InetFamily, RawFamily, NetlinkFamily)
}
"""By the name that ``--family`` takes."""


def chosen_families(asked: str) -> tuple[str, ...]:
    """Return the names of the families that *asked* lists, with commas between; all where it is empty.

    :raises UsageError: there is no such family
    """
    names = [name for name in asked.split(",") if name] or list(FAMILIES)
    for name in names:
        if name not in FAMILIES:
            known = f"there are {', '.join(FAMILIES)}"
            raise UsageError(f"unknown family {name!r}", did_you_mean(name, FAMILIES, known))
    return tuple(name for name in FAMILIES if name in names)
