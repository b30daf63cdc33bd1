"""Stand in for a reader that a kernel has no members for: what it would read is told as unread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import drgn

from ktrace.errors import KernelLacks
from ktrace.inspect.inspector import FileTargets, Observation
from ktrace.inspect.members import MissingMember, allow_unread, note_unread, unread_allowed
from ktrace.state.ref import Ref
from ktrace.state.unread import Unread, UnreadMember

Reader = TypeVar("Reader", bound=FileTargets)

UNREADABLE = (KernelLacks, TypeError, AttributeError)
"""What an object that cannot be read of a kernel raises: the last two where something came in the place of a number."""


def absence(prog: drgn.Program, error: Exception) -> Unread:
    """Return what a kernel lacks that an object, which *error* ended the reading of, cannot do without.

    It stands in the World in place of the object: all others are read and compared.

    :param error: one of :data:`UNREADABLE`
    :raises Exception: *error*, where nothing that is missing explains it
    """
    if isinstance(error, UnreadMember):
        return error.absent
    if isinstance(error, MissingMember) and unread_allowed(prog):
        absent = Unread(structure=error.structure, member=error.member)
        note_unread(prog, absent, error)
        return absent
    unread = allow_unread(prog) if unread_allowed(prog) else {}
    if isinstance(error, KernelLacks) or not unread:
        raise error
    return next(iter(unread.values()))


def kept(value: Any, show: Callable[[Any], Any]) -> Any:
    """Return *value* as *show* shows it; as it is where it could not be read."""
    return value if isinstance(value, Unread) else show(value)


class UnreadTargets:
    """Tell what lies behind some files as unread.

    :param kind: of the objects
    :param by_inode: they go by the address of their inode, not by ``private_data``
    """

    def __init__(self, f_ops: frozenset[str], kind: str, absent: Unread, by_inode: bool = False) -> None:
        self.f_ops = f_ops
        self.kind = kind
        self.absent = absent
        self.by_inode = by_inode

    def file_target(self, observation: Observation, file: int, private_data: int, f_inode: int) -> Ref:
        """Add the object as unread."""
        ref = Ref(self.kind, f_inode if self.by_inode else private_data)
        observation.objects[ref] = self.absent
        return ref


def reader_or_unread(prog: drgn.Program, reader: type[Reader], make: Callable[[], Reader]) -> Reader | UnreadTargets:
    """Return a *reader* of what lies behind files, or what tells that it cannot be read of this kernel."""
    try:
        return make()
    except MissingMember as error:
        absent = Unread(structure=error.structure, member=error.member)
        note_unread(prog, absent, error)
        return UnreadTargets(reader.f_ops, reader.kind, absent, reader.by_inode)
