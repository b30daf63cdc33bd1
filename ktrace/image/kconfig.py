"""Kernel configuration: fragments, their union, and whether the final ``.config`` obeys."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ktrace.errors import HostError, UsageError

# What stands behind the value asks for the option only of a kernel that knows its name.
_SET = re.compile(r'(CONFIG_\w+)=("(?:[^"\\]|\\.)*"|\S+)(?:\s+(# if known))?')
_UNSET = re.compile(r"# (CONFIG_\w+) is not set")


@dataclass(frozen=True)
class Fragment:
    """One file of options with a purpose.

    :param name: file name
    :param options: ``CONFIG_X`` to its value as written, ``n`` for "must be off"
    :param if_known: those of them that are only asked for where the kernel's Kconfig knows the name
    """

    name: str
    options: Mapping[str, str]
    if_known: frozenset[str] = frozenset()

    def for_kernel(self, symbols: Container[str]) -> Fragment:
        """Leave out the options that this kernel need not know and does not.

        :param symbols: names in its Kconfig, without ``CONFIG_``; see :func:`ktrace.image.symbols.kconfig_symbols`
        """
        options = {
            option: value
            for option, value in self.options.items()
            if option not in self.if_known or option.removeprefix("CONFIG_") in symbols
        }
        return Fragment(self.name, options)


@dataclass(frozen=True)
class DroppedOption:
    """An option that the final configuration does not have as it was asked for.

    :param option: ``CONFIG_X``
    :param asked: value asked for
    :param final: value in the final configuration, ``n`` where it is absent
    :param fragment: who asked
    """

    option: str
    asked: str
    final: str
    fragment: str

    def __str__(self) -> str:
        return f"{self.option}: {self.fragment} asks for {self.asked}, kconfig made it {self.final}"


def parse_config(text: str, name: str) -> Fragment:
    """Parse a fragment or a whole ``.config``.

    :param text: lines ``CONFIG_X=value``, ``CONFIG_X=value  # if known``, ``# CONFIG_X is not set``, comments
    :param name: for messages
    :raises UsageError: for any other line, and for an option given twice
    """
    options: dict[str, str] = {}
    if_known: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if match := _UNSET.fullmatch(line):
            option, value = match[1], "n"
        elif not line or line.startswith("#"):
            continue
        elif match := _SET.fullmatch(line):
            option, value = match[1], match[2]
            if match[3]:
                if_known.add(option)
        else:
            raise UsageError(f"{name}:{number}: not a configuration line: {line!r}")
        if option in options:
            raise UsageError(f"{name}:{number}: {option} is given twice")
        options[option] = value
    return Fragment(name, options, frozenset(if_known))


def read_fragment(path: Path) -> Fragment:
    """Read and parse one fragment file."""
    try:
        return parse_config(path.read_text(), path.name)
    except OSError as error:
        raise HostError(f"cannot read {str(path)!r}: {error.strerror}") from error


def read_config(path: Path) -> Fragment:
    """Read the configuration of a kernel that somebody else configured.

    :raises UsageError: if it cannot be read, or is none
    """
    try:
        text = path.read_text()
    except OSError as error:
        raise UsageError(f"cannot read {str(path)!r} as a configuration: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"cannot read {str(path)!r} as a configuration: not a text in UTF-8") from error
    if "CONFIG_" not in text:
        raise UsageError(f"{str(path)!r} is no kernel configuration: there is no CONFIG_ in it")
    return parse_config(text, path.name)


def merge_fragments(fragments: Iterable[Fragment]) -> dict[str, tuple[str, str]]:
    """Unite fragments; a later one overrides an earlier one.

    :returns: option to (value, name of the fragment that decided)
    """
    merged: dict[str, tuple[str, str]] = {}
    for fragment in fragments:
        for option, value in fragment.options.items():
            merged[option] = (value, fragment.name)
    return merged


def apply_options(base: str, merged: Mapping[str, tuple[str, str]]) -> str:
    """Replace options in the text of a ``.config``, for ``make olddefconfig`` to complete.

    :param base: text of the configuration to start from
    :param merged: what :func:`merge_fragments` returned
    """
    kept = []
    for line in base.splitlines():
        match = _SET.fullmatch(line) or _UNSET.fullmatch(line)
        if match is None or match[1] not in merged:
            kept.append(line)
    for option, (value, _) in merged.items():
        kept.append(f"# {option} is not set" if value == "n" else f"{option}={value}")
    return "\n".join(kept) + "\n"


def find_dropped(merged: Mapping[str, tuple[str, str]], final: str) -> list[DroppedOption]:
    """Compare what was asked for with the final configuration.

    :param merged: what :func:`merge_fragments` returned
    :param final: text of the final ``.config``
    :returns: each option that was dropped or changed; empty when kconfig obeyed
    """
    options = parse_config(final, ".config").options
    return [
        DroppedOption(option, asked, options.get(option, "n"), fragment)
        for option, (asked, fragment) in merged.items()
        if options.get(option, "n") != asked
    ]


def require_options(merged: Mapping[str, tuple[str, str]], final: str) -> None:
    """Refuse a final configuration that dropped anything.

    :raises UsageError: naming every option that was dropped or changed
    """
    if dropped := find_dropped(merged, final):
        listing = "".join(f"\n  {one}" for one in dropped)
        raise UsageError(
            f"kconfig did not obey {len(dropped)} of {len(merged)} options{listing}",
            hint="an option with an unmet dependency is dropped silently: add what it depends on to a fragment, take "
            "it out, or, if only some kernels have it, write '# if known' behind it",
        )
