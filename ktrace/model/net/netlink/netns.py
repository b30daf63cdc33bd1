"""What AF_NETLINK keeps for all its sockets (``nl_table[]``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ktrace.model.net.netlink.sock import Netlink


class NetlinkTables:
    """The bound sockets of every netlink protocol, by port id (``nl_table[]``)."""

    def __init__(self) -> None:
        self._hashes: dict[int, dict[int, Netlink]] = {}

    def hash(self, protocol: int) -> dict[int, Netlink]:
        """Return the socks of *protocol* by their number (``nl_table[].hash``)."""
        return self._hashes.setdefault(protocol, {})
