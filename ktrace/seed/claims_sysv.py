"""What the seed claims of System V IPC as a whole, and of shared memory."""

from __future__ import annotations

from typing import Any

from drgn import cast, container_of

from ktrace.inspect.lib.slab import slab_cache
from ktrace.seed.judgement import Claim, Judgement, verdict
from ktrace.seed.record import Record


def _three_kinds(record: Record) -> Judgement:
    ns = record.prog["init_ipc_ns"]
    used = [ns.ids[index].in_use.value_() for index in range(3)]
    length = ns.ids.type_.length
    return verdict(
        length == 3 and used[0] > used[1] == used[2] == 1,
        f"ids has {length} elements; with {used[0]} sets, 1 queue and 1 segment made, in_use is {used}",
    )


def _persistent(record: Record) -> Judgement:
    after = record.result(10)
    return verdict(
        after.errno is None, f"A made the set and exited; semctl(GETVAL) of B, no relative of A, returned {after.value}"
    )


def _unique_ids(record: Record) -> Judgement:
    ids = [record.result(line).value for line in (2, 3, 4)]
    return verdict(
        len(set(ids)) == 3,
        f"semget, msgget and shmget all returned {ids[0]}: an identifier means something among its own kind only, and "
        "in its own namespace"
        if len(set(ids)) == 1
        else f"they returned {ids}",
        "aged",
    )


def _whole_linux(record: Record) -> Judgement:
    inside = record.result(16)
    return (
        "aged" if inside.errno else "right",
        f"after unshare(CLONE_NEWIPC) the same id gives {inside.errno}: it is global within its namespace",
    )


def _radix_tree(record: Record) -> Judgement:
    type_ = record.prog.type("struct idr").member("idr_rt").type.type_name()
    return (
        ("aged", f"idr_rt is a {type_}: struct radix_tree_root is another word for it (include/linux/radix-tree.h)")
        if "xarray" in type_
        else ("right", f"idr_rt is a {type_}")
    )


def _findkey(record: Record) -> Judgement:
    ids = record.prog["init_ipc_ns"].ids[0]
    if not hasattr(ids, "key_ht"):
        return "right", "struct ipc_ids has no other index than its IDR"
    return (
        "aged",
        f"ipc_findkey() looks keys up in key_ht, a {ids.key_ht.type_.type_name()} with "
        f"{ids.key_ht.nelems.counter.value_()} entry here (ipc/util.c: ipc_findkey()); the IDR is for identifiers",
    )


def _ipc_private_creates(record: Record) -> Judgement:
    without, with_flag = record.result(6), record.result(2)
    return verdict(
        without.errno != "ENOENT",
        f"what makes ipcget_public() create is IPC_CREAT: without it semget() gives {without.errno}, with it "
        f"{with_flag.value}; IPC_PRIVATE is a key, and never gets there",
    )


def _seq_makes_ids(record: Record) -> Judgement:
    perms = [value.sem_perm for value in record.world(7).of_kind("sem").values()]
    facts = record.lab.facts["sysv"]
    shift = facts.ipc_mni_shift
    good = all(perm.id == perm.seq << shift | perm.id & (1 << shift) - 1 for perm in perms)
    ids = record.prog["init_ipc_ns"].ids[0]
    next_id = ids.next_id.value_() if hasattr(ids, "next_id") else "not there"
    return verdict(
        good,
        f"id is seq << {shift} | index for all {len(perms)} sets; next_id is {next_id}: it only wishes for an id, and "
        "only CONFIG_CHECKPOINT_RESTORE has it",
    )


def _direct_map(record: Record) -> Judgement:
    small, large = _idr_entry(record, 0), _idr_entry(record, 1)
    memory = record.lab.kernel.memory
    if memory.page_offset <= large < memory.page_offset + memory.ram_size:
        return "right", (
            f"a set of 1 lies at {small:#x}, one of 32000 at {large:#x}, both in the direct map; for the large one "
            "kvmalloc() may also take vmalloc's"
        )
    return "aged", f"a set of 1 lies at {small:#x}, in the direct map, one of 32000 at {large:#x}, which is vmalloc's"


def _idr_entry(record: Record, index: int) -> int:
    from drgn.helpers.linux.idr import idr_find

    ids = record.prog["init_ipc_ns"].ids[0]
    return int(idr_find(ids.ipcs_idr.address_of_(), index).value_())


def _swapped(record: Record) -> Judgement:
    from drgn.helpers.linux.list import list_first_entry

    ids = record.prog["init_ipc_ns"].ids
    array = _idr_entry(record, 0)
    queue = _object(ids[1], 0, "struct msg_queue", "q_perm")
    message = list_first_entry(queue.q_messages.address_of_(), "struct msg_msg", "m_list")
    segment = _object(ids[2], 0, "struct shmid_kernel", "shm_perm")
    caches = [slab_cache(record.lab.kernel, address) for address in (array, message.value_())]
    slabs = [cache.name.string_().decode() for cache in caches]
    pages = record.lab.kernel.symbol(segment.shm_file.f_mapping.a_ops.value_())
    return "wrong", (
        f"a set lies in {slabs[0]}, a message in {slabs[1]}: kernel memory, which is never swapped. Only a segment's "
        f"pages, which are a file's of tmpfs ({pages}), can be, unless SHM_LOCK keeps them"
    )


def _object(ids: Any, index: int, type_: str, member: str) -> Any:
    """Return the object of *type_* whose ``kern_ipc_perm`` is at *index*."""
    from drgn.helpers.linux.idr import idr_find

    perm = cast("struct kern_ipc_perm *", idr_find(ids.ipcs_idr.address_of_(), index))
    return container_of(perm, type_, member)


def _sizes(record: Record) -> Judgement:
    few, many, most = record.result(20).errno, record.result(21).errno, record.sysctl("sem")
    return verdict(
        few == many == "EINVAL", f"semget() of -1 says {few}, of {most + 1} {many}; sc_semmsl is {most} here"
    )


def _shared(record: Record) -> Judgement:
    segment = record.world(6).of_kind("shm")
    attached = [value.shm_nattch for value in segment.values()]
    return verdict(attached == [2], f"A stored, B loaded {record.result(6).out.get('buf')!r}; shm_nattch {attached[0]}")


CLAIMS = (
    Claim("system-v", "ids[3]: semaphores 0, messages 1, shared memory 2", _three_kinds),
    Claim("system-v", "objects stay until they are removed, whoever made them", _persistent),
    Claim("system-v", "IPC objects may be swapped out", _swapped),
    Claim("system-v", "an IPC identifier is unique", _unique_ids),
    Claim("system-v", "IPC objects are visible in all of Linux", _whole_linux),
    Claim("system-v", "seq (and next_id) make the identifier", _seq_makes_ids),
    Claim("system-v", "ipcs_idr is a radix tree", _radix_tree),
    Claim("system-v", "ipc_findkey() searches the radix tree", _findkey),
    Claim("system-v", "ipcget_public() creates what it does not find if IPC_PRIVATE is set", _ipc_private_creates),
    Claim("system-v", "kvmalloc() takes struct sem_array from the direct map", _direct_map),
    Claim("system-v", "semget() refuses less than 0 and more than sc_semmsl semaphores", _sizes),
    Claim("shared-memory", "a segment is the same memory for all who attach it", _shared),
)
