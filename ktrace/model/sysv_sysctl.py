"""Limits of a namespace, changed while it is in use (``ipc/ipc_sysctl.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.model.sysv_ids import INT_MAX, s32
from ktrace.model.sysv_ipc import Namespace
from ktrace.model.sysv_shm_segment import shm_destroy_orphaned

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel

NEXT_IDS = {"kernel/sem_next_id": "sem_ids", "kernel/msg_next_id": "msg_ids", "kernel/shm_next_id": "shm_ids"}


def sysctl(kernel: Kernel, ns: Namespace, path: str, value: str) -> bool:
    """Write one of ``ipc_sysctls``; tell whether *path* is one.

    A value out of range changes nothing: the write fails, and ktrace says so itself.
    """
    mni = ns.facts.ipc_mni
    limits = {
        "kernel/shmmax": ("shm_ctlmax", (1 << 64) - 1),
        "kernel/shmall": ("shm_ctlall", (1 << 64) - 1),
        "kernel/shmmni": ("shm_ctlmni", mni),
        "kernel/shm_rmid_forced": ("shm_rmid_forced", 1),
        "kernel/msgmax": ("msg_ctlmax", INT_MAX),
        "kernel/msgmni": ("msg_ctlmni", mni),
        "kernel/msgmnb": ("msg_ctlmnb", INT_MAX),
    }
    words = value.split()
    if path in limits:
        name, most = limits[path]
        if words and 0 <= int(words[0], 0) <= most:
            setattr(ns, name, int(words[0], 0))
        if name == "shm_rmid_forced" and ns.shm_rmid_forced:
            shm_destroy_orphaned(kernel, ns)
        return True
    if path in NEXT_IDS:
        ids = getattr(ns, NEXT_IDS[path])
        if ids.next_id is not None and words and 0 <= int(words[0], 0) <= INT_MAX:
            ids.next_id = int(words[0], 0)
        return True
    if path == "kernel/sem":
        # proc_ipc_sem_dointvec(): semmni is put back where it is out of range.
        semmni = ns.sem_ctls[3]
        for index, word in enumerate(words[:4]):
            ns.sem_ctls[index] = s32(int(word, 0))
        if not 0 <= ns.sem_ctls[3] <= mni:
            ns.sem_ctls[3] = semmni
        return True
    return path == "kernel/auto_msgmni"
