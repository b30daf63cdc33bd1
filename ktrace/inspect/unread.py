"""Stand in for a reader that a kernel has no members for: what it would read is told as unread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import drgn

from ktrace.inspect.inspector import FileTargets, Observation
from ktrace.inspect.members import MissingMember, note_unread
from ktrace.state.ref import Ref
from ktrace.state.unread import Unread

Reader = TypeVar("Reader", bound=FileTargets)


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


def reader_or_unread(
    prog: drgn.Program, make: Callable[[], Reader], f_ops: frozenset[str], kind: str, by_inode: bool = False
) -> Reader | UnreadTargets:
    """Return a reader of what lies behind files, or what tells that it cannot be read of this kernel."""
    try:
        return make()
    except MissingMember as error:
        absent = Unread(structure=error.structure, member=error.member)
        note_unread(prog, absent, error)
        return UnreadTargets(f_ops, kind, absent, by_inode)
