"""Our walks of lists, trees and tables in a live guest against drgn's own, which share no code with them.

Each is then broken: a pointer in the guest's memory is changed, and the walk says which one.
"""

from __future__ import annotations

from typing import Any

import drgn
import pytest
from drgn.helpers.linux.idr import idr_for_each
from drgn.helpers.linux.list import hlist_for_each, list_for_each, list_for_each_entry
from drgn.helpers.linux.mapletree import mt_for_each
from drgn.helpers.linux.wait import waitqueue_for_each_entry, waitqueue_for_each_task
from drgn.helpers.linux.xarray import xa_for_each

from ktrace.include.net.af_unix import UNIX_HASH_SIZE
from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.fs.inode import InodeReader
from ktrace.inspect.fs.tree import TreeReader
from ktrace.inspect.inspector import Observation
from ktrace.inspect.lib.list import for_each_hlist_node, for_each_list_node, for_each_next
from ktrace.inspect.lib.maple_tree import MapleTreeWalker
from ktrace.inspect.lib.rhashtable import KeyTable
from ktrace.inspect.lib.xarray import XArrayWalker
from ktrace.inspect.wait_queue import WaitQueues
from ktrace.verify.lab import Lab
from tests.guest.poke import write


def task(lab: Lab, actor: str = "A") -> drgn.Object:
    """Return an actor's ``task_struct``."""
    return drgn.Object(lab.kernel.prog, "struct task_struct *", value=lab.inspector.tasks[actor])


def ids(lab: Lab, kind: int) -> drgn.Object:
    """Return the ``ipc_ids`` of semaphores, queues or segments."""
    return lab.kernel.prog["init_ipc_ns"].ids[kind]


def array(lab: Lab, index: int) -> drgn.Object:
    """Return the semaphore array at *index*."""
    found = dict(idr_for_each(ids(lab, 0).ipcs_idr.address_of_()))
    return drgn.cast("struct sem_array *", drgn.Object(lab.kernel.prog, "void *", value=int(found[index])))


def queue(lab: Lab) -> drgn.Object:
    """Return the first message queue."""
    found = dict(idr_for_each(ids(lab, 1).ipcs_idr.address_of_()))
    return drgn.cast("struct msg_queue *", drgn.Object(lab.kernel.prog, "void *", value=int(found[0])))


def segment_file(lab: Lab) -> drgn.Object:
    """Return the file of the first segment."""
    found = dict(idr_for_each(ids(lab, 2).ipcs_idr.address_of_()))
    segment = drgn.cast("struct shmid_kernel *", drgn.Object(lab.kernel.prog, "void *", value=int(found[0])))
    return segment.shm_file


def pipe(lab: Lab) -> drgn.Object:
    """Return the pipe from which E and F read."""
    file = next(file for file in files(lab) if file.f_op.value_() == lab.kernel.prog.symbol("pipefifo_fops").address)
    return drgn.cast("struct pipe_inode_info *", file.private_data)


def files(lab: Lab) -> list[drgn.Object]:
    """Return what A has open."""
    table = task(lab).files.fdt
    return [table.fd[fd] for fd in range(int(table.max_fds)) if table.fd[fd]]


def addresses(objects: Any) -> list[int]:
    """Return where objects are."""
    return [int(found.value_()) for found in objects]


def nodes(lab: Lab, head: drgn.Object) -> list[int]:
    """Return the nodes of a list by our walk."""
    return list(for_each_list_node(lab.kernel.memory, int(head.address_ or 0), "the list"))


LISTS = {
    "sem.pending_alter": (lambda lab: array(lab, 0).sems[1].pending_alter, 3),
    "sem_array.list_id": (lambda lab: array(lab, 0).list_id, 2),
    "sem_undo_list.list_proc": (lambda lab: task(lab).sysvsem.undo_list.list_proc, 2),
    "msg_queue.q_messages": (lambda lab: queue(lab).q_messages, 3),
    "msg_queue.q_receivers": (lambda lab: queue(lab).q_receivers, 0),
    "sysvshm.shm_clist": (lambda lab: task(lab).sysvshm.shm_clist, 2),
    "pipe_inode_info.rd_wait": (lambda lab: pipe(lab).rd_wait.head, 2),
    "inetsw[1]": (lambda lab: lab.kernel.prog["inetsw"][1], 1),
}


@pytest.mark.parametrize("name", LISTS)
def test_lists(populated: Lab, name: str) -> None:
    find, least = LISTS[name]
    head = find(populated)
    expected = addresses(list_for_each(head.address_of_()))
    assert nodes(populated, head) == expected
    assert len(expected) >= least


