"""What a sequence leaves behind: once all its actors are dead, everything that they had must have been freed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from drgn import Object
from drgn.helpers.linux.percpu import per_cpu, per_cpu_ptr, percpu_counter_sum
from drgn.helpers.linux.slab import for_each_slab_cache, slab_cache_usage

from ktrace.inspect.kernel import LiveKernel

Census = Mapping[str, int]
"""How many objects there are, by the name of their slab cache, and what counters of the kernel say, by theirs."""

NOTHING: Census = MappingProxyType({})

KEPT_BY_OTHERS = frozenset({
    "radix_tree_node", "dentry", "proc_inode_cache", "inode_cache", "maple_node", "vm_area_struct", "vma_lock",
    "anon_vma", "anon_vma_chain", "vmap_area", "tw_sock_TCP", "tw_sock_TCPv6", "buffer_head", "ip_fib_alias",
    "fib6_nodes", "fib6_node", "inet_peer_cache", "inet_peer", "pool_workqueue",
})  # fmt: skip
"""Caches of what outlives a process: names, pages, TIME_WAIT for a minute, what is known of other hosts."""

UNCOUNTED = KEPT_BY_OTHERS - {"tw_sock_TCP", "tw_sock_TCPv6"}
"""Caches that nothing depends on (see :meth:`Kept.bounds`)."""

SHARED = frozenset({
    "cred_jar", "cred", "pid", "pidfs_attr_cache", "task_struct", "task_exec_state", "sighand_cache", "signal_cache",
    "files_cache", "fs_cache", "mm_struct", "skbuff_small_head", "ip_dst_cache", "rtable", "ip6_dst_cache",
})  # fmt: skip
"""Caches that the kernel uses for its own purposes all the time, frees into with delay, or keeps a few objects of."""

DRAINED = frozenset({"eventpoll_epi", "fasync_cache", "posix_timers_cache", "tcp_bind_bucket"})
"""Caches of what ``kfree_rcu()`` frees, up to five seconds late (``kernel/rcu/tree.c: KFREE_DRAIN_JIFFIES``)."""

KMALLOC = "kmalloc-"
"""How caches of what has none of its own begin: they are shared, too, and System V objects are in them."""

SLACK, DRAIN_SLACK = 12, 128


@dataclass(frozen=True)
class Kept:
    """What the processes left on purpose.

    :param named: inodes in tmpfs that have a name now, and had none before
    :param segments: of shared memory; *objects* of System V of any kind
    """

    named: int = 0
    segments: int = 0
    objects: int = 0

    def bounds(self, cache: str, grown: Mapping[str, int]) -> tuple[int, int]:
        """Return between which numbers of *cache* are theirs.

        :param grown: by how much other caches are larger
        """
        match cache:
            case "shmem_inode_cache":
                return self.named + self.segments, self.named + self.segments
            case "filp":
                return self.segments, self.segments
            case "cred" | "cred_jar" | "uid_cache" | "user_namespace":
                return 0, self.segments  # a segment's file keeps who opened it (f_cred)
            case "file_lock_ctx":
                return 0, self.named  # an inode keeps it (locks_free_lock_context())
            case "tcp_bind_bucket" | "tcp_bind2_bucket":
                return 0, max(0, grown.get("tw_sock_TCP", 0) + grown.get("tw_sock_TCPv6", 0))
        return 0, 0


def take(kernel: LiveKernel) -> Census:
    """Count (``mm/slub.c``); guests do not merge slab caches (``slab_nomerge``).

    :param kernel: at rest, with one CPU
    """
    prog = kernel.prog
    found = {}
    for cache in for_each_slab_cache(prog):
        name = cache.name.string_().decode()
        if name in UNCOUNTED:
            continue
        usage = slab_cache_usage(cache)
        found[name] = usage.num_objs - usage.free_objs - _rcu_freed(cache)
    if "skbuff_head_cache" in found and "napi_alloc_cache" in prog:
        # Heads of buffers that are free, for the next that are needed (napi_skb_cache_put()).
        found["skbuff_head_cache"] -= int(per_cpu(prog["napi_alloc_cache"], 0).skb_count)
    # Kernels that collect by graph do not count who is in flight (unix_tot_inflight, gone between 6.12 and 7.2).
    for name in ("unix_tot_inflight", "unix_nr_socks"):
        if name in prog:
            found[name] = int(prog[name].counter if name == "unix_nr_socks" else prog[name])
    if "tcp_orphan_count" in prog:
        found["tcp_orphan_count"] = int(per_cpu(prog["tcp_orphan_count"], 0))
    if "tcp_sockets_allocated" in prog:
        found["tcp_sockets_allocated"] = percpu_counter_sum(prog["tcp_sockets_allocated"].address_of_())
    return found


def _rcu_freed(cache: Object) -> int:
    """Return how many objects ``kfree_rcu()`` gathers in a sheaf, which drgn takes for allocated ones.

    Sheaves came somewhere between 6.12 and 7.3; ``struct slub_percpu_sheaves.rcu_free``.
    """
    try:
        sheaves = cache.cpu_sheaves.read_()
    except AttributeError:
        return 0
    sheaf = per_cpu_ptr(sheaves, 0).rcu_free.read_() if sheaves else None
    return int(sheaf.size) if sheaf else 0


def leaked(before: Census, after: Census, kept: Kept, gathered: Census = NOTHING) -> dict[str, int]:
    """Return how many objects are left over, by cache; negative where more were freed than made.

    :param gathered: objects that only wait to be freed
    """
    grown = {name: count - before.get(name, 0) - gathered.get(name, 0) for name, count in after.items()}
    found = {}
    for name, more in grown.items():
        if name in KEPT_BY_OTHERS or (kept.objects and name.startswith(KMALLOC)):
            continue
        least, most = kept.bounds(name, grown)
        shared = name in SHARED or name.startswith(KMALLOC)
        slack = max(SLACK, after[name] // 10) if shared else DRAIN_SLACK if name in DRAINED else 0
        if not least - slack <= more <= most + slack:
            found[name] = more - (most if more > most else least)
    return found
