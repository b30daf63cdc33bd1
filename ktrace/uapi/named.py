"""Tables of constants, made from the headers that own them."""

from __future__ import annotations

from types import ModuleType


def numbers(header: ModuleType, names: str) -> dict[str, int]:
    """Return the constants of *header* called *names*, which blanks separate, in that order.

    :raises AttributeError: *header* lacks one
    """
    return {name: getattr(header, name) for name in names.split()}


def family(header: ModuleType, prefix: str, but: str = "") -> dict[str, int]:
    """Return the constants of *header* whose names begin with *prefix*, smallest first.

    :param but: the beginnings of names to leave out, separated by blanks
    """
    without = tuple(but.split())
    found = {name: value for name, value in vars(header).items() if name.startswith(prefix)}
    return {name: found[name] for name in sorted(found, key=found.__getitem__) if not name.startswith(without)}


def everything(header: ModuleType) -> dict[str, int]:
    """Return all constants of *header*."""
    return {name: value for name, value in vars(header).items() if name.isupper() and isinstance(value, int)}


def by_number(constants: dict[str, int], strip: str = "") -> dict[int, str]:
    """Return names by number.

    :param strip: what to take away at the beginning of each
    :raises ValueError: two names mean the same number
    """
    table = {number: name.removeprefix(strip) for name, number in constants.items()}
    if len(table) < len(constants):
        raise ValueError(f"two of {', '.join(constants)} are the same")
    return table
