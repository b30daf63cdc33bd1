"""What the three kinds of System V objects share: namespaces, identifiers, permissions."""

from __future__ import annotations

from collections.abc import Mapping

from ktrace.state.mm.address_space import MmFacts
from ktrace.state.quick import dataclass
from ktrace.state.ref import Ref


@dataclass(frozen=True, slots=True)
class KernIpcPerm:
    """A ``struct kern_ipc_perm``.

    :param mode: permission bits, for segments with SHM_DEST (01000) and SHM_LOCKED (02000)
    :param refcount: 1 for the object's place in the namespace, and one for each sleeping sender
    :param lock: ``free``, or what the spinlock holds in hex
    """

    deleted: bool
    id: int
    key: int
    uid: int
    gid: int
    cuid: int
    cgid: int
    mode: int
    seq: int
    refcount: int
    lock: str = "free"


@dataclass(frozen=True, slots=True)
class IpcIds:
    """A ``struct ipc_ids``: the identifiers of one kind in one namespace.

    :param rwsem: ``free``, or what its ``count`` holds in hex
    :param ipcs_idr: the IDR's entries by index
    :param idr_next: where the IDR's cyclic allocation goes on
    :param next_id: wanted id of the next object, -1 for none; ``None`` without CONFIG_CHECKPOINT_RESTORE
    :param key_ht: the key table's entries, by the key that each object holds
    """

    in_use: int
    seq: int
    rwsem: str
    ipcs_idr: Mapping[int, Ref]
    idr_next: int
    max_idx: int
    last_idx: int
    next_id: int | None
    key_ht: Mapping[int, Ref]


@dataclass(frozen=True, slots=True)
class IpcNamespace:
    """A ``struct ipc_namespace``, as far as System V goes.

    :param sem_ctls: semmsl, semmns, semopm, semmni
    :param percpu_msg_bytes: sum over all CPUs, as is *percpu_msg_hdrs*
    :param count: references: ``nsproxy``s, attachments of its segments, its inode in nsfs (``ns.count``)
    """

    sem_ids: IpcIds
    msg_ids: IpcIds
    shm_ids: IpcIds
    sem_ctls: tuple[int, ...]
    used_sems: int
    msg_ctlmax: int
    msg_ctlmnb: int
    msg_ctlmni: int
    percpu_msg_bytes: int
    percpu_msg_hdrs: int
    shm_ctlmax: int
    shm_ctlall: int
    shm_tot: int
    shm_ctlmni: int
    shm_rmid_forced: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class IdsFacts:
    """Where one kind's identifiers stood when ktrace attached."""

    seq: int
    idr_next: int
    max_idx: int
    last_idx: int
    next_id: int | None


@dataclass(frozen=True, slots=True)
class IpcFacts:
    """What the model must know of a kernel and of its initial namespace.

    :param ipc_mni: ``ipc_mni``, with *ipc_mni_shift* and *ipc_min_cycle*
    :param datalen_msg: bytes of text in the first block of a message (``DATALEN_MSG``)
    :param datalen_seg: bytes of text in each further block (``DATALEN_SEG``)
    :param mm: an actor's memory when it is born
    :param count: references to the initial namespace
    """

    ipc_mni: int
    ipc_mni_shift: int
    ipc_min_cycle: int
    page_size: int
    datalen_msg: int
    datalen_seg: int
    sem_ids: IdsFacts
    msg_ids: IdsFacts
    shm_ids: IdsFacts
    sem_ctls: tuple[int, ...]
    msg_ctlmax: int
    msg_ctlmnb: int
    msg_ctlmni: int
    shm_ctlmax: int
    shm_ctlall: int
    shm_ctlmni: int
    shm_rmid_forced: int
    mm: MmFacts
    count: int = 1
