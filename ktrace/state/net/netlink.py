"""The part of AF_NETLINK in a sock, and the table of its protocols."""

from __future__ import annotations

from ktrace.state.quick import dataclass


@dataclass(frozen=True, slots=True)
class NetlinkSock:
    """``struct netlink_sock``.

    :param dst_group: where messages go without an address, counted from 1, 0 for no group
    :param groups: the groups it is in, counted from 1; *ngroups* could be
    :param bound: it can be found by its *portid*
    :param congested: NETLINK_S_CONGESTED
    :param flags: NETLINK_F_ bits by name, sorted
    """

    portid: int
    dst_portid: int
    dst_group: int
    subscriptions: int
    ngroups: int
    groups: tuple[int, ...]
    bound: bool
    congested: bool
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NetlinkTable:
    """One entry of ``nl_table[]``.

    :param groups: how many groups there are
    :param flags: NL_CFG_F_NONROOT_RECV 1, NL_CFG_F_NONROOT_SEND 2
    :param bind: symbol of what is asked before a group is joined
    :param input: whether the kernel itself reads messages
    """

    groups: int
    flags: int
    bind: str | None
    input: bool
