"""Identities and limits of a process (``kernel/sys.c``, ``kernel/groups.c``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ktrace.model.calls import syscall
from ktrace.model.process.cred import replace_gids, replace_uids
from ktrace.model.process.job_control import find_process
from ktrace.model.process.user_namespace import commit_creds, ns_capable, user_ns
from ktrace.model.task import Errno, Rlimit, Task
from ktrace.state.call import Pointer, Result
from ktrace.state.rule import Rule
from ktrace.uapi.limits import NGROUPS_MAX, UINT_MAX
from ktrace.uapi.resource import RLIM_INFINITY, RLIM_NLIMITS, RLIMIT_NOFILE

LIMIT_AT_BIRTH = Rule("kernel/sys.c", "do_prlimit", "limits that the agent was born with")
UNCHANGED = UINT_MAX
SYSCTL_NR_OPEN = 1024 * 1024


def _given(value: int, old: int, make: Callable[[int], int]) -> int:
    if value & UNCHANGED == UNCHANGED:
        return old
    ident = make(value)
    if ident == UNCHANGED:
        raise Errno("EINVAL")  # it has no name in the caller's user namespace
    return ident


def _named(value: int, make: Callable[[int], int]) -> int:
    """Return the kernel's own number of a user or group.

    :raises Errno: EINVAL where it has none
    """
    ident = make(value & UNCHANGED)
    if ident == UNCHANGED:
        raise Errno("EINVAL")
    return ident


@syscall("setresuid")
def setresuid(task: Task, ruid: int, euid: int, suid: int) -> int:
    """Change user ids (``kernel/sys.c: __sys_setresuid()``)."""
    cred = task.cred
    old = (cred.uid, cred.euid, cred.suid)
    make = user_ns(cred).make_kuid
    new = (_given(ruid, cred.uid, make), _given(euid, cred.euid, make), _given(suid, cred.suid, make))
    if new == old:
        return 0
    if not set(new) <= set(old) and "CAP_SETUID" not in cred.capabilities:
        raise Errno("EPERM")
    commit_creds(task, replace_uids(cred, *new))
    return 0


@syscall("setresgid")
def setresgid(task: Task, rgid: int, egid: int, sgid: int) -> int:
    """Change group ids (``kernel/sys.c: __sys_setresgid()``)."""
    cred = task.cred
    old = (cred.gid, cred.egid, cred.sgid)
    make = user_ns(cred).make_kgid
    new = (_given(rgid, cred.gid, make), _given(egid, cred.egid, make), _given(sgid, cred.sgid, make))
    if new == old:
        return 0
    if not set(new) <= set(old) and "CAP_SETGID" not in cred.capabilities:
        raise Errno("EPERM")
    commit_creds(task, replace_gids(cred, *new))
    return 0


@syscall("setuid")
def setuid(task: Task, uid: int) -> int:
    """Become another user (``kernel/sys.c: __sys_setuid()``)."""
    cred = task.cred
    kuid = _named(uid, user_ns(cred).make_kuid)
    if "CAP_SETUID" in cred.capabilities:
        commit_creds(task, replace_uids(cred, kuid, kuid, kuid))
    elif kuid in (cred.uid, cred.suid):
        commit_creds(task, replace_uids(cred, cred.uid, kuid, cred.suid))
    else:
        raise Errno("EPERM")
    return 0


@syscall("setreuid")
def setreuid(task: Task, ruid: int, euid: int) -> int:
    """Change the real and the effective user id (``kernel/sys.c: __sys_setreuid()``)."""
    cred = task.cred
    make = user_ns(cred).make_kuid
    new_ruid, new_euid = _given(ruid, cred.uid, make), _given(euid, cred.euid, make)
    known = new_ruid in (cred.uid, cred.euid) and new_euid in (cred.uid, cred.euid, cred.suid)
    if not known and "CAP_SETUID" not in cred.capabilities:
        raise Errno("EPERM")
    kept = ruid & UNCHANGED == UNCHANGED and (euid & UNCHANGED == UNCHANGED or new_euid == cred.uid)
    commit_creds(task, replace_uids(cred, new_ruid, new_euid, cred.suid if kept else new_euid))
    return 0


@syscall("setgid")
def setgid(task: Task, gid: int) -> int:
    """Become a member of another group (``kernel/sys.c: __sys_setgid()``)."""
    cred = task.cred
    kgid = _named(gid, user_ns(cred).make_kgid)
    if "CAP_SETGID" in cred.capabilities:
        commit_creds(task, replace_gids(cred, kgid, kgid, kgid))
    elif kgid in (cred.gid, cred.sgid):
        commit_creds(task, replace_gids(cred, cred.gid, kgid, cred.sgid))
    else:
        raise Errno("EPERM")
    return 0


@syscall("setregid")
def setregid(task: Task, rgid: int, egid: int) -> int:
    """Change the real and the effective group id (``kernel/sys.c: __sys_setregid()``)."""
    cred = task.cred
    make = user_ns(cred).make_kgid
    new_rgid, new_egid = _given(rgid, cred.gid, make), _given(egid, cred.egid, make)
    known = new_rgid in (cred.gid, cred.egid) and new_egid in (cred.gid, cred.egid, cred.sgid)
    if not known and "CAP_SETGID" not in cred.capabilities:
        raise Errno("EPERM")
    kept = rgid & UNCHANGED == UNCHANGED and (egid & UNCHANGED == UNCHANGED or new_egid == cred.gid)
    commit_creds(task, replace_gids(cred, new_rgid, new_egid, cred.sgid if kept else new_egid))
    return 0


@syscall("setgroups")
def setgroups(task: Task, list: Any, size: int) -> int:
    """Change supplementary groups (``kernel/groups.c``: setgroups)."""
    ns = user_ns(task.cred)
    # may_setgroups(), userns_may_setgroups()
    if "CAP_SETGID" not in task.cred.capabilities or not (ns.gid_map and ns.setgroups_allowed):
        raise Errno("EPERM")
    if not 0 <= size <= NGROUPS_MAX:
        raise Errno("EINVAL")
    if isinstance(list, Pointer) and size:
        raise Errno("EFAULT")
    groups = [ns.make_kgid(group) for group in (*list[:size], *[0] * (size - len(list)))] if size else []
    if UNCHANGED in groups:
        raise Errno("EINVAL")
    task.cred = replace(task.cred, groups=tuple(sorted(groups)))
    return 0


@syscall("getuid")
def getuid(task: Task) -> int:
    """Return the real user id (``kernel/sys.c``)."""
    return user_ns(task.cred).uid_munged(task.cred.uid)


@syscall("geteuid")
def geteuid(task: Task) -> int:
    """Return the effective user id (``kernel/sys.c``)."""
    return user_ns(task.cred).uid_munged(task.cred.euid)


@syscall("getgid")
def getgid(task: Task) -> int:
    """Return the real group id (``kernel/sys.c``)."""
    return user_ns(task.cred).gid_munged(task.cred.gid)


@syscall("getegid")
def getegid(task: Task) -> int:
    """Return the effective group id (``kernel/sys.c``)."""
    return user_ns(task.cred).gid_munged(task.cred.egid)


@syscall("getpid")
def getpid(task: Task) -> Result:
    """Return the caller's pid, that of its first thread (``kernel/sys.c: task_tgid_vnr()``)."""
    leader = (task.program.leader or task) if task.program is not None else task
    return Result(leader.pid, None, {"actor": leader.name})


