"""Read IPC namespaces, identifiers and permissions (``struct ipc_namespace``, ``ipc/util.c``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.lib.rhashtable import KeyTable
from ktrace.inspect.lib.xarray import XArrayWalker
from ktrace.inspect.members import first_member, offset_of, type_of
from ktrace.inspect.memory import KernelMemory
from ktrace.inspect.unread import UNREADABLE, absence, kept
from ktrace.state.ipc.namespace import IdsFacts, IpcFacts, IpcIds, IpcNamespace, KernIpcPerm
from ktrace.state.mm.address_space import MmFacts
from ktrace.state.ref import Ref
from ktrace.state.unread import Unread

KINDS = ("sem", "msg", "shm")
"""``IPC_SEM_IDS``, ``IPC_MSG_IDS``, ``IPC_SHM_IDS``: the order of ``ipc_namespace.ids[]``."""

PERM_MEMBERS = {
    "deleted": "deleted",
    "id": "id",
    "key": "key",
    "uid": "uid.val",
    "gid": "gid.val",
    "cuid": "cuid.val",
    "cgid": "cgid.val",
    "mode": "mode",
    "seq": "seq",
    "refcount": "refcount.refs.counter",
    "lock": "?lock.rlock.raw_lock.val.counter",
}
"""Members of ``struct kern_ipc_perm`` by their name in the World; a layout of a whole object prefixes both."""


def perm_members(member: str) -> dict[str, str]:
    """Return the layout members of the ``kern_ipc_perm`` that an object has as *member*."""
    return {
        f"perm_{name}": f"?{member}.{path[1:]}" if path.startswith("?") else f"{member}.{path}"
        for name, path in PERM_MEMBERS.items()
    }


def perm_of(raw: Any) -> KernIpcPerm:
    """Return the permissions from an object's unpacked members."""
    return KernIpcPerm(
        deleted=raw.perm_deleted,
        id=raw.perm_id,
        key=raw.perm_key,
        uid=raw.perm_uid,
        gid=raw.perm_gid,
        cuid=raw.perm_cuid,
        cgid=raw.perm_cgid,
        mode=raw.perm_mode,
        seq=raw.perm_seq,
        refcount=raw.perm_refcount,
        lock=kept(raw.perm_lock, lock_word),
    )


def lock_word(value: int | None) -> str:
    """Return what a lock holds, ``free`` for one that nobody has, or that is none."""
    return f"{value:#x}" if value else "free"


def glance(memory: KernelMemory, address: int, size: int, least: int) -> bytes:
    """Return *size* bytes, more than may be needed, or *least* where there are no more."""
    try:
        return memory.read(address, size)
    except CorruptStructure:
        return memory.read(address, least)


@dataclass(slots=True)
class Ids:
    """The members of one ``struct ipc_ids``, and the address of each object by index."""

    raw: Any
    objects: dict[int, int]


