"""System V objects as ipcs(1) lists them, and what ipcs(1) cannot see: who waits, who owes what, what is inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ktrace.report.ipcs_views import VIEWS, Layout, limits, summary
from ktrace.state.compare import label
from ktrace.state.ipc.msg import MsgQueue
from ktrace.state.ipc.namespace import IpcNamespace, KernIpcPerm
from ktrace.state.ipc.sem import SemArray, SemQueue, SemUndo
from ktrace.state.ipc.shm import ShmidKernel
from ktrace.state.ref import Ref
from ktrace.state.world import World
from ktrace.uapi.shm import SHM_DEST, SHM_LOCKED

VALUES = 16
"""Values of a set that a table shows; -i shows all."""

PERMS: dict[str, str] = {"msg": "q_perm", "shm": "shm_perm", "sem": "sem_perm"}
"""The kinds in the order of ipcs(1), and where each has its permissions."""

_IDS = {"msg": "msqid", "shm": "shmid", "sem": "semid"}
_Row = Sequence[object]


def listing(
    world: World,
    kinds: Sequence[str],
    view: str | None = None,
    actor: str | None = None,
    addresses: Mapping[Ref, int] | None = None,
) -> Iterator[str]:
    """Yield what ``ipcs`` prints, namespace by namespace.

    :param kinds: of ``sem``, ``msg``, ``shm``
    :param view: one of :data:`ktrace.report.ipcs_views.VIEWS`, ``limits`` or ``summary``; ``None`` for the tables
    :param actor: only the namespace that this actor is in
    :param addresses: of the objects, for a column of their own
    :raises LookupError: no such actor lives
    """
    namespaces = world.of_kind("ipc_ns")
    members: dict[Ref | None, list[str]] = {}
    for process in world.of_kind("process").values():
        members.setdefault(process.ipc_ns, []).append(process.name)
    if actor is not None:
        wanted = next((ref for ref, names in members.items() if actor in names), None)
        if wanted is None:
            raise LookupError(actor)
        namespaces = {wanted: namespaces[wanted]}
    for ref, ns in namespaces.items():
        if len(namespaces) > 1 or ref.key != "init":
            yield f"====== {label(ref)}: {' '.join(sorted(members.get(ref, ()))) or 'nobody is in it'} ======"
        inside = _only(world, ns)
        if view == "limits":
            yield from limits(ns, kinds)
        elif view == "summary":
            yield from summary(ns, objects(inside, "shm"), kinds)
        elif view is not None:
            yield from _view(inside, VIEWS[view], kinds, addresses)
        else:
            yield from tables(inside, kinds, addresses)


def _only(world: World, ns: IpcNamespace) -> World:
    """Return *world* with the System V objects of one namespace only."""
    kept = {ref for ids in (ns.sem_ids, ns.msg_ids, ns.shm_ids) for ref in ids.ipcs_idr.values()}
    return World({ref: value for ref, value in world.objects.items() if ref.kind not in PERMS or ref in kept})


def _view(
    world: World, layouts: Mapping[str, Layout], kinds: Sequence[str], addresses: Mapping[Ref, int] | None
) -> Iterator[str]:
    for kind in [kind for kind in PERMS if kind in kinds and kind in layouts]:
        title, columns, row = layouts[kind]
        rows: list[_Row] = [(*_address_title(kind, addresses), _IDS[kind], *columns)]
        for ref, value in _by_index(world, kind):
            perm = perm_of(kind, value)
            rows.append((*_address(ref, addresses), perm.id, *row(perm, value)))
        yield f"------ {title} --------"
        yield from columns_of(rows)
        yield ""


def _address_title(kind: str, addresses: Mapping[Ref, int] | None) -> _Row:
    return () if addresses is None else ({"msg": "MSG_QUEUE", "shm": "SHMID_KERNEL", "sem": "SEM_ARRAY"}[kind],)


def _address(ref: Ref, addresses: Mapping[Ref, int] | None) -> _Row:
    return () if addresses is None else (f"{addresses.get(ref, 0):016x}",)


def tables(world: World, kinds: Sequence[str], addresses: Mapping[Ref, int] | None = None) -> Iterator[str]:
    """Yield the lines of one table for each of *kinds* (``sem``, ``msg``, ``shm``)."""
    layouts: dict[str, tuple[str, _Row, Callable[[World, Any], _Row]]] = {
        "msg": (
            "Message Queues",
            ("used-bytes", "messages", "limit", "lspid", "lrpid", "receivers", "senders"),
            _message_queue,
        ),
        "shm": (
            "Shared Memory Segments",
            ("bytes", "nattch", "status", "cpid", "lpid", "pages", "attached"),
            _segment,
        ),
        "sem": ("Semaphore Arrays", ("nsems", "waiters", "undo", "lock", "values"), _array),
    }
    for kind in [kind for kind in PERMS if kind in kinds]:
        title, columns, row = layouts[kind]
        rows: list[_Row] = [(*_address_title(kind, addresses), "key", _IDS[kind], "owner", "perms", *columns)]
        for ref, value in _by_index(world, kind):
            perm = perm_of(kind, value)
            shown = (f"{perm.key & 0xFFFFFFFF:#010x}", perm.id, perm.uid, f"{perm.mode & 0o777:o}")
            rows.append((*_address(ref, addresses), *shown, *row(world, value)))
        yield f"------ {title} --------"
        yield from columns_of(rows)
        yield ""


def objects(world: World, kind: str) -> list[Any]:
    """Return the objects of one kind in the order of their indices."""
    return [value for _, value in _by_index(world, kind)]


def _by_index(world: World, kind: str) -> list[tuple[Ref, Any]]:
    return sorted(world.of_kind(kind).items(), key=lambda item: perm_of(kind, item[1]).id & 0x7FFF)


def perm_of(kind: str, value: Any) -> KernIpcPerm:
    """Return an object's permissions."""
    perm: KernIpcPerm = getattr(value, PERMS[kind])
    return perm


