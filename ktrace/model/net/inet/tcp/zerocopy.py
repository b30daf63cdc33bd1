"""MSG_ZEROCOPY over TCP (``net/ipv4/tcp.c``): on the loopback all is acknowledged at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.model.net.inet import zerocopy

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.model.net.inet.tcp.sock import Tcp


def msg_zerocopy_callback(kernel: Kernel, sk: Tcp) -> None:
    """Tell that what was just sent is free again.

    :raises NotImplementedError: some of it waits, in pages that the next call writes to
    """
    if sk.out or sk.lost or not (sk.state == "TCP_CLOSE" or sk.acked_at_once()):
        raise NotImplementedError("the model does not know bytes of MSG_ZEROCOPY that wait in pages of the sender")
    zerocopy.msg_zerocopy_callback(kernel, sk)
