"""Read the bits of ``socket.flags``, and those of them that later kernels keep in the sock.

``SOCK_PASSCRED``, ``SOCK_PASSSEC`` and ``SOCK_PASSPIDFD`` became ``sk_scm_credentials``, ``sk_scm_security`` and
``sk_scm_pidfd`` somewhere between 6.12 and 7.2; they keep their names in the World. What was left of socket.flags was
numbered anew, as ``enum socket_flags`` has it.
"""

from __future__ import annotations

from typing import Any

from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import Layout, layout_of
from ktrace.inspect.members import MissingMember, constant, has_member, lacking
from ktrace.inspect.memory import KernelMemory, Place
from ktrace.inspect.net.core.sock_names import bit_names, unnamed
from ktrace.state.net.socket import SOCKET_FLAGS
from ktrace.state.unread import Unread
from ktrace.uapi.socket import AF_BLUETOOTH, AF_NETLINK, AF_UNIX

SCM_FLAGS = {
    "sk_scm_credentials": "SOCK_PASSCRED", "sk_scm_security": "SOCK_PASSSEC", "sk_scm_pidfd": "SOCK_PASSPIDFD",
    "sk_scm_rights": "sk_scm_rights",
}  # fmt: skip
"""Bits of ``sk_scm_recv_flags``, with the names that they had as flags of the socket."""

_MAY_RECEIVE = (AF_UNIX, AF_NETLINK, AF_BLUETOOTH)
"""``sk_may_scm_recv()``: on others the byte is ``sk_txrehash``."""


class SocketFlags:
    """Name the flags of a socket.

    :raises MissingMember: its flags were numbered anew, and nothing says how
    """

    def __init__(self, kernel: LiveKernel) -> None:
        prog = kernel.prog
        self.names = dict(SOCKET_FLAGS)
        self._scm: Layout | None = None
        self._lacked: Unread | None = None
        """One of the bits has another name."""
        if has_member(prog, "struct sock", "sk_scm_recv_flags"):
            numbers = {
                name: constant(prog, name) for name in ("SOCK_NOSPACE", "SOCK_SUPPORT_ZC", "SOCK_CUSTOM_SOCKOPT")
            }
            if None in numbers.values():
                raise MissingMember("enum socket_flags")
            self.names = {number: name for name, number in numbers.items() if number is not None}
            self._scm = layout_of(
                prog, "struct sock", *(f"?{name}" for name in SCM_FLAGS), family="__sk_common.skc_family"
            )
            absent = [lacking(prog, "struct sock", name) for name in SCM_FLAGS]
            self._lacked = next((item for item in absent if item is not None), None)

    def read(self, memory: KernelMemory, flags: int, sk: int) -> tuple[tuple[str, ...], tuple[Place, ...]]:
        """Return the names of a socket's flags, and what of its sock they depend on.

        :param sk: address of its ``struct sock``; 0 for none
        """
        names = bit_names(flags, self.names)
        if self._scm is None or not sk:
            return names, ()
        at = sk + self._scm.start
        data = memory.read(at, self._scm.span)
        found: Any = self._scm.unpack_span(data, 0)
        if int(found.family) not in _MAY_RECEIVE:
            return names, ()
        if self._lacked is not None:
            return unnamed(self._lacked), ()
        passed = [name for member, name in SCM_FLAGS.items() if getattr(found, member)]
        byte = sk + self._scm.offsets["sk_scm_credentials"]
        return tuple(sorted((*names, *passed))), ((byte, memory.read(byte, 1)),)
