"""Read from DWARF which functions gcc inlined, and where: no tracer sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCE_PREFIX = "/usr/src/linux/"

SEED_UNITS = (
    "fs/pipe.c",
    "ipc/util.c",
    "ipc/sem.c",
    "ipc/msg.c",
    "ipc/msgutil.c",
    "ipc/shm.c",
    "ipc/namespace.c",
    "net/socket.c",
    "net/core/sock.c",
    "net/ipv4/af_inet.c",
    "net/unix/af_unix.c",
    "net/unix/garbage.c",
    "net/unix/scm.c",
)
"""The compilation units that the seed speaks of."""


@dataclass(frozen=True, slots=True)
class Inlined:
    """One function inlined in another.

    :param function: the inlined one
    :param within: the one that has a symbol of its own
    :param place: where it is called, ``ipc/shm.c:782``
    :param declared: the file that defines it
    """

    function: str
    within: str
    place: str
    declared: str = ""

    def __str__(self) -> str:
        return f"inlined in {self.within}, {self.place}"


def read_inlined(vmlinux: Path, units: tuple[str, ...] = SEED_UNITS) -> tuple[Inlined, ...]:
    """Return what is inlined in the functions of *units* (DW_TAG_inlined_subroutine), in the order of the source.

    :param vmlinux: with DWARF
    """
    from elftools.elf.elffile import ELFFile  # who holds recorded functions against paths does not wait for it

    found: list[Inlined] = []
    with vmlinux.open("rb") as file:
        dwarf = ELFFile(file).get_dwarf_info()
        for unit in dwarf.iter_CUs():
            top = unit.get_top_DIE()
            if top.tag != "DW_TAG_compile_unit" or "DW_AT_name" not in top.attributes:
                continue
            if _relative(_text(top, "DW_AT_name")) in units:
                found += _of_unit(top, _file_names(dwarf.line_program_for_CU(unit)))
    return tuple(found)


def _of_unit(top: Any, files: Callable[[int], str]) -> Iterator[Inlined]:
    names: dict[int, str] = {}
    for die in top.iter_children():
        if die.tag != "DW_TAG_subprogram" or not die.has_children:
            continue
        if "DW_AT_low_pc" not in die.attributes and "DW_AT_ranges" not in die.attributes:
            continue
        within = _name(die, names)
        seen: set[tuple[str, str]] = set()
        if not within:
            continue
        for inner in _subroutines(die):
            function = _name(inner, names)
            line = inner.attributes.get("DW_AT_call_line")
            file = inner.attributes.get("DW_AT_call_file")
            place = f"{files(file.value)}:{line.value}" if file and line else ""
            if function and (function, place) not in seen:
                seen.add((function, place))
                origin = _origin(inner)
                declared = origin.attributes.get("DW_AT_decl_file")
                yield Inlined(function, within, place, files(declared.value) if declared else "")


def _subroutines(die: Any) -> Iterator[Any]:
    for child in die.iter_children():
        if child.tag == "DW_TAG_inlined_subroutine":
            yield child
        if child.has_children and child.tag in ("DW_TAG_inlined_subroutine", "DW_TAG_lexical_block"):
            yield from _subroutines(child)


def _name(die: Any, names: dict[int, str]) -> str:
    """Return a function's name, which its abstract instance may have."""
    known = names.get(die.offset)
    if known is not None:
        return known
    origin = _origin(die)
    name = _text(origin, "DW_AT_name") if "DW_AT_name" in origin.attributes else ""
    names[die.offset] = name
    return name


def _origin(die: Any) -> Any:
    """Return the abstract instance of a function, or what stands for it."""
    for _ in range(8):
        if "DW_AT_abstract_origin" not in die.attributes:
            break
        die = die.get_DIE_from_attribute("DW_AT_abstract_origin")
    return die


def _text(die: Any, attribute: str) -> str:
    return str(die.attributes[attribute].value.decode("utf-8", "replace"))


def _relative(path: str) -> str:
    return path.removeprefix(SOURCE_PREFIX).removeprefix("./")


def _file_names(program: Any) -> Callable[[int], str]:
    """Return what tells a unit's file names by their numbers."""
    header = program.header if program is not None else None
    entries = header["file_entry"] if header is not None else []
    directories = header["include_directory"] if header is not None else []
    base = 0 if header is not None and header["version"] >= 5 else 1

    def name(number: int) -> str:
        index = number - base
        if not 0 <= index < len(entries):
            return "?"
        entry = entries[index]
        file = entry.name.decode("utf-8", "replace")
        where = entry.dir_index - base
        if "/" not in file and 0 <= where < len(directories):
            file = f"{directories[where].decode('utf-8', 'replace')}/{file}"
        return _relative(file)

    return name


SEED_FILES = ("fs/pipe.c", "ipc/", "net/", "include/net/sock.h", "include/net/inet_sock.h", "include/linux/pipe_fs_i.h")
"""Where the functions are defined that are worth showing where they are inlined."""


def is_telling(item: Inlined) -> bool:
    """Tell whether an inlined function is one of IPC's own, not one of the thousands of small helpers."""
    return item.declared.startswith(SEED_FILES)


def by_function(inlined: tuple[Inlined, ...]) -> Mapping[str, Mapping[str, Inlined]]:
    """Return, by the function that has a symbol, what is inlined in it: the first place of each."""
    table: dict[str, dict[str, Inlined]] = {}
    for item in inlined:
        table.setdefault(item.within, {}).setdefault(item.function, item)
    return table
