"""``struct socket``, which stands between an open file and its protocol's sock.

Names of constants are the kernel's own; a number without a name is shown as it is, in decimal.
"""

from __future__ import annotations

from ktrace.include.linux import net
from ktrace.state.quick import dataclass
from ktrace.state.ref import Ref
from ktrace.state.wait import Waiter
from ktrace.uapi import net as uapi_net
from ktrace.uapi.named import by_number, family, numbers

SOCKET_STATES = tuple(family(uapi_net, "SS_"))
"""``socket_state`` (``include/uapi/linux/net.h``)."""


SOCKET_FLAGS = by_number(numbers(net, "SOCK_NOSPACE SOCK_PASSCRED SOCK_PASSSEC SOCK_SUPPORT_ZC SOCK_CUSTOM_SOCKOPT"))
"""Bits of ``socket.flags`` (``include/linux/net.h``)."""


SOCKWQ_FLAGS = by_number(family(net, "SOCKWQ_"))
"""Bits of ``socket_wq.flags`` (``include/linux/net.h``)."""


@dataclass(frozen=True, slots=True)
class Socket:
    """A ``struct socket``, with the inode beside it in its ``struct socket_alloc`` (``SOCKET_I()``).

    :param state: ``SS_CONNECTED`` and the like
    :param flags: bits of ``flags`` by name
    :param file: the open file in front of it
    :param sk: the protocol's ``struct sock``
    :param ops: symbol of the ``proto_ops``; ``None`` after release
    :param wait: who waits on ``wq``
    :param wq_flags: bits of ``wq.flags`` by name
    :param i_mode: of the inode, as file type and permissions
    """

    state: str
    type: str
    flags: tuple[str, ...]
    file: Ref | None
    sk: Ref | None
    ops: str | None
    wait: tuple[Waiter, ...]
    wq_flags: tuple[str, ...]
    i_ino: int
    i_mode: str
    i_uid: int
    i_gid: int
