"""Limits of a namespace, read and changed while it is in use (``ipc/ipc_sysctl.c``, ``kernel/sysctl.c``)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.model.ipc.namespace import Namespace
from ktrace.model.ipc.shm_segment import shm_destroy_orphaned
from ktrace.model.task import Errno
from ktrace.uapi.limits import INT_MAX, ULONG_MAX

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel

TMPBUFLEN = 22
SPACES = b" \t\n\v\f\r\xa0"
"""What ``isspace()`` skips."""
_NUMBER = re.compile(rb"(-?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")


@dataclass(frozen=True)
class Limit:
    """One ``struct ctl_table`` of numbers.

    :param name: the member of the namespace, or the kind whose ``next_id`` it is
    :param low: least value, *high* greatest; ``None`` asks the kernel for ``ipc_mni``
    :param signed: int rather than unsigned long
    :param mode: permissions
    """

    name: str
    low: int = 0
    high: int | None = INT_MAX
    signed: bool = True
    mode: int = 0o644

    def values(self, ns: Namespace) -> list[int]:
        """Return what reading it shows."""
        if self.name == "sem_ctls":
            return list(ns.sem_ctls)
        if self.name.endswith("_ids"):
            return [getattr(ns, self.name).next_id]
        return [getattr(ns, self.name) if self.name else 0]

    def store(self, ns: Namespace, index: int, value: int) -> None:
        """Set one value.

        :raises Errno: EINVAL out of range (``do_proc_dointvec_minmax_conv()``, ``__do_proc_doulongvec_minmax()``)
        """
        high = ns.facts.ipc_mni if self.high is None else self.high
        if not self.low <= value <= high:
            raise Errno("EINVAL")
        if self.name == "sem_ctls":
            ns.sem_ctls[index] = value
        elif self.name.endswith("_ids"):
            getattr(ns, self.name).next_id = value
        elif self.name:
            setattr(ns, self.name, value)


LIMITS = {
    "shmmax": Limit("shm_ctlmax", high=ULONG_MAX, signed=False),
    "shmall": Limit("shm_ctlall", high=ULONG_MAX, signed=False),
    "shmmni": Limit("shm_ctlmni", high=None),
    "shm_rmid_forced": Limit("shm_rmid_forced", high=1),
    "msgmax": Limit("msg_ctlmax"),
    "msgmni": Limit("msg_ctlmni", high=None),
    "auto_msgmni": Limit("", high=1),
    "msgmnb": Limit("msg_ctlmnb"),
    "sem": Limit("sem_ctls", low=-INT_MAX - 1),
    "sem_next_id": Limit("sem_ids", mode=0o444),
    "msg_next_id": Limit("msg_ids", mode=0o444),
    "shm_next_id": Limit("shm_ids", mode=0o444),
}
"""``ipc_sysctls`` by name, below /proc/sys/kernel."""


def find_limit(ns: Namespace, path: str) -> Limit | None:
    """Return the limit at *path* below /proc/sys, ``None`` where there is none."""
    directory, _, name = path.rpartition("/")
    found = LIMITS.get(name) if directory == "kernel" else None
    # Without CONFIG_CHECKPOINT_RESTORE there is no next_id.
    return None if found is not None and found.name.endswith("_ids") and ns.sem_ids.next_id is None else found


def sysctl(kernel: Kernel, ns: Namespace, path: str, value: str) -> bool:
    """Set a limit as the agent does, which reports a failing write itself; tell whether *path* is a limit."""
    limit = find_limit(ns, path)
    if limit is None:
        return False
    try:
        write_limit(kernel, ns, limit, value.encode())
    except Errno as error:
        raise LookupError(f"the guest took {value!r} for {path!r}: {error.name} was expected") from error
    return True


def read_limit(kernel: Kernel, ns: Namespace, limit: Limit) -> bytes:
    """Return the text of a limit (``__do_proc_dointvec()``)."""
    text = "\t".join(map(str, limit.values(ns))) + "\n"
    _after(kernel, ns, limit)
    return text.encode()


def write_limit(kernel: Kernel, ns: Namespace, limit: Limit, data: bytes) -> int:
    """Write a limit at offset 0 and return how many bytes were taken.

    :raises Errno: EINVAL, ERANGE; what came before the number at fault is set
    """
    if not data:
        return 0
    semmni = ns.sem_ctls[3]
    try:
        taken = _parse(data, lambda index, value: limit.store(ns, index, value), limit, len(limit.values(ns)))
    except Errno:
        if limit.name == "sem_ctls":
            ns.sem_ctls[3] = semmni  # proc_ipc_sem_dointvec()
        raise
    if limit.name == "sem_ctls" and not 0 <= ns.sem_ctls[3] <= ns.facts.ipc_mni:
        ns.sem_ctls[3] = semmni
        raise Errno("ERANGE")  # sem_check_semmni()
    _after(kernel, ns, limit)
    return taken


def _after(kernel: Kernel, ns: Namespace, limit: Limit) -> None:
    """``proc_ipc_dointvec_minmax_orphans()``, which does not ask whether it was a write."""
    if limit.name == "shm_rmid_forced" and ns.shm_rmid_forced:
        shm_destroy_orphaned(kernel, ns)


def _parse(data: bytes, store: Callable[[int, int], None], limit: Limit, count: int) -> int:
    """Store each number of *data*; return how many bytes were read (``__do_proc_dointvec()``).

    :raises Errno: EINVAL
    """
    text = data.split(b"\0", 1)[0][: PAGE_SIZE - 1]
    left = min(len(data), PAGE_SIZE - 1)
    at = 0
    first = True
    for index in range(count):
        at = _skip_spaces(text, at)
        if at >= left:
            break
        value, at = _proc_get_long(text, at, left, limit)
        store(index, value)
        first = False
    if first:
        raise Errno("EINVAL")
    at = _skip_spaces(text, at)
    return at + len(data) - left


def _skip_spaces(text: bytes, at: int) -> int:
    while at < len(text) and text[at] in SPACES:
        at += 1
    return at


def _proc_get_long(text: bytes, at: int, left: int, limit: Limit) -> tuple[int, int]:
    """Return a number and where it ends (``proc_get_long()``, ``strtoul_lenient()``).

    :raises Errno: EINVAL
    """
    found = _NUMBER.match(text[: at + TMPBUFLEN - 1], at)
    if found is None or found[0] == b"-":
        raise Errno("EINVAL")
    digits = found[2]
    base = 16 if digits[:2].lower() == b"0x" else 8 if digits[0] == ord("0") else 10
    magnitude = int(digits, base)
    end = found.end()
    if magnitude > ULONG_MAX or end - at == TMPBUFLEN - 1:
        raise Errno("EINVAL")
    if end < left and text[end : end + 1] not in (b" ", b"\t", b"\n"):
        raise Errno("EINVAL")
    negative = bool(found[1])
    if limit.signed:
        if magnitude > INT_MAX + negative:
            raise Errno("EINVAL")  # do_proc_dointvec_conv()
    elif negative:
        raise Errno("EINVAL")
    return -magnitude if negative else magnitude, end