class NamespaceReader:
    """Read ``struct ipc_namespace``, its identifiers, and the addresses of its objects.

    Objects of the initial namespace are named by the id they had when they were first seen there, so
    that an id changed behind the kernel's back shows as the field that it is.
    """

    def __init__(self, kernel: LiveKernel) -> None:
        prog = kernel.prog
        self.kernel = kernel
        self.init_ipc_ns = kernel.address_of("init_ipc_ns")
        self._walker = XArrayWalker(prog)
        self._ns = layout_of(
            prog,
            "struct ipc_namespace",
            "used_sems",
            "msg_ctlmax",
            "msg_ctlmnb",
            "msg_ctlmni",
            "shm_ctlmax",
            "shm_ctlall",
            "shm_tot",
            "shm_ctlmni",
            "shm_rmid_forced",
            bytes_count="percpu_msg_bytes.count",
            bytes_counters="percpu_msg_bytes.counters",
            hdrs_count="percpu_msg_hdrs.count",
            hdrs_counters="percpu_msg_hdrs.counters",
            count=first_member(prog, "struct ipc_namespace", "ns.count.refs.counter", "ns.__ns_ref.refs.counter"),
        )
        self._sem_ctls = layout_of(prog, "struct ipc_namespace", "sem_ctls[]")
        self._ids_offset = offset_of(prog, "struct ipc_namespace", "ids")
        self._ids = layout_of(
            prog,
            "struct ipc_ids",
            "in_use",
            "seq",
            "max_idx",
            "last_idx",
            "?next_id",
            rwsem="rwsem.count.counter",
            head="ipcs_idr.idr_rt.xa_head",
            idr_next="ipcs_idr.idr_next",
            tbl="key_ht.tbl",
        )
        self._keys = KeyTable(prog)
        self._id = offset_of(prog, "struct kern_ipc_perm", "id")
        self._key = offset_of(prog, "struct kern_ipc_perm", "key")
        self._per_cpu = _per_cpu_offsets(kernel)
        self._names: dict[int, tuple[int, Ref]] = {}

    def read(self, memory: KernelMemory, address: int) -> tuple[bytes, list[Ids]]:
        """Return a namespace's bytes, and the objects of its three kinds."""
        data = memory.read(address, self._ns.size)
        found = []
        for number, kind in enumerate(KINDS):
            raw = self._ids.unpack(data, self._ids_offset + number * self._ids.size)
            entries = self._walker.entries(memory, raw.head, f"ipc_ids[{kind}].ipcs_idr")
            found.append(Ids(raw, dict(entries)))
        return data, found

    def refs(self, memory: KernelMemory, address: int, ids: list[Ids]) -> list[dict[int, Ref]]:
        """Return the reference of every object by its address, one mapping for each kind."""
        if address != self.init_ipc_ns:
            return [{obj: Ref(kind, obj) for obj in one.objects.values()} for kind, one in zip(KINDS, ids, strict=True)]
        known, names = self._names, {}
        found = []
        for kind, one in zip(KINDS, ids, strict=True):
            refs = {}
            for index, obj in one.objects.items():
                entry = known.get(obj)
                if entry is None or entry[0] != index or entry[1].kind != kind:
                    number = memory.u32(obj + self._id)
                    entry = (index, Ref(kind, str(number - (number >> 31 << 32))))
                names[obj] = entry
                refs[obj] = entry[1]
            found.append(refs)
        self._names = names
        return found

    def observe(self, memory: KernelMemory, data: bytes, ids: list[Ids], refs: list[dict[int, Ref]]) -> IpcNamespace:
        """Return the value that the World holds."""
        raw = self._ns.unpack(data, 0)
        sem_ids, msg_ids, shm_ids = (
            self._observe_ids(memory, one, refs_of) for one, refs_of in zip(ids, refs, strict=True)
        )
        return IpcNamespace(
            sem_ids=sem_ids,
            msg_ids=msg_ids,
            shm_ids=shm_ids,
            sem_ctls=self._sem_ctls.unpack(data, 0).sem_ctls,
            used_sems=raw.used_sems,
            msg_ctlmax=raw.msg_ctlmax,
            msg_ctlmnb=raw.msg_ctlmnb,
            msg_ctlmni=raw.msg_ctlmni,
            percpu_msg_bytes=self._per_cpu_sum(memory, raw.bytes_count, raw.bytes_counters),
            percpu_msg_hdrs=self._per_cpu_sum(memory, raw.hdrs_count, raw.hdrs_counters),
            shm_ctlmax=raw.shm_ctlmax,
            shm_ctlall=raw.shm_ctlall,
            shm_tot=raw.shm_tot,
            shm_ctlmni=raw.shm_ctlmni,
            shm_rmid_forced=raw.shm_rmid_forced,
            count=raw.count,
        )

    def _observe_ids(self, memory: KernelMemory, ids: Ids, refs: Mapping[int, Ref]) -> IpcIds:
        raw = ids.raw
        keys: Any
        try:
            keys = self._by_key(memory, raw.tbl, refs)
        except UNREADABLE as error:
            keys = absence(self.kernel.prog, error)
        return IpcIds(
            in_use=raw.in_use,
            seq=raw.seq,
            rwsem=kept(raw.rwsem, lock_word),
            ipcs_idr={index: refs[obj] for index, obj in ids.objects.items()},
            idr_next=raw.idr_next,
            max_idx=raw.max_idx,
            last_idx=raw.last_idx,
            next_id=raw.next_id,
            key_ht=keys,
        )

    def _by_key(self, memory: KernelMemory, tbl: int, refs: Mapping[int, Ref]) -> dict[int, Ref]:
        """Return the objects of ``ipc_ids.key_ht`` by their keys."""
        found = {}
        for obj in self._keys.objects(memory, tbl):
            number = memory.u32(obj + self._key)
            key = number - (number >> 31 << 32)
            found[key] = refs.get(obj) or Ref("stranger", f"kern_ipc_perm@{obj:#x}")
        return {key: found[key] for key in sorted(found)}

    def _per_cpu_sum(self, memory: KernelMemory, count: int, counters: Any) -> Any:
        """Return what ``percpu_counter_sum()`` would."""
        if isinstance(counters, Unread):
            return counters
        if not counters:
            return count
        for offset in self._per_cpu:
            value = memory.u32(counters + offset & 0xFFFFFFFFFFFFFFFF)
            count += value - (value >> 31 << 32)
        return count

    def facts(self, mm: MmFacts, page_size: int = 4096) -> IpcFacts:
        """Return what the model must know, as the kernel has it now."""
        prog, memory = self.kernel.prog, self.kernel.memory
        data, ids = self.read(memory, self.init_ipc_ns)
        raw = self._ns.unpack(data, 0)
        if any(one.objects for one in ids):
            raise CorruptStructure("init_ipc_ns", self.init_ipc_ns, "System V objects exist before the first step")
        sem_ids, msg_ids, shm_ids = (
            IdsFacts(
                seq=one.raw.seq,
                idr_next=one.raw.idr_next,
                max_idx=one.raw.max_idx,
                last_idx=one.raw.last_idx,
                next_id=one.raw.next_id,
            )
            for one in ids
        )
        return IpcFacts(
            ipc_mni=int(self.kernel.variable("ipc_mni")),
            ipc_mni_shift=int(self.kernel.variable("ipc_mni_shift")),
            ipc_min_cycle=int(self.kernel.variable("ipc_min_cycle")),
            page_size=page_size,
            datalen_msg=page_size - type_of(prog, "struct msg_msg").size,
            datalen_seg=page_size - type_of(prog, "struct msg_msgseg").size,
            sem_ids=sem_ids,
            msg_ids=msg_ids,
            shm_ids=shm_ids,
            sem_ctls=self._sem_ctls.unpack(data, 0).sem_ctls,
            msg_ctlmax=raw.msg_ctlmax,
            msg_ctlmnb=raw.msg_ctlmnb,
            msg_ctlmni=raw.msg_ctlmni,
            shm_ctlmax=raw.shm_ctlmax,
            shm_ctlall=raw.shm_ctlall,
            shm_ctlmni=raw.shm_ctlmni,
            shm_rmid_forced=raw.shm_rmid_forced,
            mm=mm,
            count=raw.count,
        )


def _per_cpu_offsets(kernel: LiveKernel) -> list[int]:
    """Return ``__per_cpu_offset[]`` of every possible CPU."""
    bits = int(kernel.variable("__cpu_possible_mask").bits[0])
    offsets = kernel.variable("__per_cpu_offset")
    return [int(offsets[cpu]) for cpu in range(64) if bits >> cpu & 1]
