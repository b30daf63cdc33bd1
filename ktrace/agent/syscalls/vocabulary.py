"""Names for numbers: flags, enumerations and modes, printed as strace prints them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from ktrace.state.quick import dataclass


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Know the names that one integer argument may be written with.

    :param flags: names of bits or groups of bits; those with most bits are tried first
    :param choices: names of whole values, compared under *mask*
    :param mask: the bits that *choices* cover; -1 for all of them
    :param octal: bits printed in octal, such as a file's mode
    """

    flags: Mapping[str, int] = field(default_factory=dict)
    choices: Mapping[str, int] = field(default_factory=dict)
    mask: int = 0
    octal: int = 0

    def format(self, value: int) -> str:
        """Write *value* by name; bits that have none come last, in hexadecimal."""
        parts: list[str] = []
        rest = value
        if self.mask:
            chosen = value if self.mask == -1 else value & self.mask
            for name, number in self.choices.items():
                if number == chosen:
                    parts.append(name)
                    rest = 0 if self.mask == -1 else value & ~self.mask
                    break
        for name, bits in sorted(self.flags.items(), key=lambda item: -item[1].bit_count()):
            if bits and rest & bits == bits:
                parts.append(name)
                rest &= ~bits
        if rest > 0 and rest & self.octal:
            parts.append(f"0{rest & self.octal:o}")
            rest &= ~self.octal
        if rest or not parts:
            if self.octal and not rest:
                parts.append("0")
            else:
                parts.append(str(rest) if rest <= 0 or self._enumerates() else f"{rest:#x}")
        return "|".join(parts)

    def _enumerates(self) -> bool:
        return self.mask == -1 and not self.flags

    def names(self) -> dict[str, int]:
        """Return every name with its number."""
        return {**self.choices, **self.flags}


def choice(*tables: Mapping[str, int]) -> Vocabulary:
    """Make a vocabulary of whole values; an earlier table's name is preferred."""
    return Vocabulary(choices=_merged(tables), mask=-1)


def flags(*tables: Mapping[str, int]) -> Vocabulary:
    """Make a vocabulary of bits."""
    return Vocabulary(flags=_merged(tables))


def _merged(tables: tuple[Mapping[str, int], ...]) -> dict[str, int]:
    return {name: number for table in tables for name, number in table.items()}