@syscall("gettid")
def gettid(task: Task) -> Result:
    """Return the caller's thread id (``kernel/sys.c``)."""
    return Result(task.pid, None, {"actor": task.name})


@syscall("prlimit64")
def prlimit64(task: Task, pid: int | str, resource: int, new_limit: Any) -> Result:
    """Read and change a limit (``kernel/sys.c: do_prlimit()``)."""
    if isinstance(new_limit, Pointer):
        if new_limit.value:
            raise Errno("EFAULT")
        new_limit = None
    target = find_process(task.kernel, pid) if pid else task
    if target is None and (task.cred.uid or task.cred.gid) and not task.cred.capable("CAP_SYS_RESOURCE"):
        raise Errno("EPERM")
    if target is None:
        raise NotImplementedError(f"nobody knows the limits of process {pid}")
    if target is not task and not _may_limit(task, target):
        raise Errno("EPERM")
    return _do_prlimit(task, target, resource, new_limit, "old_limit")


@syscall("setrlimit")
def setrlimit(task: Task, resource: int, rlim: Any) -> Result:
    """Change a limit of one's own (``kernel/sys.c: do_prlimit()``)."""
    if isinstance(rlim, Pointer):
        raise Errno("EFAULT")
    return _do_prlimit(task, task, resource, rlim, None)


@syscall("getrlimit")
def getrlimit(task: Task, resource: int) -> Result:
    """Read a limit of one's own (``kernel/sys.c: do_prlimit()``)."""
    return _do_prlimit(task, task, resource, None, "rlim")


def _may_limit(task: Task, target: Task) -> bool:
    """``kernel/sys.c: check_prlimit_permission()``."""
    mine, other = task.cred, target.cred
    same = {mine.uid} == {other.euid, other.suid, other.uid} and {mine.gid} == {other.egid, other.sgid, other.gid}
    return same or ns_capable(mine, user_ns(other), "CAP_SYS_RESOURCE")


def _do_prlimit(task: Task, target: Task, resource: int, new: Any, out: str | None) -> Result:
    if not 0 <= resource < RLIM_NLIMITS:
        raise Errno("EINVAL")
    if new is not None:
        if new["rlim_cur"] > new["rlim_max"]:
            raise Errno("EINVAL")
        if resource == RLIMIT_NOFILE and new["rlim_max"] > SYSCTL_NR_OPEN:
            raise Errno("EPERM")
    if resource == RLIMIT_NOFILE:
        old = Rlimit(target.rlimit_nofile, target.rlimit_nofile_max)
    else:
        old = target.rlimits.get(resource) or _limit_at_birth(task, resource, out)
    if new is not None:
        if new["rlim_max"] > old.max and not task.cred.capable("CAP_SYS_RESOURCE"):
            raise Errno("EPERM")
        if resource == RLIMIT_NOFILE:
            target.rlimit_nofile, target.rlimit_nofile_max = new["rlim_cur"], new["rlim_max"]
        else:
            target.rlimits[resource] = Rlimit(new["rlim_cur"], new["rlim_max"])
    told = {out: {"rlim_cur": old.cur, "rlim_max": old.max}} if out and not _pointed(task, out) else {}
    return Result(0, None, told)


def _pointed(task: Task, name: str) -> bool:
    return task.call is not None and name in task.call.pointers


def _limit_at_birth(task: Task, resource: int, out: str | None) -> Rlimit:
    """Return a limit that nobody set: what the agent has, from the guest's answer where that was not read."""
    kernel = task.kernel
    if kernel.processes.facts.rlim:
        return Rlimit(*kernel.processes.facts.rlim[resource])
    unlimited = {"rlim_cur": RLIM_INFINITY, "rlim_max": RLIM_INFINITY}
    chosen: dict[str, int] = kernel.choose(
        LIMIT_AT_BIRTH,
        lambda seen: seen.out(task, out) if out else None,
        lambda limit: limit["rlim_cur"] <= limit["rlim_max"],
        unlimited,
    )
    return Rlimit(chosen["rlim_cur"], chosen["rlim_max"])
