"""Members that some kernels lack or have in another shape: since when, and why.

A :class:`~ktrace.inspect.layout.Layout` reads a member that is marked with ``?`` as ``None`` where a kernel lacks it;
only members that stand here may be marked so. Where no commit is named, the release between two that were looked at
is not known.
"""

from __future__ import annotations

from collections.abc import Mapping

_WATCH_QUEUE = "CONFIG_WATCH_QUEUE only; since c73be61cede5 (pipe: Add general notification queue support), 5.8"
_NOTE_LOSS = "CONFIG_WATCH_QUEUE only; since e7d553d69cf6 (pipe: Add notification lossage handling), 5.8"
_SPINLOCK = "CONFIG_SMP only: arch_spinlock_t is empty without it (include/linux/spinlock_types_up.h)"
_TIMESPEC = (
    "called __i_atime, __i_mtime, __i_ctime somewhere between 6.1 and 6.12 (fs: rename i_atime and i_mtime fields); "
    "two integers since 3aa63a569c64 (fs: switch timespec64 fields in inode to discrete integers), by 6.12"
)
_INET_FLAGS = "a bit of inet_flags since {}; in the series of c274af224269 (inet: introduce inet->inet_flags), 6.6"
_INET6_FLAGS = "a bit of inet_sock.inet_flags since {}, by 6.12"
_PREALLOC = "since 7.3: a pool of pages (struct anon_pipe_prealloc) in place of tmp_page"
_NS_REF = "called __ns_ref since 024596a4e280 (ns: rename to __ns_ref), 6.18"
_NETMEM = "a struct of its own, no bio_vec, somewhere between 6.1 and 6.12: skb_frag_t is {netmem, len, offset}"
_SCM_FLAGS = (
    "since SO_PASSCRED and its like are kept in the sock, and no longer as bits of socket.flags, which were numbered "
    "anew with it: 0e81cfd971dc (af_unix: Move SOCK_PASS{CRED,PIDFD,SEC} to struct sock), 6.16"
)
_D_ALIAS = "in a union that has no name somewhere between 6.12 and 7.3 (include/linux/dcache.h)"
_GRAPH_TIMES = "in ftrace_graph_ret once, beside it somewhere between 6.12 and 7.2 (kernel/trace/trace_entries.h)"
_TRACED = "CONFIG_FUNCTION_GRAPH_TRACER only"

