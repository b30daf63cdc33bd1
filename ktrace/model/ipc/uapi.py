"""The structs of the System V calls in user memory, where a script chose their address (``include/uapi/linux``)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ktrace.model.ipc.ids import IpcObject, Time
from ktrace.model.mm.user_memory import copy_from_user, copy_to_user
from ktrace.model.task import Task
from ktrace.state.allowed import Between
from ktrace.state.call import Pointer, Result

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.model.observed import Observed

_PERM = "iIIIIIH22x"
_PERM_MEMBERS = ("key", "uid", "gid", "cuid", "cgid", "mode", "seq")


class UserStruct:
    """One struct: a :mod:`struct` code for its members in their order; one that ends in ``perm`` is an ipc64_perm."""

    def __init__(self, code: str, members: str) -> None:
        self.members = members.split()
        self.perm = next((name for name in self.members if name.endswith("perm")), "")
        self._struct = struct.Struct("<" + (_PERM + code if self.perm else code))
        self.size = self._struct.size

    def pack(self, content: Mapping[str, Any]) -> bytes:
        """Return the bytes of *content*, with pids as numbers."""
        flat: list[int] = []
        for name in self.members:
            value = content[name]
            if name == self.perm:
                flat += [value[member] for member in _PERM_MEMBERS]
            elif isinstance(value, Task):
                flat.append(value.pid)
            else:
                flat.append(value or 0)
        return self._struct.pack(*flat)

    def unpack(self, data: bytes) -> dict[str, Any]:
        """Return the members in *data*."""
        flat = list(self._struct.unpack(data))
        if not self.perm:
            return dict(zip(self.members, flat, strict=True))
        count = len(_PERM_MEMBERS)
        perm = dict(zip(_PERM_MEMBERS, flat[:count], strict=True))
        return {self.perm: perm, **dict(zip(self.members[1:], flat[count:], strict=True))}


SEMBUF = UserStruct("Hhh", "sem_num sem_op sem_flg")
TIMESPEC = UserStruct("qq", "tv_sec tv_nsec")
SEMID64_DS = UserStruct("q8xq8xQ16x", "sem_perm sem_otime sem_ctime sem_nsems")
MSQID64_DS = UserStruct(
    "qqqQQQii16x",
    "msg_perm msg_stime msg_rtime msg_ctime msg_cbytes msg_qnum msg_qbytes msg_lspid msg_lrpid",
)
SHMID64_DS = UserStruct(
    "QqqqiiQ16x", "shm_perm shm_segsz shm_atime shm_dtime shm_ctime shm_cpid shm_lpid shm_nattch"
)  # fmt: skip
SEMINFO = UserStruct("10i", "semmap semmni semmns semmnu semmsl semopm semume semusz semvmx semaem")
MSGINFO = UserStruct("7iH2x", "msgpool msgmap msgmax msgmnb msgmni msgssz msgtql msgseg")
SHMINFO64 = UserStruct("5Q32x", "shmmax shmmin shmmni shmseg shmall")
SHM_INFO = UserStruct("i4x5Q", "used_ids shm_tot shm_rss shm_swp swap_attempts swap_successes")


MEMBERS = {
    "msg_stime": "q_stime",
    "msg_rtime": "q_rtime",
    "msg_ctime": "q_ctime",
    "shm_atime": "shm_atim",
    "shm_dtime": "shm_dtim",
    "shm_ctime": "shm_ctim",
}
"""Times of the structs by their names in the kernel's objects, where these differ."""


def seen_time(kernel: Kernel, ipcp: IpcObject, member: str, time: Time) -> int:
    """Return a time of an object: the kernel's own second, where the model knows an interval."""
    if isinstance(time, int):
        return time

    def find(seen: Observed) -> int | None:
        objects = seen.ipc(ipcp.kind, ipcp.id)
        found = [
            max(sem.sem_otime for sem in value.sems) if member == "sem_otime" else getattr(value, member)
            for value in objects
        ]
        return next(filter(time.admits, found), None)

    return int(kernel.choose(time.rule, find, time.admits, time.low))


def address_of(given: Any) -> int | None:
    """Return the address that stands in the place of a struct, ``None`` where the struct itself stands there."""
    if isinstance(given, Pointer):
        return given.value
    return given if isinstance(given, int) else None


def read_struct(task: Task, given: Any, layout: UserStruct) -> Mapping[str, Any]:
    """Return the struct that a call was given, or reads at an address; nothing given is NULL.

    :raises Errno: EFAULT
    """
    if isinstance(given, Mapping):
        return given
    return layout.unpack(copy_from_user(task, address_of(given) or 0, layout.size))


def write_struct(
    task: Task,
    name: str,
    value: int,
    content: Mapping[str, Any],
    layout: UserStruct,
    given: Any,
    about: IpcObject | None = None,
) -> Result:
    """Return a call's result with the struct that it wrote, which is not reported where the caller chose its address.

    :param name: the out value's name
    :param given: what was passed in the struct's place, if anything
    :param about: the object whose times are in it
    :raises Errno: EFAULT
    """
    assert task.call is not None
    address = address_of(task.call.pointers.get(name, given))
    if address is not None:
        if about is not None:
            content = {
                member: seen_time(task.kernel, about, MEMBERS.get(member, member), item)
                if isinstance(item, Between)
                else item
                for member, item in content.items()
            }
        copy_to_user(task, address, layout.pack(content))
        return Result(value)
    shown = {member: item.name if isinstance(item, Task) else item for member, item in content.items()}
    return Result(value, None, {name: shown})


def read_array(task: Task, given: Any, layout: UserStruct, count: int) -> list[Mapping[str, Any]]:
    """Return *count* structs that a call was given, with zeros for those that it was not, or reads at an address.

    :raises Errno: EFAULT
    """
    if not isinstance(given, (tuple, list)):
        data = copy_from_user(task, address_of(given) or 0, count * layout.size)
        return [layout.unpack(data[at : at + layout.size]) for at in range(0, len(data), layout.size)]
    missing = dict.fromkeys(layout.members, 0)
    return [*given[:count], *[missing] * (count - len(given))]