def test_a_list_that_is_broken_anywhere_says_what_was_found(populated: Lab) -> None:
    head = queue(populated).q_messages
    first, second, third = nodes(populated, head)
    node = head.next.next
    write(populated, node.prev, third)
    with pytest.raises(CorruptStructure, match=f"^the list at {second:#x}: prev is {third:#x}, not {first:#x}(?:\n|$)"):
        nodes(populated, head)
    write(populated, node.prev, first)
    write(populated, head.next.next.next.next, second)  # a cycle that misses the head
    with pytest.raises(CorruptStructure, match=f"^the list at {second:#x}: prev is {first:#x}, not {third:#x}(?:\n|$)"):
        nodes(populated, head)
    write(populated, head.next.next.next.next, 0x10)
    with pytest.raises(CorruptStructure, match="0x10: is not a kernel address"):
        nodes(populated, head)


def test_hash_chains(populated: Lab) -> None:
    prog, memory = populated.kernel.prog, populated.kernel.memory
    table = prog["init_net"].unx.table
    chains = 0
    for number in range(UNIX_HASH_SIZE):
        bucket = table.buckets[number]
        expected = addresses(hlist_for_each(bucket.address_of_()))
        assert list(for_each_hlist_node(memory, int(bucket.address_ or 0), "unix_table")) == expected
        chains += bool(expected)
        if expected:
            full = bucket
    assert chains
    write(populated, full.first.next, int(full.first))
    with pytest.raises(CorruptStructure, match=rf"unix_table at {int(full.first):#x}: pprev is 0x"):
        list(for_each_hlist_node(memory, int(full.address_ or 0), "unix_table"))


def test_singly_linked_lists(populated: Lab) -> None:
    prog, memory = populated.kernel.prog, populated.kernel.memory
    first = prog["file_systems"]
    expected, kind = [], first
    while kind:
        expected.append(int(kind))
        kind = kind.next
    offset = drgn.offsetof(prog.type("struct file_system_type"), "next")
    assert list(for_each_next(memory, int(first), "file_systems", offset=offset)) == expected
    assert len(expected) > 5
    last = drgn.Object(prog, "struct file_system_type *", value=expected[-1])
    write(populated, last.next, expected[2])
    with pytest.raises(CorruptStructure, match=f"at {expected[2]:#x}: is reached again after {len(expected)} nodes"):
        list(for_each_next(memory, int(first), "file_systems", offset=offset))


def test_directories(populated: Lab) -> None:
    reader = TreeReader(populated.kernel, InodeReader(populated.kernel))
    root = drgn.Object(populated.kernel.prog, "struct dentry *", value=reader.root)
    expected = [int(child) for child in list_for_each_entry("struct dentry", root.d_subdirs.address_of_(), "d_child")]
    assert reader.dentries.children(populated.kernel.memory, reader.root) == expected
    assert len(expected) == 3
    write(populated, root.d_subdirs.next.prev, 0x1234)
    with pytest.raises(CorruptStructure, match=r"dentry\.d_subdirs at 0x\w+: prev is 0x1234, not"):
        reader.dentries.children(populated.kernel.memory, reader.root)


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_idrs(populated: Lab, kind: int) -> None:
    idr = ids(populated, kind).ipcs_idr
    walker, memory = XArrayWalker(populated.kernel.prog), populated.kernel.memory
    expected = [(int(index), int(entry)) for index, entry in idr_for_each(idr.address_of_())]
    assert walker.entries(memory, int(idr.idr_rt.xa_head), "idr") == expected
    assert len(expected) >= 2


def test_page_caches(populated: Lab) -> None:
    pages = segment_file(populated).f_inode.i_mapping.i_pages
    walker, memory = XArrayWalker(populated.kernel.prog), populated.kernel.memory
    expected = [(int(index), int(entry)) for index, entry in xa_for_each(pages.address_of_())]
    assert walker.entries(memory, int(pages.xa_head), "i_pages") == expected
    assert [index for index, _ in expected] == [1, 16]


def test_a_broken_xarray_is_refused(populated: Lab) -> None:
    head = segment_file(populated).f_inode.i_mapping.i_pages.xa_head
    walker, memory = XArrayWalker(populated.kernel.prog), populated.kernel.memory
    node = drgn.Object(populated.kernel.prog, "struct xa_node *", value=int(head) - 2)
    write(populated, node.shift, 6)
    child = int(node.slots[1])
    write(populated, node.slots[1], int(head))  # its own child
    with pytest.raises(CorruptStructure, match=f"i_pages at {int(node):#x}: node has shift 6 below one of 6"):
        walker.entries(memory, int(head), "i_pages")
    write(populated, node.slots[1], child)
    write(populated, node.shift, 5)
    with pytest.raises(CorruptStructure, match="node has shift 5"):
        walker.entries(memory, int(head), "i_pages")