def columns_of(rows: Sequence[_Row]) -> Iterator[str]:
    """Yield *rows* as lines, every column as wide as its widest."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[number]) for row in texts) for number in range(len(texts[0]))]
    for row in texts:
        yield " ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip()


def _array(world: World, array: SemArray) -> _Row:
    values = " ".join(str(sem.semval) for sem in array.sems[:VALUES])
    more = " ..." if array.sem_nsems > VALUES else ""
    lock = "global" if array.use_global_lock else "each"
    return (array.sem_nsems, len(sleepers(array)), len(array.list_id), lock, values + more)


def _message_queue(world: World, queue: MsgQueue) -> _Row:
    return (
        queue.q_cbytes,
        queue.q_qnum,
        queue.q_qbytes,
        queue.q_lspid or 0,
        queue.q_lrpid or 0,
        len(queue.q_receivers),
        len(queue.q_senders),
    )


def _segment(world: World, segment: ShmidKernel) -> _Row:
    mode = segment.shm_perm.mode
    status = ",".join(name for bit, name in ((SHM_DEST, "dest"), (SHM_LOCKED, "locked")) if mode & bit)
    pages = segment.shm_file.nrpages if segment.shm_file else 0
    ref = next(ref for ref, value in world.of_kind("shm").items() if value is segment)
    attached = " ".join(dict.fromkeys(actor for actor, _ in attachments(world, ref)))
    return (
        segment.shm_segsz,
        segment.shm_nattch,
        status or "-",
        segment.shm_cprid or 0,
        segment.shm_lprid or 0,
        pages,
        attached or "-",
    )


def attachments(world: World, segment: Ref) -> list[tuple[str, Any]]:
    """Return which actors have *segment* mapped, and each mapping."""
    return [
        (process.name, mapping)
        for process in world.of_kind("process").values()
        for mapping in process.mappings
        if mapping.segment == segment
    ]


def sleepers(array: SemArray) -> list[SemQueue]:
    """Return everybody who sleeps on an array, those on the array's own queues first."""
    found = [*array.pending_const, *array.pending_alter]
    for sem in array.sems:
        found += [*sem.pending_const, *sem.pending_alter]
    return found


def details(world: World, kind: str, ipc_id: int, addresses: Mapping[Ref, int] | None = None) -> Iterator[str] | None:
    """Return the lines that tell all of one object as ``ipcs -i`` does, ``None`` if there is no such id.

    :param ipc_id: or the address of the object, if *addresses* are given; of an id that two namespaces have, the
        initial one's
    """
    for ref, value in sorted(world.of_kind(kind).items(), key=lambda item: str(item[0].key).startswith(kind)):
        if ipc_id in (perm_of(kind, value).id, (addresses or {}).get(ref)):
            tell: dict[str, Callable[[World, Ref, Any], Iterator[str]]] = {
                "sem": _array_details,
                "msg": _queue_details,
                "shm": _segment_details,
            }
            return tell[kind](world, ref, value)
    return None


