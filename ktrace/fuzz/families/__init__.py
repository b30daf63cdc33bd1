"""The families that ``ktrace fuzz`` knows; each module holds one class."""

from __future__ import annotations

from collections.abc import Mapping

from ktrace.fuzz.families.pipe import PipeFamily
from ktrace.fuzz.family import Family

FAMILIES: Mapping[str, type[Family]] = {family.name: family for family in (PipeFamily,)}
"""By the name that ``--family`` takes."""
