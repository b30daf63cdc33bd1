"""Lists whose order nothing depends on: they are compared as multisets, each by a named rule beside its field.

A list is marked so where every walk over it in the kernel's source does the same in whichever order. Where a walk ends
early, moves what it finds, wakes whoever takes what others wait for, or tells user space, its order is compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache

from ktrace.state.rule import Rule

_KEY = "unordered"


def unordered(rule: Rule) -> dict[str, Rule]:
    """Return the metadata of a dataclass's field that holds a list in no particular order.

    :param rule: names who puts it in order, and why that is nobody's business
    """
    return {_KEY: rule}


@cache
def unordered_fields(cls: type) -> Mapping[str, Rule]:
    """Return the fields of a dataclass whose order is not compared, with the rule of each."""
    return {item.name: item.metadata[_KEY] for item in fields(cls) if _KEY in item.metadata}