def _heading(title: str, name: str, perm: KernIpcPerm) -> Iterator[str]:
    yield f"{title} {name}={perm.id}"
    yield f"uid={perm.uid}\tgid={perm.gid}\tcuid={perm.cuid}\tcgid={perm.cgid}"
    mode, access = f"{perm.mode:04o}", f"{perm.mode & 0o777:04o}"
    yield f"mode={mode}, access_perms={access}, key={perm.key & 0xFFFFFFFF:#x}, seq={perm.seq}"


def _array_details(world: World, ref: Ref, array: SemArray) -> Iterator[str]:
    yield from _heading("Semaphore Array", "semid", array.sem_perm)
    yield f"nsems = {array.sem_nsems}, complex_count = {array.complex_count}, use_global_lock = {array.use_global_lock}"
    yield f"otime = {max((sem.sem_otime for sem in array.sems), default=0)}"
    yield f"ctime = {array.sem_ctime}"
    waiting = sleepers(array)
    rows: list[_Row] = [("semnum", "value", "ncount", "zcount", "pid")]
    for number, sem in enumerate(array.sems):
        blocked_on = [
            queue.sops[queue.blocking]
            for queue in waiting
            if queue.blocking is not None and 0 <= queue.blocking < len(queue.sops)
        ]
        here = [sop for sop in blocked_on if sop.sem_num == number]
        zero = sum(sop.sem_op == 0 for sop in here)
        rows.append((number, sem.semval, len(here) - zero, zero, sem.sempid or 0))
    yield from columns_of(rows)
    for queue in waiting:
        sops = ", ".join(
            f"{{{sop.sem_num}, {sop.sem_op}{''.join(f', {flag}' for flag in sop.sem_flg)}}}" for sop in queue.sops
        )
        yield f"waits: {queue.pid} for [{sops}], stopped by operation {queue.blocking}"
    for undo_ref in array.list_id:
        undo = world.objects.get(undo_ref)
        if isinstance(undo, SemUndo):
            owners = [
                process.name
                for process in world.of_kind("process").values()
                if process.undo_list is not None and process.undo_list == undo.ulp
            ]
            owed = ", ".join(f"{semadj:+} to {number}" for number, semadj in enumerate(undo.semadj) if semadj)
            yield f"undo: {' and '.join(owners) or 'somebody'} owes {owed or 'nothing'}"


def _queue_details(world: World, ref: Ref, queue: MsgQueue) -> Iterator[str]:
    yield from _heading("Message Queue", "msqid", queue.q_perm)
    yield f"cbytes={queue.q_cbytes}\tqbytes={queue.q_qbytes}\tqnum={queue.q_qnum}"
    yield f"lspid={queue.q_lspid or 0}\tlrpid={queue.q_lrpid or 0}"
    yield f"send_time={queue.q_stime}\nrcv_time={queue.q_rtime}\nchange_time={queue.q_ctime}"
    for number, message in enumerate(queue.q_messages):
        start = message.text[:32]
        more = "..." if len(message.text) > len(start) else ""
        size = f"{message.m_ts} bytes, {message.segments} segments"
        yield f"message {number}: type {message.m_type}, {size}, {start!r}{more}"
    for receiver in queue.q_receivers:
        wanted = f"{receiver.r_mode} {receiver.r_msgtype}, up to {receiver.r_maxsize} bytes"
        yield f"waits: {receiver.r_tsk} to receive {wanted}"
    for sender in queue.q_senders:
        yield f"waits: {sender.tsk} to send {sender.msgsz} bytes"


def _segment_details(world: World, ref: Ref, segment: ShmidKernel) -> Iterator[str]:
    yield from _heading("Shared memory Segment", "shmid", segment.shm_perm)
    pids = f"lpid={segment.shm_lprid or 0}\tcpid={segment.shm_cprid or 0}"
    yield f"bytes={segment.shm_segsz}\t{pids}\tnattch={segment.shm_nattch}"
    yield f"att_time={segment.shm_atim}\ndet_time={segment.shm_dtim}\nchange_time={segment.shm_ctim}"
    yield f"creator: {segment.shm_creator or 'gone'}"
    for actor, mapping in attachments(world, ref):
        end = mapping.start + mapping.size
        yield f"mapped by {actor} at {mapping.start:#x}-{end:#x} {mapping.protection}, from page {mapping.pgoff}"
    for index, content in segment.shm_file.pages.items() if segment.shm_file else ():
        start = content[:32]
        more = "..." if len(content) > len(start) else ""
        yield f"page {index}: {start!r}{more}"