@pytest.mark.parametrize("actor", ["A", "B", "F"])
def test_maple_trees(populated: Lab, actor: str) -> None:
    tree = task(populated, actor).mm.mm_mt
    walker, memory = MapleTreeWalker(populated.kernel.prog), populated.kernel.memory
    expected = [int(entry) for _, _, entry in mt_for_each(tree.address_of_())]
    assert walker.entries(memory, int(tree.ma_root), "mm_mt") == expected
    assert len(expected) > 5


def test_a_broken_maple_tree_is_refused(populated: Lab) -> None:
    tree = task(populated).mm.mm_mt
    walker, memory = MapleTreeWalker(populated.kernel.prog), populated.kernel.memory
    root = int(tree.ma_root)
    write(populated, tree.ma_root, root & 0xFF | 0x100000)
    with pytest.raises(CorruptStructure, match="is not a kernel address"):
        walker.entries(memory, int(tree.ma_root), "mm_mt")
    write(populated, tree.ma_root, root)
    # The root becomes an internal node that is its own child.
    node = drgn.Object(populated.kernel.prog, "struct maple_node *", value=root & ~0xFF)
    inner = int(node) | 2 << 3 | 2
    write(populated, node.mr64.slot[0], inner)
    with pytest.raises(CorruptStructure, match=r"mm_mt at 0x\w+: tree is deeper than 16"):
        walker.entries(memory, inner, "mm_mt")


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_key_tables(populated: Lab, kind: int) -> None:
    """drgn 0.3.0 has no walk of a rhashtable; the keys of the objects in the IDR say what must be found."""
    prog, memory = populated.kernel.prog, populated.kernel.memory
    objects = [int(entry) for _, entry in idr_for_each(ids(populated, kind).ipcs_idr.address_of_())]
    perms = [drgn.Object(prog, "struct kern_ipc_perm *", value=address) for address in objects]
    found = KeyTable(prog).objects(memory, int(ids(populated, kind).key_ht.tbl))
    assert sorted(found) == sorted(int(perm) for perm in perms if int(perm.key))
    assert len(found) == 2


def test_a_broken_key_table_is_refused(populated: Lab) -> None:
    prog, memory = populated.kernel.prog, populated.kernel.memory
    table = ids(populated, 0).key_ht.tbl
    node = array(populated, 0).sem_perm.khtnode
    end = int(node.next)
    write(populated, node.next, int(node.address_ or 0))
    with pytest.raises(CorruptStructure, match=rf"bucket_table\.buckets at {int(node.address_ or 0):#x}: is reached"):
        KeyTable(prog).objects(memory, int(table))
    write(populated, node.next, end)
    write(populated, table.future_tbl, int(table))
    with pytest.raises(CorruptStructure, match="more than 8 tables"):
        KeyTable(prog).objects(memory, int(table))
    write(populated, table.future_tbl, 0)
    write(populated, table.size, 3)
    with pytest.raises(CorruptStructure, match="cannot have 3 buckets"):
        KeyTable(prog).objects(memory, int(table))


def test_wait_queues(populated: Lab) -> None:
    kernel, queue = populated.kernel, pipe(populated).rd_wait
    observation = Observation(kernel, populated.inspector.tasks, populated.inspector.names_by_pid)
    head = int(queue.head.address_ or 0)
    found = WaitQueues(kernel).waiters(observation, head, "rd_wait")
    entries = list(waitqueue_for_each_entry(queue.address_of_()))
    assert [waiter.func for waiter in found] == [kernel.symbol(int(entry.func)) for entry in entries]
    assert [waiter.exclusive for waiter in found] == [bool(int(entry.flags) & 1) for entry in entries]
    tasks = [int(sleeper) for sleeper in waitqueue_for_each_task(queue.address_of_())]
    assert [waiter.process for waiter in found] == [observation.process(address) for address in tasks]
    assert [str(waiter.process) for waiter in found] == ["E", "F"]
    write(populated, queue.head.next.next.prev, 0)
    with pytest.raises(CorruptStructure, match=r"^rd_wait at 0x\w+: prev is 0x0, not 0x"):
        WaitQueues(kernel).waiters(observation, head, "rd_wait")
