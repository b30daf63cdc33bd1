"""The other tables of ipcs(1) and of crash's ipcs: times, pids, creators, memory, limits, totals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.state.ipc.msg import MsgQueue
from ktrace.state.ipc.namespace import IpcNamespace, KernIpcPerm
from ktrace.state.ipc.sem import SemArray
from ktrace.state.ipc.shm import ShmidKernel
from ktrace.uapi.sem import SEMVMX

Row = Sequence[object]
Layout = tuple[str, Row, Callable[[KernIpcPerm, Any], Row]]


def when(seconds: int) -> str:
    """Write a time, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") if seconds else "not set"


def _sem_times(perm: KernIpcPerm, array: SemArray) -> Row:
    return perm.uid, when(max((sem.sem_otime for sem in array.sems), default=0)), when(array.sem_ctime)


def _msg_times(perm: KernIpcPerm, queue: MsgQueue) -> Row:
    return perm.uid, when(queue.q_stime), when(queue.q_rtime), when(queue.q_ctime)


def _shm_times(perm: KernIpcPerm, segment: ShmidKernel) -> Row:
    return perm.uid, when(segment.shm_atim), when(segment.shm_dtim), when(segment.shm_ctim)


def _sem_pids(perm: KernIpcPerm, array: SemArray) -> Row:
    return perm.uid, " ".join(str(sem.sempid or 0) for sem in array.sems[:16]) + (
        " ..." if array.sem_nsems > 16 else ""
    )


def _msg_pids(perm: KernIpcPerm, queue: MsgQueue) -> Row:
    return perm.uid, queue.q_lspid or 0, queue.q_lrpid or 0


def _shm_pids(perm: KernIpcPerm, segment: ShmidKernel) -> Row:
    return perm.uid, segment.shm_cprid or 0, segment.shm_lprid or 0


def _creator(perm: KernIpcPerm, value: Any) -> Row:
    return f"{perm.mode & 0o777:o}", perm.cuid, perm.cgid, perm.uid, perm.gid


def _memory(perm: KernIpcPerm, segment: ShmidKernel) -> Row:
    pages = -(-segment.shm_segsz // PAGE_SIZE)
    resident = segment.shm_file.nrpages if segment.shm_file else 0
    account = "-" if segment.mlock_ucounts is None else f"uid {segment.mlock_ucounts[0]}"
    return perm.uid, pages, resident, 0, account


_OWNERS = ("perms", "cuid", "cgid", "uid", "gid")
VIEWS: dict[str, dict[str, Layout]] = {
    "time": {
        "msg": ("Message Queues Send/Recv/Change Times", ("owner", "send", "recv", "change"), _msg_times),
        "shm": (
            "Shared Memory Attach/Detach/Change Times",
            ("owner", "attached", "detached", "changed"),
            _shm_times,
        ),
        "sem": ("Semaphore Operation/Change Times", ("owner", "last-op", "last-changed"), _sem_times),
    },
    "pid": {
        "msg": ("Message Queues PIDs", ("owner", "lspid", "lrpid"), _msg_pids),
        "shm": ("Shared Memory Creator/Last-op PIDs", ("owner", "cpid", "lpid"), _shm_pids),
        "sem": ("Semaphore Last-op PIDs", ("owner", "sempid"), _sem_pids),
    },
    "creator": {
        "msg": ("Message Queues Creators/Owners", _OWNERS, _creator),
        "shm": ("Shared Memory Segment Creators/Owners", _OWNERS, _creator),
        "sem": ("Semaphore Arrays Creators/Owners", _OWNERS, _creator),
    },
    "memory": {
        "shm": ("Shared Memory Pages", ("owner", "allocated", "resident", "swapped", "locked-by"), _memory),
    },
}
"""By name, then by kind: title, columns behind the id, and what makes a row."""


def limits(ns: IpcNamespace, kinds: Sequence[str]) -> Iterator[str]:
    """Yield a namespace's limits as ``ipcs -l`` writes them."""
    if "msg" in kinds:
        yield "------ Messages Limits --------"
        yield f"max queues system wide = {ns.msg_ctlmni}"
        yield f"max size of message (bytes) = {ns.msg_ctlmax}"
        yield f"default max size of queue (bytes) = {ns.msg_ctlmnb}"
        yield ""
    if "shm" in kinds:
        yield "------ Shared Memory Limits --------"
        yield f"max number of segments = {ns.shm_ctlmni}"
        yield f"max seg size (kbytes) = {ns.shm_ctlmax // 1024}"
        yield f"max total shared memory (kbytes) = {min(ns.shm_ctlall * (PAGE_SIZE // 1024), (1 << 64) - 1)}"
        yield "min seg size (bytes) = 1"
        yield f"removed with the last user (shm_rmid_forced) = {ns.shm_rmid_forced}"
        yield ""
    if "sem" in kinds:
        semmsl, semmns, semopm, semmni = ns.sem_ctls
        yield "------ Semaphore Limits --------"
        yield f"max number of arrays = {semmni}"
        yield f"max semaphores per array = {semmsl}"
        yield f"max semaphores system wide = {semmns}"
        yield f"max ops per semop call = {semopm}"
        yield f"semaphore max value = {SEMVMX}"
        yield ""


def summary(ns: IpcNamespace, segments: Sequence[ShmidKernel], kinds: Sequence[str]) -> Iterator[str]:
    """Yield a namespace's totals as ``ipcs -u`` writes them, and what it cannot see."""
    if "msg" in kinds:
        yield "------ Messages Status --------"
        yield f"allocated queues = {ns.msg_ids.in_use}"
        yield f"used headers = {ns.percpu_msg_hdrs}"
        yield f"used space = {ns.percpu_msg_bytes} bytes"
        yield from _ids(ns.msg_ids)
    if "shm" in kinds:
        yield "------ Shared Memory Status --------"
        yield f"segments allocated {ns.shm_ids.in_use}"
        yield f"pages allocated {ns.shm_tot}"
        yield f"pages resident  {sum(segment.shm_file.nrpages for segment in segments if segment.shm_file)}"
        yield "pages swapped   0"
        yield from _ids(ns.shm_ids)
    if "sem" in kinds:
        yield "------ Semaphore Status --------"
        yield f"used arrays = {ns.sem_ids.in_use}"
        yield f"allocated semaphores = {ns.used_sems}"
        yield from _ids(ns.sem_ids)


def _ids(ids: Any) -> Iterator[str]:
    wanted = "none" if ids.next_id in (None, -1) else ids.next_id
    yield f"highest index {ids.max_idx}, last {ids.last_idx}, next from {ids.idr_next}, seq {ids.seq}, next_id {wanted}"
    yield ""
