"""User namespaces: what ids mean in them, and whose capabilities count where (``kernel/user_namespace.c``)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ktrace.include.linux.highuid import DEFAULT_OVERFLOWUID
from ktrace.model.task import CAPABILITIES_OF_ROOT, Cred, Errno, Task
from ktrace.uapi.resource import MLOCK_LIMIT, RLIMIT_MEMLOCK

if TYPE_CHECKING:
    pass


INVALID = 0xFFFFFFFF


@dataclass(frozen=True)
class Extent:
    """One range of ids: *first* in the namespace is *lower* in the kernel."""

    first: int
    lower: int
    count: int


def map_id_down(extents: tuple[Extent, ...], ident: int) -> int:
    """Return the kernel's id (``map_id_down()``)."""
    return map_id_range_down(extents, ident, 1)


def map_id_range_down(extents: tuple[Extent, ...], ident: int, count: int) -> int:
    """Return the kernel's id of the first of *count* that one extent holds (``map_id_range_down()``)."""
    found = next((item for item in extents if item.first <= ident and ident + count <= item.first + item.count), None)
    return INVALID if found is None else found.lower + ident - found.first


def map_id_up(extents: tuple[Extent, ...], ident: int) -> int:
    """Return the namespace's id of the kernel's *ident* (``map_id_up()``)."""
    found = next((item for item in extents if item.lower <= ident < item.lower + item.count), None)
    return INVALID if found is None else found.first + ident - found.lower


WHOLE = (Extent(0, 0, INVALID),)


@dataclass(eq=False)
class UserNamespace:
    """Mirror one ``struct user_namespace``.

    :param parent: ``None`` for the initial one
    :param owner: the kernel's user id of its maker, *group* likewise
    :param setfcap: ``parent_could_setfcap``
    :param memlock_max: ``rlimit_max[UCOUNT_RLIMIT_MEMLOCK]``
    """

    parent: UserNamespace | None = None
    owner: int = 0
    group: int = 0
    setfcap: bool = True
    memlock_max: int = (1 << 63) - 1
    uid_map: tuple[Extent, ...] = ()
    gid_map: tuple[Extent, ...] = ()
    setgroups_allowed: bool = True
    level: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.level = 0 if self.parent is None else self.parent.level + 1

    def make_kuid(self, uid: int) -> int:
        """Return the kernel's user id (``make_kuid()``)."""
        return map_id_down(self.uid_map, uid & INVALID)

    def make_kgid(self, gid: int) -> int:
        """Return the kernel's group id (``make_kgid()``)."""
        return map_id_down(self.gid_map, gid & INVALID)

    def uid_munged(self, kuid: int) -> int:
        """Return what a user id is called here (``from_kuid_munged()``)."""
        uid = map_id_up(self.uid_map, kuid)
        return DEFAULT_OVERFLOWUID if uid == INVALID else uid

    def gid_munged(self, kgid: int) -> int:
        """Return what a group id is called here (``from_kgid_munged()``)."""
        gid = map_id_up(self.gid_map, kgid)
        return DEFAULT_OVERFLOWUID if gid == INVALID else gid


INIT_USER_NS = UserNamespace(uid_map=WHOLE, gid_map=WHOLE)


def user_ns(cred: Cred) -> UserNamespace:
    """Return the namespace that credentials are of."""
    found: UserNamespace = cred.user_ns or INIT_USER_NS
    return found


def ns_capable(cred: Cred, target: UserNamespace, capability: str) -> bool:
    """Tell whether *capability* is there over *target* (``security/commoncap.c: cap_capable()``)."""
    own = user_ns(cred)
    ns: UserNamespace | None = target
    while ns is not None:
        if ns is own:
            return capability in cred.capabilities
        if ns.level <= own.level:
            return False
        if ns.parent is own and ns.owner == cred.euid:
            return True
        ns = ns.parent
    return False


def create_user_ns(cred: Cred, memlock: int) -> Cred:
    """Return credentials in a new namespace, with every capability there (``create_user_ns()``).

    :param memlock: the maker's RLIMIT_MEMLOCK
    :raises Errno: ENOSPC below 33 others, EPERM for who has no name in the namespace it is in
    """
    parent = user_ns(cred)
    if parent.level > 32:
        raise Errno("ENOSPC")
    if INVALID in (map_id_up(parent.uid_map, cred.euid), map_id_up(parent.gid_map, cred.egid)):
        raise Errno("EPERM")
    new = UserNamespace(
        parent,
        cred.euid,
        cred.egid,
        "CAP_SETFCAP" in cred.capabilities,
        min(memlock, (1 << 63) - 1),
        setgroups_allowed=parent.setgroups_allowed,
    )
    return replace(cred, user_ns=new, capabilities=CAPABILITIES_OF_ROOT, permitted=CAPABILITIES_OF_ROOT)


def commit_creds(task: Task, new: Cred) -> None:
    """Give *task* other credentials; what it may no longer do, others may no longer look into (``commit_creds()``)."""
    old, task.cred = task.cred, new
    if (old.euid, old.egid) != (new.euid, new.egid) or not _cap_issubset(old, new):
        set_dumpable(task, False)


def set_dumpable(task: Task, dumpable: bool) -> None:
    """Set whether other processes of the same user may look into this one (``set_dumpable()``)."""
    task.mm.dumpable = dumpable


def memlock_limit(task: Task) -> int:
    """Return the soft RLIMIT_MEMLOCK (``rlimit()``)."""
    limit = task.rlimits.get(RLIMIT_MEMLOCK)
    return MLOCK_LIMIT if limit is None else limit.cur


def _cap_issubset(old: Cred, new: Cred) -> bool:
    """Tell whether *new* can do no more than *old*, or is of a namespace of its making (``cred_cap_issubset()``)."""
    if user_ns(old) is user_ns(new) and new.permitted <= old.permitted:
        return True
    ns = user_ns(new)
    while ns.parent is not None:
        if ns.parent is user_ns(old) and ns.owner == old.euid:
            return True
        ns = ns.parent
    return False


def task_dump_owner(task: Task) -> tuple[int, int]:
    """Return the owner of a task's files below /proc (``fs/proc/base.c: task_dump_owner()``)."""
    if not task.mm.dumpable:
        return 0, 0
    return task.cred.euid, task.cred.egid