OPTIONAL: Mapping[str, str] = {
    "struct pipe_inode_info.note_loss": _NOTE_LOSS,
    "struct pipe_inode_info.watch_queue": _WATCH_QUEUE,
    "struct pipe_inode_info.poll_usage": "replaced by pseudo_edgetrigger in 7.3 (fs/pipe.c: pipe_poll())",
    "struct pipe_inode_info.pseudo_edgetrigger": "since 7.3, in place of poll_usage (fs/pipe.c: pipe_poll())",
    "struct pipe_inode_info.tmp_page": "replaced by prealloc in 7.3",
    "struct pipe_inode_info.prealloc.count": _PREALLOC,
    "struct pipe_inode_info.prealloc.pages": _PREALLOC,
    "struct file.f_count.counter": "replaced by f_ref in 90ee6ed776c0 (fs: port files to file_ref), 6.13",
    "struct file.f_ref.refcnt.counter": (
        "since 90ee6ed776c0 (fs: port files to file_ref), 6.13; it is one less "
        "(include/linux/file_ref.h: FILE_REF_ONEREF)"
    ),
    "struct netns_ipv4.fib_info_hash": "a variable for all namespaces before, somewhere between 6.12 and 7.2",
    "struct netns_ipv4.ping_port_rover": "a variable for all namespaces before, somewhere between 6.12 and 7.2",
    **{f"struct ftrace_graph_ret_entry.{name}": _GRAPH_TIMES for name in ("calltime", "rettime")},
    **{f"struct ftrace_graph_ret_entry.ret.{name}": _GRAPH_TIMES for name in ("calltime", "rettime")},
    "struct file_system_type.next": "replaced by list in dc651e25a6d2 (fs: RCU-ify filesystems list), 7.2",
    "struct file_system_type.list.next": "a hlist_node in place of next since dc651e25a6d2, 7.2",
    "struct ipc_namespace.ns.count.refs.counter": _NS_REF,
    "struct ipc_namespace.ns.__ns_ref.refs.counter": _NS_REF,
    "skb_frag_t.bv_page": _NETMEM,
    "skb_frag_t.netmem": _NETMEM,
    "skb_frag_t.bv_len": _NETMEM,
    "skb_frag_t.len": _NETMEM,
    "skb_frag_t.bv_offset": _NETMEM,
    "skb_frag_t.offset": _NETMEM,
    "struct sock.sk_scm_recv_flags": _SCM_FLAGS,
    "struct sock.sk_scm_credentials": _SCM_FLAGS,
    "struct sock.sk_scm_security": _SCM_FLAGS,
    "struct sock.sk_scm_pidfd": _SCM_FLAGS,
    "struct sock.sk_scm_rights": _SCM_FLAGS,
    "struct file.f_version": "removed in 6.12 (fs: remove f_version); a FIFO's is f_pipe then",
    "struct file.f_pipe": "added in 6.12 (fs: add f_pipe), in place of f_version",
    "struct file.f_owner.pid": "in the file itself until 1934b212615d (file: reclaim 24 bytes from f_owner), 6.12",
    **{f"struct inode.i_{letter}time.tv_{unit}": _TIMESPEC for letter in "amc" for unit in ("sec", "nsec")},
    **{f"struct inode.__i_{letter}time.tv_{unit}": _TIMESPEC for letter in "amc" for unit in ("sec", "nsec")},
    **{f"struct inode.i_{letter}time_{unit}": _TIMESPEC for letter in "amc" for unit in ("sec", "nsec")},
    "struct dentry.d_u.d_alias": _D_ALIAS,
    "struct dentry.d_alias": _D_ALIAS,
    "struct mnt_namespace.list": "a red-black tree since 2eea9ce4310d (mounts: keep list of mounts in an rbtree), 6.8",
    "struct dentry.d_children.first": "since da549bdd15c2 (dentry: switch the lists of children to hlist), 6.8",
    "struct sem_array.sem_perm.lock.rlock.raw_lock.val.counter": _SPINLOCK,
    "struct msg_queue.q_perm.lock.rlock.raw_lock.val.counter": _SPINLOCK,
    "struct shmid_kernel.shm_perm.lock.rlock.raw_lock.val.counter": _SPINLOCK,
    "struct sem.lock.rlock.raw_lock.val.counter": _SPINLOCK,
    "struct sem_undo_list.lock.rlock.raw_lock.val.counter": _SPINLOCK,
    "struct ipc_ids.next_id": (
        "CONFIG_CHECKPOINT_RESTORE only; since 03f595668017 (ipc: add sysctl to specify desired next object id)"
    ),
    "struct unix_sock.oob_skb": "CONFIG_AF_UNIX_OOB only; since 314001f0bf92 (af_unix: Add OOB support)",
    "struct unix_sock.vertex": (
        "since 1fbfdfaa5902 (af_unix: Allocate struct unix_vertex for each inflight AF_UNIX fd), "
        "which stable kernels have, too: 6.1.192"
    ),
    "struct scm_fp_list.count_unix": (
        "since d9f21b361333 (af_unix: Try to run GC async), which stable kernels have, too: 6.1.192"
    ),
    "struct inet_sock.inet_flags": "since c274af224269 (inet: introduce inet->inet_flags), 6.6",
    "struct inet_sock.recverr": _INET_FLAGS.format("6b5f43ea0815"),
    "struct inet_sock.is_icsk": _INET_FLAGS.format("b1c0356a5857"),
    "struct inet_sock.freebind": _INET_FLAGS.format("3f7e753206bb"),
    "struct inet_sock.hdrincl": _INET_FLAGS.format("cafbe182a467"),
    "struct inet_sock.mc_loop": _INET_FLAGS.format("b09bde5c3554"),
    "struct inet_sock.transparent": _INET_FLAGS.format("4bd0623f04ee"),
    "struct inet_sock.mc_all": _INET_FLAGS.format("307b4ac6dc18"),
    "struct inet_sock.nodefrag": _INET_FLAGS.format("f04b8d3478a3"),
    "struct inet_sock.bind_address_no_port": _INET_FLAGS.format("ca571e2eb7eb"),
    "struct inet_sock.recverr_rfc4884": _INET_FLAGS.format("8e8cfb114d9f"),
    "struct inet_sock.defer_connect": _INET_FLAGS.format("08e39c0dfa29"),
    "struct inet_sock.cmsg_flags": (
        "the low bits of inet_flags somewhere between 6.1 and 6.12 (include/net/inet_sock.h: IP_CMSG_PKTINFO)"
    ),
    "struct ipv6_pinfo.mc_loop": _INET6_FLAGS.format("d986f52124e0 (ipv6: lockless IPV6_MULTICAST_LOOP)"),
    "struct ipv6_pinfo.mc_all": _INET6_FLAGS.format("6559c0ff3bc2 (ipv6: lockless IPV6_MULTICAST_ALL)"),
    "struct ipv6_pinfo.recverr": _INET6_FLAGS.format("3fa29971c695 (ipv6: lockless IPV6_RECVERR)"),
    "struct ipv6_pinfo.sndflow": _INET6_FLAGS.format("859f8b265fc2 (ipv6: lockless IPV6_FLOWINFO_SEND)"),
    "struct ipv6_pinfo.repflow": _INET6_FLAGS.format("3cccda8db2cf (ipv6: move np->repflow to atomic flags)"),
    "struct ipv6_pinfo.dontfrag": _INET6_FLAGS.format("1086ca7cce29 (ipv6: lockless IPV6_DONTFRAG)"),
    "struct ipv6_pinfo.autoflowlabel": _INET6_FLAGS.format("5121516b0c47 (ipv6: lockless IPV6_AUTOFLOWLABEL)"),
    "struct ipv6_pinfo.autoflowlabel_set": _INET6_FLAGS.format("5121516b0c47 (ipv6: lockless IPV6_AUTOFLOWLABEL)"),
    "struct ipv6_pinfo.recverr_rfc4884": _INET6_FLAGS.format("dcae74622c05 (ipv6: lockless IPV6_RECVERR_RFC4884)"),
    "struct ipv6_pinfo.rtalert_isolate": _INET6_FLAGS.format("83cd5eb654b3 (ipv6: lockless IPV6_ROUTER_ALERT_ISOLATE)"),
    "struct udp_sock.corkflag": (
        "a bit of udp_flags since e2a4392b61f6 (udp: introduce udp->udp_flags), 6.7, which stable kernels have, too: "
        "6.1.192"
    ),
    "struct udp_sock.udp_flags": "since e2a4392b61f6 (udp: introduce udp->udp_flags), 6.7; in 6.1.192, too",
    "struct task_struct.rethooks.first": (
        "CONFIG_RETHOOK only; since 54ecbe6f1ed5 (rethook: Add a generic return hook)"
    ),
    "struct task_struct.ret_stack": _TRACED,
    "struct task_struct.curr_ret_stack": _TRACED,
}
"""Why a kernel may lack a member, by ``struct type.path.of.members``."""

SHAPES: Mapping[str, str] = {
    "struct sem_undo.semadj": (
        "a pointer in 6.1, an array of no fixed length by 6.12 (ipc/sem: use flexible array in 'struct sem_undo')"
    ),
    "struct pipe_inode_info.tmp_page": "an array of two since 46af8e2406c2 (pipe: cache 2 pages instead of 1), 6.15",
    "struct task_struct.ret_stack": (
        "points at structures in 6.1, at longs since 42675b723b48 (function_graph: Convert ret_stack to a series of "
        "longs), by 6.12"
    ),
    "struct netns_ipv4.ip_local_ports.range": (
        "an array of two until d9f28735af87 packed both ends into one word, by 6.12"
    ),
}
"""What a member may be besides what it was in 6.1, by ``struct type.path.of.members``."""
