"""Find the members of C types in a kernel's debug information; say which one a kernel lacks."""

from __future__ import annotations

from typing import Any

import drgn

from ktrace.errors import KernelLacks
from ktrace.inspect.optional import OPTIONAL, SHAPES
from ktrace.state.unread import Unread

_UNREAD = "ktrace: unread members"
"""Where a drgn program keeps what of its kernel cannot be read, by name; only one that has this may lack anything."""

_HINT = "Linux 6.1, 6.12 and 7.3 are understood; is it another kernel, or one with another configuration?"


class MissingMember(KernelLacks):
    """A kernel's debug information lacks a type or a member, or has something else in its place.

    :param structure: such as ``struct sock``
    :param member: path of the member, such as ``sk_wmem_alloc.refs.counter``; empty for the type itself
    :param why: what the member is, if it is not missing: ``is an array, not a number,``
    """

    def __init__(self, structure: str, member: str = "", why: str = "") -> None:
        what = f"{structure} has no member {member!r}" if member else f"{structure} is unknown"
        super().__init__(f"{f'{structure}.{member} {why}' if why else what} in this vmlinux", _HINT)
        self.structure = structure
        self.member = member


def type_of(prog: drgn.Program, name: str) -> Any:
    """Return the type called *name*, such as ``struct pipe_inode_info``.

    :raises MissingMember: there is none, or it is only declared
    """
    try:
        found = prog.type(name)
    except (LookupError, SyntaxError):
        raise MissingMember(name) from None
    if not found.is_complete():
        raise MissingMember(name)
    return found


def allow_unread(prog: drgn.Program) -> dict[str, Unread]:
    """Have members that *prog* lacks read as :class:`Unread` from now on; return what those are, by name."""
    found: dict[str, Unread] = prog.cache.setdefault(_UNREAD, {})
    return found


def unread_allowed(prog: drgn.Program) -> bool:
    """Tell whether members that *prog* lacks may be passed over."""
    return _UNREAD in prog.cache


def note_unread(prog: drgn.Program, absent: Unread, error: MissingMember) -> None:
    """Note that *absent* is not read of the kernel whose types *prog* has.

    :raises MissingMember: nobody may pass it over
    """
    if not unread_allowed(prog):
        raise error
    allow_unread(prog)[absent.name] = absent


def bare(type_: Any) -> Any:
    """Return what a typedef stands for; any other type as it is."""
    while type_.kind == drgn.TypeKind.TYPEDEF:
        type_ = type_.type
    return type_


def find_member(type_: Any, path: str) -> tuple[Any, int, int | None] | None:
    """Return type, offset in bits and width of the member at *path*; ``None`` where there is none.

    The width is that of a bit field, ``None`` for any other member.
    """
    offset, width = 0, None
    for part in path.split("."):
        try:
            member = bare(type_).member(part)
        except (LookupError, AttributeError, TypeError, ValueError):
            return None
        offset += member.bit_offset
        width = member.bit_field_size
        type_ = member.type
    return type_, offset, width


def offset_of(prog: drgn.Program, name: str, path: str) -> int:
    """Return the offset in bytes of a member (``offsetof()``).

    :param name: such as ``struct epitem``
    :param path: such as ``wq.head``
    :raises MissingMember: this kernel has none, or a bit field there
    """
    try:
        return int(drgn.offsetof(type_of(prog, name), path))
    except (LookupError, ValueError, TypeError, SyntaxError):
        raise MissingMember(name, path) from None


def member_of(prog: drgn.Program, name: str, path: str) -> tuple[Any, int, int | None]:
    """Return type, offset in bits and width (of a bit field, else ``None``) of a member.

    :raises MissingMember: this kernel has no such member
    """
    found = find_member(type_of(prog, name), path)
    if found is None:
        raise MissingMember(name, path)
    return found


def lacking(prog: drgn.Program, name: str, *paths: str) -> Unread | None:
    """Return what stands for a value that a kernel has in none of the members *paths*, and note it; else ``None``.

    :raises MissingMember: it has none of them, and nobody may pass that over
    """
    if any(find_member(type_of(prog, name), path) is not None for path in paths):
        return None
    absent = Unread(structure=name, member=paths[0])
    note_unread(prog, absent, MissingMember(name, paths[0]))
    return absent


def is_configured(prog: drgn.Program, name: str, path: str, function: str) -> Any:
    """Tell whether a kernel has an option, by a member that is one of ``OPTIONAL``.

    :param function: that no kernel without the option has, inlined or not: one that has it without the member has
        another member; what stands for the answer is returned then, and noted
    :raises MissingMember: that may not be passed over
    """
    if has_member(prog, name, path):
        return True
    try:
        prog.function(function)
    except LookupError:
        return False
    return lacking(prog, name, path)


def require_size(prog: drgn.Program, name: str, path: str, size: int) -> None:
    """See that a member has *size* bytes, if there is one.

    :raises MissingMember: it has not
    """
    found = find_member(type_of(prog, name), path)
    if found is not None and (has := drgn.sizeof(found[0])) != size:
        raise MissingMember(name, path, f"has {has} bytes, not {size},")


def has_member(prog: drgn.Program, name: str, path: str) -> bool:
    """Tell whether this kernel has a member that is one of ``OPTIONAL``.

    :raises MissingMember: it has not even the type
    """
    _require_reason(OPTIONAL, name, path)
    return find_member(type_of(prog, name), path) is not None


def first_member(prog: drgn.Program, name: str, *paths: str) -> str:
    """Return the first of *paths*, all of ``OPTIONAL``, that this kernel has: a member was renamed.

    :raises MissingMember: it has none of them
    """
    for path in paths:
        if has_member(prog, name, path):
            return path
    raise MissingMember(name, paths[0])


def shape_of(prog: drgn.Program, name: str, path: str) -> Any:
    """Return the type of a member that is one of ``SHAPES``.

    :raises MissingMember: this kernel has no such member
    """
    _require_reason(SHAPES, name, path)
    found = find_member(type_of(prog, name), path)
    if found is None:
        raise MissingMember(name, path)
    return bare(found[0])


def constant(prog: drgn.Program, name: str) -> int | None:
    """Return an enumerator's value; ``None`` where this kernel has none of that name."""
    try:
        return int(prog.constant(name))
    except LookupError:
        return None


def require_optional(name: str, path: str) -> None:
    """Refuse a member that is read as if it could be missing, and that nobody says why.

    :raises AssertionError: it does not stand in ``OPTIONAL``
    """
    _require_reason(OPTIONAL, name, path)


def _require_reason(table: Any, name: str, path: str) -> None:
    if f"{name}.{path}" not in table:
        raise AssertionError(f"ktrace/inspect/optional.py does not say why {name}.{path} may differ")
