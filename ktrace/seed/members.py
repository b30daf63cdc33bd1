"""Hold the seed's listings against the kernel's DWARF, member by member."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import drgn

from ktrace.seed.listings import Listing, Member

_RENAMES = {
    (
        "idr",
        "idr_rt",
        "struct radix_tree_root",
    ): "a macro for struct xarray (include/linux/radix-tree.h)",
    ("kern_ipc_perm", "rcu", "struct rcu_head"): "",
}


@dataclass(frozen=True, slots=True)
class MemberVerdict:
    """What became of a member.

    :param verdict: ``present``, ``other type``, ``gone``, ``not listed`` (the kernel has it, the seed has not)
    :param seed: the type that the seed gives; :param kernel: the type that this kernel has
    """

    struct: str
    member: str
    verdict: str
    seed: str = ""
    kernel: str = ""
    note: str = ""


def audit_members(prog: drgn.Program, listing: Listing) -> Iterator[MemberVerdict]:
    """Yield the verdict on each member of a listing, then the members that it lacks."""
    try:
        type_ = prog.type(f"struct {listing.name}")
    except LookupError:
        yield MemberVerdict(listing.name, "", "gone", note="this kernel has no such structure")
        return
    members = dict(_members(type_))
    for member in listing.members:
        found = members.pop(member.name, None)
        yield _verdict(listing, member, found)
    if listing.whole:
        for name, found in members.items():
            yield MemberVerdict(listing.name, name, "not listed", "", _written(found))


def _members(type_: drgn.Type) -> Iterator[tuple[str, drgn.Type]]:
    """Yield name and type of each member; those of unnamed structs and unions as if they were its own."""
    for member in type_.members or ():
        if member.name:
            yield member.name, member.type
        else:
            yield from _members(member.type)


def _verdict(listing: Listing, member: Member, found: drgn.Type | None) -> MemberVerdict:
    if found is None:
        note = f"only with {member.option}" if member.option else ""
        return MemberVerdict(listing.name, member.name, "gone", member.type, "", note)
    written = _written(found)
    same = not member.type or _plain(member.type) == _plain(written)
    note = "" if same else _RENAMES.get((listing.name, member.name, member.type), "")
    return MemberVerdict(
        listing.name, member.name, "present" if same else "other type", member.type or written, written, note
    )


def _written(type_: drgn.Type) -> str:
    if type_.kind == drgn.TypeKind.ARRAY:
        return f"{_written(type_.type)} [{type_.length or ''}]"
    if type_.kind == drgn.TypeKind.POINTER and type_.type.kind == drgn.TypeKind.FUNCTION:
        return "function *"
    return str(type_.type_name())


def _plain(text: str) -> str:
    return re.sub(r"\s+|\bconst\b|\bvolatile\b", "", text)
