"""The families that ``ktrace fuzz`` knows; each module holds one class."""

from __future__ import annotations

from collections.abc import Mapping

from ktrace.fuzz.families.inet import InetFamily
from ktrace.fuzz.families.msg import MsgFamily
from ktrace.fuzz.families.netlink import NetlinkFamily
from ktrace.fuzz.families.pipe import PipeFamily
from ktrace.fuzz.families.raw import RawFamily
from ktrace.fuzz.families.sem import SemFamily
from ktrace.fuzz.families.shm import ShmFamily
from ktrace.fuzz.families.unix import UnixFamily
from ktrace.fuzz.family import Family

FAMILIES: Mapping[str, type[Family]] = {
    family.name: family
    for family in (PipeFamily, SemFamily, MsgFamily, ShmFamily, UnixFamily, InetFamily, RawFamily, NetlinkFamily)
}
"""By the name that ``--family`` takes."""
