"""What a kernel has no member for: it stands in the World where the value would, and nothing is held against it."""

from __future__ import annotations

from typing import Any, NoReturn

from ktrace.errors import KernelLacks
from ktrace.state.quick import dataclass


class UnreadMember(KernelLacks):
    """Something depends on a member that this kernel lacks.

    :ivar absent: which
    """

    def __init__(self, absent: Unread) -> None:
        super().__init__(
            f"{absent.name} is not in this kernel's debug information, and something depends on it",
            "this kernel is newer than ktrace, or configured otherwise",
        )
        self.absent = absent


@dataclass(frozen=True, slots=True)
class Unread:
    """A value, or a whole object, that cannot be read of this kernel.

    Reckoning with it gives it again; to decide by it, to follow it or to count with it says which member is missing.

    :param structure: such as ``struct sock``
    :param member: such as ``sk_mark``; empty where the structure itself is not known
    """

    structure: str
    member: str

    def __str__(self) -> str:
        return "unread"

    @property
    def name(self) -> str:
        """The structure with the member."""
        return f"{self.structure}.{self.member}" if self.member else self.structure

    def needed(self, *_: Any) -> NoReturn:
        """Say that something cannot go on without it.

        :raises UnreadMember: always
        """
        raise UnreadMember(self)

    def same(self, *_: Any) -> Unread:
        """Return it again: what is reckoned with it is not known either."""
        return self

    def __format__(self, spec: str) -> str:
        return "unread" if not spec else self.needed()

    to_bytes = bit_length = needed
    __bool__ = __int__ = __index__ = __len__ = __iter__ = __contains__ = needed
    __lt__ = __le__ = __gt__ = __ge__ = __getitem__ = needed
    __add__ = __radd__ = __sub__ = __rsub__ = __and__ = __rand__ = __or__ = __ror__ = same
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __neg__ = __pos__ = __xor__ = __rxor__ = same
    __rshift__ = __lshift__ = __rlshift__ = __rrshift__ = __mul__ = __rmul__ = __invert__ = same
