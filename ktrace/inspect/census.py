"""What there is in a guest, whoever made it: pipes, System V objects, sockets, their names, processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import drgn
from drgn.helpers.linux.fs import for_each_file
from drgn.helpers.linux.pid import for_each_task

from ktrace.inspect.fs.named import named_objects
from ktrace.inspect.ipc.subsystem import SysvReader
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.lib.list import each_once
from ktrace.uapi.stat import S_IFIFO, S_IFMT, S_IFSOCK

KINDS: Mapping[str, tuple[str, str]] = {
    "pipe": ("pipe", "pipes"),
    "socket": ("socket", "sockets"),
    "msg": ("message queue", "message queues"),
    "sem": ("semaphore set", "semaphore sets"),
    "shm": ("shared memory segment", "shared memory segments"),
    "fifo": ("FIFO", "FIFOs"),
    "bound": ("name of a socket", "names of sockets"),
    "posix": ("file in /dev/shm", "files in /dev/shm"),
    "process": ("process", "processes"),
}
"""What is counted, and its name for people, of one and of more."""


NAMED = 8
"""So many of a kind are named."""


@dataclass(frozen=True)
class Census:
    """What was there at one moment.

    :param found: by kind, then by address: what it is called
    """

    found: Mapping[str, Mapping[int, str]]

    def of(self, kind: str) -> Mapping[int, str]:
        """Return what there is of *kind*, by address."""
        return self.found[kind]

    def told(self, kinds: tuple[str, ...]) -> str:
        """Say how many there are of *kinds*, in words."""
        return ", ".join(_counted(len(self.found[kind]), kind) for kind in kinds)

    def since(self, before: Census) -> Iterator[str]:
        """Yield what has come since *before*, a kind at a time: how many, and what they are called."""
        for kind, objects in self.found.items():
            new = [name for address, name in objects.items() if address not in before.found[kind]]
            if new:
                names = new if len(new) <= NAMED + 1 else [*new[:NAMED], f"and {len(new) - NAMED} more"]
                yield f"{_counted(len(new), kind)} ({', '.join(names)})"


def take_census(kernel: LiveKernel) -> Census:
    """Count what the guest has now.

    :param kernel: at rest
    """
    found: dict[str, dict[int, str]] = {kind: {} for kind in KINDS}
    for task in each_once(for_each_task(kernel.prog), "the list of tasks"):
        if not task.mm:
            continue  # a thread of the kernel
        found["process"][task.value_()] = f"{task.pid.value_()} {task.comm.string_().decode('ascii', 'replace')}"
        for number, file in for_each_file(task):
            mode = file.f_inode.i_mode.value_() & S_IFMT
            kind = {S_IFIFO: "pipe", S_IFSOCK: "socket"}.get(mode)
            if kind is not None:
                found[kind][file.f_inode.value_()] = f"descriptor {number} of {task.pid.value_()}"
    for address, ref in SysvReader(kernel).init_objects().items():
        found[ref.kind][address] = _ipc_name(kernel, ref.kind, address)
    for kind, inode, path in named_objects(kernel):
        found[kind][inode] = path
    return Census(found)


def _ipc_name(kernel: LiveKernel, kind: str, address: int) -> str:
    """Return key and identifier, as ipcs(1) has them (``include/linux/ipc.h: struct kern_ipc_perm``)."""
    struct, member = {
        "msg": ("struct msg_queue", "q_perm"),
        "sem": ("struct sem_array", "sem_perm"),
        "shm": ("struct shmid_kernel", "shm_perm"),
    }[kind]
    perm: Any = drgn.Object(kernel.prog, struct, address=address).member_(member)
    return f"{perm.key.value_() & 0xFFFFFFFF:#010x}, id {perm.id.value_()}"


def _counted(number: int, kind: str) -> str:
    return f"{number} {KINDS[kind][number != 1]}"
