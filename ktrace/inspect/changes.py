"""Read which changes a kernel has: from its members, symbols and tables, never from its version.

A ``#define`` that moved, or a rule that was turned round, leaves nothing in the debug information: a member that came
with it tells, or two that enclose it. Between those two it cannot be told, and is ``None``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import drgn

from ktrace.errors import UsageError
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.members import MissingMember, constant, find_member, type_of
from ktrace.state.changes import Changes, changes

Probe = Callable[[LiveKernel], bool | None]


def symbol(name: str) -> Probe:
    """Return what tells whether a kernel has a symbol of that name."""
    return lambda kernel: kernel.has_symbol(name)


def _member(structure: str, member: str) -> Probe:
    return lambda kernel: find_member(type_of(kernel.prog, structure), member) is not None


def _type(name: str) -> Probe:
    def has(kernel: LiveKernel) -> bool:
        try:
            return bool(kernel.prog.type(name).is_complete())
        except LookupError:
            return False

    return has


def _function(name: str) -> Probe:
    """Return what tells whether a kernel was built of a function of that name, inlined or not."""

    def has(kernel: LiveKernel) -> bool:
        try:
            kernel.prog.function(name)
        except LookupError:
            return False
        return True

    return has


def _not(probe: Probe) -> Probe:
    def other(kernel: LiveKernel) -> bool | None:
        found = probe(kernel)
        return None if found is None else not found

    return other


def between(before: Probe, since: Probe) -> Probe:
    """Return what says yes where *since* does, no where *before* does, and else that it cannot be told."""
    return lambda kernel: True if since(kernel) else False if before(kernel) else None


def _setpipe_unsigned_int(kernel: LiveKernel) -> bool:
    return bool(drgn.sizeof(kernel.prog.function("pipe_fcntl").type_.parameters[2].type) == 4)


def _unix_scc_unique(kernel: LiveKernel) -> bool:
    """Tell whether __unix_walk_scc() numbers a component, before it asks unix_scc_dead() about it."""
    return len(kernel.prog.function("unix_scc_dead").type_.parameters) == 1


def _tcp_peek_off(kernel: LiveKernel) -> bool:
    if not _HAS_SET_PEEK_OFF(kernel):
        raise MissingMember("struct proto_ops", "set_peek_off")
    return bool(kernel.variable("inet_stream_ops").set_peek_off.value_())


def _unix_socket_state(kernel: LiveKernel) -> bool:
    """Tell whether no code of AF_UNIX marks a socket as connected."""
    function = kernel.prog.symbol("unix_socketpair")
    code = kernel.memory.read(function.address, function.size)
    return _STORES_SS_CONNECTED.search(code) is None


_STORES_SS_CONNECTED = re.compile(rb"\xc7(?:[\x00-\x03\x06\x07]|\x04\x24|\x45\x00)\x03\x00\x00\x00")
"""``movl $SS_CONNECTED, (reg)``: ``socket.state`` is the first member."""

_HAS_SET_PEEK_OFF = _member("struct proto_ops", "set_peek_off")
_SENDPAGE = _member("struct proto_ops", "sendpage")
_VMA_MUNMAP = _type("struct vma_munmap_struct")
_F_COUNT = _member("struct file", "f_count")
_I_CTIME = _member("struct inode", "i_ctime")
_MOUNT_LIST = _member("struct mnt_namespace", "list")
_SCM_FLAGS = _member("struct sock", "sk_scm_recv_flags")

PROBES: Mapping[str, Probe] = {
    "pipeanon_fops": symbol("pipeanon_fops"),
    "pipe_write_whole": symbol("pipeanon_fops"),
    "pipe_wakes_when_freed": between(_F_COUNT, symbol("pipeanon_fops")),
    "pipe_prealloc": _member("struct pipe_inode_info", "prealloc"),
    "pipe_pseudo_edgetrigger": _member("struct pipe_inode_info", "pseudo_edgetrigger"),
    "pipe_size_unsigned_int": _setpipe_unsigned_int,
    "splice_to_socket": _not(_SENDPAGE),
    "splice_zero_pages": symbol("zero_pipe_buf_ops"),
    "splice_failed_keeps_pos": between(_I_CTIME, _VMA_MUNMAP),
    "eventfd_write_exact": between(_MOUNT_LIST, _tcp_peek_off),
    "select_negative": between(_member("struct ns_common", "count"), _member("struct file_system_type", "list")),
    "epoll_wait_fd_first": symbol("epoll_sendevents"),
    "epoll_ioctl": symbol("ep_eventpoll_ioctl"),
    "vms_gather_munmap_vmas": _VMA_MUNMAP,
    "vma_longer_with_close": between(_not(_member("struct vm_area_struct", "__vm_flags")), _VMA_MUNMAP),
    "init_ns_uncounted": lambda kernel: constant(kernel.prog, "NS_LAST_INIT_ID") is not None,
    "udp_custom_sockopt": _member("struct udp_sock", "forward_threshold"),
    "udp_drops_unless_empty": _member("struct udp_sock", "udp_prod_queue"),
    "ip6_flow_in_cork": _member("struct ipv6_pinfo", "final"),
    "cork_keeps_tos": _not(_function("get_rttos")),
    "tcp_peek_off": _tcp_peek_off,
    "tcp_connect_bind": _member("struct inet_timewait_sock", "tw_connect_bind"),
    "busy_poll_for_all": between(_I_CTIME, _not(_MOUNT_LIST)),
    "txrehash_tcp_only": _SCM_FLAGS,
    "scm_flags_in_sock": _SCM_FLAGS,
    "unix_socket_state": _unix_socket_state,
    "unix_custom_sockopt": _member("struct unix_sock", "scm_rights_notrunc"),
    "unix_stream_custom_sockopt": _member("struct unix_sock", "recvmsg_inq"),
    "unix_oob_holes": between(_SENDPAGE, _VMA_MUNMAP),
    "unix_scc_unique": _unix_scc_unique,
    "unix_inq_len": _member("struct unix_sock", "inq_len"),
    "write_faults_late": between(_F_COUNT, symbol("pipeanon_fops")),
    "shmem_mmap_prepare": symbol("shmem_mmap_prepare"),
    "close_fput_sync": between(
        _I_CTIME,
        lambda kernel: kernel.has_symbol("filp_flush") or kernel.has_symbol("file_close_fd"),
    ),
    "unix_dgram_allocates_first": _member("struct sockcm_cookie", "priority"),
}
"""How each field of :class:`~ktrace.state.changes.Changes` is told."""


def read_changes(kernel: LiveKernel) -> Changes:
    """Return what *kernel* has of the known changes; ``None`` for what cannot be told of it.

    That is so, too, where a sign is missing, but the kernel has a change of that release or a later one: the sign may
    have another name by now.
    """
    found: dict[str, bool | None] = {}
    for name, probe in PROBES.items():
        try:
            found[name] = probe(kernel)
        except (UsageError, LookupError, AttributeError):
            found[name] = None  # what it is told by is not there
    return Changes(**_consistent(found))


def _consistent(found: Mapping[str, bool | None]) -> dict[str, bool | None]:
    releases = {name: change.releases for name, change in changes()}
    newest = max((releases[name][0] for name, has in found.items() if has), default=(0, 0))
    return {name: None if has is False and releases[name][1] <= newest else has for name, has in found.items()}
