"""What a sequence leaves behind: once all its actors are dead, everything that they had must have been freed."""

from __future__ import annotations

from collections.abc import Mapping

from drgn.helpers.linux.percpu import per_cpu, percpu_counter_sum
from drgn.helpers.linux.slab import for_each_slab_cache, slab_cache_usage

from ktrace.inspect.kernel import LiveKernel

Census = Mapping[str, int]
"""How many objects there are, by the name of their slab cache, and what counters of the kernel say, by theirs."""

KEPT_BY_OTHERS = frozenset({
    "radix_tree_node", "dentry", "proc_inode_cache", "inode_cache", "maple_node",
    "vm_area_struct", "anon_vma", "anon_vma_chain", "vmap_area", "tw_sock_TCP", "tw_sock_TCPv6", "buffer_head",
    "ip_fib_alias", "fib6_nodes",
})  # fmt: skip
"""Caches of what outlives a process: names, pages, TIME_WAIT for a minute."""

SHARED = (
    "kmalloc-", "cred_jar", "pid", "task_struct", "sighand_cache", "signal_cache", "files_cache", "fs_cache",
    "mm_struct", "skbuff_small_head",
)  # fmt: skip
"""Caches that the kernel uses for its own purposes all the time, or frees into with delay: a few more mean nothing."""

SLACK = 12


def take(kernel: LiveKernel) -> Census:
    """Count (``mm/slub.c``).

    :param kernel: at rest, with one CPU
    """
    prog = kernel.prog
    found = {}
    for cache in for_each_slab_cache(prog):
        usage = slab_cache_usage(cache)
        found[cache.name.string_().decode()] = usage.num_objs - usage.free_objs
    # Kernels that collect by graph do not count who is in flight (unix_tot_inflight, gone between 6.12 and 7.2).
    for name in ("unix_tot_inflight", "unix_nr_socks"):
        if name in prog:
            found[name] = int(prog[name].counter if name == "unix_nr_socks" else prog[name])
    if "tcp_orphan_count" in prog:
        found["tcp_orphan_count"] = int(per_cpu(prog["tcp_orphan_count"], 0))
    if "tcp_sockets_allocated" in prog:
        found["tcp_sockets_allocated"] = percpu_counter_sum(prog["tcp_sockets_allocated"].address_of_())
    return found


def leaked(before: Census, after: Census, named: int) -> dict[str, int]:
    """Return how many objects are left over, by cache; negative where more were freed than made.

    :param named: inodes in tmpfs that have a name now, and had none before
    """
    kept = {"shmem_inode_cache": named}
    found = {}
    for name, count in after.items():
        grown = count - before.get(name, 0) - kept.get(name, 0)
        slack = max(SLACK, count // 10) if name.startswith(SHARED) else 0
        if name not in KEPT_BY_OTHERS and abs(grown) > slack:
            found[name] = grown
    return found
