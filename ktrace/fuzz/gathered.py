"""What ``kfree_rcu()`` gathers, and frees up to five seconds late (``kernel/rcu/tree.c: struct kfree_rcu_cpu``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from drgn import Object
from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.percpu import per_cpu
from drgn.helpers.linux.slab import for_each_slab_cache

from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.lib.slab import slab_cache

MOST = 1 << 20
"""Objects that are looked at, at most: a list of what is freed may be damaged."""

SLAB = 0
"""The channel of what lies in slabs; the other one is of ``vmalloc()``."""


def gathered(kernel: LiveKernel) -> Counter[str]:
    """Count what waits in ``krc`` to be freed, by the name of its slab cache.

    :param kernel: at rest, with one CPU
    """
    prog = kernel.prog
    found: Counter[str] = Counter()
    if "krc" not in prog:
        return found
    krc = per_cpu(prog["krc"], 0)
    addresses = [*_listed(krc.head), *_in_bulk(krc, "bulk_head", "bkvhead")]
    for work in krc.krw_arr:  # which wait for their grace period
        addresses += [*_listed(work.head_free), *_in_bulk(work, "bulk_head_free", "bkvhead_free")]
    names = {cache.value_(): cache.name.string_().decode() for cache in for_each_slab_cache(prog)}
    for address in addresses:
        name = names.get(slab_cache(kernel, address).value_())
        if name is not None:  # else it was too large for a slab
            found[name] += 1
    return found


def _listed(head: Object) -> Iterator[int]:
    """Yield the addresses of the ``rcu_head`` on a list, which lie within their objects."""
    for _ in range(MOST):
        if not head:
            return
        yield head.value_()
        head = head.next


def _in_bulk(batch: Object, name: str, before: str) -> Iterator[int]:
    """Yield the addresses that blocks of pointers have: blocks on a list, *before* that (6.1) chained by ``next``."""
    try:
        head = batch.member_(name)[SLAB].address_of_()
    except LookupError:
        blocks = _chained(batch.member_(before)[SLAB])
    else:
        blocks = list_for_each_entry("struct kvfree_rcu_bulk_data", head, "list")
    for block in blocks:
        for index in range(min(int(block.nr_records), MOST)):
            yield block.records[index].value_()


def _chained(block: Object) -> Iterator[Object]:
    for _ in range(MOST):
        if not block:
            return
        yield block
        block = block.next
